//! What the data plane knows of a token, a client and a consumer: read-only, joined, ready to be judged.

use std::sync::Arc;

use uuid::Uuid;

use super::{Algorithm, PlainToken, Secret, Timestamp, VerifyingKey};

/// The party a call is made for. One of `username` and `custom_id` is always set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    pub id: Uuid,
    pub username: Option<String>,
    pub custom_id: Option<String>,
}

/// A live token row joined with its credential and consumer. Whether it is good for this call is decided by
/// `oauth2::judge`, so that a stale view never lengthens a life.
#[derive(Clone, Debug)]
pub struct TokenView {
    pub id: Uuid,
    pub credential_id: Uuid,
    /// What a replay of its code or refresh token ends; its own id while nothing else belongs to it.
    pub family_id: Uuid,
    pub client_id: Arc<str>,
    pub consumer: Arc<Consumer>,
    /// `None`: a global token (issued under `global_credentials`).
    pub service_id: Option<Uuid>,
    pub scope: Option<Arc<str>>,
    pub authenticated_userid: Option<String>,
    pub created_at: Timestamp,
    /// Seconds after `created_at`; 0 = never expires.
    pub expires_in: i64,
    /// When the row itself ends (`refresh_token_ttl`, or `ttl` at import); `None` = never.
    pub expires_at: Option<Timestamp>,
}

/// An application: an `oauth2_credentials` row joined with its consumer.
#[derive(Clone, Debug)]
pub struct ClientView {
    pub credential_id: Uuid,
    pub client_id: String,
    pub name: String,
    /// Its own secret, then the further ones: at most [`super::MOST_SECRETS`], none of them empty. Whether one has ended
    /// is judged at use.
    pub secrets: Vec<LiveSecret>,
    pub client_type: ClientType,
    pub redirect_uris: Vec<String>,
    pub consumer: Arc<Consumer>,
}

/// A secret of a client that had not ended when it was read.
#[derive(Clone, Debug)]
pub struct LiveSecret {
    pub secret: ClientSecret,
    /// `None` = it does not end.
    pub expires_at: Option<Timestamp>,
}

impl LiveSecret {
    /// Judged at every use, so that a view that is remembered never lengthens a life.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// How a client's secret is kept.
#[derive(Clone, Debug)]
pub enum ClientSecret {
    /// In clear (sealed at rest): compared in constant time.
    Clear(Secret),
    /// A PHC string (Argon2id, or Kong's pbkdf2): verified by the hasher.
    Hashed(Secret),
    /// A clear secret imported under `hash_secret = true`: compared, then hashed at first use.
    ToBeHashed(Secret),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientType {
    Confidential,
    Public,
}

/// A `keyauth_credentials` row joined with its consumer.
#[derive(Clone, Debug)]
pub struct KeyView {
    pub credential_id: Uuid,
    pub consumer: Arc<Consumer>,
    /// When the key ends (`ttl`); `None` = never.
    pub expires_at: Option<Timestamp>,
}

impl KeyView {
    /// Judged at every call, so that a view that is remembered never lengthens a life.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// A `jwt_secrets` row joined with its consumer, its key ready to verify with.
#[derive(Clone, Debug)]
pub struct JwtSecretView {
    pub credential_id: Uuid,
    /// What tokens name it by (`iss`).
    pub key: String,
    pub algorithm: Algorithm,
    /// `None`: what is stored is no key of this algorithm.
    pub verifying: Option<VerifyingKey>,
    /// The secret read as base64, for plugins with `secret_is_base64`; `None` for public keys too.
    pub verifying_decoded: Option<VerifyingKey>,
    pub consumer: Arc<Consumer>,
}

impl JwtSecretView {
    /// The key that signatures are verified with. Only secrets can be told in base64: a public key is PEM.
    pub fn verifying_key(&self, secret_is_base64: bool) -> Option<&VerifyingKey> {
        if secret_is_base64 && self.algorithm.is_shared() {
            self.verifying_decoded.as_ref()
        } else {
            self.verifying.as_ref()
        }
    }
}

/// A token about to be stored. The clear values end with it: storage keeps digests and sealed bytes.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub id: Uuid,
    pub credential_id: Uuid,
    pub service_id: Option<Uuid>,
    pub access_token: PlainToken,
    pub refresh_token: Option<PlainToken>,
    /// What a replay revokes together: rotations share it, and what a code was exchanged for has the code's. `None`
    /// for a token that nothing can follow.
    pub family_id: Option<Uuid>,
    pub scope: Option<String>,
    pub authenticated_userid: Option<String>,
    pub created_at: Timestamp,
    /// Seconds; 0 = never expires.
    pub expires_in: i64,
    /// When the row ends; `None` = never.
    pub expires_at: Option<Timestamp>,
}
