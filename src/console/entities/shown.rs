//! Values as cells and facts; what an entity refers to is named.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::collections::{Collection, name_of};
use super::place::label;
use crate::console::refusal::Refusal;
use crate::console::views::{Cell, Fact, Leads, Shown, When};
use crate::console::visit::Visit;
use crate::engine::catalog::Key;
use crate::schema::{Entity, Field, Kind, Schema};

/// Letters of a text in a table.
const LONGEST: usize = 160;

/// The names of referenced entities, looked up once each.
pub(in crate::console) struct Names<'v> {
    visit: &'v Visit,
    found: HashMap<(&'static str, String), String>,
}

impl<'v> Names<'v> {
    pub(in crate::console) fn new(visit: &'v Visit) -> Self {
        Self { visit, found: HashMap::new() }
    }

    /// What an entity is called; its id where it is not found.
    pub(in crate::console) async fn of(&mut self, entity: &'static str, id: &str) -> Result<String, Refusal> {
        if let Some(known) = self.found.get(&(entity, id.to_owned())) {
            return Ok(known.clone());
        }
        let schema = self.visit.schema(entity)?;
        let found = self.visit.catalog().find(schema, &Key::parse(id), None).await?;
        let name = found.map_or_else(|| id.to_owned(), |found| name_of(schema, &found));
        self.found.insert((entity, id.to_owned()), name.clone());
        Ok(name)
    }

    /// A text of a referenced entity, in place of its name.
    pub(in crate::console) async fn field(
        &mut self,
        entity: &'static str,
        id: &str,
        field: &str,
    ) -> Result<String, Refusal> {
        let place = (entity, format!("{id} {field}"));
        if let Some(known) = self.found.get(&place) {
            return Ok(known.clone());
        }
        let found = self.visit.catalog().find(self.visit.schema(entity)?, &Key::parse(id), None).await?;
        let text = found.and_then(|found| found.get(field)?.as_str().map(str::to_owned));
        let text = text.unwrap_or_else(|| id.to_owned());
        self.found.insert(place, text.clone());
        Ok(text)
    }

    /// A link to what a reference leads to.
    pub(in crate::console) async fn link(&mut self, entity: &'static str, id: &str) -> Result<Leads, Refusal> {
        let text = self.of(entity, id).await?;
        let path = match entity {
            "consumers" => owner_of(&text).unwrap_or_else(|| path_of(entity, id)),
            _ => path_of(entity, id),
        };
        Ok(Leads { path, text })
    }

    pub(super) async fn cell(&mut self, schema: &Schema, name: &str, entity: &Entity) -> Result<Cell, Refusal> {
        let field = schema.field(name).or_else(|| schema.virtuals.iter().find(|field| field.name == name));
        let value = entity.get(name).unwrap_or(&Value::Null);
        let shown = match field {
            Some(field) => self.shown(field, value).await?,
            None => Shown::Nothing,
        };
        Ok(Cell { label: label(name), shown })
    }

    async fn shown(&mut self, field: &Field, value: &Value) -> Result<Shown, Refusal> {
        Ok(match (&field.kind, value) {
            (_, Value::Null) => Shown::Nothing,
            (Kind::Foreign { entity, .. }, value) => match value.get("id").and_then(Value::as_str) {
                Some(id) => Shown::Link(self.link(entity, id).await?),
                None => Shown::Nothing,
            },
            (Kind::Timestamp, value) => When::seconds(value.as_i64()).map_or(Shown::Nothing, Shown::Time),
            (_, Value::Bool(truth)) => Shown::Text(if *truth { "yes" } else { "no" }.to_owned()),
            (_, Value::String(text)) => Shown::Text(cut(text)),
            (_, Value::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
                let text = texts.collect::<Vec<_>>().join(", ");
                if text.is_empty() { Shown::Nothing } else { Shown::Text(cut(&text)) }
            }
            (_, other) => Shown::Text(cut(&other.to_string())),
        })
    }

    /// What the gateway says of an entity: its id, instants, what it computed.
    pub(super) async fn facts(
        &mut self,
        schema: &Schema,
        entity: &Entity,
        fixed: &[&str],
    ) -> Result<Vec<Fact>, Refusal> {
        let mut facts = Vec::new();
        for field in schema.fields.iter().filter(|field| fixed.contains(&field.name)) {
            let value = entity.get(field.name).unwrap_or(&Value::Null);
            let shown = match (field.name, self.shown(field, value).await?) {
                ("id" | "cert_digest", Shown::Text(text)) => Shown::Code(text),
                (_, shown) => shown,
            };
            facts.push(Fact { name: label(field.name), shown });
        }
        Ok(facts)
    }
}

/// The page of an entity.
pub(in crate::console) fn path_of(entity: &str, id: &str) -> String {
    match (entity, Collection::of(entity)) {
        (_, Some(collection)) => format!("/console/entities/{}/{id}", collection.path),
        (other, None) => format!("/console/{other}/{id}"),
    }
}

/// The page of whom a hidden consumer stands for: `application_<id>` or `developer_<id>`.
fn owner_of(consumer: &str) -> Option<String> {
    let (kind, id) = consumer.split_once('_')?;
    let hidden = ["application", "developer"].contains(&kind) && Uuid::try_parse(id).is_ok();
    hidden.then(|| format!("/console/{kind}s/{id}"))
}

fn cut(text: &str) -> String {
    let mut beginning: String = text.chars().take(LONGEST).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    beginning
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_consumers_lead_to_their_owners() {
        let id = "0191c5a4-0000-7000-8000-000000000000";
        assert_eq!(owner_of(&format!("application_{id}")), Some(format!("/console/applications/{id}")));
        assert_eq!(owner_of(&format!("developer_{id}")), Some(format!("/console/developers/{id}")));
        assert_eq!(owner_of("developer_bob"), None);
        assert_eq!(owner_of(&format!("other_{id}")), None);
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        assert_eq!(cut("día"), "día");
        let long = "é".repeat(LONGEST + 1);
        assert_eq!(cut(&long).chars().count(), LONGEST + 1);
        assert!(cut(&long).ends_with('…'));
    }
}
