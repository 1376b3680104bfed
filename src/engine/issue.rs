//! Issuing tokens: who asks, may they, and the token made durable before it is told.

use std::sync::Arc;

use tracing::warn;
use uuid::Uuid;

use super::node::PATIENCE;
use super::{EngineError, Worker};
use crate::actors::{Forget, Issue, Verified};
use crate::domain::{ClientSecret, ClientView, NewToken, PlainToken, Secret};
use crate::oauth2::{self, Authentication, Claimed, ClientClaim, GrantType, OAuthError, Params, Policy};
use crate::telemetry::Meter;

/// Where a token request arrived.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'p> {
    pub policy: &'p Policy,
    /// The service of the route; tokens are bound to it unless `global_credentials`.
    pub service: Option<Uuid>,
}

/// What a client is told (RFC 6749 §5.1).
#[derive(Clone, Debug)]
pub struct Issued {
    pub access_token: PlainToken,
    /// `None`: the token never expires.
    pub expires_in: Option<i64>,
    pub refresh_token: Option<PlainToken>,
}

impl Worker {
    /// Answers a token request (RFC 6749 §3.2).
    ///
    /// # Errors
    /// What the protocol refuses, and what could not be stored: a token is told only when it is durable.
    pub async fn issue(&self, grant: Grant<'_>, params: &Params, claim: ClientClaim) -> Result<Issued, EngineError> {
        let asked = oauth2::grant_type(params, grant.policy)?;
        let client = self.authenticate(&claim).await?;
        match asked {
            GrantType::ClientCredentials => self.issue_client_credentials(grant, params, &client).await,
        }
    }

    async fn issue_client_credentials(
        &self,
        grant: Grant<'_>,
        params: &Params,
        client: &ClientView,
    ) -> Result<Issued, EngineError> {
        let earned = oauth2::client_credentials(params, grant.policy)?;
        let policy = grant.policy;
        let created_at = self.node.clock.now();
        let access_token = self.node.keyring.mint(rand::random());
        let row_life = policy.refresh_token_ttl;
        let token = NewToken {
            id: Uuid::now_v7(),
            credential_id: client.credential_id,
            service_id: grant.service.filter(|_| !policy.global_credentials),
            access_token: access_token.clone(),
            refresh_token: None,
            family_id: Uuid::now_v7(),
            scope: earned.scope,
            authenticated_userid: earned.authenticated_userid,
            created_at,
            expires_in: policy.token_expiration,
            expires_at: (policy.token_expiration > 0 && row_life > 0).then(|| created_at.plus_seconds(row_life)),
        };
        self.node.issuer.send(Issue(token)).timeout(PATIENCE).await??;
        let expires_in = (policy.token_expiration > 0).then_some(policy.token_expiration);
        Ok(Issued { access_token, expires_in, refresh_token: None })
    }

    /// The client behind a claim, authenticated (RFC 6749 §2.3.1).
    ///
    /// # Errors
    /// `invalid_client`, also when the secret is right for no reading of the claim.
    async fn authenticate(&self, claim: &ClientClaim) -> Result<Arc<ClientView>, EngineError> {
        let mut refusal = OAuthError::InvalidClient { in_header: claim.in_header };
        for claimed in &claim.readings {
            let client = self.find_client(&claimed.client_id).await?;
            match oauth2::authenticate(client.as_deref(), claimed, claim.in_header) {
                Ok(verdict) => {
                    if let Some(client) = client.as_ref()
                        && self.settle(verdict, client).await?
                    {
                        return Ok(Arc::clone(client));
                    }
                }
                Err(error) => {
                    refusal = error;
                    self.spend_on_unknown(client.is_none(), claimed).await;
                }
            }
        }
        Err(refusal.into())
    }

    async fn spend_on_unknown(&self, unknown: bool, claimed: &Claimed) {
        if let (true, Some(secret)) = (unknown, &claimed.secret) {
            self.node.verify_nothing(secret.clone()).await;
        }
    }

    /// Whether a claim that looks right is right; slow hashes are verified here.
    async fn settle(&self, verdict: Authentication<'_>, client: &ClientView) -> Result<bool, EngineError> {
        match verdict {
            Authentication::Accepted => Ok(true),
            Authentication::AcceptedToBeHashed { secret } => {
                self.upgrade(client, secret).await;
                Ok(true)
            }
            Authentication::Verify { phc, secret } => self.verify_hashed(client, phc, secret).await,
        }
    }

    async fn verify_hashed(&self, client: &ClientView, phc: &Secret, secret: &Secret) -> Result<bool, EngineError> {
        let now = self.node.clock.now();
        if self.verified.borrow_mut().knows(phc, secret, now) {
            self.meters.count(Meter::SecretsRemembered);
            return Ok(true);
        }
        self.meters.count(Meter::SecretsVerified);
        let verified = self.node.verify(Some(phc.clone()), secret.clone()).await?;
        if verified == Verified::Wrong {
            return Ok(false);
        }
        self.verified.borrow_mut().remember(phc, secret, now);
        if verified == Verified::RightButOld {
            self.upgrade(client, secret).await;
        }
        Ok(true)
    }

    /// Stores a right secret hashed with today's parameters. A failure costs nothing: the next use tries again.
    async fn upgrade(&self, client: &ClientView, secret: &Secret) {
        let known = match &client.secret {
            ClientSecret::Clear(known) | ClientSecret::Hashed(known) | ClientSecret::ToBeHashed(known) => known,
        };
        let upgraded = async {
            let phc = self.node.hash(secret.clone()).await?;
            self.node.store.upgrade_secret(client.credential_id, known, &phc).await?;
            self.node.forget(Forget::Credential(client.credential_id)).await
        };
        if let Err(error) = upgraded.await {
            warn!(%error, client.id = client.client_id, "secret of client `{}` was not rehashed", client.client_id);
        }
    }
}
