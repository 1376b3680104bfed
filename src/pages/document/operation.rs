//! One operation: its parameters, body, answers and scopes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::read::string;
use super::shape::{kind, resolved, rows};
use super::{Operation, Parameter, Response};

const MOST_PARAMETERS: usize = 200;

/// What `told` says of the operation `method path`, with what the path item says for all of them.
pub(super) fn operation(root: &Value, method: &str, path: &str, item: &Value, told: &Value) -> Operation {
    let mut operation = Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: string(told, "summary"),
        description: string(told, "description"),
        deprecated: told.get("deprecated").and_then(Value::as_bool).unwrap_or(false),
        scopes: scopes(root, told),
        ..Operation::default()
    };
    read_parameters(root, item, told, &mut operation);
    if let Some(body) = told.get("requestBody") {
        let body = resolved(root, body);
        let content = body.get("content").and_then(Value::as_object);
        operation.body_kinds = content.map(kinds).unwrap_or_default();
        operation.body = content.and_then(first_schema).map(|schema| rows(root, schema)).unwrap_or_default();
    }
    let responses = told.get("responses").and_then(Value::as_object).into_iter().flatten();
    operation.responses = responses.map(|(status, response)| answer(root, status, response)).collect();
    operation
}

fn read_parameters(root: &Value, item: &Value, told: &Value, operation: &mut Operation) {
    let of = |value: &Value| value.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
    // What the operation says comes last and wins.
    for parameter in of(item).iter().chain(&of(told)).take(MOST_PARAMETERS) {
        let parameter = resolved(root, parameter);
        let (name, place) = (string(parameter, "name"), string(parameter, "in"));
        match place.as_str() {
            // Swagger 2 keeps bodies among the parameters.
            "body" => {
                operation.body_kinds = vec!["application/json".to_owned()];
                operation.body = parameter.get("schema").map(|schema| rows(root, schema)).unwrap_or_default();
            }
            _ => {
                operation.parameters.retain(|known| (&known.name, &known.place) != (&name, &place));
                operation.parameters.push(Parameter {
                    kind: kind(root, parameter.get("schema").unwrap_or(parameter)),
                    required: parameter.get("required").and_then(Value::as_bool).unwrap_or(false),
                    description: string(parameter, "description"),
                    name,
                    place,
                });
            }
        }
    }
}

fn answer(root: &Value, status: &str, response: &Value) -> Response {
    let response = resolved(root, response);
    let content = response.get("content").and_then(Value::as_object).and_then(first_schema);
    let schema = content.or_else(|| response.get("schema"));
    Response {
        status: status.to_owned(),
        description: string(response, "description"),
        rows: schema.map(|schema| rows(root, schema)).unwrap_or_default(),
    }
}

fn kinds(content: &Map<String, Value>) -> Vec<String> {
    content.keys().take(10).cloned().collect()
}

fn first_schema(content: &Map<String, Value>) -> Option<&Value> {
    content.values().next()?.get("schema")
}

fn scopes(root: &Value, told: &Value) -> Vec<String> {
    let required = told.get("security").or_else(|| root.get("security"));
    let requirements = required.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let named = requirements.flat_map(Map::values).filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    named.map(str::to_owned).take(100).collect::<BTreeSet<_>>().into_iter().collect()
}
