//! Who a client is (RFC 6749 §2.3).

use std::sync::Arc;

use tracing::warn;

use super::{EngineError, Worker};
use crate::actors::{Event, Verified};
use crate::domain::{ClientType, ClientView, Secret};
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
            match oauth2::authenticate(client.as_deref(), claimed, claim.in_header, self.node.clock.now()) {
                Ok(verdict) => {
                    if let Some(client) = client.as_ref()
                        && self.settle(verdict, client).await?
                    {
                        return Ok(Arc::clone(client));
                    }
                }
                Err(error) => {
                    refusal = error;
                    self.spend_on_unknown(client.as_deref(), claimed).await;
                }
            }
        }
        Err(refusal.into())
    }

    /// Who has no secret that could be verified is refused in the time that a verification takes.
    async fn spend_on_unknown(&self, client: Option<&ClientView>, claimed: &Claimed) {
        let unknown = client.is_none_or(|client| {
            client.client_type == ClientType::Confidential
                && !client.secrets.iter().any(|secret| secret.is_live(self.node.clock.now()))
        });
        if let (true, Some(secret)) = (unknown, &claimed.secret) {
            self.node.verify_nothing(secret.clone()).await;
        }
    }

    /// Whether a claim that looks right is right; slow hashes are verified here.
    async fn settle(&self, verdict: Authentication<'_>, client: &ClientView) -> Result<bool, EngineError> {
        match verdict {
            Authentication::Accepted => Ok(true),
            Authentication::AcceptedToBeHashed { known, secret } => {
                self.upgrade(client, known, secret).await;
                Ok(true)
            }
            Authentication::Verify { hashes, secret } => self.verify_hashed(client, &hashes, secret).await,
        }
    }

    /// Whether a secret fits one of the hashes; those that were verified lately are not verified again.
    async fn verify_hashed(
        &self,
        client: &ClientView,
        hashes: &[&Secret],
        secret: &Secret,
    ) -> Result<bool, EngineError> {
        let now = self.node.clock.now();
        if hashes.iter().any(|phc| self.verified.borrow_mut().knows(phc, secret, now)) {
            self.meters.count(Meter::SecretsRemembered);
            return Ok(true);
        }
        for phc in hashes {
            self.meters.count(Meter::SecretsVerified);
            let verified = self.node.verify(Some((*phc).clone()), secret.clone()).await?;
            if verified == Verified::Wrong {
                continue;
            }
            self.verified.borrow_mut().remember(phc, secret, now);
            if verified == Verified::RightButOld {
                self.upgrade(client, phc, secret).await;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Stores a right secret hashed with today's parameters, where `known` is the credential's own. A failure costs
    /// nothing: the next use tries again. Further secrets were hashed by us, and are left as they are.
    async fn upgrade(&self, client: &ClientView, known: &Secret, secret: &Secret) {
        let upgraded = async {
            let phc = self.node.hash(secret.clone()).await?;
            self.node.store.upgrade_secret(client.credential_id, known, &phc).await?;
            self.node.announce(vec![Event::Credential(client.credential_id)]).await
        };
        if let Err(error) = upgraded.await {
            warn!(%error, client.id = client.client_id, "secret of client `{}` was not rehashed", client.client_id);
        }
    }
}
