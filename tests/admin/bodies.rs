//! Bodies: three content types that mean the same (contract, section 1).

use serde_json::{Value, json};

use crate::desk::{Desk, id};

/// What a route's body set, without what the gateway adds.
fn said(route: &Value) -> Value {
    let names = ["paths", "hosts", "methods", "headers", "strip_path", "regex_priority", "service", "tags"];
    names.iter().map(|name| ((*name).to_owned(), route[*name].clone())).collect::<serde_json::Map<_, _>>().into()
}

async fn all_mean(desk: &Desk, wanted: Value, bodies: &[&str]) {
    for body in bodies {
        let (status, route) = desk.form("POST", "/routes", body).await;
        assert_eq!(status, 201, "{body}: {route}");
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(&route[name], value, "{body}");
        }
    }
}

#[tokio::test]
async fn a_form_a_multipart_and_a_json_body_mean_the_same() {
    let desk = Desk::open();
    let service = desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    let by_json = json!({
        "paths": ["/a", "/b"], "hosts": ["x.com"], "headers": { "x-a": ["1", "2"] }, "strip_path": false,
        "regex_priority": 7, "service": { "id": id(&service) }, "tags": ["t"],
    });
    let json = desk.made("/routes", by_json).await;
    let pairs = [
        ("paths", "/a"),
        ("paths", "/b"),
        ("hosts[]", "x.com"),
        ("headers.x-a[1]", "1"),
        ("headers.x-a[2]", "2"),
        ("strip_path", "false"),
        ("regex_priority", "7"),
        ("service.id", id(&service)),
        ("tags[]", "t"),
    ];
    let request = desk.client.post(desk.gateway.admin("/routes")).form(&pairs);
    let form: Value = request.send().await.unwrap().json().await.unwrap();
    let parts = pairs
        .iter()
        .fold(reqwest::multipart::Form::new(), |parts, (name, value)| parts.text(*name, (*value).to_owned()));
    let request = desk.client.post(desk.gateway.admin("/routes")).multipart(parts);
    let multipart: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(said(&json), said(&form));
    assert_eq!(said(&json), said(&multipart));
}

#[tokio::test]
async fn an_array_has_four_spellings_in_a_form() {
    let desk = Desk::open();
    let two = json!({ "paths": ["/a", "/b"] });
    let bodies =
        ["paths=/a&paths=/b", "paths[]=/a&paths[]=/b", "paths[1]=/a&paths[2]=/b", "paths%5B2%5D=/b&paths%5B1%5D=/a"];
    all_mean(&desk, two, &bodies).await;
    all_mean(&desk, json!({ "paths": ["/a"] }), &["paths=/a", "paths[]=/a", "paths[1]=/a"]).await;
}

#[tokio::test]
async fn dotted_keys_nest_in_json_too() {
    let desk = Desk::open();
    desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    let route = desk.made("/routes", json!({ "paths": ["/"], "service.name": "s", "headers.x-a": ["1"] })).await;
    assert!(route["service"]["id"].is_string());
    assert_eq!(route["headers"], json!({ "x-a": ["1"] }));
}

#[tokio::test]
async fn one_plain_value_is_an_array_of_one_in_json_too() {
    let desk = Desk::open();
    let body = json!({ "paths": "/a", "hosts": "x.com", "methods": "GET", "protocols": "http", "tags": "t",
                       "headers": { "x-a": "1" } });
    let route = desk.made("/routes", body).await;
    assert_eq!(route["paths"], json!(["/a"]));
    assert_eq!(route["protocols"], json!(["http"]));
    assert_eq!(route["headers"], json!({ "x-a": ["1"] }));
    let config = json!({ "scopes": "a b", "enable_client_credentials": true });
    let plugin = desk.made("/plugins", json!({ "name": "oauth2", "config": config })).await;
    assert_eq!(plugin["config"]["scopes"], json!(["a b"]), "one text stays one text");
}

#[tokio::test]
async fn what_is_no_such_value_is_still_no_array() {
    let desk = Desk::open();
    let faults = desk.faults("/routes", json!({ "paths": 1, "methods": { "a": 1 }, "hosts": true })).await;
    assert_eq!(
        faults,
        json!({ "paths": "expected an array", "methods": "expected a set", "hosts": "expected an array" })
    );
}

#[tokio::test]
async fn form_texts_are_read_by_the_fields_type() {
    let desk = Desk::open();
    let (_, service) = desk.form("POST", "/services", "host=a.com&port=81&enabled=false&name=80&path=&retries=").await;
    assert_eq!(service["fields"], json!({ "retries": "required field missing" }), "an empty text is null");
    let (status, service) = desk.form("POST", "/services", "host=a.com&port=81&enabled=false&name=80&path=").await;
    assert_eq!(status, 201, "{service}");
    assert_eq!((&service["port"], &service["enabled"]), (&json!(81), &json!(false)));
    assert_eq!((&service["name"], &service["path"]), (&json!("80"), &json!(null)));
}

#[tokio::test]
async fn a_space_separated_list_stays_one_text() {
    let desk = Desk::open();
    let body = "name=oauth2&config.scopes=email phone&config.enable_client_credentials=true";
    let (status, plugin) = desk.form("POST", "/plugins", body).await;
    assert_eq!((status, &plugin["config"]["scopes"]), (201, &json!(["email phone"])));
}

#[tokio::test]
async fn bad_json_is_told_in_kongs_words() {
    let desk = Desk::open();
    let faulty: [&[u8]; 6] = [b"{", b"[]", b"1", b"nonsense", b"{\"username\":\"\xff\"}", b""];
    for body in faulty {
        let (status, refusal) = desk.send_as("POST", "/consumers", "application/json", body.to_vec()).await;
        assert_eq!((status, refusal), (400, json!({ "message": "Cannot parse JSON body" })), "{body:?}");
    }
}

#[tokio::test]
async fn another_content_type_is_415_and_no_body_needs_none() {
    let desk = Desk::open();
    for kind in ["text/xml", "text/plain", "nonsense", "application/jsonx"] {
        let (status, refusal) = desk.send_as("POST", "/consumers", kind, "<a/>").await;
        assert_eq!((status, refusal), (415, json!({ "message": "Unsupported Media Type" })), "{kind}");
    }
    let (status, refusal) = crate::desk::read(desk.ask("POST", "/consumers").await).await;
    assert_eq!((status, &refusal["code"]), (400, &json!(2)), "an empty body is judged as an empty entity: {refusal}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_changes_nothing() {
    let desk = Desk::open();
    let body = format!("{{\"username\":\"{}\"}}", "a".repeat(9 * 1024 * 1024));
    let (status, refusal) = desk.send_as("POST", "/consumers", "application/json", body).await;
    assert_eq!((status, refusal), (413, json!({ "message": "Payload Too Large" })));
    assert_eq!(desk.get("/consumers").await.1["data"], json!([]));
}
