//! The configuration schema (oauth2.md section 1).

use serde_json::Value;

use super::{NAME, PRIORITY};
use crate::schema::{Auto, Entity, Field, PluginSchema};

const GRANTS: [&str; 4] =
    ["enable_authorization_code", "enable_implicit_grant", "enable_client_credentials", "enable_password_grant"];

pub fn schema() -> PluginSchema {
    PluginSchema::new(NAME, PRIORITY, fields())
        .without_consumer()
        .check(scopes_when_mandatory)
        .check(rfc9700_has_no_unsafe_grants)
        .rule(a_grant_is_enabled)
}

/// One of the fields, for a plugin that has it too.
pub(in crate::plugins) fn field(name: &str) -> Option<Field> {
    fields().into_iter().find(|field| field.name == name)
}

fn flag(name: &'static str) -> Field {
    Field::boolean(name).default(false).required()
}

fn fields() -> Vec<Field> {
    vec![
        Field::array("scopes", Field::string("scope")).describe("The scopes that clients may ask for."),
        flag("mandatory_scope").describe("Whether every token must have a scope."),
        Field::string("provision_key")
            .auto(Auto::Token)
            .required()
            .unique()
            .describe("What the API owner's login backend proves itself with."),
        Field::number("token_expiration")
            .default(7200)
            .required()
            .between(0, MAX_SECONDS)
            .describe("Seconds an access token lives; 0 = it never expires."),
        flag("enable_authorization_code").describe("The authorization code grant (RFC 6749 section 4.1)."),
        flag("enable_implicit_grant").describe("The implicit grant (RFC 6749 section 4.2)."),
        flag("enable_client_credentials").describe("The client credentials grant (RFC 6749 section 4.4)."),
        flag("enable_password_grant").describe("The password grant (RFC 6749 section 4.3)."),
        flag("hide_credentials").describe("Whether the token is removed before the upstream sees the request."),
        flag("accept_http_if_already_terminated")
            .describe("Whether a trusted proxy in front may have ended TLS (X-Forwarded-Proto)."),
        Field::string("anonymous").describe("Consumer (id or username) that calls without a good token are made as."),
        flag("global_credentials").describe("Whether tokens work on every plugin that has this set."),
        Field::string("auth_header_name").default("authorization").describe("The header that carries the token."),
        Field::number("refresh_token_ttl")
            .default(1_209_600)
            .required()
            .between(0, 100_000_000)
            .describe("Seconds a token row lives, and so its refresh token; 0 = for ever."),
        flag("persistent_refresh_token").describe("Deprecated: an alias of reuse_refresh_token."),
        flag("reuse_refresh_token").describe("Whether a refresh keeps the refresh token."),
        Field::string("pkce")
            .default("lax")
            .one_of(&["none", "lax", "strict"])
            .describe("Who must use PKCE: nobody, public clients, everybody."),
        Field::string("realm").describe("The realm of WWW-Authenticate challenges."),
        Field::string("scope_header_separator")
            .default(" ")
            .describe("What stands between scopes in X-Authenticated-Scope."),
        Field::number("refresh_grace")
            .default(10)
            .between(0, 86_400)
            .describe("Seconds in which a rotated refresh token gets the same new pair again."),
        Field::string("profile")
            .default("kong")
            .one_of(&["kong", "rfc9700"])
            .describe("Whose rules hold where Kong and the RFCs differ."),
    ]
}

/// About 300 years: beyond it instants could not be told apart from "never".
const MAX_SECONDS: i64 = 10_000_000_000;

fn is_on(config: &Entity, name: &str) -> bool {
    config.get(name).and_then(Value::as_bool).unwrap_or(false)
}

pub(in crate::plugins) fn a_grant_is_enabled(config: &Value) -> Option<String> {
    let on = config.as_object().is_some_and(|config| GRANTS.iter().any(|grant| is_on(config, grant)));
    (!on).then(|| format!("at least one of these fields must be true: {}", GRANTS.join(", ")))
}

pub(in crate::plugins) fn scopes_when_mandatory(config: &Entity) -> Vec<(String, String)> {
    let has_scopes = config.get("scopes").and_then(Value::as_array).is_some_and(|scopes| !scopes.is_empty());
    if is_on(config, "mandatory_scope") && !has_scopes {
        return vec![("scopes".to_owned(), "required field missing".to_owned())];
    }
    Vec::new()
}

/// RFC 9700 section 2.1.2 and 2.4: neither implicit nor password.
fn rfc9700_has_no_unsafe_grants(config: &Entity) -> Vec<(String, String)> {
    if config.get("profile").and_then(Value::as_str) != Some("rfc9700") {
        return Vec::new();
    }
    let unsafe_grants = ["enable_implicit_grant", "enable_password_grant"];
    let on = unsafe_grants.into_iter().filter(|grant| is_on(config, grant));
    on.map(|grant| (grant.to_owned(), "value must be false".to_owned())).collect()
}
