//! What a declarative file is made of: which list holds what, and what of it has no counterpart here.

/// Lists of entities at the top of a file, and the schema of each.
pub(super) const COLLECTIONS: &[(&str, &str)] = &[
    ("certificates", "certificates"),
    ("ca_certificates", "ca_certificates"),
    ("snis", "snis"),
    ("services", "services"),
    ("routes", "routes"),
    ("consumers", "consumers"),
    ("plugins", "plugins"),
    ("oauth2_credentials", "oauth2_credentials"),
    ("keyauth_credentials", "keyauth_credentials"),
    ("jwt_secrets", "jwt_secrets"),
    ("oauth2_tokens", "oauth2_tokens"),
];

/// Lists that stand inside an entity: whose, name, schema of what they hold, the field that refers back.
pub(super) const NESTED: &[(&str, &str, &str, &str)] = &[
    ("services", "routes", "routes", "service"),
    ("services", "plugins", "plugins", "service"),
    ("routes", "plugins", "plugins", "route"),
    ("consumers", "plugins", "plugins", "consumer"),
    ("consumers", "oauth2_credentials", "oauth2_credentials", "consumer"),
    ("consumers", "keyauth_credentials", "keyauth_credentials", "consumer"),
    ("consumers", "jwt_secrets", "jwt_secrets", "consumer"),
    ("certificates", "snis", "snis", "certificate"),
    ("oauth2_credentials", "oauth2_tokens", "oauth2_tokens", "credential"),
];

/// What Kong keeps and tollgate has nothing for: lists at the top, and below consumers.
const FOREIGN: &[(&str, &str)] = &[
    ("upstreams", "no load balancing: a service whose host is this name must name the real host"),
    ("targets", "no load balancing: a service must name the real host"),
    ("consumer_groups", "no groups of consumers; plugins set for the group do not run"),
    ("consumer_group_consumers", "no groups of consumers"),
    ("consumer_group_plugins", "no groups of consumers; these plugins do not run"),
    ("groups", "no groups of consumers"),
    ("acls", "no plugin `acl`: who is in which group refuses nobody"),
    ("basicauth_credentials", "no plugin `basic-auth`"),
    ("hmacauth_credentials", "no plugin `hmac-auth`"),
    ("mtls_auth_credentials", "no plugin `mtls-auth`"),
    ("vaults", "no vaults: a `{vault://…}` must be replaced by its value"),
    ("keys", "no keys as entities"),
    ("key_sets", "no keys as entities"),
    ("filter_chains", "no WebAssembly"),
    ("partials", "no partials: their settings must stand in the plugins"),
    ("rbac_roles", "roles of the Admin API are its tokens' (tollgate admin-token)"),
    ("rbac_users", "users of the Admin API are its tokens (tollgate admin-token)"),
    ("rbac_endpoint_permissions", "roles of the Admin API are its tokens' (tollgate admin-token)"),
    ("licenses", "no licences"),
    ("custom_entities", "entities of plugins that are not here"),
    ("degraphql_routes", "no plugin `degraphql`"),
    ("graphql_ratelimiting_cost_decorations", "no plugin `graphql-rate-limiting-advanced`"),
    ("service_packages", "no Konnect"),
    ("parameters", "no parameters of a database"),
];

/// Fields of Kong's entities that tollgate does not have: whose, which, and what that means.
const FIELDS: &[(&str, &str, &str)] = &[
    ("services", "tls_sans", "names in upstreams' certificates are not chosen"),
    ("routes", "expression", "no expressions: the route needs paths, hosts or methods"),
    ("routes", "priority", "no expressions"),
    ("consumers", "type", "every consumer is one of its own"),
    ("plugins", "ordering", "plugins run in the order of their priorities"),
    ("plugins", "partials", "no partials: the settings must stand in the plugin"),
    ("plugins", "consumer_group", "no groups of consumers"),
    ("plugins", "condition", "the plugin runs for every call"),
    ("key-auth", "identity_realms", "no Konnect: keys are this gateway's"),
];

/// Plugins that refuse calls: where they are missing, calls get through that Kong refuses.
const GUARDS: &[&str] = &[
    "acl",
    "ace",
    "basic-auth",
    "bot-detection",
    "hmac-auth",
    "ip-restriction",
    "jwt-signer",
    "key-auth-enc",
    "ldap-auth",
    "ldap-auth-advanced",
    "mtls-auth",
    "oauth2-introspection",
    "opa",
    "openid-connect",
    "request-validator",
    "header-cert-auth",
    "vault-auth",
];

/// Why a list of Kong's is not taken; `None`: Kong has no such list.
pub(super) fn foreign(name: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(known, _)| *known == name).map(|(_, why)| *why)
}

/// Why a field of Kong's is not taken; `None`: Kong has no such field, as far as is known here.
pub(super) fn foreign_field(entity: &str, name: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(whose, known, _)| *whose == entity && *known == name).map(|(.., why)| *why)
}

/// Why a plugin is not taken.
pub(super) fn foreign_plugin(name: &str) -> String {
    let means = if GUARDS.contains(&name) { "; CALLS THAT IT REFUSES ARE LET THROUGH" } else { "" };
    format!("no plugin `{name}`{means}")
}
