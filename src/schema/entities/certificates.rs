//! Certificates: what the gateway shows to TLS clients, or to upstreams.

use serde_json::Value;

use crate::schema::checks::{self, all_or_none, key_matches};
use crate::schema::{ENTITY, Entity, Field, Schema, Seal};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("cert").required().rule(checks::certificate).describe("The chain in PEM, the leaf first."),
        Field::string("key")
            .required()
            .rule(checks::private_key)
            .seal(Seal::Sealed)
            .describe("Its private key in PEM."),
        Field::string("cert_alt").rule(checks::certificate).describe("A second chain with another kind of key."),
        Field::string("key_alt").rule(checks::private_key).seal(Seal::Sealed).describe("The key of the second chain."),
        Field::tags(),
    ];
    Schema::new("certificates", "A certificate with its key.", fields)
        .virtual_field(
            Field::set("snis", Field::string("sni").rule(checks::wildcard_sni))
                .describe("Server names it is shown for; kept as `snis` entities."),
        )
        .check(|certificate| all_or_none(certificate, &["cert_alt", "key_alt"]))
        .check(keys_match)
}

fn keys_match(certificate: &Entity) -> Vec<(String, String)> {
    let text = |name: &str| certificate.get(name).and_then(Value::as_str);
    let pairs = [(text("cert"), text("key")), (text("cert_alt"), text("key_alt"))];
    let apart = pairs.into_iter().any(|pair| matches!(pair, (Some(cert), Some(key)) if !key_matches(cert, key)));
    if apart { vec![(ENTITY.to_owned(), "certificate does not match key".to_owned())] } else { Vec::new() }
}
