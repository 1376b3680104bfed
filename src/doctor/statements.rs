//! The statements, in the order of the RFC.

use super::configuration::Configuration;
use super::judges::{
    audience_bound, authorization_code_instead_of_implicit, clients_authenticate_by_keys, codes_bound_to_redirect_uris,
    end_to_end_tls, exact_redirect_uris, iss_is_sent, minimal_scopes, no_password_grant, no_plain_redirects,
    no_tokens_in_queries, nothing_forwarded, pkce_of_confidential_clients, pkce_of_public_clients, proxies_are_named,
    refresh_rotation, refresh_tokens_expire, secrets_hashed, sender_constrained, short_lives,
};

/// How strongly the RFC says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Must,
    Should,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Kept,
    /// Nothing here is what the statement is about.
    NotApplicable,
    /// Where it is not kept, and what to change.
    Broken(Vec<String>),
    /// Whose part it is.
    Outside(&'static str),
}

/// One statement of RFC 9700.
pub struct Statement {
    /// Section of RFC 9700.
    pub section: &'static str,
    pub level: Level,
    pub says: &'static str,
    pub judge: fn(&Configuration) -> Verdict,
}

const fn must(section: &'static str, says: &'static str, judge: fn(&Configuration) -> Verdict) -> Statement {
    Statement { section, level: Level::Must, says, judge }
}

const fn should(section: &'static str, says: &'static str, judge: fn(&Configuration) -> Verdict) -> Statement {
    Statement { section, level: Level::Should, says, judge }
}

/// The program does it so, whatever is configured.
fn always(_: &Configuration) -> Verdict {
    Verdict::Kept
}

fn of_the_login_page(_: &Configuration) -> Verdict {
    Verdict::Outside("the login page of the API owner")
}

fn of_clients(_: &Configuration) -> Verdict {
    Verdict::Outside("clients")
}

pub const STATEMENTS: &[Statement] = &[
    must("2.1", "redirect URIs are compared exactly", exact_redirect_uris),
    must("2.1", "no open redirector: errors go to registered redirect URIs only", always),
    must("2.1", "clients prevent CSRF (PKCE or state)", of_clients),
    should("2.1", "the issuer is named in authorization answers against mix-up (RFC 9207)", iss_is_sent),
    must("2.1.1", "public clients use PKCE", pkce_of_public_clients),
    should("2.1.1", "confidential clients use PKCE", pkce_of_confidential_clients),
    must("2.1.1", "a verifier counts only where a challenge was given (no downgrade)", always),
    should("2.1.1", "the challenge method does not reveal the verifier (S256 only)", always),
    should(
        "2.1.2",
        "no access tokens in authorization answers (no implicit grant)",
        authorization_code_instead_of_implicit,
    ),
    should("2.2.1", "access tokens are bound to their sender (mutual TLS or DPoP)", sender_constrained),
    must("2.2.2", "refresh tokens of public clients are rotated", refresh_rotation),
    should("2.3", "tokens have no more rights than needed (scopes)", minimal_scopes),
    should("2.3", "tokens are for one service (audience)", audience_bound),
    must("2.4", "no password grant", no_password_grant),
    should("2.5", "clients authenticate by asymmetric keys", clients_authenticate_by_keys),
    should("2.5", "client secrets are stored hashed", secrets_hashed),
    must(
        "2.6",
        "authorization answers travel encrypted: no redirect URI on plain http but loopback",
        no_plain_redirects,
    ),
    should("2.6", "TLS reaches from the client to the gateway", end_to_end_tls),
    must("2.6", "no client chooses who it acts for", always),
    must("4.2.4", "codes are redeemed once, and a replay revokes what they gave", always),
    must("4.3.2", "no access tokens in query strings", no_tokens_in_queries),
    should("4.5.3", "codes are bound to the redirect URI they were asked with", codes_bound_to_redirect_uris),
    must("4.9", "upstreams do not learn tokens that are good elsewhere", nothing_forwarded),
    should("4.10", "access tokens are short-lived", short_lives),
    must("4.12", "redirects after the log-in do not repeat the password (303, not 307)", of_the_login_page),
    must("4.13", "headers that proxies set are believed of named proxies only", proxies_are_named),
    must("4.14.2", "the replay of a rotated refresh token revokes its family", always),
    should("4.14.2", "refresh tokens expire", refresh_tokens_expire),
    should("4.16", "the authorization page stands in no frame", of_the_login_page),
];
