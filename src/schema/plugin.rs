//! What a plugin tells the Admin API about itself.

use serde_json::Value;

use super::field::{Check, EntityCheck, Field, Kind};

/// A plugin's configuration and where it may stand.
#[derive(Clone, Debug)]
pub struct PluginSchema {
    pub name: &'static str,
    /// The higher one runs first.
    pub priority: i32,
    pub version: &'static str,
    /// The record `config`.
    pub config: Field,
    /// Checks across the fields of `config`; their texts nest under `config`.
    pub checks: Vec<EntityCheck>,
    pub consumer_allowed: bool,
    pub route_allowed: bool,
    pub service_allowed: bool,
    /// The protocols it can stand on.
    pub protocols: &'static [&'static str],
    /// Those it stands on when a body names none.
    pub default_protocols: &'static [&'static str],
    /// List fields of `config` whose form texts are split at white space.
    pub split_words: &'static [&'static str],
}

/// Every protocol of the HTTP family.
pub const PROTOCOLS: &[&str] = &["grpc", "grpcs", "http", "https", "ws", "wss"];
/// What a plugin stands on by default.
pub const DEFAULT_PROTOCOLS: &[&str] = &["grpc", "grpcs", "http", "https"];

impl PluginSchema {
    /// A plugin that may stand anywhere.
    pub fn new(name: &'static str, priority: i32, config: Vec<Field>) -> Self {
        Self {
            name,
            priority,
            version: env!("CARGO_PKG_VERSION"),
            config: Field::record("config", config).required(),
            checks: Vec::new(),
            consumer_allowed: true,
            route_allowed: true,
            service_allowed: true,
            protocols: PROTOCOLS,
            default_protocols: DEFAULT_PROTOCOLS,
            split_words: &[],
        }
    }

    /// For authentication plugins: they make the consumer, so they cannot hang on one.
    #[must_use]
    pub fn without_consumer(mut self) -> Self {
        self.consumer_allowed = false;
        self
    }

    #[must_use]
    pub fn check(mut self, check: EntityCheck) -> Self {
        self.checks.push(check);
        self
    }

    /// A rule of the whole `config`: its text stands at `config` itself.
    #[must_use]
    pub fn rule(mut self, rule: fn(&Value) -> Option<String>) -> Self {
        self.config = self.config.rule(rule);
        self
    }

    #[must_use]
    pub fn split_words(mut self, fields: &'static [&'static str]) -> Self {
        self.split_words = fields;
        self
    }

    /// The fields of `config`.
    pub fn config_fields(&self) -> &[Field] {
        match &self.config.kind {
            Kind::Record(fields) => fields,
            _ => &[],
        }
    }

    /// A field of the `plugins` entity as this plugin narrows it.
    pub(super) fn narrow(&self, field: &Field) -> Field {
        let mut field = field.clone();
        let allowed = match field.name {
            "config" => {
                let mut config = self.config.clone();
                config.checks.extend(self.checks.iter().map(|check| Check::Record(*check)));
                return config;
            }
            "protocols" => {
                let element = Field::string("protocol").one_of(self.protocols);
                field.kind = Kind::Set(Box::new(element));
                field.default = Some(self.default_protocols.iter().copied().collect());
                true
            }
            "consumer" => self.consumer_allowed,
            "route" => self.route_allowed,
            "service" => self.service_allowed,
            _ => true,
        };
        if !allowed {
            field.checks.insert(0, Check::Null);
        }
        field
    }
}
