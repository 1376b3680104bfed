//! What a plugin tells the Admin API about itself.

use serde_json::{Map, Value};

use super::Entity;
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
    /// Whether it must stand on a service.
    pub service_required: bool,
    /// Fields of `config` that are used together or not at all.
    pub group: Option<FieldGroup>,
    /// The protocols it can stand on.
    pub protocols: &'static [&'static str],
    /// Those it stands on when a body names none.
    pub default_protocols: &'static [&'static str],
    /// List fields of `config` whose form texts are split at white space.
    pub split_words: &'static [&'static str],
}

/// Fields of a plugin's `config` that are used together or not at all: unused, they have no default, nothing is
/// generated for them, and nothing of them is demanded.
#[derive(Clone, Debug)]
pub struct FieldGroup {
    pub fields: &'static [&'static str],
    /// What is judged of `config` only while the group is used.
    pub checks: Vec<Check>,
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
            service_required: false,
            group: None,
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

    /// For plugins that are about a service as a whole.
    #[must_use]
    pub fn only_on_a_service(mut self) -> Self {
        (self.service_required, self.route_allowed, self.consumer_allowed) = (true, false, false);
        self
    }

    #[must_use]
    pub fn protocols(mut self, protocols: &'static [&'static str]) -> Self {
        self.protocols = protocols;
        self
    }

    /// Makes these fields a group; `checks` are judged only while it is used.
    #[must_use]
    pub fn group(mut self, fields: &'static [&'static str], checks: Vec<Check>) -> Self {
        self.group = Some(FieldGroup { fields, checks });
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

    /// Whether a `config` uses the group: one of its fields is there and not null. A config that only spells out every
    /// default of it says nothing: tools send what they read from `/schemas` (deck does).
    pub(super) fn uses_group(&self, config: &Map<String, Value>) -> bool {
        let Some(group) = &self.group else { return false };
        let given = |field: &Field| config.get(field.name).filter(|value| !value.is_null());
        let of_group = || self.config_fields().iter().filter(|field| group.fields.contains(&field.name));
        of_group().any(|field| given(field).is_some()) && of_group().any(|field| given(field) != field.default.as_ref())
    }

    /// A field of the `plugins` entity as this plugin narrows it, its group being used.
    pub(super) fn narrow(&self, field: &Field) -> Field {
        let mut field = field.clone();
        let allowed = match field.name {
            "config" => {
                let mut config = self.config.clone();
                config.checks.extend(self.group.iter().flat_map(|group| group.checks.iter().cloned()));
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
            "service" => {
                field.required |= self.service_required;
                self.service_allowed
            }
            _ => true,
        };
        if !allowed {
            field.checks.insert(0, Check::Null);
        }
        field
    }

    /// The field `config` while the group is not used.
    pub(super) fn without_group(&self) -> Field {
        let mut config = self.config.clone();
        if let (Kind::Record(fields), Some(group)) = (&mut config.kind, &self.group) {
            for field in fields.iter_mut().filter(|field| group.fields.contains(&field.name)) {
                (field.required, field.default, field.auto) = (false, None, None);
            }
        }
        config.checks.extend(self.checks.iter().map(|check| Check::Record(*check)));
        config
    }

    /// A stored plugin as a change is laid over it: of an unused group nothing is left that would stand in the way of
    /// its defaults.
    pub(super) fn to_change(&self, old: &Entity) -> Entity {
        let mut old = old.clone();
        if let (Some(Value::Object(config)), Some(group)) = (old.get_mut("config"), &self.group)
            && !self.uses_group(config)
        {
            group.fields.iter().for_each(|name| drop(config.shift_remove(*name)));
        }
        old
    }
}
