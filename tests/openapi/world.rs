//! A gateway with one entity of each kind, all referring to each other, and the document it gives of itself.

use std::collections::HashMap;

use reqwest::{Client, Method};
use serde_json::{Map, Value, json};

use crate::samples;
use crate::support::{Folder, Gateway, Start, client};

pub struct World {
    pub document: Value,
    gateway: Gateway,
    client: Client,
    /// By the name a path gives to it: `service`, `oauth2_credential`.
    ids: HashMap<String, String>,
    _folder: Folder,
}

impl World {
    pub async fn new() -> Self {
        let folder = Folder::new();
        let gateway = Start::dev(folder.path()).arg("--empty").ready();
        let (document, ids) = (Value::Null, HashMap::new());
        let mut world = Self { document, gateway, client: client(), ids, _folder: folder };
        world.document = world.ask("get", "/openapi.json", Value::Null).await.1;
        world.make("developer_role", "/developers/roles", json!({ "name": samples::ROLE })).await;
        for (entity, collection) in world.collections() {
            let body = world.sample(&entity, 1);
            world.make(singular(&entity), &collection, body.into()).await;
        }
        world.register().await;
        world
    }

    /// What stands below developers, applications and services.
    async fn register(&mut self) {
        let plugin = json!({ "name": "application-registration", "config": { "display_name": "Orders" } });
        self.make("gate", &self.path("/services/{service}/plugins"), plugin).await;
        let contract = json!({ "service": { "id": self.ids["service"] } });
        let path = self.path("/applications/{application}/application_instances");
        self.make("application_instance", &path, contract).await;
        let document = json!({ "path": "orders.yaml" });
        self.make("document_object", &self.path("/services/{service}/document_objects"), document).await;
        let credentials = self.path("/applications/{application}/credentials/oauth2");
        self.make("application's oauth2_credential", &credentials, json!({})).await;
        let secrets = self.path("/applications/{application}/credentials/oauth2/{oauth2_credential}/secrets");
        self.make("application's secret", &secrets, json!({})).await;
        for (kind, name, body) in [
            ("oauth2", "oauth2_credential", json!({ "name": "x" })),
            ("key-auth", "keyauth_credential", json!({})),
            ("jwt", "jwt_secret", json!({})),
        ] {
            let path = self.path(&format!("/developers/{{developer}}/credentials/{kind}"));
            self.make(&format!("developer's {name}"), &path, body).await;
        }
    }

    /// Makes an entity and remembers it under a name.
    async fn make(&mut self, name: &str, path: &str, body: Value) {
        let (status, made) = self.ask("post", path, body.clone()).await;
        assert!(status == 201 || path == "/developers" && status == 200, "{path}: {status} {made}\n{body}");
        self.ids.insert(name.to_owned(), made["id"].as_str().unwrap().to_owned());
    }

    pub async fn ask(&self, verb: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.client.request(verb.to_uppercase().parse().unwrap(), self.gateway.admin(path));
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// The `Allow` of a path.
    pub async fn allowed(&self, path: &str) -> String {
        let response = self.client.request(Method::OPTIONS, self.gateway.admin(path)).send().await.unwrap();
        response.headers()["allow"].to_str().unwrap().to_owned()
    }

    /// Every entity and its collection, what refers after what it refers to.
    pub fn collections(&self) -> Vec<(String, String)> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        let top = paths.filter(|(path, item)| path.matches('/').count() == 1 && item.get("post").is_some());
        top.map(|(path, item)| (item["post"]["tags"][0].as_str().unwrap().to_owned(), path.clone())).collect()
    }

    /// A template with what is in this world.
    pub fn path(&self, template: &str) -> String {
        let segment = |text: &str| -> String {
            let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
                return text.to_owned();
            };
            match name {
                "plugin" if template.starts_with("/schemas") => "oauth2".to_owned(),
                "entity" => "services".to_owned(),
                "tag" => "tags-1".to_owned(),
                name => self.id(template, name).clone(),
            }
        };
        template.split('/').map(segment).collect::<Vec<_>>().join("/")
    }

    /// What a template means by a name: below an application or a developer, what is theirs.
    fn id(&self, template: &str, name: &str) -> &String {
        let owner = match template {
            template if template.contains("/{application}/credentials/") => "application's ",
            template if template.starts_with("/developers/{developer}/credentials/") => "developer's ",
            _ => "",
        };
        let found = self.ids.get(&format!("{owner}{name}")).or_else(|| self.ids.get(name));
        found.unwrap_or_else(|| panic!("no {name} in this world"))
    }

    /// The part of a sample that may be changed.
    pub fn changeable(&self, entity: &str, sample: &Map<String, Value>) -> Map<String, Value> {
        let patch = self.schema(entity, "Patch");
        let may = |name: &String| patch.is_null() || patch["properties"].get(name).is_some();
        sample.iter().filter(|(name, _)| may(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The description of an entity, or with `Body` of what may be sent.
    pub fn schema(&self, entity: &str, suffix: &str) -> &Value {
        let words = singular(entity).split(['_', '-']).map(capitalized).collect::<String>();
        &self.document["components"]["schemas"][words + suffix]
    }

    /// A body with every described field of an entity.
    pub fn sample(&self, entity: &str, nth: usize) -> Map<String, Value> {
        let described = self.schema(entity, "Body");
        assert!(described.is_object(), "{entity} is not described");
        let mut body = samples::body(entity, described, nth, |field| self.refer(entity, field));
        if entity == "plugins" {
            // The plugin of these samples does not hang on a consumer, and one place has one plugin.
            body.remove("consumer");
            if nth > 1 {
                body.remove("route");
            }
            if nth > 2 {
                body.remove("service");
            }
        }
        body
    }

    /// A reference of this name to what is in this world.
    fn refer(&self, entity: &str, field: &str) -> Option<Value> {
        let of = |name: &str| self.ids.get(name).map(|id| serde_json::json!({ "id": id }));
        match (entity, field) {
            (_, "credential") => of("oauth2_credential"),
            (_, "client_certificate") => of("certificate"),
            ("services", "ca_certificates") => self.ids.get("ca_certificate").map(|id| serde_json::json!([id])),
            // An entity's own name is no reference.
            (entity, field) if singular(entity) == field => None,
            (_, field) => of(field),
        }
    }

    /// Every described field of a plugin's configuration.
    pub fn plugin_sample(&self, plugin: &str) -> Map<String, Value> {
        let name = format!("PluginConfig{}", plugin.split(['_', '-']).map(capitalized).collect::<String>());
        samples::config(plugin, &self.document["components"]["schemas"][name])
    }
}

fn singular(entity: &str) -> &str {
    entity.strip_suffix('s').unwrap_or(entity)
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
