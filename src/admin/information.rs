//! Endpoints that tell about the node and the interface itself.

use serde_json::{Map, Value, json};

use super::entities::Ask;
use super::query::Asked;
use super::reply::{Content, Reply};
use super::state::AdminState;
use super::{audit, errors};
use crate::engine::catalog::CatalogError;
use crate::schema::{Verb, describe, openapi};

/// Answers by the template of the path.
pub(super) async fn answer(state: &AdminState, template: &str, ask: Ask<'_>) -> Reply {
    let answered = match template {
        "/" => root(state).await,
        "/status" => Ok(Reply::json(200, state.surroundings.status().await)),
        "/status/ready" => Ok(ready(state).await),
        "/schemas/{entity}" => Ok(entity_schema(state, &ask)),
        "/schemas/plugins/{plugin}" => Ok(plugin_schema(state, &ask)),
        "/schemas/{entity}/validate" => validate(state, ask.first().map(str::to_owned), ask).await,
        "/schemas/plugins/validate" => validate(state, Some("plugins".to_owned()), ask).await,
        "/plugins/enabled" => Ok(Reply::json(200, json!({ "enabled_plugins": plugin_names(state) }))),
        "/endpoints" => Ok(endpoints(state)),
        "/tags" => tags(state, None, &ask).await,
        "/tags/{tag}" => tags(state, ask.first(), &ask).await,
        "/upstreams" => Ok(Reply::json(200, json!({ "data": [], "next": null, "total": 0 }))),
        "/metrics" => Ok(metrics(state)),
        "/openapi.json" => Ok(Reply::json(200, openapi::document(&state.catalog.registry, state.version))),
        "/audit/requests" => audit::list(state, &ask).await,
        _ => Err(CatalogError::NotFound),
    };
    answered.unwrap_or_else(|error| errors::reply(&error))
}

fn plugin_names(state: &AdminState) -> Vec<&'static str> {
    let mut names: Vec<_> = state.catalog.registry.plugins.iter().map(|plugin| plugin.name).collect();
    names.sort_unstable();
    names
}

/// What the node knows of itself is shown even while the store is away.
async fn root(state: &AdminState) -> Result<Reply, CatalogError> {
    let plugins = &state.catalog.registry.plugins;
    let known = |plugin: &crate::schema::PluginSchema| {
        (plugin.name.to_owned(), json!({ "version": plugin.version, "priority": plugin.priority }))
    };
    let available: Map<String, Value> = plugins.iter().map(known).collect();
    let in_use = state.catalog.plugins_in_use().await.unwrap_or_default();
    let mut information = state.surroundings.information();
    information["plugins"] = json!({ "available_on_server": available, "enabled_in_cluster": in_use });
    Ok(Reply::json(200, information))
}

async fn ready(state: &AdminState) -> Reply {
    match state.surroundings.ready().await {
        Ok(()) => Reply::message(200, "ready"),
        Err(why) => Reply::message(503, &why).header("Retry-After", "1"),
    }
}

fn entity_schema(state: &AdminState, ask: &Ask<'_>) -> Reply {
    let name = ask.first().unwrap_or_default();
    match state.catalog.registry.described(name) {
        Some(schema) => Reply::json(200, describe::entity(schema)),
        None => Reply::message(404, &format!("No entity named '{name}'")),
    }
}

fn plugin_schema(state: &AdminState, ask: &Ask<'_>) -> Reply {
    let name = ask.first().unwrap_or_default();
    let registry = &state.catalog.registry;
    match registry.plugin(name) {
        Some(plugin) => Reply::json(200, registry.describe_plugin(plugin)),
        None => Reply::message(404, &format!("No plugin named '{name}'")),
    }
}

async fn validate(state: &AdminState, entity: Option<String>, ask: Ask<'_>) -> Result<Reply, CatalogError> {
    let name = entity.unwrap_or_default();
    let Some(schema) = state.catalog.registry.described(&name) else {
        return Ok(Reply::message(404, &format!("No entity named '{name}'")));
    };
    state.catalog.check(schema, ask.body).await?;
    Ok(Reply::message(200, "schema validation successful"))
}

fn endpoints(state: &AdminState) -> Reply {
    let mut paths: Vec<&str> = state.paths.endpoints().map(|endpoint| endpoint.path.as_str()).collect();
    paths.sort_unstable();
    Reply::json(200, json!({ "data": paths }))
}

async fn tags(state: &AdminState, tag: Option<&str>, ask: &Ask<'_>) -> Result<Reply, CatalogError> {
    let asked = match Asked::read(ask.query, None) {
        Ok(asked) => asked,
        Err(refusal) => return Ok(refusal),
    };
    let page = state.catalog.tags(tag, &asked.request).await?;
    let data: Vec<Value> = page
        .data
        .iter()
        .map(|tagged| json!({ "entity_name": tagged.entity, "entity_id": tagged.id.to_string(), "tag": tagged.tag }))
        .collect();
    let mut body = json!({ "data": data, "next": asked.next(ask.path, page.offset.as_deref()) });
    if let Some(offset) = page.offset {
        body["offset"] = offset.into();
    }
    Ok(Reply::json(200, body))
}

fn metrics(state: &AdminState) -> Reply {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let text = state.surroundings.metrics();
    Reply { status: 200, body: Content::Text { kind, text }, headers: Vec::new() }
}

/// Whether a POST here stores nothing.
pub(super) fn only_judges(template: &str, verb: Verb) -> bool {
    verb == Verb::Post && template.starts_with("/schemas/")
}
