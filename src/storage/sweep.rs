//! Removing what has ended, in bounded bites.

use crate::domain::Timestamp;

use super::Store;
use super::store::Outcome;
use super::value::count;

pub(super) const STATEMENTS: &[&str] = &[TOKENS, CODES, REPLACED, KEYS, SECRETS, AUDIT];

/// The inner question walks the index of `expires_at` and stops at the limit.
const TOKENS: &str = "DELETE FROM oauth2_tokens WHERE id IN
    (SELECT id FROM oauth2_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING id";
const CODES: &str = "DELETE FROM oauth2_authorization_codes WHERE id IN
    (SELECT id FROM oauth2_authorization_codes WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING id";
const REPLACED: &str = "DELETE FROM oauth2_replaced_refresh_tokens WHERE digest IN
    (SELECT digest FROM oauth2_replaced_refresh_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
    RETURNING digest";
const KEYS: &str = "DELETE FROM keyauth_credentials WHERE id IN
    (SELECT id FROM keyauth_credentials WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING id";
const SECRETS: &str = "DELETE FROM oauth2_credential_secrets WHERE id IN
    (SELECT id FROM oauth2_credential_secrets WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING id";

/// Ids are UUID v7, so their order is the order of time.
const AUDIT: &str = "DELETE FROM audit_requests WHERE id IN
    (SELECT id FROM audit_requests WHERE id < $1 ORDER BY id LIMIT $2) RETURNING id";

/// The audit log reaches this far back.
const AUDIT_MEMORY_SECONDS: i64 = 90 * 24 * 3600;
/// A code is remembered for a day after its end, so that a late replay still revokes what it issued.
const CODE_MEMORY_SECONDS: i64 = 24 * 3600;

impl Store {
    /// Deletes at most `limit` ended rows; less than `limit` means that nothing is left to sweep.
    pub async fn sweep_expired(&self, now: Timestamp, limit: usize) -> Outcome<usize> {
        let forgotten = now.plus_seconds(-CODE_MEMORY_SECONDS);
        let mut swept = 0;
        for (statement, end) in [(TOKENS, now), (CODES, forgotten), (REPLACED, now), (KEYS, now), (SECRETS, now)] {
            if swept < limit {
                swept += self.write(statement, vec![end.into(), count(limit - swept)]).await?.len();
            }
        }
        if swept < limit {
            swept += self.empty_ended_secrets(now, limit - swept).await?;
        }
        if swept < limit {
            let oldest = now.plus_seconds(-AUDIT_MEMORY_SECONDS).millis().max(0).unsigned_abs();
            let oldest = uuid::Builder::from_unix_timestamp_millis(oldest, &[0; 10]).into_uuid();
            swept += self.write(AUDIT, vec![oldest.into(), count(limit - swept)]).await?.len();
        }
        Ok(swept)
    }
}
