//! Applications, with consumer and credential.

use serde_json::{Value, json};

use crate::desk::{Desk, NOBODY, id};
use crate::people::CALLBACK;

#[tokio::test]
async fn an_application_comes_with_a_consumer_and_a_credential() {
    let desk = Desk::open();
    let developer = desk.developer("a@b.c").await;
    let application = desk.application(&developer, "Größe 7 приложение").await;
    assert_eq!(application["developer"], json!({ "id": id(&developer) }));
    assert_eq!((&application["redirect_uri"], &application["description"]), (&json!(CALLBACK), &Value::Null));
    let path = format!("/applications/{}", id(&application));
    let (_, consumer) = desk.get(&format!("{path}/consumer")).await;
    assert_eq!(consumer["username"], format!("application_{}", id(&application)));
    assert_eq!((&consumer["id"], &consumer["custom_id"]), (&application["consumer"]["id"], &Value::Null));
    assert_eq!(desk.get(&format!("{path}/developer")).await, (200, developer.clone()));
    let credential = desk.credential(&application).await;
    assert_eq!((&credential["name"], &credential["redirect_uris"]), (&application["name"], &json!([CALLBACK])));
    assert_eq!((&credential["hash_secret"], &credential["client_type"]), (&json!(false), &json!("confidential")));
    assert_eq!(credential["created_at"], application["created_at"]);
    for field in ["client_id", "client_secret"] {
        assert_eq!(credential[field].as_str().unwrap().len(), 32, "{field}");
    }
    let below = format!("/developers/a@b.c/applications/{}", id(&application));
    for path in [path, below] {
        assert_eq!(desk.get(&path).await, (200, application.clone()), "{path}");
    }
}

#[tokio::test]
async fn an_application_must_have_a_name_and_a_redirect_uri() {
    let desk = Desk::open();
    desk.developer("a@b.c").await;
    let path = "/developers/a@b.c/applications";
    let missing = json!({ "name": "required field missing", "redirect_uri": "required field missing" });
    assert_eq!(desk.faults(path, json!({})).await, missing);
    let body = json!({ "name": "x".repeat(1025), "redirect_uri": "/relative", "description": "d".repeat(4097),
        "consumer": { "id": NOBODY }, "created_at": 1, "wat": 1 });
    let faults = desk.faults(path, body).await;
    assert_eq!(faults["name"], "length must be at most 1024");
    assert_eq!(faults["description"], "length must be at most 4096");
    assert!(faults["redirect_uri"].is_string(), "{faults}");
    assert_eq!((&faults["consumer"], &faults["created_at"]), (&json!("cannot be set"), &json!("cannot be set")));
    assert_eq!(faults["wat"], "unknown field");
    let empty = desk.faults(path, json!({ "name": "", "redirect_uri": "" })).await;
    assert_eq!(empty["name"], "length must be at least 1");
    let (status, refusal) = desk.post(path, json!({ "name": "a\u{0}b", "redirect_uri": CALLBACK })).await;
    assert_eq!(status, 400, "{refusal}");
    assert_eq!(desk.get("/applications").await.1["total"], 0);
    assert_eq!(desk.post(&format!("/developers/{NOBODY}/applications"), json!({})).await.0, 404);
}

#[tokio::test]
async fn at_the_top_the_body_names_the_developer() {
    let desk = Desk::open();
    let developer = desk.developer("a@b.c").await;
    let body = |developer: Value| json!({ "name": "app", "redirect_uri": CALLBACK, "developer": developer });
    let made = desk.made("/applications", body(json!({ "id": id(&developer) }))).await;
    assert_eq!(made["developer"], json!({ "id": id(&developer) }));
    let (status, refusal) = desk.post("/applications", body(json!({ "id": NOBODY }))).await;
    assert_eq!((status, &refusal["name"]), (400, &json!("foreign key violation")), "{refusal}");
    assert_eq!(refusal["fields"], json!({ "developer": { "id": NOBODY } }));
    let faults = desk.faults("/applications", json!({ "name": "app", "redirect_uri": CALLBACK })).await;
    assert_eq!(faults, json!({ "developer": "required field missing" }));
    let form = format!("name=b&redirect_uri={CALLBACK}&developer.email=a@b.c");
    assert_eq!(desk.form("POST", "/applications", &form).await.0, 201, "a reference by its key");
    assert_eq!(desk.get("/applications?sort_by=name&sort_desc=true").await.1["data"][0]["name"], "b");
    assert_eq!(desk.get("/applications?name=app").await.1["total"], 1);
}

