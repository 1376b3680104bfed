//! Paths and operations.

use serde_json::{Map, Value, json};

use super::registration;
use super::types::{capitalized, name, reference};
use crate::schema::{Endpoint, Registry, Shape, Verb};

pub(super) fn paths(registry: &Registry) -> Value {
    let mut paths = Map::new();
    for endpoint in registry.endpoints() {
        paths.insert(endpoint.path.clone(), item(registry, &endpoint));
    }
    Value::Object(paths)
}

fn item(registry: &Registry, endpoint: &Endpoint) -> Value {
    let mut item = Map::new();
    let parameters: Vec<Value> = parameters(&endpoint.path);
    if !parameters.is_empty() {
        item.insert("parameters".to_owned(), json!(parameters));
    }
    for verb in endpoint.verbs {
        item.insert(verb.name().to_ascii_lowercase(), operation(registry, endpoint, *verb));
    }
    Value::Object(item)
}

fn parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let parameter =
        |name: &str| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
    names.map(parameter).collect()
}

fn operation(registry: &Registry, endpoint: &Endpoint, verb: Verb) -> Value {
    match &endpoint.shape {
        Shape::Info { summary } => info(&endpoint.path, verb, summary),
        Shape::Collection { entity } | Shape::Children { entity, .. } => many(registry, endpoint, entity, verb),
        Shape::Item { entity } | Shape::Child { entity, .. } => one(endpoint, entity, verb),
        Shape::Referenced { target, .. } => one(endpoint, target, verb),
        Shape::Registration(resource) => registration::operation(registry, endpoint, *resource, verb),
    }
}

/// `getServicesServiceRoutes`
pub(super) fn operation_id(path: &str, verb: Verb) -> String {
    let words = path.split(['/', '_', '-', '.', '{', '}']).map(capitalized).collect::<String>();
    format!("{}{}", verb.name().to_ascii_lowercase(), if words.is_empty() { "Root".to_owned() } else { words })
}

fn many(registry: &Registry, endpoint: &Endpoint, entity: &str, verb: Verb) -> Value {
    if verb == Verb::Delete {
        return registration::bulk(registry, endpoint, entity);
    }
    let nested = matches!(endpoint.shape, Shape::Children { .. });
    let mut responses = failures(verb, nested);
    if verb == Verb::Get {
        responses.insert("200".to_owned(), content("A page.", &reference(&format!("{}Page", name(entity)))));
        return json!({
            "operationId": operation_id(&endpoint.path, verb),
            "summary": format!("Lists {entity}."),
            "tags": [entity],
            "parameters": query(registry, entity),
            "responses": responses,
        });
    }
    responses.insert("201".to_owned(), content("Created.", &reference(&name(entity))));
    json!({
        "operationId": operation_id(&endpoint.path, verb),
        "summary": format!("Creates one of {entity}."),
        "tags": [entity],
        "requestBody": request_body(entity),
        "responses": responses,
    })
}

pub(super) fn query(registry: &Registry, entity: &str) -> Vec<Value> {
    let tagged = registry.entity(entity).is_some_and(|schema| schema.field("tags").is_some());
    let parameter = |name: &str, schema: Value, sentence: &str| json!({ "name": name, "in": "query", "required": false, "schema": schema, "description": sentence });
    let size = json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 });
    let mut query = vec![
        parameter("size", size, "How many a page holds."),
        parameter("offset", json!({ "type": "string" }), "Where the page begins, from the page before."),
    ];
    if let Some(sorts) = registry.entity(entity).map(|schema| &schema.sorts).filter(|sorts| !sorts.is_empty()) {
        query.push(parameter("sort_by", json!({ "type": "string", "enum": sorts }), "What the list is sorted by."));
        query.push(parameter("sort_desc", json!({ "type": "boolean" }), "Whether the last one comes first."));
    }
    if tagged {
        query.push(parameter("tags", json!({ "type": "string" }), "`a,b`: with all of them; `a/b`: with any."));
    }
    for filter in registry.entity(entity).map(|schema| schema.filters.as_slice()).unwrap_or_default() {
        query.push(parameter(filter, json!({ "type": "string" }), "Only those with this value."));
    }
    query
}

