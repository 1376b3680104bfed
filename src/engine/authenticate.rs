//! Who a client is (RFC 6749 §2.3).

use std::sync::Arc;

use tracing::warn;

use super::{EngineError, Worker};
use crate::actors::{Forget, Verified};
use crate::domain::{ClientSecret, ClientView, Secret};
use crate::oauth2::{self, Authentication, Claimed, ClientClaim, OAuthError};
use crate::telemetry::Meter;

impl Worker {
    /// The client behind a claim, authenticated (RFC 6749 §2.3.1).
    ///
    /// # Errors
    /// `invalid_client`, also when the secret is right for no reading of the claim.
    pub(super) async fn authenticate(&self, claim: &ClientClaim) -> Result<Arc<ClientView>, EngineError> {
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
