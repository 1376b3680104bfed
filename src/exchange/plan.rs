//! What a source means for what there is: everything is judged before anything is written.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::diff::{differences, label};
use super::matching::{find_old, keep_what_was_made, names_below, twin};
use super::mend::{mend, unknown_plugin};
use super::references::resolved;
use super::tokens::{belongs, new_token};
use super::world::{World, id_of, is_of_its_own};
use super::{Given, Input, Problem, Untaken};
use crate::domain::{NewToken, Secret, SecretHash};
use crate::engine::catalog::{Catalog, CatalogError, Judged};
use crate::engine::{EngineError, Outside};
use crate::schema::{Body, Entity, Schema};

/// The entities that are configuration; what refers stands after what it refers to.
pub(super) const CONFIGURATION: &[&str] = &[
    "certificates",
    "ca_certificates",
    "snis",
    "services",
    "routes",
    "consumers",
    "plugins",
    "oauth2_credentials",
    "keyauth_credentials",
    "jwt_secrets",
];

/// What is to be done with an entity that is not yet as the source says.
pub struct Step {
    pub judged: Judged,
    /// What it is called; no secret.
    pub label: String,
    /// Fields that change, before and after; none for a new one. Secrets are masked.
    pub differences: Vec<(String, String, String)>,
}

/// Everything an import would do.
#[derive(Default)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// How many are as the source says.
    pub unchanged: usize,
    /// Tokens that came with the source, not yet compared with what is stored.
    pub tokens: Vec<NewToken>,
    pub untaken: Vec<Untaken>,
    pub notes: Vec<String>,
    /// How everything is called here.
    pub(super) world: World,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum Refusal {
    Problems(Vec<Problem>),
    Engine(EngineError),
}

struct Planner<'c> {
    catalog: &'c Catalog,
    outside: &'c Outside,
    plan: Plan,
    problems: Vec<Problem>,
    /// What each of the given is called here; `None`: it was left out.
    ids: Vec<Option<Uuid>>,
    /// What something given was found to be, and where that stands.
    found: BTreeMap<Uuid, String>,
}

/// Compares a source with the store.
///
/// # Errors
/// Everything that is wrong with the source, each with its place; or the store failed.
pub async fn plan(catalog: &Catalog, outside: &Outside, mut input: Input) -> Result<Plan, Refusal> {
    mend(&catalog.registry, &mut input);
    let schemas: Vec<&Schema> = CONFIGURATION.iter().filter_map(|name| catalog.registry.entity(name)).collect();
    let tables = catalog.everything(&schemas).await.map_err(failed)?;
    let world = World::new(&schemas, tables);
    let Input { given, untaken, notes, .. } = input;
    let plan = Plan { untaken, notes, world, ..Plan::default() };
    let ids = vec![None; given.len()];
    let mut planner = Planner { catalog, outside, plan, problems: Vec::new(), ids, found: BTreeMap::new() };
    for schema in schemas.iter().copied().chain(catalog.registry.entity("oauth2_tokens")) {
        for nth in 0..given.len() {
            if given[nth].entity == schema.name {
                planner.take(schema, &given, nth).await?;
            }
        }
    }
    if planner.problems.is_empty() { Ok(planner.plan) } else { Err(Refusal::Problems(planner.problems)) }
}

pub(super) fn failed(error: CatalogError) -> Refusal {
    match error {
        CatalogError::Engine(error) => Refusal::Engine(error),
        other => Refusal::Engine(EngineError::Failed(other.to_string())),
    }
}

