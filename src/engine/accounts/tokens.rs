//! Mailed links.

use rand::random;

use super::{AccountError, Accounts, Developer};
use crate::domain::{PlainToken, TokenDigest};
use crate::mail::Letter;
use crate::storage::{MailedToken, Purpose};

/// How long a mailed link works.
const HOURS: i64 = 6;

impl Accounts {
    /// Mails the link with which a developer shows that the address is theirs.
    pub(super) async fn mail_verification(&self, developer: &Developer) -> Result<(), AccountError> {
        self.mail_link(developer, Purpose::Verification, &developer.email).await
    }

    /// Makes a link for this purpose, mails it to this address, and keeps both.
    pub(super) async fn mail_link(
        &self,
        developer: &Developer,
        purpose: Purpose,
        email: &str,
    ) -> Result<(), AccountError> {
        let inner = &self.0;
        let (token, now) = (inner.node.keyring.mint(random()), inner.node.clock.now());
        let mail = match purpose {
            Purpose::Verification => {
                let link = inner.links.verify(&token);
                Letter::Verification { link: link.reveal(), hours: HOURS }.to(email)
            }
            Purpose::NewAddress => {
                let link = inner.links.verify(&token);
                Letter::NewAddress { link: link.reveal(), hours: HOURS }.to(email)
            }
            Purpose::PasswordReset => {
                let link = inner.links.reset_password(&token);
                Letter::PasswordReset { link: link.reveal(), hours: HOURS }.to(email)
            }
        };
        let kept = MailedToken {
            developer: developer.id,
            purpose,
            email: email.to_owned(),
            created_at: now,
            expires_at: now.plus_seconds(HOURS * 3600),
        };
        let digest = inner.node.keyring.digest(token.reveal().as_bytes());
        inner.node.store.insert_mailed_token(&kept, digest, &inner.outbox.written(&mail)).await?;
        inner.outbox.posted(&[mail]);
        Ok(())
    }

    /// What a mailed token is good for; it stays good.
    pub(super) async fn known_token(&self, token: &PlainToken) -> Result<(TokenDigest, MailedToken), AccountError> {
        let digest = self.digest_of(token).ok_or(AccountError::BadToken)?;
        let found = self.0.node.store.find_mailed_token(digest).await?;
        Ok((digest, found.ok_or(AccountError::BadToken)?))
    }

    /// Uses up a mailed token. Of many who try at once, one gets it.
    pub(super) async fn take_token(&self, digest: TokenDigest, purpose: Purpose) -> Result<MailedToken, AccountError> {
        let taken = self.0.node.store.take_mailed_token(digest, purpose).await?;
        taken.ok_or(AccountError::BadToken)
    }

    /// The digest of a token that we may have made; of a guess the store is not asked.
    pub(super) fn digest_of(&self, token: &PlainToken) -> Option<TokenDigest> {
        let keyring = &self.0.node.keyring;
        keyring.is_minted(token.reveal()).then(|| keyring.digest(token.reveal().as_bytes()))
    }
}
