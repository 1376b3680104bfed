//! Tokens: ends of rows, and the fields older clients read.

use serde_json::Value;

use super::{Draft, ends};
use crate::domain::Timestamp;
use crate::engine::catalog::Catalog;
use crate::engine::catalog::references::referred;
use crate::schema::Entity;

/// A family for what begins one, and the end of the row: `ttl` seconds from now, or never.
pub(super) fn complete(catalog: &Catalog, draft: &mut Draft) {
    let token = &mut draft.entity;
    if token.get("family_id").is_none_or(Value::is_null) {
        token.insert("family_id".to_owned(), catalog.ports.uuid().to_string().into());
    }
    ends::set(catalog.clock.now(), draft);
}

pub(super) fn add_virtuals(token: &Entity, now: Timestamp, shown: &mut Entity) {
    let number = |name: &str| token.get(name).and_then(Value::as_i64);
    ends::show(token, now, shown);
    let life = number("expires_in").filter(|seconds| *seconds > 0);
    let expires_at = life.and_then(|life| Some(number("created_at")?.saturating_add(life)));
    shown.insert("credential_id".to_owned(), referred(token, "credential").into());
    shown.insert("service_id".to_owned(), referred(token, "service").into());
    shown.insert("expires_at".to_owned(), expires_at.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(token: Value, now: i64) -> Entity {
        let mut shown = Entity::new();
        add_virtuals(token.as_object().unwrap(), Timestamp::from_seconds(now), &mut shown);
        shown
    }

    #[test]
    fn a_token_shows_when_it_expires_and_what_is_left_of_its_row() {
        let id = "0191c5a4-0000-7000-8000-000000000000";
        let token = json!({"created_at": 100, "expires_in": 50, "expires_at": 300, "credential": {"id": id}});
        let shown = shown(token, 200);
        assert_eq!(
            Value::Object(shown),
            json!({"ttl": 100, "credential_id": id, "service_id": null, "expires_at": 150})
        );
    }

    #[test]
    fn a_token_without_end_shows_none() {
        let shown = shown(json!({"created_at": 100, "expires_in": 0, "expires_at": null}), 200);
        assert_eq!((&shown["ttl"], &shown["expires_at"]), (&Value::Null, &Value::Null));
    }
}
