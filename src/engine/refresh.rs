//! Refreshing (RFC 6749 §6): a pair is replaced by a new one, or keeps its refresh token; a replay is told from a retry.

use super::issue::Refreshable;
use super::{EngineError, Issued, Worker};
use crate::actors::{Event, Exchange};
use crate::domain::{ClientView, RefreshView, Replaced, Timestamp, TokenDigest, TokenPair};
use crate::oauth2::{self, OAuthError, Params, Place};

impl Worker {
    pub(super) async fn refresh(
        &self,
        place: Place<'_>,
        params: &Params,
        client: &ClientView,
        in_header: bool,
    ) -> Result<Issued, EngineError> {
        let presented = params.text("refresh_token").unwrap_or_default();
        let digest = self.node.keyring.digest(presented.as_bytes());
        let now = self.node.clock.now();
        let row = self.node.store.find_refresh(digest, now).await?;
        if row.is_none()
            && let Some(replaced) = self.node.store.find_replaced(digest).await?
        {
            return self.again(place, client, &replaced, in_header, now).await;
        }
        let earned = oauth2::refresh(place, client, row.as_ref(), in_header)?;
        let Some(row) = row else { return Err(OAuthError::InvalidRefreshToken.into()) };
        let mut token = self.new_token(place, client, earned, Refreshable::Yes);
        token.family_id = Some(row.family_id.unwrap_or(row.id));
        if place.policy.reuse_refresh_token {
            token.refresh_token = Some(presented.to_owned().into());
            return self.renew(row, token, digest, now).await;
        }
        let exchange = Exchange::Rotate { digest, old: row.access_token, token: token.clone(), now };
        if self.node.exchange(exchange).await? {
            return Ok(token.into());
        }
        // Another call of this client came first; it gets the same pair.
        match self.node.store.find_replaced(digest).await? {
            Some(replaced) => self.again(place, client, &replaced, in_header, now).await,
            None => Err(OAuthError::InvalidRefreshToken.into()),
        }
    }

    /// The row keeps its refresh token. Of several that renew at once, all get what the first made.
    async fn renew(
        &self,
        row: RefreshView,
        token: crate::domain::NewToken,
        digest: TokenDigest,
        now: Timestamp,
    ) -> Result<Issued, EngineError> {
        let exchange = Exchange::Renew { row, token: token.clone() };
        if self.node.exchange(exchange).await? {
            return Ok(token.into());
        }
        let renewed = self.node.store.find_refresh(digest, now).await?.ok_or(OAuthError::InvalidRefreshToken)?;
        let pair = self.node.store.find_pair(renewed.id, now).await?.ok_or(OAuthError::InvalidRefreshToken)?;
        Ok(pair.into())
    }

    /// A refresh token that was rotated before. Within the grace its successor is told again: an answer was lost, or
    /// calls of one client ran side by side. Later it is a replay, and the whole family ends.
    async fn again(
        &self,
        place: Place<'_>,
        client: &ClientView,
        replaced: &Replaced,
        in_header: bool,
        now: Timestamp,
    ) -> Result<Issued, EngineError> {
        if replaced.credential_id != client.credential_id {
            return Err(OAuthError::InvalidClient { in_header }.into());
        }
        let age_ms = now.millis().saturating_sub(replaced.replaced_at.millis());
        if age_ms <= place.policy.refresh_grace.saturating_mul(1000) {
            if self.node.bus.get().is_some() {
                // The call that rotated it may have ended before every node knew that the old access token has gone.
                self.node.announce(vec![Event::Family(replaced.family_id)]).await?;
            }
            let pair = self.node.store.find_pair(replaced.successor_id, now).await?;
            let here = |pair: &TokenPair| place.policy.global_credentials || pair.service_id == place.service;
            return pair.filter(here).map(Issued::from).ok_or_else(|| OAuthError::InvalidRefreshToken.into());
        }
        self.node.exchange(Exchange::Revoke { family: replaced.family_id }).await?;
        Err(OAuthError::InvalidRefreshToken.into())
    }
}
