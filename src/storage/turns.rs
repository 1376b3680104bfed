//! Turns: what one node does for all, and who that is at present.

use std::time::Duration;

use uuid::Uuid;

use super::Store;
use super::store::Outcome;

pub(super) const STATEMENTS: &[&str] = &[TAKE];

/// Whoever holds the turn keeps it; another gets it once it has expired.
const TAKE: &str = "INSERT INTO turns (name, holder, expires_at) VALUES ($1, $2, $4)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
        WHERE turns.holder = excluded.holder OR turns.expires_at <= $3 RETURNING name";

impl Store {
    /// Takes a turn, or keeps it, for the time of `lease`; false: it is somebody else's. Clocks of nodes differ, so now
    /// and then two may believe it is theirs: what is done must bear that.
    pub async fn take_turn(&self, name: &str, holder: Uuid, lease: Duration) -> Outcome<bool> {
        let now = self.now();
        let seconds = i64::try_from(lease.as_secs()).unwrap_or(i64::MAX);
        let params = vec![name.into(), holder.into(), now.into(), now.plus_seconds(seconds).into()];
        Ok(!self.write(TAKE, params).await?.is_empty())
    }
}
