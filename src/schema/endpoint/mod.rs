//! The paths of the Admin API, derived from the entities: what the server routes by and what OpenAPI describes.

mod registration;

use super::Registry;
use super::field::{Kind, Schema};

pub use registration::Resource;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// As it stands in a request line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `/services`
    Collection { entity: &'static str },
    /// `/services/{service}`
    Item { entity: &'static str },
    /// `/services/{service}/routes`: those whose `field` refers to the parent.
    Children { parent: &'static str, entity: &'static str, field: &'static str },
    /// `/services/{service}/routes/{route}`
    Child { parent: &'static str, entity: &'static str, field: &'static str },
    /// `/routes/{route}/service`: what `field` refers to.
    Referenced { entity: &'static str, field: &'static str, target: &'static str },
    /// What developers and their applications need.
    Registration(Resource),
    /// An information endpoint, by its template.
    Info { summary: &'static str },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `/services/{service}/routes`
    pub path: String,
    pub shape: Shape,
    pub verbs: &'static [Verb],
}

const MANY: &[Verb] = &[Verb::Get, Verb::Post];
const ONE: &[Verb] = &[Verb::Get, Verb::Put, Verb::Patch, Verb::Delete];
const LINKED: &[Verb] = &[Verb::Get, Verb::Put, Verb::Patch];
const READ: &[Verb] = &[Verb::Get];
const WRITE: &[Verb] = &[Verb::Post];

const INFO: &[(&str, &[Verb], &str)] = &[
    ("/", READ, "What this node is: version, plugins, configuration without secrets."),
    ("/status", READ, "How this node is: database, connections, memory, cache."),
    ("/status/ready", READ, "Whether this node can serve."),
    ("/schemas/plugins/{plugin}", READ, "The settings of a plugin."),
    ("/schemas/plugins/validate", WRITE, "Judges a plugin without storing it."),
    ("/schemas/{entity}", READ, "The fields of an entity."),
    ("/schemas/{entity}/validate", WRITE, "Judges an entity without storing it."),
    ("/plugins/enabled", READ, "The plugins this node knows."),
    ("/endpoints", READ, "Every path of this interface."),
    ("/tags", READ, "Every tag with the entity that has it."),
    ("/tags/{tag}", READ, "The entities that have a tag."),
    ("/upstreams", READ, "Always an empty page: services name their hosts; clients of Kong ask for it all the same."),
    ("/metrics", READ, "Metrics in Prometheus' text format."),
    ("/openapi.json", READ, "This description."),
    ("/audit/requests", READ, "What was written through this interface, by whom and from where."),
];

/// Tokens are also deleted by what they have in common.
fn of_collection(entity: &str) -> &'static [Verb] {
    if entity == "oauth2_tokens" { &[Verb::Get, Verb::Post, Verb::Delete] } else { MANY }
}

/// A plugin may be posted to its service, as Kong's first documentation of application-registration has it.
fn of_item(entity: &str) -> &'static [Verb] {
    if entity == "services" { &[Verb::Get, Verb::Post, Verb::Put, Verb::Patch, Verb::Delete] } else { ONE }
}

/// The name of one entity of a collection: `service` for `services`.
pub(super) fn singular(schema: &str) -> &str {
    schema.strip_suffix('s').unwrap_or(schema)
}

impl Registry {
    /// Every path, information endpoints first (they win over `{…}` of the same length).
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let info = INFO.iter().map(|(path, verbs, summary)| Endpoint {
            path: (*path).to_owned(),
            shape: Shape::Info { summary },
            verbs,
        });
        let collections = self.entities.iter().filter(|schema| schema.collection);
        info.chain(collections.flat_map(|schema| self.endpoints_of(schema))).chain(registration::endpoints()).collect()
    }

    fn endpoints_of(&self, schema: &Schema) -> Vec<Endpoint> {
        let entity = schema.name;
        let all = format!("/{}", schema.path);
        let one = format!("{all}/{{{}}}", singular(entity));
        let mut endpoints = vec![
            Endpoint { path: all, shape: Shape::Collection { entity }, verbs: of_collection(entity) },
            Endpoint { path: one.clone(), shape: Shape::Item { entity }, verbs: of_item(entity) },
        ];
        for field in &schema.fields {
            let Kind::Foreign { entity: target, .. } = field.kind else { continue };
            let Some(parent) = self.entity(target) else { continue };
            let field = field.name;
            let children = format!("/{}/{{{}}}/{}", parent.path, singular(target), schema.nested);
            let child = format!("{children}/{{{}}}", singular(entity));
            let shape = Shape::Children { parent: target, entity, field };
            endpoints.push(Endpoint { path: children, shape, verbs: MANY });
            endpoints.push(Endpoint { path: child, shape: Shape::Child { parent: target, entity, field }, verbs: ONE });
            let shape = Shape::Referenced { entity, field, target };
            endpoints.push(Endpoint { path: format!("{one}/{field}"), shape, verbs: LINKED });
        }
        endpoints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nested_forms_of_the_contract_are_there() {
        let endpoints = Registry::new(Vec::new()).endpoints();
        for path in [
            "/services/{service}/routes",
            "/services/{service}/plugins",
            "/routes/{route}/plugins",
            "/routes/{route}/service",
            "/consumers/{consumer}/plugins",
            "/consumers/{consumer}/oauth2",
            "/consumers/{consumer}/oauth2/{oauth2_credential}",
            "/oauth2/{oauth2_credential}/consumer",
            "/consumers/{consumer}/key-auth/{keyauth_credential}",
            "/key-auths/{keyauth_credential}/consumer",
            "/consumers/{consumer}/jwt",
            "/jwts/{jwt_secret}",
            "/plugins/{plugin}/service",
            "/certificates/{certificate}/snis",
            "/oauth2_tokens/{oauth2_token}",
            "/developers/{developer}/applications/{application}/application_instances/{application_instance}",
            "/applications/{application}/credentials/oauth2/{oauth2_credential}/secrets/{secret}",
        ] {
            assert!(endpoints.iter().any(|endpoint| endpoint.path == path), "{path}");
        }
    }

    #[test]
    fn no_path_stands_twice() {
        let mut paths: Vec<String> =
            Registry::new(Vec::new()).endpoints().into_iter().map(|endpoint| endpoint.path).collect();
        let all = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), all);
    }
}
