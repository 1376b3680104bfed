use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_service_is_made_read_changed_replaced_and_deleted() {
    let admin = admin().await;
    let made = admin.made("/services", json!({"name": "a", "url": "http://up.example:81/x"})).await;
    assert_eq!((&made["host"], &made["port"], &made["path"]), (&json!("up.example"), &json!(81), &json!("/x")));
    assert_eq!(made["created_at"], START);
    assert_eq!(admin.get("/services/a").await.body, made);
    admin.clock.advance_seconds(5);
    let patched = admin.call("PATCH", "/services/a", json!({"path": null, "retries": 1})).await;
    assert_eq!((patched.status, &patched.body["path"], &patched.body["retries"]), (200, &Value::Null, &json!(1)));
    assert_eq!((&patched.body["created_at"], &patched.body["updated_at"]), (&json!(START), &json!(START + 5)));
    let put = admin.call("PUT", "/services/a", json!({"host": "other.example"})).await;
    assert_eq!((put.status, &put.body["id"], &put.body["retries"]), (200, &made["id"], &json!(5)));
    assert_eq!(put.body["name"], "a");
    assert_eq!(admin.call("DELETE", "/services/a", Value::Null).await.status, 204);
    assert_eq!(admin.call("DELETE", "/services/a", Value::Null).await.status, 204);
    let gone = admin.get("/services/a").await;
    assert_eq!((gone.status, gone.body), (404, json!({"message": "Not found"})));
    let told = admin.fake.changes.lock().unwrap().join(", ");
    assert_eq!(told, "services created, services updated, services updated, services deleted, services before");
}

#[tokio::test]
async fn put_creates_under_the_id_or_name_of_the_path() {
    let admin = admin().await;
    let id = "0191c5a4-0000-7000-8000-000000000001";
    let put = admin.call("PUT", &format!("/consumers/{id}"), json!({"username": "bob"})).await;
    assert_eq!((put.status, &put.body["id"]), (200, &json!(id)));
    let put = admin.call("PUT", "/consumers/alice", json!({"custom_id": "7"})).await;
    assert_eq!((put.status, &put.body["username"]), (200, &json!("alice")));
    let other = "0191c5a4-0000-7000-8000-000000000002";
    let refused = admin.call("PUT", &format!("/consumers/{id}"), json!({"id": other, "username": "bob"})).await;
    assert_eq!(refused.body["fields"]["id"], "immutable field cannot be updated");
}

#[tokio::test]
async fn forms_and_json_mean_the_same() {
    let admin = admin().await;
    admin.made("/services", json!({"name": "s", "host": "h"})).await;
    let form = "paths[]=/a&paths[]=/b&hosts=a.com&strip_path=false&service.name=s&headers.x-v=1&tags=x";
    let made = admin.form("POST", "/routes", form).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((&made.body["paths"], &made.body["hosts"]), (&json!(["/a", "/b"]), &json!(["a.com"])));
    assert_eq!((&made.body["strip_path"], &made.body["headers"]), (&json!(false), &json!({"x-v": ["1"]})));
    assert!(made.body["service"]["id"].is_string());
}

#[tokio::test]
async fn all_violations_come_in_kongs_shape() {
    let admin = admin().await;
    let refused = admin.form("POST", "/services", "url=nonsense").await;
    let message = "2 schema violations (host: required field missing; path: should start with: /)";
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body["message"], message);
    assert_eq!((&refused.body["code"], &refused.body["name"]), (&json!(2), &json!("schema violation")));
    let fields = json!({"host": "required field missing", "path": "should start with: /"});
    assert_eq!(refused.body["fields"], fields);
}

#[tokio::test]
async fn taken_names_and_missing_references_have_kongs_codes() {
    let admin = admin().await;
    let bob = admin.made("/consumers", json!({"username": "bob"})).await;
    let taken = admin.call("POST", "/consumers", json!({"username": "bob"})).await;
    assert_eq!((taken.status, &taken.body["code"]), (409, &json!(5)));
    assert_eq!(taken.body["message"], "UNIQUE violation detected on '{username=\"bob\"}'");
    let same = admin.call("POST", "/consumers", json!({"id": bob["id"], "username": "eve"})).await;
    assert_eq!((same.status, &same.body["code"]), (400, &json!(3)));
    let id = "0191c5a4-0000-7000-8000-000000000001";
    let missing = admin.call("POST", "/routes", json!({"paths": ["/"], "service": {"id": id}})).await;
    assert_eq!((missing.status, &missing.body["code"]), (400, &json!(4)));
    assert_eq!(missing.body["fields"], json!({"service": {"id": id}}));
    let unnamed = admin.call("POST", "/routes", json!({"paths": ["/"], "service": {"name": "x"}})).await;
    assert_eq!((unnamed.status, &unnamed.body["code"]), (400, &json!(13)));
}

