//! What a change of an entity means to this node's caches and its snapshot.

use rand::random;
use serde_json::Value;
use uuid::Uuid;

use super::catalog::{Change, Happened, Pending, Ports};
use super::{EngineError, Node};
use crate::actors::Forget;
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
            match change.entity {
                "consumers" => {
                    self.forget(of_row(&change, Forget::Consumer)).await?;
                    // Its plugins went with it.
                    if matches!(change.happened, Happened::Deleted { .. }) { self.publish().await } else { Ok(()) }
                }
                "oauth2_credentials" => {
                    // Gates take the id of an application as a key.
                    self.know_custom(&change, "client_id");
                    self.forget(of_row(&change, Forget::Credential)).await
                }
                "keyauth_credentials" | "jwt_secrets" => {
                    self.know_custom(&change, "key");
                    self.forget(of_row(&change, Forget::Credential)).await
                }
                "oauth2_tokens" => self.token_changed(&change).await,
                "services" => {
                    if let Some(id) = change.old().and(change.id()) {
                        self.forget(Forget::Service(id)).await?;
                    }
                    self.publish().await
                }
                // The plugins of their consumers went with them. Who changes them tells what is to be forgotten.
                "developers" | "applications" => {
                    if change.current().is_none() {
                        self.publish().await
                    } else {
                        Ok(())
                    }
                }
                "developer_roles" | "application_instances" | "document_objects" => Ok(()),
                _ => self.publish().await,
            }
        })
    }

    fn forget(&self, what: Forget) -> Pending<'_, Result<(), EngineError>> {
        Box::pin(self.forget(what))
    }
}

impl Node {
    async fn token_changed(&self, change: &Change) -> Result<(), EngineError> {
        self.know_custom(change, "access_token");
        if let Happened::DeletedBefore { key: Some(token), .. } = &change.happened {
            return self.forget(Forget::Token(self.keyring.digest(token.as_bytes()))).await;
        }
        self.forget(of_row(change, Forget::TokenRow)).await
    }

    /// A secret that was brought from elsewhere is not refused for lack of our stamp.
    fn know_custom(&self, change: &Change, field: &str) {
        let secret = change.current().and_then(|entity| entity.get(field)).and_then(Value::as_str);
        if let Some(secret) = secret.filter(|secret| !self.keyring.is_minted(secret)) {
            self.know_custom_token(self.keyring.digest(secret.as_bytes()));
        }
    }
}

/// A new row ends only what was unknown; a changed or deleted one ends its views. Without an id (deleted before, by a
/// key that names nothing any more) it is not known whose views those were.
fn of_row(change: &Change, row: fn(Uuid) -> Forget) -> Forget {
    match (&change.happened, change.id()) {
        (Happened::Created { .. }, _) => Forget::Unknowns,
        (_, Some(id)) => row(id),
        (_, None) => Forget::Everything,
    }
}
