//! From text to model.

use serde_json::{Map, Value};

use super::operation::operation;
use super::{Document, Group};

const MOST_OPERATIONS: usize = 1000;
const METHODS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];

/// Why a text is no API description.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("it is neither JSON nor YAML: {0}")]
    Syntax(String),
    #[error("it has no `openapi` or `swagger` field, so it is no OpenAPI document")]
    Kind,
}

/// Reads a document.
///
/// # Errors
/// [`DocumentError`]
pub fn read(text: &str) -> Result<Document, DocumentError> {
    let root = parse(text)?;
    if root.get("openapi").or_else(|| root.get("swagger")).is_none() {
        return Err(DocumentError::Kind);
    }
    let info = root.get("info").unwrap_or(&Value::Null);
    let mut document = Document {
        title: string(info, "title"),
        version: string(info, "version"),
        description: string(info, "description"),
        servers: servers(&root),
        ..Document::default()
    };
    read_operations(&root, &mut document);
    Ok(document)
}

fn parse(text: &str) -> Result<Value, DocumentError> {
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    // The reader's own budget bounds aliases, depth and nodes.
    serde_saphyr::from_str(text).map_err(|error| {
        let why = error.to_string();
        DocumentError::Syntax(why.lines().next().unwrap_or_default().to_owned())
    })
}

fn read_operations(root: &Value, document: &mut Document) {
    let described = root.get("tags").and_then(Value::as_array).into_iter().flatten();
    document.groups = described
        .map(|tag| Group { name: string(tag, "name"), description: string(tag, "description"), operations: Vec::new() })
        .take(MOST_OPERATIONS)
        .collect();
    let empty = Map::new();
    let paths = root.get("paths").and_then(Value::as_object).unwrap_or(&empty);
    let mut count = 0;
    for (path, item) in paths {
        for method in METHODS {
            let Some(told) = item.get(method) else { continue };
            count += 1;
            if count > MOST_OPERATIONS {
                document.cut = true;
                continue;
            }
            let tag = told.get("tags").and_then(|tags| tags.get(0)?.as_str()).unwrap_or("Operations");
            let operation = operation(root, method, path, item, told);
            match document.groups.iter_mut().find(|group| group.name == tag) {
                Some(group) => group.operations.push(operation),
                None => document.groups.push(Group {
                    name: tag.to_owned(),
                    description: String::new(),
                    operations: vec![operation],
                }),
            }
        }
    }
    document.groups.retain(|group| !group.operations.is_empty());
}

/// OpenAPI 3 lists URLs, Swagger 2 tells host and base path.
fn servers(root: &Value) -> Vec<String> {
    let listed = root.get("servers").and_then(Value::as_array).into_iter().flatten();
    let urls: Vec<String> = listed.map(|server| string(server, "url")).filter(|url| !url.is_empty()).take(10).collect();
    let host = string(root, "host");
    if urls.is_empty() && !host.is_empty() {
        return vec![format!("https://{host}{}", string(root, "basePath"))];
    }
    urls
}

/// A field's text; numbers as they are written (`version: 1.0` in YAML is one).
pub(super) fn string(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(number @ Value::Number(_)) => number.to_string(),
        _ => String::new(),
    }
}
