//! Logging in.

use std::net::IpAddr;

use super::developer::normal;
use super::sessions::Begun;
use super::throttle::Guess;
use super::{AccountError, Accounts, Developer};
use crate::actors::Verified;
use crate::domain::{DeveloperStatus, Secret};
use crate::engine::EngineError;
use crate::storage::SessionHolder;

/// What someone shows to be let in.
#[derive(Debug)]
pub enum Credentials {
    Password {
        email: String,
        password: Secret,
    },
    /// An API key of the developer's own.
    Key(Secret),
}

#[derive(Debug)]
pub struct LoggedIn {
    pub begun: Begun,
    pub developer: Developer,
}

impl Accounts {
    /// Begins a session for whoever shows the right credentials. `before`: the cookie they come with, whose session ends.
    ///
    /// # Errors
    /// [`AccountError::Locked`], [`AccountError::WrongCredentials`], [`AccountError::NotAdmitted`]
    pub async fn log_in(
        &self,
        credentials: Credentials,
        client: IpAddr,
        before: Option<&Secret>,
    ) -> Result<LoggedIn, AccountError> {
        let client = Self::client(client);
        let developer = match credentials {
            Credentials::Password { email, password } => self.by_password(&email, password, client).await?,
            Credentials::Key(key) => self.by_key(&key, client).await?,
        };
        if developer.status != DeveloperStatus::Approved {
            return Err(AccountError::NotAdmitted(developer.status));
        }
        if let Some(before) = before {
            self.log_out(before).await?;
        }
        let begun = self.begin_session(SessionHolder::Developer(developer.id)).await?;
        Ok(LoggedIn { begun, developer })
    }

    async fn by_password(&self, email: &str, password: Secret, client: IpAddr) -> Result<Developer, AccountError> {
        let found = self.find_by_email(email).await?;
        let hash = found.as_ref().and_then(|developer| developer.password_hash.clone());
        self.judge_password(&normal(email), hash, password, client).await?;
        let developer = found.ok_or(AccountError::WrongCredentials)?;
        if self.hides(developer.status) {
            return Err(AccountError::WrongCredentials);
        }
        Ok(developer)
    }

    /// Whether it is hidden that there is such an account. Whoever has just registered with an address knows a password of
    /// it; a refusal of its own would tell that the address had been free.
    fn hides(&self, status: DeveloperStatus) -> bool {
        self.0.settings.hide_accounts && status == DeveloperStatus::Unverified
    }

    /// Judges a password, at the same cost whether there is one or not.
    ///
    /// # Errors
    /// [`AccountError::Locked`], [`AccountError::WrongCredentials`]
    pub(super) async fn judge_password(
        &self,
        email: &str,
        hash: Option<Secret>,
        password: Secret,
        client: IpAddr,
    ) -> Result<(), AccountError> {
        let node = &self.0.node;
        let guess = Guess::new(&node.keyring, email, client);
        let counters = node.counters();
        let guessed = self.0.throttle.guess_everywhere(counters, guess, node.clock.now()).await;
        guessed.map_err(|seconds| AccountError::Locked { seconds })?;
        match node.verify(hash, password).await {
            Ok(Verified::Right | Verified::RightButOld) => {
                self.0.throttle.was_right_everywhere(counters, guess).await;
                Ok(())
            }
            Ok(Verified::Wrong) => Err(AccountError::WrongCredentials),
            Err(error) => {
                if matches!(error, EngineError::Overloaded) {
                    self.0.throttle.was_none_everywhere(counters, guess).await;
                }
                Err(error.into())
            }
        }
    }

    async fn by_key(&self, key: &Secret, client: IpAddr) -> Result<Developer, AccountError> {
        let node = &self.0.node;
        let throttle = &self.0.throttle;
        let guessed = throttle.guess_key_everywhere(node.counters(), client, node.clock.now()).await;
        guessed.map_err(|seconds| AccountError::Locked { seconds })?;
        let found = node.store.find_key(node.keyring.digest(key.reveal().as_bytes())).await?;
        let Some(view) = found else { return Err(AccountError::WrongCredentials) };
        let developer = self.find_by_consumer(view.consumer.id).await?;
        let developer = developer.ok_or(AccountError::WrongCredentials)?;
        throttle.key_was_right_everywhere(node.counters(), client).await;
        Ok(developer)
    }
}
