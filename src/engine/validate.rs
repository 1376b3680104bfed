//! Finding what a call brings: the token, the client, the consumer.

use std::sync::Arc;

use super::node::PATIENCE;
use super::{EngineError, Worker};
use crate::actors::{FindClient, FindConsumer, FindToken};
use crate::cache::Found;
use crate::domain::{ClientView, Consumer, TokenView};
use crate::telemetry::Meter;

impl Worker {
    /// The live token row of a token in clear; `None` when there is none. A hit asks nobody. A token that neither we
    /// minted nor anyone imported is refused without asking the store, so guesses cost the database nothing.
    ///
    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_token(&self, token: &[u8]) -> Result<Option<Arc<TokenView>>, EngineError> {
        let digest = self.node.keyring.digest(token);
        let now = self.node.clock.now();
        let remembered = self.caches.borrow_mut().tokens.get(&digest, now);
        match remembered {
            Some(Found::Known(view)) => {
                self.meters.count(Meter::TokenCacheHit);
                return Ok(Some(view));
            }
            Some(Found::Unknown) => {
                self.meters.count(Meter::TokenNegativeHit);
                return Ok(None);
            }
            None => {}
        }
        let minted = std::str::from_utf8(token).is_ok_and(|text| self.node.keyring.is_minted(text));
        if !minted && !self.node.custom.may_hold(digest) {
            self.meters.count(Meter::TokenStampRefused);
            return Ok(None);
        }
        let sent = self.credentials.send(FindToken(digest)).timeout(PATIENCE).await?;
        Ok(sent?)
    }

    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_client(&self, client_id: &str) -> Result<Option<Arc<ClientView>>, EngineError> {
        let remembered = self.caches.borrow_mut().clients.get(client_id, self.node.clock.now());
        if let Some(found) = remembered {
            self.meters.count(Meter::ClientCacheHit);
            return Ok(match found {
                Found::Known(view) => Some(view),
                Found::Unknown => None,
            });
        }
        let sent = self.credentials.send(FindClient(client_id.to_owned())).timeout(PATIENCE).await?;
        Ok(sent?)
    }

    /// A consumer by id or username, for `config.anonymous`.
    ///
    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_consumer(&self, id_or_username: &str) -> Result<Option<Arc<Consumer>>, EngineError> {
        let remembered = self.caches.borrow_mut().consumers.get(id_or_username, self.node.clock.now());
        if let Some(found) = remembered {
            return Ok(match found {
                Found::Known(consumer) => Some(consumer),
                Found::Unknown => None,
            });
        }
        let sent = self.credentials.send(FindConsumer(id_or_username.to_owned())).timeout(PATIENCE).await?;
        Ok(sent?)
    }
}
