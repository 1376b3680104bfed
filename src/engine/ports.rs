//! What a change of an entity means to this node's caches and its snapshot.

use std::time::Duration;

use rand::random;
use serde_json::Value;
use uuid::Uuid;

use super::catalog::{Change, Happened, Pending, Ports};
use super::node::PATIENCE;
use super::{EngineError, Node};
use crate::actors::{Bus, Event};
use crate::domain::{PlainToken, Secret};

impl Ports for Node {
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn token(&self) -> PlainToken {
        self.keyring.mint(random())
    }

    fn hash(&self, secret: Secret) -> Pending<'_, Result<Secret, EngineError>> {
        Box::pin(self.hash(secret))
    }

    fn changed(&self, change: Change) -> Pending<'_, Result<(), EngineError>> {
        Box::pin(async move {
            let events = self.events_of(&change);
            let is_new = matches!(change.happened, Happened::Created { .. });
            if events.contains(&Event::Configuration) {
                self.rebuild().await?;
            }
            match self.announce(events).await {
                // It takes nothing away that was answered before (as a new plugin may), and repeating it would make another
                // one. By the end of a lease every node that reaches the store knows of it.
                Err(EngineError::Unconfirmed(_)) if is_new && change.entity != "plugins" => Ok(()),
                told => told,
            }
        })
    }

    fn patience(&self) -> Duration {
        self.bus.get().map_or(PATIENCE, Bus::patience)
    }

    fn announce(&self, events: Vec<Event>) -> Pending<'_, Result<(), EngineError>> {
        Box::pin(self.announce(events))
    }
}

impl Node {
    /// What every node must know of a change.
    fn events_of(&self, change: &Change) -> Vec<Event> {
        let is_gone = change.current().is_none();
        match change.entity {
            "consumers" => {
                let mut events = vec![of_row(change, Event::Consumer)];
                // Its plugins went with it.
                events.extend(matches!(change.happened, Happened::Deleted { .. }).then_some(Event::Configuration));
                events
            }
            // Gates take the id of an application as a key.
            "oauth2_credentials" => self.with_custom(change, "client_id", of_row(change, Event::Credential)),
            "keyauth_credentials" | "jwt_secrets" => self.with_custom(change, "key", self.of_key(change)),
            "oauth2_tokens" => self.with_custom(change, "access_token", self.of_token(change)),
            "services" => {
                let ended = change.old().and(change.id()).map(Event::Service);
                ended.into_iter().chain([Event::Configuration]).collect()
            }
            // The plugins of their consumers went with them. Who changes them tells what is to be forgotten.
            "developers" | "applications" if is_gone => vec![Event::Configuration],
            "developers" | "applications" | "developer_roles" | "application_instances" | "document_objects" => vec![],
            _ => vec![Event::Configuration],
        }
    }

    /// The names of keys and tokens are secrets: they are known by their digests.
    fn of_secret(&self, secret: &str) -> Event {
        Event::Token(self.keyring.digest(secret.as_bytes()))
    }

    fn of_key(&self, change: &Change) -> Event {
        match &change.happened {
            Happened::DeletedBefore { key: Some(key), .. } => self.of_secret(key),
            _ => of_row(change, Event::Credential),
        }
    }

    fn of_token(&self, change: &Change) -> Event {
        if let Happened::DeletedBefore { key: Some(token), .. } = &change.happened {
            return self.of_secret(token);
        }
        // By its digest it costs the caches less than by its row.
        match (&change.happened, change.old().and_then(|old| old.get("access_token")).and_then(Value::as_str)) {
            (Happened::Deleted { .. }, Some(token)) => self.of_secret(token),
            _ => of_row(change, Event::TokenRow),
        }
    }

    /// A secret that was brought from elsewhere must not be refused for lack of our stamp.
    fn with_custom(&self, change: &Change, field: &str, event: Event) -> Vec<Event> {
        let secret = change.current().and_then(|entity| entity.get(field)).and_then(Value::as_str);
        let custom = secret.filter(|secret| !self.keyring.is_minted(secret));
        let Some(digest) = custom.map(|secret| self.keyring.digest(secret.as_bytes())) else { return vec![event] };
        self.know_custom_token(digest);
        vec![Event::Learn(digest), event]
    }
}

/// A new row ends only what was unknown; a changed or deleted one ends its views. What was deleted before may be known by
/// its name only.
fn of_row(change: &Change, row: fn(Uuid) -> Event) -> Event {
    match (&change.happened, change.id()) {
        (Happened::Created { .. }, _) => Event::Unknowns,
        (_, Some(id)) => row(id),
        (Happened::DeletedBefore { key: Some(name), .. }, None) => Event::Named(name.clone()),
        (_, None) => Event::Everything,
    }
}