#[tokio::test]
async fn names_are_taken_once_per_developer_and_custom_ids_once() {
    let desk = Desk::open();
    let (one, other) = (desk.developer("a@b.c").await, desk.developer("b@b.c").await);
    let application = desk.application(&one, "app").await;
    let path = format!("/developers/{}/applications", id(&one));
    let (status, refusal) = desk.post(&path, json!({ "name": "app", "redirect_uri": CALLBACK })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "name": "app" })), "{refusal}");
    assert_eq!(desk.get("/consumers").await.1["total"], 0);
    desk.application(&other, "app").await;
    let second = desk.application(&one, "second").await;
    let below = format!("{path}/{}", id(&second));
    assert_eq!(desk.patch(&below, json!({ "name": "app" })).await.0, 409);
    assert_eq!(desk.patch(&below, json!({ "custom_id": "x" })).await.0, 200);
    let (status, refusal) = desk.patch(&format!("{path}/{}", id(&application)), json!({ "custom_id": "x" })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "custom_id": "x" })));
    let party = desk.post("/consumers", json!({ "username": "u", "custom_id": "taken" })).await;
    assert_eq!(party.0, 201);
    let (status, refusal) = desk.patch(&below, json!({ "custom_id": "taken" })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "custom_id": "taken" })), "a party has it");
}

#[tokio::test]
async fn a_change_is_handed_on_to_consumer_and_untouched_credentials() {
    let desk = Desk::open();
    let developer = desk.developer("a@b.c").await;
    let application = desk.application(&developer, "app").await;
    let consumer = application["consumer"]["id"].as_str().unwrap();
    let own = json!({ "name": "own", "redirect_uris": ["https://own.test/"] });
    let own = desk.made(&format!("/consumers/{consumer}/oauth2"), own).await;
    let path = format!("/applications/{}", id(&application));
    let body = json!({ "name": "renamed", "redirect_uri": "https://new.test/cb", "custom_id": "ref-1" });
    let (status, changed) = desk.patch(&path, body).await;
    assert_eq!((status, &changed["name"]), (200, &json!("renamed")), "{changed}");
    let (_, credentials) = desk.get(&format!("/consumers/{consumer}/oauth2")).await;
    let of = |id: &Value| credentials["data"].as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap().clone();
    let first = credentials["data"].as_array().unwrap().iter().find(|row| row["id"] != own["id"]).unwrap();
    assert_eq!((&first["name"], &first["redirect_uris"]), (&json!("renamed"), &json!(["https://new.test/cb"])));
    let kept = of(&own["id"]);
    assert_eq!((&kept["name"], &kept["redirect_uris"]), (&json!("own"), &json!(["https://own.test/"])));
    assert_eq!(desk.get(&format!("{path}/consumer")).await.1["custom_id"], "ref-1");
    assert_eq!(desk.patch(&path, json!({ "custom_id": null })).await.0, 200);
    assert_eq!(desk.get(&format!("{path}/consumer")).await.1["custom_id"], Value::Null);
    for (body, text) in [
        (json!({ "redirect_uri": null }), "required field missing"),
        (json!({ "developer": { "id": NOBODY } }), "immutable field cannot be updated"),
        (json!({ "consumer": { "id": NOBODY } }), "immutable field cannot be updated"),
        (json!({ "wat": 1 }), "unknown field"),
        (json!({ "name_key": "x" }), "unknown field"),
    ] {
        let (status, refusal) = desk.patch(&path, body.clone()).await;
        let field = body.as_object().unwrap().keys().next().unwrap();
        assert_eq!((status, &refusal["fields"][field]), (400, &json!(text)), "{refusal}");
    }
}

