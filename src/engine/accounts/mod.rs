//! Accounts of developers: registering, verifying, logging in, passwords, sessions, and the mails about all that.
//!
//! The portal's API and its pages ask the same use cases; the console has its sessions from here.
//!
//! **Invariants:** cookies and mailed tokens are minted, kept as digests, and never reach a log. A log-in always begins a
//! new session, and a new password ends all others. Whether an address has an account is told neither by
//! [`Accounts::forgot_password`] nor by [`Accounts::resend_verification`], in word or in time; nor by
//! [`Accounts::register`] where the settings say so. What is guessed at is counted before it is judged. A mail is kept
//! before the act it tells of is answered, and an act never fails for want of a mail server.
//!
//! **Absent on purpose:** HTTP and cookies' attributes (room `portal`), who may be a developer (`registration`), sending
//! (the `Mailer`).

mod developer;
mod error;
mod everywhere;
mod links;
mod log_in;
mod meta;
mod notices;
mod outbox;
mod password;
mod profile;
mod register;
mod sessions;
mod throttle;
mod tokens;
mod verify;

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;

use self::links::Links;
use self::throttle::Throttle;
use super::Node;
use super::registration::Registration;
use crate::config::Settings;
use crate::domain::{DeveloperStatus, Keyring};

pub use crate::storage::{MailRecord, MailState, Session, SessionHolder};
pub use developer::Developer;
pub use error::AccountError;
pub use log_in::{Credentials, LoggedIn};
pub use meta::{META_FIELDS, MetaField};
pub use outbox::Outbox;
pub use register::{Mailed, Registered};
pub use sessions::{Begun, IDLE_SECONDS, Visit};

/// Answers whose work goes on behind them ([`Accounts::forgot_password`]); more at once are answered "try again later".
const LATER: usize = 64;

/// What the use cases follow.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    pub auto_approve: bool,
    pub email_verification: bool,
    pub hide_accounts: bool,
    pub admin_emails: Vec<String>,
    /// Where developers reach the portal, without a slash at the end.
    pub portal_url: String,
}

impl AccountSettings {
    /// `portal_url`: used unless the settings name one.
    pub fn of(settings: &Settings, portal_url: String) -> Self {
        Self {
            auto_approve: settings.portal.auto_approve,
            email_verification: settings.portal.email_verification,
            hide_accounts: settings.portal.hide_accounts,
            admin_emails: settings.mail.admin_emails.clone(),
            portal_url: settings.portal.url.clone().unwrap_or(portal_url),
        }
    }
}

/// The use cases; clones share everything.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    node: Node,
    registration: Registration,
    outbox: Outbox,
    settings: AccountSettings,
    links: Links,
    throttle: Throttle,
    later: Arc<Semaphore>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Accounts({:?})", self.0.settings)
    }
}

impl Accounts {
    pub fn new(node: Node, registration: Registration, outbox: Outbox, settings: AccountSettings) -> Self {
        let links = Links::new(&settings.portal_url);
        let later = Arc::new(Semaphore::new(LATER));
        Self(Arc::new(Inner { node, registration, outbox, settings, links, throttle: Throttle::default(), later }))
    }

    pub fn settings(&self) -> &AccountSettings {
        &self.0.settings
    }

    /// Names of the plugins that are enabled somewhere.
    ///
    /// # Errors
    /// The store failed.
    pub async fn plugins_in_use(&self) -> Result<Vec<String>, AccountError> {
        Ok(self.0.node.store.plugins_in_use().await?)
    }

    /// The keys that tokens of forms are made with.
    pub fn keyring(&self) -> &Keyring {
        &self.0.node.keyring
    }

    /// What a developer becomes whose address is known to be theirs.
    fn admitted(&self) -> DeveloperStatus {
        if self.0.settings.auto_approve { DeveloperStatus::Approved } else { DeveloperStatus::Requested }
    }

    /// Who a caller is to the throttle: an address, or the network one customer of IPv6 has.
    fn client(address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
            v4 => v4,
        }
    }
}
