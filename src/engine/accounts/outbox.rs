//! The outbox: mails are kept here, and sent by the mailer.

use std::sync::Arc;

use actix::Addr;
use tracing::{debug, info};
use uuid::Uuid;

use crate::actors::{Mailer, Wake};
use crate::domain::Clock;
use crate::engine::Node;
use crate::mail::{Mail, Transport};
use crate::storage::{MailState, NewMail, StorageError, Store};
use crate::telemetry::{Meter, Meters};

/// Where mails wait. Clones share the mailer.
#[derive(Clone)]
pub struct Outbox {
    store: Store,
    clock: Clock,
    meters: Arc<Meters>,
    /// `None`: there is no mail server.
    mailer: Option<Addr<Mailer>>,
    is_shown: bool,
}

impl Outbox {
    /// Starts the mailer on this thread, where there is a mail server. `is_shown`: whether mails that nobody sends are
    /// logged whole, which is what a developer's own machine wants and nothing else does.
    pub fn start(node: &Node, transport: Transport, is_shown: bool) -> Self {
        let meters = node.meters.worker();
        let mailer = match transport {
            Transport::Smtp(smtp) => {
                Some(Mailer::start_with(node.store.clone(), node.clock.clone(), *smtp, Arc::clone(&meters)))
            }
            Transport::Kept => None,
        };
        Self { store: node.store.clone(), clock: node.clock.clone(), meters, mailer, is_shown }
    }

    /// Whether mails are sent, and not only kept.
    pub fn sends(&self) -> bool {
        self.mailer.is_some()
    }

    /// Whether mails that nobody sends are shown, in the log and on a page.
    pub fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// A mail as it is stored. Whoever stores it tells by [`Outbox::posted`].
    pub(super) fn written(&self, mail: &Mail) -> NewMail {
        NewMail {
            id: Uuid::now_v7(),
            recipient: mail.to.clone(),
            subject: mail.subject.clone(),
            body: mail.body(),
            state: if self.sends() { MailState::Waiting } else { MailState::Kept },
            created_at: self.clock.now(),
        }
    }

    /// These mails are stored now.
    pub(super) fn posted(&self, mails: &[Mail]) {
        if self.sends() {
            return self.wake();
        }
        self.meters.add(Meter::MailsKept, mails.len() as u64);
        if self.is_shown {
            mails.iter().for_each(show);
        }
    }

    /// Makes the mailer look.
    pub(super) fn wake(&self) {
        if self.mailer.as_ref().is_some_and(|mailer| mailer.try_send(Wake).is_err()) {
            debug!("the mailer is busy, it looks again by itself");
        }
    }

    /// Keeps mails, all or none.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn post(&self, mails: &[Mail]) -> Result<(), StorageError> {
        let written: Vec<NewMail> = mails.iter().map(|mail| self.written(mail)).collect();
        self.store.insert_mails(&written).await?;
        self.posted(mails);
        Ok(())
    }
}

/// The whole mail, on one's own machine.
fn show(mail: &Mail) {
    let Mail { to, subject, text, .. } = mail;
    info!(mail.to = to, mail.subject = subject, "mail to {to}: {subject}\n{}", text.reveal());
}
