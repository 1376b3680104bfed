//! Rows that end by themselves: `ttl` in bodies and answers, `expires_at` in the store.

use serde_json::Value;

use super::Draft;
use crate::domain::Timestamp;
use crate::schema::{Entity, Write};

/// The end of the row: `ttl` seconds from now, or never. A change that does not speak of it leaves it.
pub(super) fn set(now: Timestamp, draft: &mut Draft) {
    let end = match draft.shorthands.get("ttl").map(Value::as_i64) {
        Some(Some(ttl)) if ttl > 0 => now.plus_seconds(ttl).seconds().into(),
        None if draft.write == Write::Patch => return,
        Some(_) | None => Value::Null,
    };
    draft.entity.insert("expires_at".to_owned(), end);
}

/// Shows the seconds that are left of the row.
pub(super) fn show(entity: &Entity, now: Timestamp, shown: &mut Entity) {
    let end = entity.get("expires_at").and_then(Value::as_i64);
    shown.insert("ttl".to_owned(), end.map(|end| end.saturating_sub(now.seconds()).max(0)).into());
}
