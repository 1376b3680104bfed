//! Authorization codes at rest.

use uuid::Uuid;

use super::{Timestamp, TokenDigest};

/// A code about to be stored: its digest only; the code itself is in the answer and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCode {
    pub id: Uuid,
    pub digest: TokenDigest,
    pub credential_id: Uuid,
    /// `None`: issued under `global_credentials`.
    pub service_id: Option<Uuid>,
    pub plugin_id: Uuid,
    pub scope: Option<String>,
    pub authenticated_userid: Option<String>,
    /// PKCE challenge, normalised; `None` when none was sent.
    pub challenge: Option<String>,
    pub challenge_method: Option<String>,
    /// The redirect URI of the authorization request, when it named one.
    pub redirect_uri: Option<String>,
    /// What the code issues carries this family, so that a replay can revoke it.
    pub family_id: Uuid,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A stored code and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub issued: NewCode,
    pub state: CodeState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    Unused,
    Redeemed { at: Timestamp },
}
