//! What developers change of themselves.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::register::body;
use super::{AccountError, Accounts, Developer, meta};
use crate::domain::Secret;
use crate::engine::catalog::{CatalogError, Key};
use crate::mail::Letter;
use crate::schema::Entity;
use crate::storage::Purpose;

impl Accounts {
    /// Changes the answers given at registration; gives the developer as clients see it.
    ///
    /// # Errors
    /// Every violation at once.
    pub async fn change_meta(&self, developer: &Developer, meta: Option<&Value>) -> Result<Entity, AccountError> {
        let meta = meta::merged(meta, &developer.meta)?;
        let body = body(json!({ "meta": meta }));
        Ok(self.0.registration.patch_developer(&Key::Id(developer.id), body).await?)
    }

    /// Changes the address. Where addresses are verified, the old one stays in force until the link mailed to the new one
    /// is followed; who follows it need not be logged in. Gives the developer as clients see it.
    ///
    /// # Errors
    /// A violation; [`CatalogError::Unique`], unless accounts are hidden; [`AccountError::Locked`]
    pub async fn change_email(
        &self,
        developer: &Developer,
        email: Value,
        client: IpAddr,
    ) -> Result<Entity, AccountError> {
        let email = self.judged_fields(email, Value::Null)?;
        if email == developer.email {
            return Ok(developer.shown.clone());
        }
        self.count_mail(&email, client)?;
        let taken = self.find_by_email(&email).await?;
        let settings = &self.0.settings;
        match taken {
            Some(_) if settings.hide_accounts => {
                let mail = Letter::AccountExists { log_in: &self.0.links.log_in() }.to(&email);
                self.0.outbox.post(&[mail]).await?;
            }
            Some(_) => return Err(CatalogError::Unique(Map::from_iter([("email".to_owned(), email.into())])).into()),
            None if settings.email_verification => self.mail_link(developer, Purpose::NewAddress, &email).await?,
            None => {
                self.move_address(developer, &email).await?;
            }
        }
        let now = self.find_by_id(developer.id).await?.ok_or(CatalogError::NotFound)?;
        Ok(now.shown)
    }

    /// Deletes an account with its applications, contracts, credentials, tokens and sessions.
    ///
    /// # Errors
    /// The store failed, or a cache did not obey.
    pub async fn delete_account(&self, developer: &Developer) -> Result<(), AccountError> {
        Ok(self.0.registration.delete_developer(&Key::Id(developer.id)).await?)
    }

    /// Whether this is the developer's password; counted as a guess. For pages that ask again before they act.
    ///
    /// # Errors
    /// [`AccountError::OldPassword`], [`AccountError::Locked`]
    pub async fn confirm_password(
        &self,
        developer: &Developer,
        password: Secret,
        client: IpAddr,
    ) -> Result<(), AccountError> {
        let hash = developer.password_hash.clone();
        let judged = self.judge_password(&developer.email, hash, password, Self::client(client)).await;
        judged.map_err(|error| match error {
            AccountError::WrongCredentials => AccountError::OldPassword,
            other => other,
        })
    }
}
