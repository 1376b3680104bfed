//! The configuration of an instance, typed (oauth2.md section 1).

use serde::Deserialize;
use uuid::Uuid;

use crate::domain::Secret;
use crate::oauth2::{Pkce, Policy, Profile};
use crate::plugins::challenge::challenge;

/// What one instance does. Defaults are the schema's, so that rows written by older versions still read.
#[derive(Debug)]
pub struct Config {
    /// The plugin's own id: global codes are bound to it.
    pub id: Uuid,
    pub policy: Policy,
    pub hide_credentials: bool,
    pub accept_http_if_already_terminated: bool,
    /// Consumer id or username.
    pub anonymous: Option<String>,
    /// Lower case.
    pub auth_header_name: String,
    pub realm: Option<String>,
    pub scope_header_separator: String,
}

#[derive(Deserialize)]
#[serde(default)]
struct Raw {
    scopes: Option<Vec<String>>,
    mandatory_scope: bool,
    provision_key: Option<String>,
    token_expiration: f64,
    enable_authorization_code: bool,
    enable_implicit_grant: bool,
    enable_client_credentials: bool,
    enable_password_grant: bool,
    hide_credentials: bool,
    accept_http_if_already_terminated: bool,
    anonymous: Option<String>,
    global_credentials: bool,
    auth_header_name: Option<String>,
    refresh_token_ttl: f64,
    persistent_refresh_token: bool,
    reuse_refresh_token: bool,
    refresh_grace: f64,
    pkce: Option<String>,
    realm: Option<String>,
    scope_header_separator: Option<String>,
    profile: Option<String>,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            scopes: None,
            mandatory_scope: false,
            provision_key: None,
            token_expiration: 7200.0,
            enable_authorization_code: false,
            enable_implicit_grant: false,
            enable_client_credentials: false,
            enable_password_grant: false,
            hide_credentials: false,
            accept_http_if_already_terminated: false,
            anonymous: None,
            global_credentials: false,
            auth_header_name: None,
            refresh_token_ttl: 1_209_600.0,
            persistent_refresh_token: false,
            reuse_refresh_token: false,
            refresh_grace: 10.0,
            pkce: None,
            realm: None,
            scope_header_separator: None,
            profile: None,
        }
    }
}

impl Config {
    /// # Errors
    /// A value of the wrong type, or no provision key (an instance without one would accept a blank).
    pub fn read(id: Uuid, config: &serde_json::Value) -> Result<Self, String> {
        let raw = Raw::deserialize(config).map_err(|error| format!("its config cannot be read: {error}"))?;
        let provision_key = raw.provision_key.filter(|key| !key.is_empty()).ok_or("its provision_key is missing")?;
        let policy = Policy {
            scopes: raw.scopes.unwrap_or_default(),
            mandatory_scope: raw.mandatory_scope,
            provision_key: Secret::new(provision_key),
            token_expiration: seconds(raw.token_expiration),
            authorization_code: raw.enable_authorization_code,
            implicit: raw.enable_implicit_grant,
            client_credentials: raw.enable_client_credentials,
            password: raw.enable_password_grant,
            global_credentials: raw.global_credentials,
            refresh_token_ttl: seconds(raw.refresh_token_ttl),
            reuse_refresh_token: raw.reuse_refresh_token || raw.persistent_refresh_token,
            refresh_grace: seconds(raw.refresh_grace),
            pkce: match raw.pkce.as_deref() {
                Some("none") => Pkce::None,
                Some("strict") => Pkce::Strict,
                _ => Pkce::Lax,
            },
            profile: match raw.profile.as_deref() {
                Some("rfc9700") => Profile::Rfc9700,
                _ => Profile::Kong,
            },
        };
        let header = raw.auth_header_name.unwrap_or_else(|| "authorization".to_owned()).to_ascii_lowercase();
        Ok(Self {
            id,
            policy,
            hide_credentials: raw.hide_credentials,
            accept_http_if_already_terminated: raw.accept_http_if_already_terminated,
            anonymous: raw.anonymous.filter(|who| !who.is_empty()),
            auth_header_name: header,
            realm: raw.realm.filter(|realm| !realm.is_empty()),
            scope_header_separator: raw.scope_header_separator.unwrap_or_else(|| " ".to_owned()),
        })
    }

    /// A `WWW-Authenticate: Bearer` challenge (RFC 6750 §3) with this instance's realm.
    pub fn challenge(&self, error: Option<(&str, &str)>) -> String {
        let parameters = error.map(|(code, description)| [("error", code), ("error_description", description)]);
        challenge("Bearer", self.realm.as_deref(), parameters.as_ref().map_or(&[], |parameters| parameters))
    }
}

/// Whole seconds; Kong takes fractions, which no clock of ours tells apart.
fn seconds(number: f64) -> i64 {
    // A cast from a float saturates, and the schema keeps numbers sane.
    number.max(0.0).ceil() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(extra: serde_json::Value) -> Result<Config, String> {
        let mut whole = serde_json::json!({ "provision_key": "p" });
        for (name, value) in extra.as_object().unwrap() {
            whole[name] = value.clone();
        }
        Config::read(Uuid::nil(), &whole)
    }

    #[test]
    fn challenges_are_kongs() {
        let plain = config(serde_json::json!({})).unwrap();
        assert_eq!(plain.challenge(None), "Bearer");
        let realm = config(serde_json::json!({ "realm": "a\"b\r\n" })).unwrap();
        assert_eq!(realm.challenge(None), "Bearer realm=\"a\\\"b\"");
        assert_eq!(
            realm.challenge(Some(("invalid_token", "gone"))),
            "Bearer realm=\"a\\\"b\", error=\"invalid_token\", error_description=\"gone\""
        );
    }

    #[test]
    fn a_config_without_provision_key_does_not_compile() {
        assert!(Config::read(Uuid::nil(), &serde_json::json!({})).is_err());
        assert!(config(serde_json::json!({ "token_expiration": "soon" })).is_err());
        let read = config(serde_json::json!({ "persistent_refresh_token": true, "scopes": null })).unwrap();
        assert!(read.policy.reuse_refresh_token && read.policy.scopes.is_empty());
        assert_eq!(read.policy.token_expiration, 7200);
    }
}
