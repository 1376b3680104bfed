use proptest::prelude::*;

use super::*;

const ORDERS: &str = r"
openapi: 3.0.3
info: { title: Orders, version: 1.0, description: All orders. }
servers: [{ url: https://api.example.com/orders }]
tags: [{ name: Orders, description: What was bought. }]
paths:
  /orders/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string, format: uuid } }]
    get:
      tags: [Orders]
      summary: One order
      security: [{ oauth: [read] }]
      responses:
        '200': { description: It, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        '404': { $ref: '#/components/responses/Missing' }
    put:
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
      responses: {}
components:
  responses: { Missing: { description: None of that id } }
  schemas:
    Order:
      type: object
      required: [id]
      properties:
        id: { type: string, description: Its id }
        parent: { $ref: '#/components/schemas/Order' }
        lines: { type: array, items: { type: object, properties: { sku: { type: string } } } }
";

#[test]
fn a_document_is_read() {
    let document = read(ORDERS).unwrap();
    assert_eq!((document.title.as_str(), document.servers.len()), ("Orders", 1));
    assert_eq!(document.groups.len(), 2);
    let get = &document.groups[0].operations[0];
    assert_eq!(
        (get.method.as_str(), get.path.as_str(), get.scopes.as_slice()),
        ("GET", "/orders/{id}", &["read".to_owned()][..])
    );
    assert_eq!((get.parameters[0].kind.as_str(), get.parameters[0].required), ("string (uuid)", true));
    assert_eq!(get.responses[1].description, "None of that id");
    let rows: Vec<_> =
        get.responses[0].rows.iter().map(|row| (row.depth, row.name.as_str(), row.kind.as_str())).collect();
    let expected = [(0, "id", "string"), (0, "parent", "Order"), (0, "lines", "array of object"), (1, "sku", "string")];
    assert_eq!(rows, expected);
    let put = &document.groups[1].operations[0];
    assert_eq!((put.body_kinds.as_slice(), put.body.len()), (&["application/json".to_owned()][..], 4));
}

#[test]
fn swagger_2_keeps_bodies_among_the_parameters() {
    let text = r#"{"swagger": "2.0", "host": "h", "basePath": "/b", "paths": {"/x": {"post": {"parameters": [
        {"in": "body", "name": "body", "schema": {"properties": {"a": {"type": "integer"}}}},
        {"in": "query", "name": "q", "type": "string"}]}}}}"#;
    let document = read(text).unwrap();
    let post = &document.groups[0].operations[0];
    assert_eq!((post.body[0].kind.as_str(), post.parameters[0].kind.as_str()), ("integer", "string"));
    assert_eq!(document.servers, ["https://h/b"]);
}

#[test]
fn what_is_no_document_is_told() {
    assert_eq!(read("{}"), Err(DocumentError::Kind));
    assert!(matches!(read("a: [1"), Err(DocumentError::Syntax(_))));
}

#[test]
fn schemas_that_contain_themselves_end() {
    let text = r##"{"openapi": "3.0.0", "paths": {"/x": {"get": {"responses": {"200": {"content": {"a": {"schema":
        {"$ref": "#/components/schemas/A"}}}}}}}}, "components": {"schemas": {"A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"}}}}"##;
    assert_eq!(read(text).unwrap().groups[0].operations[0].responses[0].rows.len(), 0);
    let wide = r##"{"openapi": "3", "paths": {"/x": {"get": {"responses": {"200": {"schema": {"$ref": "#/d/A"}}}}}},
        "d": {"A": {"properties": {"a": {"items": {"$ref": "#/d/B"}}, "b": {"$ref": "#/d/B"}}},
        "B": {"properties": {"a": {"$ref": "#/d/A"}, "b": {"$ref": "#/d/B"}}}}}"##;
    assert!(read(wide).unwrap().groups[0].operations[0].responses[0].rows.len() <= 300);
}

#[test]
fn yaml_that_grows_when_read_is_refused() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert!(matches!(read(&bomb), Err(DocumentError::Syntax(_))));
    let deep = "[".repeat(100_000);
    assert!(matches!(read(&deep), Err(DocumentError::Syntax(_))));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}", path in "\\PC{0,20}") {
        let _ = read(&text);
        let _ = read(&format!("openapi: 3\npaths:\n  \"{path}\":\n    get: {text}"));
    }
}
