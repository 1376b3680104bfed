//! One function per statement that depends on what is configured.

use std::net::IpAddr;

use serde_json::Value;

use super::configuration::{Configuration, Guard};
use super::statements::Verdict;

/// Seconds an access token may live without a remark: a day. The RFC names no figure.
const LONG_LIFE: f64 = 86_400.0;

/// Kept when nothing was found; not applicable when nothing was there to look at.
fn verdict(looked_at: usize, found: Vec<String>) -> Verdict {
    match (looked_at, found.is_empty()) {
        (0, _) => Verdict::NotApplicable,
        (_, true) => Verdict::Kept,
        (_, false) => Verdict::Broken(found),
    }
}

/// Judges every guard that is `concerned`.
fn of_guards(
    configuration: &Configuration,
    concerned: impl Fn(&Guard) -> bool,
    fault: impl Fn(&Guard) -> Option<String>,
) -> Verdict {
    let concerned: Vec<&Guard> = configuration.guards.iter().filter(|guard| concerned(guard)).collect();
    let found = concerned.iter().filter_map(|guard| Some(format!("{}: {}", guard.place, fault(guard)?))).collect();
    verdict(concerned.len(), found)
}

fn name_of(client: &Value) -> &str {
    client["client_id"].as_str().unwrap_or("?")
}

fn redirect_uris(client: &Value) -> impl Iterator<Item = &str> + Clone {
    client["redirect_uris"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn has_public_clients(configuration: &Configuration) -> bool {
    configuration.clients.iter().any(|client| client["client_type"] == "public")
}

pub(super) fn exact_redirect_uris(configuration: &Configuration) -> Verdict {
    // The comparison is exact always; without redirects there is none.
    of_guards(configuration, Guard::has_redirects, |_| None)
}

pub(super) fn iss_is_sent(configuration: &Configuration) -> Verdict {
    of_guards(configuration, Guard::has_redirects, |guard| {
        (!guard.is_strict()).then(|| "set config.profile to rfc9700".to_owned())
    })
}

pub(super) fn pkce_of_public_clients(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |guard| guard.is_on("enable_authorization_code"),
        |guard| {
            let open = guard.config["pkce"] == "none" && !guard.is_strict();
            open.then(|| "config.pkce is none; set it to lax or strict".to_owned())
        },
    )
}

pub(super) fn pkce_of_confidential_clients(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |guard| guard.is_on("enable_authorization_code"),
        |guard| {
            let open = guard.config["pkce"] != "strict" && !guard.is_strict();
            open.then(|| "set config.pkce to strict".to_owned())
        },
    )
}

pub(super) fn authorization_code_instead_of_implicit(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |_| true,
        |guard| {
            let on = guard.is_on("enable_implicit_grant");
            on.then(|| "switch config.enable_implicit_grant off; browsers use the code grant with PKCE".to_owned())
        },
    )
}

pub(super) fn sender_constrained(configuration: &Configuration) -> Verdict {
    of_guards(configuration, |_| true, |_| Some("tokens are bearer tokens; tollgate cannot bind them yet".to_owned()))
}

pub(super) fn refresh_rotation(configuration: &Configuration) -> Verdict {
    if !has_public_clients(configuration) {
        return Verdict::NotApplicable;
    }
    of_guards(
        configuration,
        |guard| guard.is_on("enable_authorization_code") || guard.is_on("enable_password_grant"),
        |guard| {
            let reused = guard.is_on("reuse_refresh_token") || guard.is_on("persistent_refresh_token");
            reused.then(|| "switch config.reuse_refresh_token off".to_owned())
        },
    )
}

pub(super) fn minimal_scopes(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |_| true,
        |guard| {
            let none = guard.config["scopes"].as_array().is_none_or(Vec::is_empty);
            if none {
                return Some("it has no config.scopes: every token may do everything".to_owned());
            }
            (!guard.is_on("mandatory_scope"))
                .then(|| "config.mandatory_scope is off: a token without a scope passes".to_owned())
        },
    )
}

