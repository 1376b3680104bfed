//! Finding what a call brings: the token, the key, the client, the consumer.

use std::sync::Arc;

use uuid::Uuid;

use super::node::PATIENCE;
use super::{EngineError, Worker};
use crate::actors::{Ask, FindClient, FindConsumer, FindJwtSecret, FindKey, FindStanding, FindToken};
use crate::cache::Found;
use crate::domain::{
    ClientView, Consumer, JwtSecretView, KeyView, LONGEST_NAME, Standing, Timestamp, TokenDigest, TokenView,
};
use crate::telemetry::{Meter, Owner};

impl Worker {
    /// The live token row of a token in clear; `None` when there is none. A hit asks nobody. A token that neither we
    /// minted nor anyone imported is refused without asking the store, so guesses cost the database nothing.
    ///
    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_token(&self, token: &[u8], now: Timestamp) -> Result<Option<Arc<TokenView>>, EngineError> {
        let mac = self.node.keyring.mac(token);
        // What is known was looked up under this digest before: the stamp need not be computed again.
        let presumed = mac.digest_if_minted(token);
        let known = presumed.and_then(|digest| self.recall_at(now, |caches, now| caches.tokens.get(&digest, now)));
        if let Some(Found::Known(view)) = known {
            self.meters.count(Meter::TokenCacheHit);
            return Ok(Some(view));
        }
        let digest = self.node.keyring.digest_from(token, mac);
        match self.recall_at(now, |caches, now| caches.tokens.get(&digest, now)) {
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
        if !self.may_exist(token, digest) {
            self.meters.count(Meter::TokenStampRefused);
            return Ok(None);
        }
        self.ask(FindToken(digest)).await
    }

    /// The row of an API key in clear. As for tokens, guesses cost the database nothing.
    ///
    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_key(&self, key: &[u8]) -> Result<Option<Arc<KeyView>>, EngineError> {
        let digest = self.node.keyring.digest(key);
        let remembered = self.recall(|caches, now| caches.keys.get(&digest, now));
        self.key_or_ask(remembered, key, digest, || FindKey(digest)).await
    }

    /// What the JSON Web Tokens that name `key` are verified with. As for tokens, guesses cost the database nothing.
    ///
    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_jwt_secret(&self, key: &str) -> Result<Option<Arc<JwtSecretView>>, EngineError> {
        let digest = self.node.keyring.digest(key.as_bytes());
        let remembered = self.recall(|caches, now| caches.jwt_secrets.get(&digest, now));
        self.key_or_ask(remembered, key.as_bytes(), digest, || FindJwtSecret { digest, key: key.to_owned() }).await
    }

    async fn key_or_ask<A>(
        &self,
        remembered: Option<Found<A::View>>,
        key: &[u8],
        digest: TokenDigest,
        ask: impl FnOnce() -> A,
    ) -> Result<Option<Arc<A::View>>, EngineError>
    where
        A: Ask + Send,
        A::Result: Send,
    {
        if let Some(found) = remembered {
            self.meters.count(Meter::KeyCacheHit);
            return Ok(found.known());
        }
        if !self.may_exist(key, digest) {
            self.meters.count(Meter::KeyRefused);
            return Ok(None);
        }
        self.ask(ask()).await
    }

    /// The application that has this `client_id`, for gates that take it as an API key. Like keys, ids that nobody can
    /// have are not looked up.
    ///
    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_application(
        &self,
        client_id: &[u8],
        service: Uuid,
    ) -> Result<Option<Arc<ClientView>>, EngineError> {
        let Ok(text) = std::str::from_utf8(client_id) else { return Ok(None) };
        if !self.may_exist(client_id, self.node.keyring.digest(client_id)) {
            return Ok(None);
        }
        let Some(client) = self.find_client(text).await? else { return Ok(None) };
        let standing = self.find_standing(client.consumer.id, service).await?;
        Ok(matches!(*standing, Standing::Application(_)).then_some(client))
    }

    /// Whether a secret is one we minted, or one that may have been brought from elsewhere.
    fn may_exist(&self, secret: &[u8], digest: TokenDigest) -> bool {
        let minted = std::str::from_utf8(secret).is_ok_and(|text| self.node.keyring.is_minted(text));
        // Without a fresh lease something may have been imported that this node was not told of.
        minted || !self.lease.is_fresh() || self.node.custom.may_hold(digest)
    }

    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_client(&self, client_id: &str) -> Result<Option<Arc<ClientView>>, EngineError> {
        // Callers choose what is asked and remembered here, so its length is bounded as that of every name.
        if client_id.len() > LONGEST_NAME {
            return Ok(None);
        }
        let remembered = self.recall(|caches, now| caches.clients.get(client_id, now));
        if let Some(found) = remembered {
            self.meters.count(Meter::ClientCacheHit);
            return Ok(found.known());
        }
        self.ask(FindClient(client_id.to_owned())).await
    }

    /// A consumer by id or username, for `config.anonymous`.
    ///
    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_consumer(&self, id_or_username: &str) -> Result<Option<Arc<Consumer>>, EngineError> {
        let remembered = self.recall(|caches, now| caches.consumers.get(id_or_username, now));
        if let Some(found) = remembered {
            return Ok(found.known());
        }
        self.ask(FindConsumer(id_or_username.to_owned())).await
    }

    /// How a consumer stands to a service. A hit asks nobody.
    ///
    /// # Errors
    /// The store is unreachable, or too much is waiting.
    pub async fn find_standing(&self, consumer: Uuid, service: Uuid) -> Result<Arc<Standing>, EngineError> {
        let remembered = self.recall(|caches, now| caches.standings.get(&(consumer, service), now));
        if let Some(Found::Known(standing)) = remembered {
            self.meters.count(Meter::StandingCacheHit);
            return Ok(standing);
        }
        let found = self.ask(FindStanding { consumer, service }).await?;
        Ok(found.unwrap_or_else(|| Arc::new(Standing::Stranger)))
    }

    async fn ask<A: Ask + Send>(&self, question: A) -> Result<Option<Arc<A::View>>, EngineError>
    where
        A::Result: Send,
    {
        let _waiting = self.meters.waiting(Owner::Credentials);
        let answer = self.credentials.send(question).timeout(PATIENCE).await?;
        Ok(answer?)
    }
}
