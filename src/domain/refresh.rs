//! Refresh tokens at rest, and what becomes of them.

use uuid::Uuid;

use super::{PlainToken, Timestamp, TokenDigest};

/// The live row that a refresh token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshView {
    pub id: Uuid,
    pub credential_id: Uuid,
    pub service_id: Option<Uuid>,
    pub scope: Option<String>,
    pub authenticated_userid: Option<String>,
    /// `None` in rows of an import that named none.
    pub family_id: Option<Uuid>,
    /// The access token that goes when this row is replaced or renewed.
    pub access_token: TokenDigest,
    pub expires_at: Option<Timestamp>,
}

/// A refresh token that rotation replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    pub credential_id: Uuid,
    pub family_id: Uuid,
    /// The row that took its place.
    pub successor_id: Uuid,
    pub replaced_at: Timestamp,
}

/// An access token and the refresh token beside it, in clear.
#[derive(Clone, Debug)]
pub struct TokenPair {
    pub access_token: PlainToken,
    pub refresh_token: Option<PlainToken>,
    /// Seconds; 0 = never expires.
    pub expires_in: i64,
    /// What the row is for; `None` = a global token.
    pub service_id: Option<Uuid>,
}
