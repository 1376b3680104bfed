//! Where each setting's text comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::table::{Mode, SETTINGS};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Environment(String),
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(path) => write!(out, "file {}", path.display()),
            Self::Environment(variable) => write!(out, "environment {variable}"),
            Self::Flag => out.write_str("flag"),
        }
    }
}

/// One thing that is wrong with the settings, in one line: what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The text and origin of every setting, before it is understood. Lists are joined by comma.
#[derive(Clone, Debug)]
pub struct Layers {
    values: BTreeMap<&'static str, (String, Origin)>,
    pub(super) faults: Vec<Fault>,
}

impl Layers {
    pub fn defaults(mode: Mode) -> Self {
        let values = SETTINGS.iter().map(|setting| (setting.name, (setting.default(mode).to_owned(), Origin::Default)));
        Self { values: values.collect(), faults: Vec::new() }
    }

    /// Reads a TOML file of sections over what is there. Faults (unreadable, not TOML, unknown keys) are kept.
    #[must_use]
    pub fn with_file(mut self, path: &Path) -> Self {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.with_fault(format!("cannot read the settings file {}: {error}", path.display())),
        };
        self.read_toml(&text, path);
        self
    }

    fn read_toml(&mut self, text: &str, path: &Path) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let first = error.message().to_owned();
                let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
                self.faults.push(Fault(format!("{} line {line}: not TOML: {first}", path.display())));
                return;
            }
        };
        for (section, keys) in &table {
            let toml::Value::Table(keys) = keys else {
                self.faults.push(Fault(format!("{}: `{section}` must be a section, [{section}]", path.display())));
                continue;
            };
            for (key, value) in keys {
                self.read_value(&format!("{section}.{key}"), value, path);
            }
        }
    }

    fn read_value(&mut self, name: &str, value: &toml::Value, path: &Path) {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            self.faults.push(Fault(format!("{}: unknown setting `{name}`", path.display())));
            return;
        };
        match text_of(value) {
            Some(text) => drop(self.values.insert(setting.name, (text, Origin::File(path.to_owned())))),
            None => self.faults.push(Fault(format!(
                "{}: `{name}` must be a text, number, true or false, or a list of texts",
                path.display()
            ))),
        }
    }

    /// Reads `TOLLGATE_…` variables over what is there; others are not ours.
    #[must_use]
    pub fn with_environment(mut self, variables: impl Iterator<Item = (String, String)>) -> Self {
        let variables: BTreeMap<String, String> = variables.collect();
        for setting in SETTINGS {
            let variable = setting.variable();
            if let Some(text) = variables.get(&variable) {
                self.values.insert(setting.name, (text.clone(), Origin::Environment(variable)));
            }
        }
        self
    }

    /// Reads flags `section.key=value` over everything.
    #[must_use]
    pub fn with_flags(self, flags: &[String]) -> Self {
        flags.iter().fold(self, |layers, flag| {
            let Some((name, text)) = flag.split_once('=') else {
                // The flag itself is not shown: it may be a secret whose name was forgotten.
                return layers.with_fault("--set takes NAME=VALUE, such as proxy.workers=4".to_owned());
            };
            match SETTINGS.iter().find(|setting| setting.name == name.trim()) {
                Some(setting) => layers.with(setting.name, text, Origin::Flag),
                None => layers.with_fault(format!("--set: unknown setting `{}`", name.trim())),
            }
        })
    }

    /// Sets a default that depends on the machine (a path in the data folder), unless something else set it.
    #[must_use]
    pub fn with_default(self, name: &'static str, text: impl Into<String>) -> Self {
        if *self.origin(name) == Origin::Default { self.with(name, text, Origin::Default) } else { self }
    }

    fn with(mut self, name: &'static str, text: impl Into<String>, origin: Origin) -> Self {
        self.values.insert(name, (text.into(), origin));
        self
    }

    fn with_fault(mut self, fault: String) -> Self {
        self.faults.push(Fault(fault));
        self
    }

    /// The text of a setting of the table; empty = none.
    pub fn text(&self, name: &str) -> &str {
        &self.entry(name).0
    }

    pub fn origin(&self, name: &str) -> &Origin {
        &self.entry(name).1
    }

    fn entry(&self, name: &str) -> &(String, Origin) {
        self.values.get(name).expect("only settings of the table are asked for")
    }
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => items.iter().map(text_of).collect::<Option<Vec<_>>>().map(|texts| texts.join(",")),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}
