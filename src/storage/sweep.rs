//! Removing what has ended, in bounded bites.

use uuid::Uuid;

use crate::domain::Timestamp;

use super::Store;
use super::store::Outcome;
use super::value::count;

pub(super) const STATEMENTS: &[&str] = &[AUDIT, MAILS];

/// Tables whose rows end at `expires_at`, their primary keys, and how long a row is kept beyond its end, in seconds.
const ENDING: &[(&str, &str, i64)] = &[
    ("oauth2_tokens", "id", 0),
    // So that a late replay still revokes what the code had issued.
    ("oauth2_authorization_codes", "id", 24 * 3600),
    ("oauth2_replaced_refresh_tokens", "digest", 0),
    ("keyauth_credentials", "id", 0),
    ("oauth2_credential_secrets", "id", 0),
    ("sessions", "id", 0),
    ("mailed_tokens", "digest", 0),
];

/// Ids are UUID v7, so their order is the order of time.
const AUDIT: &str = "DELETE FROM audit_requests WHERE id IN
    (SELECT id FROM audit_requests WHERE id < $1 ORDER BY id LIMIT $2) RETURNING id";

const MAILS: &str = "DELETE FROM mails WHERE id IN
    (SELECT id FROM mails WHERE id < $1 ORDER BY id LIMIT $2) RETURNING id";

/// The audit log reaches this far back.
const AUDIT_MEMORY_SECONDS: i64 = 90 * 24 * 3600;
/// The list of mails reaches this far back.
const MAIL_MEMORY_SECONDS: i64 = 30 * 24 * 3600;

/// Where a sweep stands: everything that ended before has been looked at. Without it each bite would walk over what the
/// ones before have left in the index, which is as much as was swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepCursor {
    table: usize,
    from: Option<Timestamp>,
}

/// What a bite of a sweep removed; `next` is `None` when everything has been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    pub removed: usize,
    pub next: Option<SweepCursor>,
}

impl Store {
    /// Removes at most `limit` ended rows; give back the cursor to go on. Rows that somebody holds at this moment are
    /// left for the next sweep.
    pub async fn sweep(&self, from: Option<SweepCursor>, now: Timestamp, limit: usize) -> Outcome<Swept> {
        let SweepCursor { table, from } = from.unwrap_or_default();
        let Some((name, key, kept)) = ENDING.get(table) else { return self.sweep_others(now, limit).await };
        let from = from.unwrap_or(Timestamp::from_millis(i64::MIN));
        let params = vec![now.plus_seconds(-kept).into(), count(limit), from.into()];
        let gone = self.write(ended(name, key, self.dialect().skip_locked), params).await?;
        let removed = gone.len();
        let mut last = from;
        for row in gone {
            last = last.max(row.read("swept").time()?);
        }
        let next = match removed == limit {
            true => SweepCursor { table, from: Some(last) },
            false => SweepCursor { table: table + 1, from: None },
        };
        Ok(Swept { removed, next: Some(next) })
    }

    /// Removes ended rows until there is nothing left to sweep, but at most `limit`; gives how many.
    pub async fn sweep_expired(&self, now: Timestamp, limit: usize) -> Outcome<usize> {
        let (mut swept, mut cursor) = (0, None);
        while swept < limit {
            let bite = self.sweep(cursor, now, limit - swept).await?;
            swept += bite.removed;
            match bite.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        Ok(swept)
    }

    /// What does not end by a column of its own; small beside the others.
    async fn sweep_others(&self, now: Timestamp, limit: usize) -> Outcome<Swept> {
        let mut removed = self.empty_ended_secrets(now, limit).await?;
        removed += self.sweep_application_requests(now, limit.saturating_sub(removed)).await?;
        for (statement, memory) in [(AUDIT, AUDIT_MEMORY_SECONDS), (MAILS, MAIL_MEMORY_SECONDS)] {
            let oldest = first_id(now.plus_seconds(-memory));
            removed += self.write(statement, vec![oldest.into(), count(limit.saturating_sub(removed))]).await?.len();
        }
        let next = (removed >= limit).then_some(SweepCursor { table: ENDING.len(), from: None });
        Ok(Swept { removed, next })
    }
}

/// `$1` is the end, `$2` the limit, `$3` where to begin. The question walks the index of `expires_at`; nobody waits for
/// anybody.
fn ended(table: &str, key: &str, skip_locked: &str) -> String {
    format!(
        "WITH ended AS MATERIALIZED (SELECT {key} FROM {table} WHERE expires_at >= $3 AND expires_at <= $1
            ORDER BY expires_at LIMIT $2{skip_locked})
        DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM ended) RETURNING expires_at"
    )
}

/// Every statement that is made of a table, for the test that prepares them.
pub(super) fn statements(skip_locked: &str) -> impl Iterator<Item = String> {
    ENDING.iter().map(move |(table, key, _)| ended(table, key, skip_locked))
}

/// The first UUID v7 that could be made at an instant.
fn first_id(at: Timestamp) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(at.millis().max(0).unsigned_abs(), &[0; 10]).into_uuid()
}
