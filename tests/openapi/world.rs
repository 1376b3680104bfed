//! A gateway with one entity of each kind, all referring to each other, and the document it gives of itself.

use std::collections::HashMap;

use reqwest::{Client, Method};
use serde_json::{Map, Value};

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
        for (entity, collection) in world.collections() {
            let body = world.sample(&entity, 1);
            let (status, made) = world.ask("post", &collection, body.clone().into()).await;
            assert_eq!(status, 201, "{entity}: {made}\n{body:?}");
            world.ids.insert(singular(&entity).to_owned(), made["id"].as_str().unwrap().to_owned());
        }
        world
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
                name => self.ids.get(name).unwrap_or_else(|| panic!("no {name} in this world")).clone(),
            }
        };
        template.split('/').map(segment).collect::<Vec<_>>().join("/")
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
        samples::config(&self.document["components"]["schemas"][name])
    }
}

fn singular(entity: &str) -> &str {
    entity.strip_suffix('s').unwrap_or(entity)
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
