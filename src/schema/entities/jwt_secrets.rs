//! What a consumer's JSON Web Tokens are verified with.

use serde_json::Value;

use crate::domain::{Algorithm, VerifyingKey};
use crate::schema::{Auto, ENTITY, Entity, Field, OnDelete, Schema, Seal};

const ALGORITHMS: &[&str] = &[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA",
];

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::foreign("consumer", "consumers", OnDelete::Cascade).required().describe("Whose tokens they are."),
        Field::string("key")
            .required()
            .unique()
            .auto(Auto::Token)
            .describe("What tokens name it by (`iss`); generated when missing."),
        Field::string("secret")
            .required()
            .auto(Auto::Token)
            .seal(Seal::Sealed)
            .describe("The secret of the HS algorithms; generated when missing."),
        Field::string("rsa_public_key").describe("The public key of the other algorithms, in PEM."),
        Field::string("algorithm")
            .required()
            .default("HS256")
            .one_of(ALGORITHMS)
            .describe("How its tokens are signed; tokens signed otherwise are refused."),
        Field::tags(),
    ];
    Schema::new("jwt_secrets", "What JSON Web Tokens are verified with.", fields)
        .key("key")
        .path("jwts")
        .nested("jwt")
        .filters(&["key", "consumer.id"])
        .check(public_key_fits)
}

/// The other algorithms than HS need a public key of their kind.
fn public_key_fits(secret: &Entity) -> Vec<(String, String)> {
    let text = |name: &str| secret.get(name).and_then(Value::as_str);
    let Some(algorithm) = text("algorithm").and_then(Algorithm::named).filter(|algorithm| !algorithm.is_shared())
    else {
        return Vec::new();
    };
    let fault = match text("rsa_public_key") {
        None => "required field missing",
        Some(pem) if VerifyingKey::public(algorithm, pem).is_none() => "invalid key",
        Some(_) => return Vec::new(),
    };
    vec![
        (ENTITY.to_owned(), "failed conditional validation given value of field 'algorithm'".to_owned()),
        ("rsa_public_key".to_owned(), fault.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(secret: Value) -> Vec<String> {
        public_key_fits(secret.as_object().unwrap()).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn every_algorithm_of_the_list_is_known() {
        assert!(ALGORITHMS.iter().all(|name| Algorithm::named(name).is_some()));
    }

    #[test]
    fn a_public_key_is_needed_and_judged_where_the_algorithm_has_one() {
        let conditional = "failed conditional validation given value of field 'algorithm'";
        assert!(faults(json!({ "algorithm": "HS256", "rsa_public_key": null })).is_empty());
        assert!(faults(json!({ "algorithm": "HS256", "rsa_public_key": "anything" })).is_empty());
        assert_eq!(faults(json!({ "algorithm": "RS256" })), [conditional, "required field missing"]);
        assert_eq!(faults(json!({ "algorithm": "EdDSA", "rsa_public_key": "x" })), [conditional, "invalid key"]);
    }
}
