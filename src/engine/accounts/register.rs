//! Registering.

use std::net::IpAddr;

use serde_json::{Value, json};
use tracing::warn;
use uuid::Uuid;

use super::{AccountError, Accounts, Developer, meta};
use crate::domain::{DeveloperStatus, Secret};
use crate::engine::catalog::{CatalogError, Key};
use crate::mail::Letter;
use crate::schema::{Auto, Body, Entity, Violations};

/// What a registration brings.
const FIELDS: [&str; 3] = ["email", "password", "meta"];

/// A registration that was taken.
#[derive(Clone, Debug)]
pub struct Registered {
    /// As clients see it.
    pub developer: Entity,
    pub mailed: Mailed,
}

/// What became of the mail about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailed {
    /// There is none to send.
    Nothing,
    Kept,
    /// The account is there; the mail is to be asked for again.
    Failed,
}

/// A sound registration.
struct Wish {
    email: String,
    password: Value,
    meta: String,
}

impl Accounts {
    /// Makes an account with `email`, `password` and `meta`; whether its owner may log in at once is for the settings.
    /// Where accounts are hidden, an address that has one is answered as any other, and its owner is told by mail.
    ///
    /// # Errors
    /// [`AccountError::Locked`]; every violation at once; [`CatalogError::Unique`] for an address that has an account.
    pub async fn register(&self, body: Body, client: IpAddr) -> Result<Registered, AccountError> {
        let (client, now) = (Self::client(client), self.0.node.clock.now());
        self.0.throttle.register(client, now).map_err(|seconds| AccountError::Locked { seconds })?;
        let wish = self.judged(body)?;
        if !self.0.settings.hide_accounts {
            return self.make(&wish).await;
        }
        match self.find_by_email(&wish.email).await? {
            Some(known) if known.status != DeveloperStatus::Unverified => self.pretend(&wish, &known).await,
            // Nobody has shown that the address is theirs: who registers last, and follows the link to the end, has it. The
            // links mailed before go with the account that was never anybody's.
            Some(never_used) => {
                self.0.registration.delete_developer(&Key::Id(never_used.id)).await?;
                self.make_hidden(&wish).await
            }
            None => self.make_hidden(&wish).await,
        }
    }

    /// As [`Accounts::make`]; when the address was taken meanwhile, that is hidden too.
    async fn make_hidden(&self, wish: &Wish) -> Result<Registered, AccountError> {
        match self.make(wish).await {
            Err(AccountError::Catalog(CatalogError::Unique(_))) => match self.find_by_email(&wish.email).await? {
                Some(known) => self.pretend(wish, &known).await,
                None => Err(CatalogError::NotFound.into()),
            },
            made => made,
        }
    }

    async fn make(&self, wish: &Wish) -> Result<Registered, AccountError> {
        let status = match self.0.settings.email_verification {
            true => DeveloperStatus::Unverified,
            false => self.admitted(),
        };
        let fields = json!({ "email": wish.email, "password": wish.password, "meta": wish.meta,
            "status": status.code() });
        let shown = self.0.registration.create_developer(body(fields)).await?;
        let mailed = self.tell_registered(&wish.email, status).await;
        Ok(Registered { developer: shown, mailed })
    }

    async fn tell_registered(&self, email: &str, status: DeveloperStatus) -> Mailed {
        let told = match status {
            DeveloperStatus::Unverified => match self.find_by_email(email).await {
                Ok(Some(developer)) => self.mail_verification(&developer).await,
                Ok(None) => return Mailed::Nothing,
                Err(error) => Err(error),
            },
            DeveloperStatus::Requested => {
                self.notify_developer(email, status).await;
                return Mailed::Nothing;
            }
            DeveloperStatus::Approved | DeveloperStatus::Rejected | DeveloperStatus::Revoked => {
                return Mailed::Nothing;
            }
        };
        match told {
            Ok(()) => Mailed::Kept,
            Err(error) => {
                warn!(%error, "the mail for a new developer was not kept");
                Mailed::Failed
            }
        }
    }

    /// Answers as if the account had been made, at about the same cost: a hash, and a mail.
    async fn pretend(&self, wish: &Wish, known: &Developer) -> Result<Registered, AccountError> {
        let password = Secret::new(wish.password.as_str().unwrap_or_default());
        self.0.node.hash(password).await?;
        let mail = Letter::AccountExists { log_in: &self.0.links.log_in() }.to(&known.email);
        self.0.outbox.post(&[mail]).await?;
        Ok(Registered { developer: self.imagined(wish)?, mailed: Mailed::Kept })
    }

    /// What a new developer would have looked like.
    fn imagined(&self, wish: &Wish) -> Result<Entity, AccountError> {
        let fields = json!({ "email": wish.email, "meta": wish.meta, "status": DeveloperStatus::Unverified.code(),
            "consumer": { "id": Uuid::now_v7().to_string() } });
        let seconds = self.0.node.clock.now().seconds();
        let mut generate = |auto| match auto {
            Auto::Uuid => Value::from(Uuid::now_v7().to_string()),
            Auto::CreatedAt | Auto::UpdatedAt => seconds.into(),
            Auto::Token => Value::Null,
        };
        let schema = self.developers()?;
        let accepted = self.0.registration.catalog.registry.insert(schema, body(fields), &mut generate)?;
        Ok(schema.public(&accepted.entity))
    }

    /// Every fault of a registration at once.
    fn judged(&self, given: Body) -> Result<Wish, AccountError> {
        let mut violations = Violations::new();
        let unknown = given.fields.keys().filter(|name| !FIELDS.contains(&name.as_str()));
        unknown.for_each(|name| violations.add(name, "unknown field"));
        let password = given.fields.get("password").cloned().unwrap_or_default();
        if password.is_null() {
            violations.add("password", "required field missing");
        }
        let email = given.fields.get("email").cloned().unwrap_or_default();
        let email = match self.judged_fields(email, password.clone()) {
            Ok(email) => email,
            Err(faults) => {
                violations.merge(faults);
                String::new()
            }
        };
        match meta::merged(given.fields.get("meta"), &Entity::new()) {
            Ok(meta) if violations.is_empty() => Ok(Wish { email, password, meta }),
            Ok(_) => Err(violations.into()),
            Err(faults) => {
                violations.merge(faults);
                Err(violations.into())
            }
        }
    }

    /// Judges an address and a password as the schema does; gives the address as it is stored.
    pub(super) fn judged_fields(&self, email: Value, password: Value) -> Result<String, Violations> {
        let catalog = &self.0.registration.catalog;
        let Some(schema) = catalog.registry.entity("developers") else { return Err(Violations::new()) };
        let nobody = Uuid::nil().to_string();
        let fields = json!({ "email": email, "password": password, "consumer": { "id": nobody.clone() } });
        let mut generate = |auto| match auto {
            Auto::Uuid | Auto::Token => Value::from(nobody.clone()),
            Auto::CreatedAt | Auto::UpdatedAt => 0.into(),
        };
        let accepted = catalog.registry.insert(schema, body(fields), &mut generate)?;
        Ok(accepted.entity.get("email").and_then(Value::as_str).unwrap_or_default().to_owned())
    }
}

/// The fields of a literal object.
pub(super) fn body(fields: Value) -> Body {
    match fields {
        Value::Object(fields) => Body::json(fields),
        _ => Body::default(),
    }
}
