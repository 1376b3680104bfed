//! The configuration of an instance, typed.

use bytes::Bytes;
use serde::Deserialize;

/// What one instance does. Defaults are the schema's, so that rows written by older versions still read.
#[derive(Debug)]
pub struct Config {
    pub key_names: Vec<KeyName>,
    pub key_in_header: bool,
    pub key_in_query: bool,
    pub key_in_body: bool,
    pub hide_credentials: bool,
    /// Consumer id or username.
    pub anonymous: Option<String>,
    pub run_on_preflight: bool,
    pub realm: Option<String>,
}

/// A name that keys come under.
#[derive(Debug)]
pub struct KeyName {
    /// As configured: parameters compare with regard to case.
    pub parameter: String,
    /// The header of that name, and the one with `-` for `_`, which Kong takes for the same.
    pub headers: Vec<Bytes>,
}

impl KeyName {
    fn new(name: String) -> Self {
        let mut headers = vec![Bytes::from(name.clone())];
        if name.contains('_') {
            headers.push(name.replace('_', "-").into());
        }
        Self { parameter: name, headers }
    }
}

#[derive(Deserialize)]
#[serde(default)]
struct Raw {
    key_names: Option<Vec<String>>,
    key_in_header: bool,
    key_in_query: bool,
    key_in_body: bool,
    hide_credentials: bool,
    anonymous: Option<String>,
    run_on_preflight: bool,
    realm: Option<String>,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            key_names: None,
            key_in_header: true,
            key_in_query: true,
            key_in_body: false,
            hide_credentials: false,
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
        let names = raw.key_names.unwrap_or_else(|| vec!["apikey".to_owned()]);
        Ok(Self {
            key_names: names.into_iter().map(KeyName::new).collect(),
            key_in_header: raw.key_in_header,
            key_in_query: raw.key_in_query,
            key_in_body: raw.key_in_body,
            hide_credentials: raw.hide_credentials,
            anonymous: raw.anonymous.filter(|who| !who.is_empty()),
            run_on_preflight: raw.run_on_preflight,
            realm: raw.realm.filter(|realm| !realm.is_empty()),
        })
    }
}