pub(super) fn audience_bound(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |_| true,
        |guard| guard.is_on("global_credentials").then(|| "config.global_credentials is on".to_owned()),
    )
}

pub(super) fn no_password_grant(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |_| true,
        |guard| guard.is_on("enable_password_grant").then(|| "switch config.enable_password_grant off".to_owned()),
    )
}

pub(super) fn clients_authenticate_by_keys(configuration: &Configuration) -> Verdict {
    let confidential = configuration.clients.iter().filter(|client| client["client_type"] != "public").count();
    let told = format!("{confidential} clients use secrets; tollgate knows no client keys yet");
    verdict(confidential, vec![told])
}

pub(super) fn secrets_hashed(configuration: &Configuration) -> Verdict {
    let secret = |client: &&Value| client["client_type"] != "public";
    let clear = configuration.clients.iter().filter(secret).filter(|client| client["hash_secret"] != true);
    let found = clear.map(|client| format!("client {}: set hash_secret with a new client_secret", name_of(client)));
    verdict(configuration.clients.iter().filter(secret).count(), found.collect())
}

/// Whether an address is unencrypted and leaves the machine.
fn is_plain(uri: &str) -> bool {
    let Some(rest) = uri.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://")).and(uri.get(7..)) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let loopback =
        host.parse::<IpAddr>().map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback());
    !loopback
}

pub(super) fn no_plain_redirects(configuration: &Configuration) -> Verdict {
    let all = configuration.clients.iter().flat_map(|client| redirect_uris(client).map(move |uri| (client, uri)));
    let found = all.clone().filter(|(_, uri)| is_plain(uri));
    let found = found.map(|(client, uri)| format!("client {}: {uri} should begin with https", name_of(client)));
    verdict(all.clone().count(), found.collect())
}

pub(super) fn end_to_end_tls(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |_| true,
        |guard| {
            if guard.is_on("accept_http_if_already_terminated") {
                return Some("config.accept_http_if_already_terminated is on: a proxy in front ends TLS".to_owned());
            }
            let routes = &guard.plain_routes;
            (!routes.is_empty())
                .then(|| format!("tokens may travel in clear on routes {}; set protocols to https", routes.join(", ")))
        },
    )
}

pub(super) fn no_tokens_in_queries(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |_| true,
        |guard| {
            (!guard.is_strict()).then(|| "access_token is taken from queries; set config.profile to rfc9700".to_owned())
        },
    )
}

pub(super) fn codes_bound_to_redirect_uris(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |guard| guard.is_on("enable_authorization_code"),
        |guard| (!guard.is_strict()).then(|| "set config.profile to rfc9700".to_owned()),
    )
}

pub(super) fn nothing_forwarded(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |_| true,
        |guard| {
            let learns = guard.is_on("global_credentials") && !guard.is_on("hide_credentials");
            learns.then(|| {
                "its tokens work elsewhere and reach the upstream; switch config.hide_credentials on".to_owned()
            })
        },
    )
}

pub(super) fn short_lives(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |_| true,
        |guard| match guard.number("token_expiration") {
            0.0 => Some("config.token_expiration is 0: its tokens never expire".to_owned()),
            life if life > LONG_LIFE => Some(format!("config.token_expiration is {life} seconds, more than a day")),
            _ => None,
        },
    )
}

pub(super) fn proxies_are_named(configuration: &Configuration) -> Verdict {
    let all = configuration.list("proxy_trusted_ips").filter(|range| range.ends_with("/0"));
    let found = all.map(|range| format!("proxy.trusted_ips has {range}: everybody is believed")).collect();
    verdict(1, found)
}

pub(super) fn refresh_tokens_expire(configuration: &Configuration) -> Verdict {
    of_guards(
        configuration,
        |guard| guard.is_on("enable_authorization_code") || guard.is_on("enable_password_grant"),
        |guard| {
            let endless = guard.number("refresh_token_ttl") == 0.0;
            endless.then(|| "config.refresh_token_ttl is 0: its refresh tokens never expire".to_owned())
        },
    )
}
