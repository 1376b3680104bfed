//! The configuration of an instance, typed.

use serde::Deserialize;

/// What one instance does. Defaults are the schema's, so that rows written by older versions still read.
#[derive(Debug)]
pub struct Config {
    pub uri_param_names: Vec<String>,
    pub header_names: Vec<String>,
    pub cookie_names: Vec<String>,
    pub key_claim_name: String,
    pub secret_is_base64: bool,
    pub claims_to_verify: Vec<Claim>,
    /// Seconds that a token may still live; 0 = as long as it says.
    pub maximum_expiration: f64,
    /// Consumer id or username.
    pub anonymous: Option<String>,
    pub run_on_preflight: bool,
    pub realm: Option<String>,
}

/// A registered claim that can be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Claim {
    Exp,
    Nbf,
}

#[derive(Deserialize)]
#[serde(default)]
struct Raw {
    uri_param_names: Option<Vec<String>>,
    header_names: Option<Vec<String>>,
    cookie_names: Option<Vec<String>>,
    key_claim_name: Option<String>,
    secret_is_base64: bool,
    claims_to_verify: Option<Vec<Claim>>,
    maximum_expiration: Option<f64>,
    anonymous: Option<String>,
    run_on_preflight: bool,
    realm: Option<String>,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            uri_param_names: Some(vec!["jwt".to_owned()]),
            header_names: Some(vec!["authorization".to_owned()]),
            cookie_names: None,
            key_claim_name: None,
            secret_is_base64: false,
            claims_to_verify: None,
            maximum_expiration: None,
            anonymous: None,
            run_on_preflight: true,
            realm: None,
        }
    }
}

impl Config {
    /// # Errors
    /// A value of the wrong type.
    pub fn read(config: &serde_json::Value) -> Result<Self, String> {
        let raw = Raw::deserialize(config).map_err(|error| format!("its config cannot be read: {error}"))?;
        Ok(Self {
            uri_param_names: raw.uri_param_names.unwrap_or_default(),
            header_names: raw.header_names.unwrap_or_default(),
            cookie_names: raw.cookie_names.unwrap_or_default(),
            key_claim_name: raw.key_claim_name.unwrap_or_else(|| "iss".to_owned()),
            secret_is_base64: raw.secret_is_base64,
            claims_to_verify: raw.claims_to_verify.unwrap_or_default(),
            maximum_expiration: raw.maximum_expiration.unwrap_or_default(),
            anonymous: raw.anonymous.filter(|who| !who.is_empty()),
            run_on_preflight: raw.run_on_preflight,
            realm: raw.realm.filter(|realm| !realm.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_config_has_the_defaults_and_a_claim_must_be_known() {
        let config = Config::read(&json!({})).unwrap();
        assert_eq!((config.uri_param_names, config.header_names), (vec!["jwt".into()], vec!["authorization".into()]));
        assert_eq!((config.key_claim_name.as_str(), config.run_on_preflight), ("iss", true));
        assert!(Config::read(&json!({ "claims_to_verify": ["iat"] })).is_err());
    }
}