fn one(endpoint: &Endpoint, entity: &str, verb: Verb) -> Value {
    if verb == Verb::Post {
        return registration::posted_to_its_service(endpoint);
    }
    let nested = !matches!(endpoint.shape, Shape::Item { .. });
    let mut responses = failures(verb, nested || matches!(verb, Verb::Get | Verb::Patch));
    let verb_text = match verb {
        Verb::Get | Verb::Post => "Shows",
        Verb::Put => "Creates or replaces",
        Verb::Patch => "Changes",
        Verb::Delete => "Deletes",
    };
    if verb == Verb::Delete {
        responses.insert("204".to_owned(), json!({ "description": "Gone, or never there." }));
    } else {
        responses.insert("200".to_owned(), content("The entity.", &reference(&name(entity))));
    }
    let mut operation = json!({
        "operationId": operation_id(&endpoint.path, verb),
        "summary": format!("{verb_text} one of {entity}."),
        "tags": [entity],
        "responses": responses,
    });
    if matches!(verb, Verb::Put | Verb::Patch) {
        operation["requestBody"] = request_body(entity);
    }
    operation
}

fn request_body(entity: &str) -> Value {
    body_of(&format!("{}Body", name(entity)))
}

/// A body in all its spellings.
pub(super) fn body_of(schema: &str) -> Value {
    let body = reference(schema);
    json!({
        "content": {
            "application/json": { "schema": body },
            "application/x-www-form-urlencoded": { "schema": { "type": "object" } },
            "multipart/form-data": { "schema": { "type": "object" } },
        },
    })
}

pub(super) fn content(sentence: &str, schema: &Value) -> Value {
    json!({ "description": sentence, "content": { "application/json": { "schema": schema } } })
}

/// What every operation may answer besides success.
pub(super) fn failures(verb: Verb, may_be_missing: bool) -> Map<String, Value> {
    let mut responses = Map::new();
    let mut put = |status: &str, sentence: &str, schema: &str| {
        responses.insert(status.to_owned(), content(sentence, &reference(schema)));
    };
    put("400", "The request is faulty.", "Error");
    put("401", "An admin token is needed.", "Message");
    put("403", "This caller may not do that.", "Message");
    if may_be_missing {
        put("404", "Not found.", "Message");
    }
    if matches!(verb, Verb::Post | Verb::Put | Verb::Patch) {
        put("408", "The body did not come in time.", "Message");
        put("409", "Another entity has this value already.", "Error");
        put("413", "The body is too large.", "Message");
        put("415", "The body's content type is not known.", "Message");
    }
    put("500", "Something went wrong inside; the log says what.", "Message");
    put("503", "The database cannot be reached.", "Message");
    responses
}

fn info(path: &str, verb: Verb, summary: &str) -> Value {
    let may_be_missing = path.contains('{');
    let mut responses = failures(verb, may_be_missing);
    responses.remove("409");
    let answer = if path == "/metrics" {
        json!({ "description": "Metrics.", "content": { "text/plain": { "schema": { "type": "string" } } } })
    } else {
        content("The answer.", &json!({ "type": "object" }))
    };
    responses.insert("200".to_owned(), answer);
    let mut operation = json!({
        "operationId": operation_id(path, verb),
        "summary": summary,
        "tags": ["information"],
        "responses": responses,
    });
    if verb == Verb::Post {
        let body = json!({ "type": "object" });
        operation["requestBody"] = json!({ "content": { "application/json": { "schema": body } } });
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_names_follow_the_path() {
        assert_eq!(operation_id("/", Verb::Get), "getRoot");
        assert_eq!(operation_id("/services/{service}/routes", Verb::Post), "postServicesServiceRoutes");
    }
}