#[tokio::test]
async fn an_application_of_another_developer_is_not_there() {
    let desk = Desk::open();
    let (one, other) = (desk.developer("a@b.c").await, desk.developer("b@b.c").await);
    let application = desk.application(&one, "app").await;
    let path = format!("/developers/{}/applications/{}", id(&other), id(&application));
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(desk.send(method, &path, json!({})).await.0, 404, "{method}");
    }
    for below in ["application_instances", "credentials/oauth2"] {
        assert_eq!(desk.get(&format!("{path}/{below}")).await.0, 404, "{below}");
    }
    assert_eq!(desk.get(&format!("/developers/{}/applications", id(&other))).await.1["total"], 0);
    assert_eq!(desk.put(&path, json!({})).await.0, 405);
    assert_eq!(desk.get("/applications/no-uuid").await.0, 400, "an application has no other key");
}

#[tokio::test]
async fn what_hangs_on_a_deleted_application_or_developer_goes_with_it() {
    let desk = Desk::open();
    let developer = desk.developer("a@b.c").await;
    let (gone, other) = (desk.application(&developer, "gone").await, desk.application(&developer, "other").await);
    let tokens = async |application: &Value| {
        let credential = desk.credential(application).await;
        let body = json!({ "credential": { "id": id(&credential) }, "expires_in": 3600 });
        desk.made("/oauth2_tokens", body).await
    };
    tokens(&gone).await;
    tokens(&other).await;
    let count = async |path: &str| desk.get(path).await.1["data"].as_array().unwrap().len();
    assert_eq!(desk.delete(&format!("/applications/{}", id(&gone))).await.0, 204);
    assert_eq!((count("/applications").await, count("/oauth2").await, count("/oauth2_tokens").await), (1, 1, 1));
    assert_eq!(desk.get(&format!("/consumers/{}", gone["consumer"]["id"].as_str().unwrap())).await.0, 404);
    assert_eq!(desk.delete(&format!("/applications/{}", id(&gone))).await.0, 204, "once more is no error");
    assert_eq!(desk.delete(&format!("/developers/a@b.c/applications/{}", id(&gone))).await.0, 404);
    assert_eq!(desk.delete("/developers/a@b.c").await.0, 204);
    for path in ["/developers", "/applications", "/oauth2", "/oauth2_tokens"] {
        assert_eq!(count(path).await, 0, "{path}");
    }
    for owner in [&developer, &other] {
        let consumer = owner["consumer"]["id"].as_str().unwrap();
        assert_eq!(desk.get(&format!("/consumers/{consumer}")).await.0, 404, "no consumer is left behind");
    }
    assert_eq!(desk.delete("/developers/a@b.c").await.0, 204);
}

#[tokio::test]
async fn under_external_oauth2_an_application_has_a_reference_id_and_no_credential() {
    let desk = Desk::open_with(|start| start.env("TOLLGATE_PORTAL_APP_AUTH", "external-oauth2"));
    desk.developer("a@b.c").await;
    let path = "/developers/a@b.c/applications";
    let faults = desk.faults(path, json!({ "name": "app", "redirect_uri": CALLBACK })).await;
    assert_eq!(faults, json!({ "custom_id": "required field missing" }));
    let application = desk.made(path, json!({ "name": "app", "custom_id": "idp-1" })).await;
    let below = format!("/applications/{}", id(&application));
    assert_eq!(desk.get(&format!("{below}/consumer")).await.1["custom_id"], "idp-1");
    assert_eq!(desk.get("/oauth2").await.1["total"], 0);
    let (status, refusal) = desk.post(path, json!({ "name": "other", "custom_id": "idp-1" })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "custom_id": "idp-1" })));
    let (status, refusal) = desk.patch(&below, json!({ "custom_id": null })).await;
    assert_eq!((status, &refusal["fields"]["custom_id"]), (400, &json!("required field missing")));
    for path in ["credentials/oauth2", &format!("credentials/oauth2/{NOBODY}")] {
        assert_eq!(desk.get(&format!("{below}/{path}")).await.0, 404, "{path}");
    }
    assert_eq!(desk.post(&format!("{below}/credentials/oauth2"), json!({})).await.0, 404);
}
