//! Forgotten and changed passwords.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use tracing::warn;
use uuid::Uuid;

use super::developer::normal;
use super::{AccountError, Accounts, Developer, Visit};
use crate::domain::{DeveloperStatus, PlainToken, Secret};
use crate::engine::EngineError;
use crate::mail::Letter;
use crate::storage::Purpose;

/// An address that passes, where only a password is judged.
const ANYBODY: &str = "a@b";

impl Accounts {
    /// Mails a link to a new password, if there is such an account. Who asks learns nothing.
    ///
    /// # Errors
    /// [`AccountError::Locked`]
    pub async fn forgot_password(&self, email: &str, client: IpAddr) -> Result<(), AccountError> {
        let email = normal(email);
        self.count_mail(&email, client)?;
        let found = self.find_by_email(&email).await?.filter(may_have_password);
        let accounts = self.clone();
        self.later(async move {
            match found {
                Some(developer) => accounts.mail_link(&developer, Purpose::PasswordReset, &developer.email).await,
                None => Ok(()),
            }
        })
    }

    /// Whether a mailed link still leads to a new password; it is not used up.
    ///
    /// # Errors
    /// [`AccountError::BadToken`]
    pub async fn validate_reset(&self, token: &PlainToken) -> Result<(), AccountError> {
        let (_, known) = self.known_token(token).await?;
        if known.purpose == Purpose::PasswordReset { Ok(()) } else { Err(AccountError::BadToken) }
    }

    /// Sets the password by a mailed link, which is used up. Every session ends. As the mail was read, the address is known
    /// to be the developer's.
    ///
    /// # Errors
    /// A password that the schema refuses leaves the link as it was; [`AccountError::BadToken`]
    pub async fn reset_password(&self, token: &PlainToken, password: &Secret) -> Result<(), AccountError> {
        self.judged_fields(ANYBODY.into(), password.reveal().into())?;
        let (digest, _) = self.known_token(token).await?;
        let taken = self.take_token(digest, Purpose::PasswordReset).await?;
        let developer = self.find_by_id(taken.developer).await?.filter(may_have_password);
        let developer = developer.filter(|developer| developer.email == taken.email).ok_or(AccountError::BadToken)?;
        self.set_password(&developer, password, None).await?;
        self.admit(&developer, &taken).await.map(drop)
    }

    /// Sets the password of someone who is logged in; every other session ends.
    ///
    /// # Errors
    /// [`AccountError::OldPassword`]; [`AccountError::Locked`] after too many wrong ones; what the schema refuses.
    pub async fn change_password(
        &self,
        visit: &Visit,
        old: Secret,
        new: &Secret,
        client: IpAddr,
    ) -> Result<(), AccountError> {
        let developer = &visit.developer;
        self.judged_fields(ANYBODY.into(), new.reveal().into())?;
        let hash = developer.password_hash.clone();
        let judged = self.judge_password(&developer.email, hash, old, Self::client(client)).await;
        judged.map_err(|error| match error {
            AccountError::WrongCredentials => AccountError::OldPassword,
            other => other,
        })?;
        self.set_password(developer, new, Some(visit.session.id)).await
    }

    async fn set_password(
        &self,
        developer: &Developer,
        password: &Secret,
        keep: Option<Uuid>,
    ) -> Result<(), AccountError> {
        self.0.registration.set_password(developer.id, password).await?;
        let mail = Letter::PasswordChanged.to(&developer.email);
        self.0.node.store.end_sessions(developer.id, keep, &[self.0.outbox.written(&mail)]).await?;
        self.0.outbox.posted(&[mail]);
        Ok(())
    }

    /// Counts a mail that somebody has sent to an address.
    pub(super) fn count_mail(&self, email: &str, client: IpAddr) -> Result<(), AccountError> {
        let (node, client) = (&self.0.node, Self::client(client));
        let counted = self.0.throttle.mail(&node.keyring, email, client, node.clock.now());
        counted.map_err(|seconds| AccountError::Locked { seconds })
    }

    /// Does what is left to do behind the answer, so that its time does not tell whether there was anything.
    pub(super) fn later(
        &self,
        work: impl Future<Output = Result<(), AccountError>> + 'static,
    ) -> Result<(), AccountError> {
        let permit = Arc::clone(&self.0.later).try_acquire_owned().map_err(|_| EngineError::Overloaded)?;
        actix_rt::spawn(async move {
            if let Err(error) = work.await {
                warn!(%error, "a mail that was asked for was not kept");
            }
            drop(permit);
        });
        Ok(())
    }
}

/// Those whom an administrator has shut out get no link.
fn may_have_password(developer: &Developer) -> bool {
    match developer.status {
        DeveloperStatus::Approved | DeveloperStatus::Requested | DeveloperStatus::Unverified => true,
        DeveloperStatus::Rejected | DeveloperStatus::Revoked => false,
    }
}
