use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn other_addresses_demand_a_token_and_readers_do_not_write() {
    let admin = admin_with(Exposure::Tokens).await;
    let refused = admin.get("/services").await;
    assert_eq!((refused.status, refused.headers.get("www-authenticate").is_some()), (401, true));
    let bob = json!({"username": "bob"});
    let send = async |method: &str, path: &str, header: (&'static str, &'static str)| {
        let request = admin.request(method, path).insert_header(header);
        admin.send(if method == "GET" { request } else { request.set_json(bob.clone()) }).await.status
    };
    assert_eq!(send("GET", "/consumers", ("kong-admin-token", "reader-token")).await, 200);
    assert_eq!(send("POST", "/consumers", ("kong-admin-token", "reader-token")).await, 403);
    assert_eq!(send("POST", "/schemas/consumers/validate", ("authorization", "Bearer reader-token")).await, 200);
    assert_eq!(send("POST", "/consumers", ("authorization", "bearer admin-token")).await, 201);
    assert_eq!(send("GET", "/consumers", ("kong-admin-token", "wrong")).await, 401);
}

#[tokio::test]
async fn a_page_elsewhere_reaches_nothing() {
    let mut admin = admin().await;
    let post = admin.request("POST", "/consumers").insert_header(("origin", "http://evil.example"));
    assert_eq!(admin.send(post.set_json(json!({"username": "bob"}))).await.status, 403);
    assert_eq!(admin.get("/consumers").await.body["total"], 0);
    admin.host = "evil.example:8001";
    assert_eq!(admin.get("/consumers").await.status, 403);
}

#[tokio::test]
async fn every_write_is_recorded_and_no_read() {
    let admin = admin().await;
    admin.get("/consumers").await;
    admin.made("/consumers", json!({"username": "bob"})).await;
    admin.call("POST", "/consumers", json!({})).await;
    admin.call("DELETE", "/oauth2_tokens/hunter2", Value::Null).await;
    admin.call("POST", "/schemas/consumers/validate", json!({"username": "bob"})).await;
    let kept: Vec<String> = admin
        .fake
        .records
        .lock()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {} {} {}", entry.actor, entry.method, entry.path, entry.status))
        .collect();
    assert_eq!(
        kept,
        ["loopback POST /consumers 201", "loopback POST /consumers 400", "loopback DELETE /oauth2_tokens/*** 204"]
    );
    let shown = admin.get("/audit/requests").await.body;
    assert_eq!(shown["data"][0]["path"], "/consumers");
}

#[tokio::test]
async fn methods_that_make_no_sense_are_refused() {
    let admin = admin().await;
    for (method, path) in
        [("DELETE", "/services"), ("POST", "/routes/x"), ("TRACE", "/services"), ("DELETE", "/status")]
    {
        let refused = admin.call(method, path, Value::Null).await;
        assert_eq!((refused.status, refused.body), (405, json!({"message": "Method not allowed"})), "{method} {path}");
    }
    let options = admin.call("OPTIONS", "/services", Value::Null).await;
    assert_eq!(
        (options.status, options.headers.get("allow").unwrap().to_str().unwrap()),
        (204, "GET, HEAD, OPTIONS, POST")
    );
    assert_eq!(admin.call("HEAD", "/services", Value::Null).await.status, 200);
    assert_eq!(admin.get("/nothing").await.status, 404);
}

#[tokio::test]
async fn bodies_are_bounded_and_typed() {
    let admin = admin().await;
    let send = async |kind: &'static str, body: Vec<u8>| {
        let request = admin.request("POST", "/consumers").insert_header(("content-type", kind));
        admin.send(request.set_payload(body)).await
    };
    let refused = send("application/json", b"{".to_vec()).await;
    assert_eq!((refused.status, refused.body), (400, json!({"message": "Cannot parse JSON body"})));
    assert_eq!(send("text/xml", b"<a/>".to_vec()).await.status, 415);
    assert_eq!(send("application/json", vec![b' '; 65 * 1024]).await.status, 413);
    assert_eq!(send("application/x-www-form-urlencoded", b"username=%ff".to_vec()).await.status, 400);
}

#[tokio::test]
async fn every_answer_says_who_answered() {
    let admin = admin().await;
    for path in ["/services", "/nothing", "/services/x"] {
        let headers = admin.get(path).await.headers;
        assert!(headers.get("server").unwrap().to_str().unwrap().starts_with("tollgate/"), "{path}");
        assert_eq!(headers.get("x-request-id").unwrap().len(), 32);
    }
}
