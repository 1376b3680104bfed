//! The configuration schema.

use serde_json::{Value, json};

use super::{NAME, PRIORITY};
use crate::schema::{ENTITY, Entity, Field, PluginSchema};

pub fn schema() -> PluginSchema {
    PluginSchema::new(NAME, PRIORITY, fields()).without_consumer().check(maximum_needs_exp)
}

fn names(name: &'static str) -> Field {
    Field::set(name, Field::string("name"))
}

fn fields() -> Vec<Field> {
    vec![
        names("uri_param_names")
            .default(vec!["jwt"])
            .describe("Parameters of the query that tokens are looked for in."),
        names("cookie_names").default(json!([])).describe("Cookies that tokens are looked for in."),
        Field::string("key_claim_name")
            .default("iss")
            .describe("The claim, or field of the header, that names the credential."),
        Field::boolean("secret_is_base64")
            .default(false)
            .required()
            .describe("Whether the secrets of the HS algorithms are stored in base64."),
        Field::set("claims_to_verify", Field::string("claim").one_of(&["exp", "nbf"]))
            .describe("Which claims must be there and hold."),
        Field::string("anonymous").describe("Consumer (id or username) that calls without a good token are made as."),
        Field::boolean("run_on_preflight")
            .default(true)
            .required()
            .describe("Whether OPTIONS requests need a token too."),
        Field::number("maximum_expiration")
            .default(0)
            .between(0, 31_536_000)
            .describe("Seconds that a token may still live; 0 = as long as it says."),
        names("header_names")
            .default(vec!["authorization"])
            .describe("Header fields that tokens are looked for in, after the word Bearer."),
        Field::string("realm").describe("The realm of WWW-Authenticate challenges."),
    ]
}

/// A limit on `exp` without verifying `exp` would be none.
fn maximum_needs_exp(config: &Entity) -> Vec<(String, String)> {
    let limited = config.get("maximum_expiration").and_then(Value::as_f64).is_some_and(|seconds| seconds > 0.0);
    let claims = config.get("claims_to_verify").and_then(Value::as_array);
    if !limited || claims.is_some_and(|claims| claims.iter().any(|claim| claim == "exp")) {
        return Vec::new();
    }
    vec![
        (
            ENTITY.to_owned(),
            "failed conditional validation given value of field 'config.maximum_expiration'".to_owned(),
        ),
        ("claims_to_verify".to_owned(), "expected to contain: exp".to_owned()),
    ]
}
