//! Showing that an address is one's own.

use std::net::IpAddr;

use serde_json::json;

use super::developer::normal;
use super::register::body;
use super::{AccountError, Accounts, Developer};
use crate::domain::{DeveloperStatus, PlainToken};
use crate::engine::catalog::Key;
use crate::mail::Letter;
use crate::storage::{MailedToken, Purpose};

impl Accounts {
    /// Uses up a mailed link: the address one registered with, or the new one, is known to be the developer's now. Gives
    /// what the developer is then.
    ///
    /// # Errors
    /// [`AccountError::BadToken`]; [`crate::engine::catalog::CatalogError::Unique`] when the new address has got an
    /// account meanwhile.
    pub async fn verify(&self, token: &PlainToken) -> Result<DeveloperStatus, AccountError> {
        let (digest, known) = self.known_token(token).await?;
        match known.purpose {
            Purpose::Verification | Purpose::NewAddress => {}
            Purpose::PasswordReset => return Err(AccountError::BadToken),
        }
        let taken = self.take_token(digest, known.purpose).await?;
        let developer = self.find_by_id(taken.developer).await?.ok_or(AccountError::BadToken)?;
        match taken.purpose {
            Purpose::NewAddress => self.move_address(&developer, &taken.email).await,
            Purpose::Verification | Purpose::PasswordReset => self.admit(&developer, &taken).await,
        }
    }

    /// Lets a developer in whose address is known to be theirs.
    pub(super) async fn admit(
        &self,
        developer: &Developer,
        token: &MailedToken,
    ) -> Result<DeveloperStatus, AccountError> {
        if developer.email != token.email {
            return Err(AccountError::BadToken);
        }
        if developer.status != DeveloperStatus::Unverified {
            return Ok(developer.status);
        }
        let status = self.admitted();
        let moved = self.0.registration.move_developer(developer.id, DeveloperStatus::Unverified, status).await?;
        if moved && status == DeveloperStatus::Requested {
            self.notify_developer(&developer.email, status).await;
        }
        Ok(status)
    }

    /// The old address is told; links to a new password that it got are void.
    pub(super) async fn move_address(
        &self,
        developer: &Developer,
        email: &str,
    ) -> Result<DeveloperStatus, AccountError> {
        self.0.registration.patch_developer(&Key::Id(developer.id), body(json!({ "email": email }))).await?;
        let mail = Letter::AddressChanged.to(&developer.email);
        self.0.node.store.end_links(developer.id, &self.0.outbox.written(&mail)).await?;
        self.0.outbox.posted(&[mail]);
        Ok(developer.status)
    }

    /// The holder of an address says that it was not them who registered: the account that nobody could use goes.
    ///
    /// # Errors
    /// [`AccountError::BadToken`]
    pub async fn invalidate_verification(&self, token: &PlainToken) -> Result<(), AccountError> {
        let (digest, known) = self.known_token(token).await?;
        if known.purpose == Purpose::PasswordReset {
            return Err(AccountError::BadToken);
        }
        let taken = self.take_token(digest, known.purpose).await?;
        let developer = self.find_by_id(taken.developer).await?;
        let unused = developer.filter(|developer| {
            developer.status == DeveloperStatus::Unverified && taken.purpose == Purpose::Verification
        });
        if let Some(developer) = unused {
            self.0.registration.delete_developer(&Key::Id(developer.id)).await?;
        }
        Ok(())
    }

    /// Mails the link again to a developer who is not verified yet. Who asks learns nothing.
    ///
    /// # Errors
    /// [`AccountError::Locked`]
    pub async fn resend_verification(&self, email: &str, client: IpAddr) -> Result<(), AccountError> {
        let email = normal(email);
        self.count_mail(&email, client)?;
        let found = self.find_by_email(&email).await?;
        let waiting = found.filter(|developer| developer.status == DeveloperStatus::Unverified);
        let accounts = self.clone();
        self.later(async move {
            match waiting {
                Some(developer) => accounts.mail_verification(&developer).await,
                None => Ok(()),
            }
        })
    }
}
