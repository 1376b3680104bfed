//! Which collections the console lists and edits, and how it calls them.

use serde_json::Value;

use crate::schema::{Entity, Schema, Seal};

/// A collection as the console shows it.
#[derive(Debug)]
pub(super) struct Collection {
    /// The last part of its path, as in the Admin API: `oauth2`.
    pub path: &'static str,
    /// The schema's name.
    pub entity: &'static str,
    pub title: &'static str,
    /// One of them, in a sentence: `service`.
    pub one: &'static str,
    pub text: &'static str,
    /// Fields of the list; the first cell is the name that leads to the item.
    pub columns: &'static [&'static str],
}

pub(super) const COLLECTIONS: [Collection; 10] = [
    Collection {
        path: "services",
        entity: "services",
        title: "Services",
        one: "service",
        text: "The upstream APIs that calls go to.",
        columns: &["protocol", "host", "port", "path", "enabled"],
    },
    Collection {
        path: "routes",
        entity: "routes",
        title: "Routes",
        one: "route",
        text: "Which requests go to which service.",
        columns: &["service", "methods", "hosts", "paths"],
    },
    Collection {
        path: "plugins",
        entity: "plugins",
        title: "Plugins",
        one: "plugin",
        text: "What happens to requests: OAuth 2.0, API keys, application registration.",
        columns: &["service", "route", "consumer", "enabled"],
    },
    Collection {
        path: "consumers",
        entity: "consumers",
        title: "Consumers",
        one: "consumer",
        text: "Parties of their own that calls are made for.",
        columns: &["custom_id"],
    },
    Collection {
        path: "oauth2",
        entity: "oauth2_credentials",
        title: "OAuth 2.0 credentials",
        one: "credential",
        text: "Client ids, and what they may be used for.",
        columns: &["name", "client_type", "consumer"],
    },
    Collection {
        path: "key-auths",
        entity: "keyauth_credentials",
        title: "API keys",
        one: "API key",
        text: "Keys of consumers. A key is shown once, when it is made here.",
        columns: &["consumer"],
    },
    Collection {
        path: "jwts",
        entity: "jwt_secrets",
        title: "JWT secrets",
        one: "JWT secret",
        text: "What JSON Web Tokens are verified with.",
        columns: &["algorithm", "consumer"],
    },
    Collection {
        path: "certificates",
        entity: "certificates",
        title: "Certificates",
        one: "certificate",
        text: "What the gateway shows to TLS clients and to upstreams.",
        columns: &["snis"],
    },
    Collection {
        path: "ca_certificates",
        entity: "ca_certificates",
        title: "CA certificates",
        one: "CA certificate",
        text: "Authorities that upstreams are verified by.",
        columns: &["cert_digest"],
    },
    Collection {
        path: "snis",
        entity: "snis",
        title: "Server names",
        one: "server name",
        text: "Which certificate is shown for which name.",
        columns: &["certificate"],
    },
];

impl Collection {
    pub(super) fn at(path: &str) -> Option<&'static Self> {
        COLLECTIONS.iter().find(|collection| collection.path == path)
    }

    /// The collection of a schema; `None` where the console has pages of their own for it.
    pub(super) fn of(entity: &str) -> Option<&'static Self> {
        COLLECTIONS.iter().find(|collection| collection.entity == entity)
    }

    /// What a list may be narrowed by beside tags: the key, where it is no secret.
    pub(super) fn filter(&self, schema: &Schema) -> Option<&'static str> {
        schema.key.filter(|key| schema.field(key).is_some_and(|field| field.seal == Seal::Clear))
    }
}

/// What an entity is called: its key where that is no secret, a plugin's name, else its id.
pub(in crate::console) fn name_of(schema: &Schema, entity: &Entity) -> String {
    let text = |name: &str| entity.get(name).and_then(Value::as_str).map(str::to_owned);
    let key = schema.key.filter(|key| schema.field(key).is_some_and(|field| field.seal == Seal::Clear));
    let own = key.and_then(text);
    match (schema.name, own, text("name")) {
        ("plugins", Some(own), Some(name)) => format!("{name} ({own})"),
        ("plugins", None, Some(name)) => name,
        (_, Some(own), _) => own,
        (_, None, _) => text("id").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Registry;
    use serde_json::json;

    #[test]
    fn every_collection_is_an_entity_with_its_columns() {
        let registry = Registry::new(Vec::new());
        for collection in &COLLECTIONS {
            let schema = registry.entity_at(collection.path).unwrap();
            assert_eq!(schema.name, collection.entity);
            for column in collection.columns {
                let known = schema.field(column).or_else(|| schema.virtuals.iter().find(|field| field.name == *column));
                assert_eq!(known.unwrap().seal, Seal::Clear, "{}.{column}", collection.path);
            }
        }
    }

    #[test]
    fn a_name_is_never_a_secret() {
        let registry = Registry::new(Vec::new());
        let name = |entity: &str, value: Value| name_of(registry.entity(entity).unwrap(), value.as_object().unwrap());
        assert_eq!(name("keyauth_credentials", json!({"id": "i", "key": "hunter2"})), "i");
        assert_eq!(name("services", json!({"id": "i", "name": null})), "i");
        assert_eq!(name("services", json!({"id": "i", "name": "orders"})), "orders");
        assert_eq!(name("plugins", json!({"name": "oauth2", "instance_name": "first"})), "oauth2 (first)");
    }
}
