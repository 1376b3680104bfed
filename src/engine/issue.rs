//! Issuing tokens: who asks, may they, and the token made durable before it is told.

use std::sync::Arc;

use uuid::Uuid;

use super::catalog::Ports;
use super::node::PATIENCE;
use super::{EngineError, Worker};
use crate::actors::{Exchange, Issue};
use crate::domain::{ClientView, Code, CodeState, NewToken, PlainToken, Standing, Timestamp, TokenDigest, TokenPair};
use crate::oauth2::{self, ClientClaim, Decision, Earned, GrantType, OAuthError, Params, Place};

/// What a client is told (RFC 6749 §5.1).
#[derive(Clone, Debug)]
pub struct Issued {
    pub access_token: PlainToken,
    /// `None`: the token never expires.
    pub expires_in: Option<i64>,
    pub refresh_token: Option<PlainToken>,
}

impl From<TokenPair> for Issued {
    fn from(pair: TokenPair) -> Self {
        let expires_in = (pair.expires_in > 0).then_some(pair.expires_in);
        Self { access_token: pair.access_token, expires_in, refresh_token: pair.refresh_token }
    }
}

impl From<NewToken> for Issued {
    fn from(token: NewToken) -> Self {
        let expires_in = (token.expires_in > 0).then_some(token.expires_in);
        Self { access_token: token.access_token, expires_in, refresh_token: token.refresh_token }
    }
}

/// Whether a token comes with a refresh token (RFC 6749 §4.2.2 and §4.4.3 say when not).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refreshable {
    Yes,
    No,
}

impl Worker {
    /// Answers a token request (RFC 6749 §3.2).
    ///
    /// # Errors
    /// What the protocol refuses, and what could not be stored: a token is told only when it is durable.
    /// After [`Ports::patience`] that nobody knows.
    pub async fn issue(&self, place: Place<'_>, params: &Params, claim: ClientClaim) -> Result<Issued, EngineError> {
        // A replay ends a family, and a rotation an access token: as every revocation, they do not wait for a database
        // that hangs.
        let issued = actix_rt::time::timeout(self.node.patience(), self.issue_now(place, params, claim)).await;
        issued.unwrap_or(Err(EngineError::Overdue))
    }

    async fn issue_now(&self, place: Place<'_>, params: &Params, claim: ClientClaim) -> Result<Issued, EngineError> {
        let asked = oauth2::grant_type(params, place.policy)?;
        let client = self.authenticate(&claim).await?;
        let standing = self.standing_at(place, &client).await?;
        let place = standing.as_deref().map_or(place, |standing| place.of(standing));
        place.check()?;
        if asked != GrantType::ClientCredentials {
            oauth2::check_redirect_uri(params, &client)?;
        }
        let issued = match asked {
            GrantType::ClientCredentials => {
                let earned = oauth2::client_credentials(params, place)?;
                self.write(self.new_token(place, &client, earned, Refreshable::No)).await?
            }
            GrantType::Password => {
                let earned = oauth2::password(params, place)?;
                self.write(self.new_token(place, &client, earned, Refreshable::Yes)).await?
            }
            GrantType::AuthorizationCode => self.exchange(place, params, &client).await?,
            GrantType::RefreshToken => self.refresh(place, params, &client, claim.in_header).await?,
        };
        self.check_again(place, &client).await?;
        Ok(issued)
    }

    /// Whether a client may still have what was just stored for it: its contract may have been closed meanwhile. What
    /// is not told is of no use to anyone.
    pub(super) async fn check_again(&self, place: Place<'_>, client: &ClientView) -> Result<(), EngineError> {
        match self.standing_at(place, client).await? {
            Some(standing) => Ok(place.of(&standing).check()?),
            None => Ok(()),
        }
    }

    /// How a client stands to the service of a place; `None` where no gate asks.
    pub(super) async fn standing_at(
        &self,
        place: Place<'_>,
        client: &ClientView,
    ) -> Result<Option<Arc<Standing>>, EngineError> {
        let (Some(_), Some(service)) = (place.gate, place.service) else { return Ok(None) };
        self.find_standing(client.consumer.id, service).await.map(Some)
    }

    /// Exchanges a code (RFC 6749 §4.1.3). A code presented twice takes back what it gave.
    async fn exchange(&self, place: Place<'_>, params: &Params, client: &ClientView) -> Result<Issued, EngineError> {
        let presented = params.text("code").unwrap_or_default();
        // We mint every code, so one without our stamp is a guess.
        let digest = self.node.keyring.digest(presented.as_bytes());
        let code = match self.node.keyring.is_minted(presented) {
            true => self.find_code(digest).await?,
            false => None,
        };
        let now = self.node.clock.now();
        let earned = match oauth2::exchange(params, place, client, code.as_ref(), now)? {
            Decision::Issue(earned) => Some(earned),
            Decision::Replay => None,
        };
        let Some(code) = code else { return Err(OAuthError::InvalidCode.into()) };
        if let Some(earned) = earned {
            let mut token = self.new_token(place, client, earned, Refreshable::Yes);
            token.family_id = Some(code.issued.family_id);
            let exchange = Exchange::Code { digest, token: token.clone(), now };
            if self.node.exchange(exchange).await? {
                return Ok(token.into());
            }
        }
        // Used before, or by someone else at this very moment.
        self.node.exchange(Exchange::Revoke { family: code.issued.family_id }).await?;
        Err(OAuthError::InvalidCode.into())
    }

    /// What a code stands for. In Redis it is unused as far as anybody knows: the exchange in the store decides.
    async fn find_code(&self, digest: TokenDigest) -> Result<Option<Code>, EngineError> {
        if let Some(hot) = &self.hot
            && let Some(issued) = hot.codes.take(digest).await
        {
            return Ok(Some(Code { issued, state: CodeState::Unused }));
        }
        Ok(self.node.store.find_code(digest).await?)
    }

    /// Stores a token of its own family, together with what others store at this moment.
    pub(super) async fn write(&self, token: NewToken) -> Result<Issued, EngineError> {
        self.issuer.send(Issue(token.clone())).timeout(PATIENCE).await??;
        Ok(token.into())
    }

    pub(super) fn new_token(
        &self,
        place: Place<'_>,
        client: &ClientView,
        earned: Earned,
        refreshable: Refreshable,
    ) -> NewToken {
        let policy = place.policy;
        let (created_at, expires) = (self.node.clock.now(), policy.token_expiration > 0);
        let mint = || self.node.keyring.mint_at(rand::random(), created_at);
        let refresh_token = (refreshable == Refreshable::Yes && expires).then(mint);
        NewToken {
            id: new_id(created_at),
            credential_id: client.credential_id,
            service_id: place.service.filter(|_| !policy.global_credentials),
            access_token: mint(),
            family_id: refresh_token.is_some().then(|| new_id(created_at)),
            refresh_token,
            scope: earned.scope,
            authenticated_userid: earned.authenticated_userid,
            created_at,
            expires_in: policy.token_expiration,
            expires_at: (expires && policy.refresh_token_ttl > 0)
                .then(|| created_at.plus_seconds(policy.refresh_token_ttl)),
        }
    }
}

/// A UUID v7 of this instant, from the thread's generator: `Uuid::now_v7` asks the kernel for each.
pub(super) fn new_id(at: Timestamp) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(at.millis().max(0).unsigned_abs(), &rand::random()).into_uuid()
}