impl Planner<'_> {
    /// Plans one entity, unless something is wrong with it: then that is noted.
    async fn take(&mut self, schema: &Schema, given: &[Given], nth: usize) -> Result<(), Refusal> {
        let one = &given[nth];
        if let Some(reason) = unknown_plugin(&self.catalog.registry, one) {
            self.plan.untaken.push(Untaken { place: one.place.clone(), reason });
            return Ok(());
        }
        let fields = match resolved(&self.plan.world, &self.catalog.registry, schema, one, &self.ids) {
            Ok(Some(fields)) => fields,
            // What it stands below was left out, and that was told.
            Ok(None) => return Ok(()),
            Err(mut problems) => {
                self.problems.append(&mut problems);
                return Ok(());
            }
        };
        if schema.name == "oauth2_tokens" {
            return self.take_token(schema, one, fields).await;
        }
        let old = find_old(&self.plan.world, schema, &fields, &names_below(given, nth));
        let old = old.and_then(|id| self.plan.world.row(schema.name, id).cloned());
        if schema.name == "consumers" && old.as_ref().is_some_and(|old| !is_of_its_own(old)) {
            self.problem(one, "", "is what a developer's or an application's own consumer is called");
            return Ok(());
        }
        let Some((old, entity)) = self.judged(schema, one, fields.clone(), old).await? else { return Ok(()) };
        let Some(id) = id_of(&entity).filter(|id| self.is_free(schema, one, &entity, *id)) else { return Ok(()) };
        self.ids[nth] = Some(id);
        if let Some(in_source) = fields.get("id").and_then(Value::as_str) {
            self.plan.world.call(schema.name, in_source, id);
        }
        self.plan.world.add(schema, entity.clone());
        self.settle(schema, old.as_ref(), entity);
        Ok(())
    }

    /// The entity as it would be stored, and what is stored now.
    async fn judged(
        &mut self,
        schema: &Schema,
        one: &Given,
        mut fields: Entity,
        mut old: Option<Entity>,
    ) -> Result<Option<(Option<Entity>, Entity)>, Refusal> {
        let has_id = fields.contains_key("id");
        if let Some(old) = &old {
            fields.insert("id".to_owned(), old.get("id").cloned().unwrap_or_default());
            keep_what_was_made(schema, old, &mut fields);
            self.keep_hashed(old, &mut fields).await?;
        }
        let judged = self.catalog.judge(schema, Body::json(fields.clone()), old.as_ref()).await;
        let mut entity = match judged {
            Ok(entity) => entity,
            Err(CatalogError::Violations(violations)) => {
                violations.placed().iter().for_each(|(path, text)| self.problem(one, path, text));
                return Ok(None);
            }
            Err(other) => return Err(failed(other)),
        };
        if old.is_none() && !has_id {
            old = twin(&self.plan.world, schema, &fields, &entity, |id| self.found.contains_key(&id));
            if let Some(old) = &old {
                entity.clone_from(old);
            }
        }
        if let Some(end) = old.as_ref().and_then(|old| old.get("expires_at")) {
            // Brought along again, a row that ends does not live longer.
            entity.insert("expires_at".to_owned(), end.clone());
        }
        Ok(Some((old, entity)))
    }

    /// A clear secret that fits the stored hash is no change.
    async fn keep_hashed(&self, old: &Entity, fields: &mut Entity) -> Result<(), Refusal> {
        let hash = old.get("client_secret").and_then(Value::as_str).filter(|text| SecretHash::read(text).is_some());
        let secret = fields.get("client_secret").and_then(Value::as_str);
        let is_hashed = fields.get("hash_secret").and_then(Value::as_bool).unwrap_or(false);
        let (Some(hash), Some(secret), true) = (hash, secret, is_hashed) else { return Ok(()) };
        if hash != secret
            && SecretHash::read(secret).is_none()
            && self.outside.fits(Secret::new(hash), Secret::new(secret)).await.map_err(Refusal::Engine)?
        {
            let hash = Value::from(hash);
            fields.insert("client_secret".to_owned(), hash);
        }
        Ok(())
    }

    /// Whether no other entity, stored or given, has one of its unique values.
    fn is_free(&mut self, schema: &Schema, one: &Given, entity: &Entity, id: Uuid) -> bool {
        if let Some(place) = self.found.get(&id) {
            let text = format!("is the same as {place}: {}", taken_text(schema, entity));
            self.problem(one, "", &text);
            return false;
        }
        if let Some((field, _)) = self.plan.world.taken(schema, entity) {
            let open = ["name", "username", "custom_id", "client_id", "instance_name", "cert_digest"].contains(&field);
            let value = entity.get(field).filter(|_| open).map_or_else(|| "(secret)".to_owned(), Value::to_string);
            let text = match field {
                "cache_key" => taken_text(schema, entity),
                field => format!("UNIQUE violation detected on '{{{field}={value}}}'"),
            };
            self.problem(one, "", &text);
            return false;
        }
        self.found.insert(id, one.place.clone());
        true
    }

    fn settle(&mut self, schema: &Schema, old: Option<&Entity>, entity: Entity) {
        let found = old.map(|old| differences(schema, old, &entity)).unwrap_or_default();
        let Some(name) = CONFIGURATION.iter().copied().find(|name| *name == schema.name) else { return };
        if old.is_some() && found.is_empty() {
            self.plan.unchanged += 1;
            return;
        }
        let label = label(schema, &entity);
        let judged = Judged { schema: name, is_new: old.is_none(), entity };
        self.plan.steps.push(Step { judged, label, differences: found });
    }

    async fn take_token(&mut self, schema: &Schema, one: &Given, fields: Entity) -> Result<(), Refusal> {
        match self.catalog.judge(schema, Body::json(fields), None).await {
            Ok(entity) => match new_token(&entity) {
                Some(token) if belongs(&self.plan.world, &token) => self.plan.tokens.push(token),
                _ => self.problem(one, "", "names a credential or service that is not there"),
            },
            Err(CatalogError::Violations(violations)) => {
                violations.placed().iter().for_each(|(path, text)| self.problem(one, path, text));
            }
            Err(other) => return Err(failed(other)),
        }
        Ok(())
    }

    fn problem(&mut self, one: &Given, path: &str, text: &str) {
        let dot = if path.is_empty() { "" } else { "." };
        self.problems.push(Problem::new(format!("{}{dot}{path}", one.place), text));
    }
}

fn taken_text(schema: &Schema, entity: &Entity) -> String {
    format!("UNIQUE violation detected on '{{name=\"{}\"}}'", label(schema, entity))
}
