//! Certificate authorities that upstreams are verified by.

use serde_json::Value;

use crate::schema::checks::{self, authority, digest};
use crate::schema::{ENTITY, Entity, Field, Schema};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("cert").required().rule(checks::certificate).describe("One certificate in PEM."),
        Field::string("cert_digest").unique().describe("SHA-256 of it in hexadecimal, computed."),
        Field::tags(),
    ];
    Schema::new("ca_certificates", "A certificate authority.", fields).check(may_sign).derive(compute_digest)
}

/// Judged at the instant of the write itself, so that nobody here has to ask a clock.
fn may_sign(entity: &Entity) -> Vec<(String, String)> {
    let now = entity.get("updated_at").and_then(Value::as_i64).unwrap_or_default();
    let text = entity.get("cert").and_then(Value::as_str).and_then(|cert| authority(cert, now));
    text.into_iter().map(|text| (ENTITY.to_owned(), text)).collect()
}

fn compute_digest(entity: &mut Entity) {
    let digest = entity.get("cert").and_then(Value::as_str).and_then(digest);
    entity.insert("cert_digest".to_owned(), digest.into());
}