#[tokio::test]
async fn a_service_with_routes_cannot_go() {
    let admin = admin().await;
    admin.made("/services", json!({"name": "s", "host": "h"})).await;
    admin.made("/services/s/routes", json!({"name": "r", "paths": ["/"]})).await;
    let refused = admin.call("DELETE", "/services/s", Value::Null).await;
    assert_eq!((refused.status, &refused.body["code"]), (400, &json!(4)));
    assert_eq!(refused.body["fields"], json!({"@referenced_by": "routes"}));
    assert_eq!(admin.call("DELETE", "/services/s/routes/r", Value::Null).await.status, 204);
    assert_eq!(admin.call("DELETE", "/services/s", Value::Null).await.status, 204);
}

#[tokio::test]
async fn nested_forms_see_only_the_parents_own() {
    let admin = admin().await;
    for name in ["a", "b"] {
        admin.made("/services", json!({"name": name, "host": "h"})).await;
        admin.made(&format!("/services/{name}/routes"), json!({"name": format!("r{name}"), "paths": ["/"]})).await;
    }
    let listed = admin.get("/services/a/routes").await.body;
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["data"][0]["name"]), (1, &json!("ra")));
    assert_eq!(admin.get("/services/a/routes/ra").await.status, 200);
    for (method, path) in
        [("GET", "/services/a/routes/rb"), ("DELETE", "/services/a/routes/rb"), ("GET", "/services/x/routes")]
    {
        assert_eq!(admin.call(method, path, Value::Null).await.status, 404, "{method} {path}");
    }
    assert_eq!(admin.call("PATCH", "/services/a/routes/rb", json!({"paths": ["/x"]})).await.status, 404);
    assert_eq!(admin.get("/routes/ra/service").await.body["name"], "a");
    let patched = admin.call("PATCH", "/routes/ra/service", json!({"retries": 9})).await;
    assert_eq!((patched.status, &patched.body["retries"]), (200, &json!(9)));
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let admin = admin().await;
    for nth in 0..5 {
        let tags = if nth < 3 { json!(["low", "all"]) } else { json!(["all"]) };
        admin.made("/consumers", json!({"username": format!("u{nth}"), "tags": tags})).await;
    }
    let (mut path, mut names) = ("/consumers?size=2&tags=all".to_owned(), Vec::new());
    loop {
        let page = admin.get(&path).await.body;
        assert_eq!(page["total"], 5);
        names.extend(page["data"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        assert!(
            next.starts_with("/consumers?size=2&tags=all&offset=") && next.contains(page["offset"].as_str().unwrap())
        );
        path = next.to_owned();
    }
    assert_eq!(names.len(), 5);
    assert_eq!(admin.get("/consumers?tags=low,all").await.body["total"], 3);
    assert_eq!(admin.get("/consumers?tags=low/all").await.body["total"], 5);
    for (query, code) in [("size=0", 9), ("offset=x", 7), ("tags=a,b/c", 11)] {
        let refused = admin.get(&format!("/consumers?{query}")).await;
        assert_eq!((refused.status, &refused.body["code"]), (400, &json!(code)), "{query}");
    }
}

#[tokio::test]
async fn names_of_any_language_are_keys() {
    let admin = admin().await;
    admin.made("/services", json!({"name": "día", "host": "h"})).await;
    assert_eq!(admin.get("/services/d%C3%ADa").await.status, 200);
    admin.made("/consumers", json!({"username": "a b/c"})).await;
    assert_eq!(admin.get("/consumers/a%20b%2Fc").await.body["username"], "a b/c");
}

#[tokio::test]
async fn a_certificate_keeps_its_server_names() {
    let admin = admin().await;
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["a.com".to_owned()]).unwrap().self_signed(&key).unwrap();
    let body = json!({"cert": cert.pem(), "key": key.serialize_pem(), "snis": ["a.com", "b.com"]});
    let made = admin.made("/certificates", body.clone()).await;
    assert_eq!(made["snis"], json!(["a.com", "b.com"]));
    assert_eq!(made["key"], key.serialize_pem());
    let id = made["id"].as_str().unwrap();
    assert_eq!(admin.get("/snis/a.com").await.body["certificate"]["id"], id);
    let taken = admin.call("POST", "/certificates", body).await;
    let text = format!("a.com already associated with existing certificate '{id}'");
    assert_eq!(taken.body["fields"]["snis"], text);
    let patched = admin.call("PATCH", &format!("/certificates/{id}"), json!({"snis": ["b.com", "c.com"]})).await;
    assert_eq!(patched.body["snis"], json!(["b.com", "c.com"]));
    assert_eq!(admin.get("/snis/a.com").await.status, 404);
    assert_eq!(admin.call("DELETE", &format!("/certificates/{id}"), Value::Null).await.status, 204);
    assert_eq!(admin.get("/snis/b.com").await.status, 404);
}
