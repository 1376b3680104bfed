//! Removing what has ended, in bounded bites.

use uuid::Uuid;

use crate::domain::Timestamp;

use super::Store;
use super::store::Outcome;
use super::value::count;

pub(super) const STATEMENTS: &[&str] = &[TOKENS, CODES, REPLACED, KEYS, SECRETS, SESSIONS, MAILED_TOKENS, MAILS, AUDIT];

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

const SESSIONS: &str = "DELETE FROM sessions WHERE id IN
    (SELECT id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING id";
const MAILED_TOKENS: &str = "DELETE FROM mailed_tokens WHERE digest IN
    (SELECT digest FROM mailed_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING digest";

/// Ids are UUID v7, so their order is the order of time.
const AUDIT: &str = "DELETE FROM audit_requests WHERE id IN
    (SELECT id FROM audit_requests WHERE id < $1 ORDER BY id LIMIT $2) RETURNING id";

const MAILS: &str = "DELETE FROM mails WHERE id IN
    (SELECT id FROM mails WHERE id < $1 ORDER BY id LIMIT $2) RETURNING id";

/// The audit log reaches this far back.
const AUDIT_MEMORY_SECONDS: i64 = 90 * 24 * 3600;
/// The list of mails reaches this far back.
const MAIL_MEMORY_SECONDS: i64 = 30 * 24 * 3600;
/// A code is remembered for a day after its end, so that a late replay still revokes what it issued.
const CODE_MEMORY_SECONDS: i64 = 24 * 3600;

impl Store {
    /// Deletes at most `limit` ended rows; less than `limit` means that nothing is left to sweep.
    pub async fn sweep_expired(&self, now: Timestamp, limit: usize) -> Outcome<usize> {
        let forgotten = now.plus_seconds(-CODE_MEMORY_SECONDS);
        let ends = [
            (TOKENS, now),
            (CODES, forgotten),
            (REPLACED, now),
            (KEYS, now),
            (SECRETS, now),
            (SESSIONS, now),
            (MAILED_TOKENS, now),
        ];
        let mut swept = 0;
        for (statement, end) in ends {
            if swept < limit {
                swept += self.write(statement, vec![end.into(), count(limit - swept)]).await?.len();
            }
        }
        if swept < limit {
            swept += self.empty_ended_secrets(now, limit - swept).await?;
        }
        if swept < limit {
            swept += self.sweep_application_requests(now, limit - swept).await?;
        }
        for (statement, memory) in [(AUDIT, AUDIT_MEMORY_SECONDS), (MAILS, MAIL_MEMORY_SECONDS)] {
            if swept < limit {
                let oldest = first_id(now.plus_seconds(-memory));
                swept += self.write(statement, vec![oldest.into(), count(limit - swept)]).await?.len();
            }
        }
        Ok(swept)
    }
}

/// The first UUID v7 that could be made at an instant.
fn first_id(at: Timestamp) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(at.millis().max(0).unsigned_abs(), &[0; 10]).into_uuid()
}
