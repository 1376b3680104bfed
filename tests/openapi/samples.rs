//! A value for each described field, other than its default.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::{Map, Value, json};

/// Answers carry these; what a client says of them is not kept, or is told better by another field.
const SAID_BY_THE_SERVER: [&str; 6] = ["updated_at", "url", "cert_digest", "credential_id", "service_id", "expires_at"];

/// The role in this world.
pub const ROLE: &str = "beta";

/// Fields whose sample must be of a certain form: entity (or `*`), field, value. `#` becomes the number of the sample.
fn certain(entity: &str, field: &str, nth: usize) -> Option<Value> {
    let name = format!("x{nth}.com");
    Some(match (entity, field) {
        (_, "id") => json!(uuid::Uuid::now_v7().to_string()),
        (_, "created_at") => json!(1_600_000_000 + nth),
        ("services", "protocol") => json!("https"),
        ("services", "host") => json!(name),
        ("snis", "name") => json!(format!("sni-{name}")),
        ("services", "path") => json!("/x"),
        ("services", "tls_verify_depth") => json!(nth),
        ("routes", "protocols") => json!(["https"]),
        ("routes", "methods") => json!(["GET"]),
        ("routes", "hosts" | "snis") | ("certificates", "snis") => json!([name]),
        ("routes", "paths") => json!([format!("/x{nth}")]),
        ("routes", "headers") => json!({ "x-a": ["1", "2"] }),
        ("plugins", "name") => json!("oauth2"),
        ("plugins", "config") => json!({ "enable_client_credentials": true }),
        ("developers", "email") => json!(format!("developer-{nth}@a.com")),
        ("developers", "meta") => json!("{\"full_name\":\"x\"}"),
        ("developers", "roles") => json!([ROLE]),
        ("developers", "password") => json!("a long password"),
        ("developers", "key") => json!(format!("api-key-{nth}")),
        // Its consumer has it too, and consumers have samples of their own.
        ("applications", "custom_id") => json!(format!("reference-{nth}")),
        ("applications", "redirect_uri") => json!("https://a.com/x"),
        ("oauth2_credentials", "redirect_uris") => json!(["http://a.com/x"]),
        // A hashed secret is not kept as it was sent.
        ("oauth2_credentials", "hash_secret") => json!(false),
        ("oauth2_tokens", "expires_in") | (_, "ttl") => json!(3600),
        _ => return None,
    })
}

/// A self-signed certificate and its key.
fn pair(authority: bool) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["a.com".to_owned()]).unwrap();
    if authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// A body with every field of the description; references come from `refer`.
pub fn body(entity: &str, described: &Value, nth: usize, refer: impl Fn(&str) -> Option<Value>) -> Map<String, Value> {
    let mut body = Map::new();
    for (name, property) in described["properties"].as_object().unwrap() {
        if SAID_BY_THE_SERVER.contains(&name.as_str()) {
            continue;
        }
        let value = certain(entity, name, nth).or_else(|| refer(name)).or_else(|| sample(name, property, nth));
        if let Some(value) = value {
            body.insert(name.clone(), value);
        }
    }
    if entity.ends_with("certificates") {
        for (cert, key) in [("cert", "key"), ("cert_alt", "key_alt")] {
            let (pem, secret) = pair(entity == "ca_certificates");
            for (name, text) in [(cert, pem), (key, secret)] {
                body.entry(name).and_modify(|value| *value = text.into());
            }
        }
    }
    body
}

/// A value of the described type; `None` for references that nothing can stand for.
fn sample(name: &str, property: &Value, nth: usize) -> Option<Value> {
    let kind = property["type"].as_array().map_or(&property["type"], |kinds| &kinds[0]);
    if let Some(words) = property["enum"].as_array() {
        let other = words.iter().find(|word| !word.is_null() && **word != property["default"]);
        return Some(other.or(words.first()).cloned().unwrap());
    }
    Some(match kind.as_str()? {
        "string" if property["format"] == "uuid" => json!(uuid::Uuid::now_v7().to_string()),
        "string" => json!(format!("{name}-{nth}")),
        "integer" | "number" => {
            let least = property["minimum"].as_i64().unwrap_or(0);
            json!(least.max(0) + 1 + nth as i64)
        }
        "boolean" => json!(property["default"] != json!(true)),
        "array" => json!([sample(name, &property["items"], nth)?]),
        // A reference to what is not in this world, or a map.
        _ => return None,
    })
}

/// Every field of a plugin's configuration.
pub fn config(plugin: &str, described: &Value) -> Map<String, Value> {
    let mut config = Map::new();
    for (name, property) in described["properties"].as_object().unwrap() {
        let value = match name.as_str() {
            // The other profile forbids grants that are on here.
            "profile" => Some(json!("kong")),
            // No two plugins have the same.
            "provision_key" => Some(json!(format!("of {plugin}"))),
            _ => sample(name, property, 1),
        };
        if let Some(value) = value {
            config.insert(name.clone(), value);
        }
    }
    config
}
