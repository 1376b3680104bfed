//! Removing what has ended, in bounded bites.

use crate::domain::Timestamp;

use super::Store;
use super::store::Outcome;
use super::value::count;

pub(super) const STATEMENTS: &[&str] = &[TOKENS, CODES, REPLACED];

/// The inner question walks the index of `expires_at` and stops at the limit.
const TOKENS: &str = "DELETE FROM oauth2_tokens WHERE id IN
    (SELECT id FROM oauth2_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING id";
const CODES: &str = "DELETE FROM oauth2_authorization_codes WHERE id IN
    (SELECT id FROM oauth2_authorization_codes WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING id";

const REPLACED: &str = "DELETE FROM oauth2_replaced_refresh_tokens WHERE digest IN
    (SELECT digest FROM oauth2_replaced_refresh_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
    RETURNING digest";

/// A code is remembered for a day after its end, so that a late replay still revokes what it issued.
const CODE_MEMORY_SECONDS: i64 = 24 * 3600;

impl Store {
    /// Deletes at most `limit` ended rows; less than `limit` means that nothing is left to sweep.
    pub async fn sweep_expired(&self, now: Timestamp, limit: usize) -> Outcome<usize> {
        let tokens = self.write(TOKENS, vec![now.into(), count(limit)]).await?.len();
        if tokens == limit {
            return Ok(tokens);
        }
        let forgotten = now.plus_seconds(-CODE_MEMORY_SECONDS);
        let codes = self.write(CODES, vec![forgotten.into(), count(limit - tokens)]).await?.len();
        if tokens + codes == limit {
            return Ok(limit);
        }
        let replaced = self.write(REPLACED, vec![now.into(), count(limit - tokens - codes)]).await?.len();
        Ok(tokens + codes + replaced)
    }
}
