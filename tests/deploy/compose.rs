//! `deploy/compose.yaml` as data. Docker is not asked: what it would do with the file is done by the tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

pub fn text(name: &str) -> String {
    let path = file(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub struct Compose(Value);

impl Compose {
    pub fn read() -> Self {
        Self(serde_saphyr::from_str(&defaults(&text("compose.yaml"))).unwrap())
    }

    pub fn services(&self) -> &Map<String, Value> {
        self.0["services"].as_object().unwrap()
    }

    pub fn service(&self, name: &str) -> &Value {
        self.services().get(name).unwrap_or_else(|| panic!("there is no service {name}"))
    }

    pub fn volumes(&self) -> &Map<String, Value> {
        self.0["volumes"].as_object().unwrap()
    }

    pub fn networks(&self) -> &Map<String, Value> {
        self.0["networks"].as_object().unwrap()
    }

    pub fn command(&self, name: &str) -> Vec<String> {
        strings(&self.service(name)["command"])
    }

    pub fn environment(&self, name: &str) -> BTreeMap<String, String> {
        let pairs = self.service(name)["environment"].as_object();
        let pairs = pairs.into_iter().flatten();
        pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    }

    /// The services that are ours, by what their image is called.
    pub fn gateways(&self) -> impl Iterator<Item = &str> {
        let is_ours = |value: &Value| value["image"].as_str().is_some_and(|image| image.starts_with("tollgate:"));
        self.services().iter().filter(move |(_, value)| is_ours(value)).map(|(name, _)| name.as_str())
    }
}

pub fn strings(value: &Value) -> Vec<String> {
    let words = value.as_array().unwrap_or_else(|| panic!("not a list: {value}"));
    words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// `${NAME:-default}` as when no variable is set.
fn defaults(text: &str) -> String {
    let pattern = regex::Regex::new(r"\$\{[A-Z_]+:-([^}]*)\}").unwrap();
    pattern.replace_all(text, "$1").into_owned()
}
