//! What a running gateway is set to, as far as the statements ask.

use serde_json::Value;

/// The entities of the Admin API that statements are about, as it shows them.
#[derive(Debug, Default)]
pub struct Configuration {
    /// Plugins that issue or check tokens, those switched off left out.
    pub guards: Vec<Guard>,
    /// `oauth2_credentials`.
    pub clients: Vec<Value>,
    /// The settings, as `GET /` shows them under `configuration`: `proxy_trusted_ips`.
    pub settings: Value,
}

/// One plugin that guards something with tokens.
#[derive(Debug)]
pub struct Guard {
    /// `oauth2 on service orders`.
    pub place: String,
    pub config: Value,
    /// Routes it stands on that plain `http`, `grpc` or `ws` may use.
    pub plain_routes: Vec<String>,
}

impl Configuration {
    /// From the lists of the Admin API.
    pub fn new(plugins: &[Value], routes: &[Value], services: &[Value], clients: Vec<Value>, settings: Value) -> Self {
        let guards = plugins
            .iter()
            .filter(|plugin| issues_tokens(plugin))
            .filter(|plugin| plugin["enabled"] != false)
            .map(|plugin| Guard {
                place: place(plugin, routes, services),
                config: plugin["config"].clone(),
                plain_routes: plain_routes(plugin, routes),
            })
            .collect();
        Self { guards, clients, settings }
    }

    /// The parts of a setting that is a list.
    pub fn list(&self, setting: &str) -> impl Iterator<Item = &str> {
        self.settings[setting].as_array().into_iter().flatten().filter_map(Value::as_str)
    }
}

impl Guard {
    pub fn is_on(&self, field: &str) -> bool {
        self.config[field] == true
    }

    pub fn number(&self, field: &str) -> f64 {
        self.config[field].as_f64().unwrap_or_default()
    }

    /// Whether the plugin follows RFC 9700 where Kong does not.
    pub fn is_strict(&self) -> bool {
        self.config["profile"] == "rfc9700"
    }

    /// Whether tokens reach somebody by way of a browser.
    pub fn has_redirects(&self) -> bool {
        self.is_on("enable_authorization_code") || self.is_on("enable_implicit_grant")
    }
}

/// Whether the plugin has grants: `application-registration` may leave them to another one.
fn issues_tokens(plugin: &Value) -> bool {
    let grants = ["authorization_code", "implicit_grant", "client_credentials", "password_grant"];
    match text(&plugin["name"]) {
        "oauth2" => true,
        "application-registration" => grants.iter().any(|grant| plugin["config"][format!("enable_{grant}")] == true),
        _ => false,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The name people know an entity by, or its id.
fn known_as(id: &Value, entities: &[Value]) -> String {
    let found = entities.iter().find(|entity| entity["id"] == *id);
    let name = found.and_then(|entity| entity["name"].as_str());
    name.unwrap_or_else(|| text(id)).to_owned()
}

fn place(plugin: &Value, routes: &[Value], services: &[Value]) -> String {
    let name = text(&plugin["name"]);
    if plugin["route"]["id"].is_string() {
        return format!("{name} on route {}", known_as(&plugin["route"]["id"], routes));
    }
    if plugin["service"]["id"].is_string() {
        return format!("{name} on service {}", known_as(&plugin["service"]["id"], services));
    }
    format!("{name} on everything")
}

fn plain_routes(plugin: &Value, routes: &[Value]) -> Vec<String> {
    let (route, service) = (&plugin["route"]["id"], &plugin["service"]["id"]);
    let covered = routes.iter().filter(|entity| {
        (route.is_null() || entity["id"] == *route) && (service.is_null() || entity["service"]["id"] == *service)
    });
    let plain = covered.filter(|entity| {
        let protocols = entity["protocols"].as_array().map_or(&[][..], |protocols| protocols);
        protocols.iter().any(|protocol| ["http", "grpc", "ws"].contains(&text(protocol)))
    });
    plain.map(|entity| entity["name"].as_str().unwrap_or_else(|| text(&entity["id"])).to_owned()).collect()
}
