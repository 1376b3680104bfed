//! `/applications`.

use serde_json::{Value, json};

use crate::stage::{Stage, below, id, names};

#[tokio::test]
async fn an_application_is_made_with_a_credential_whose_secret_is_told_once() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let body = json!({ "name": "Shop", "redirect_uri": "https://a.test/cb", "description": "Sells.\nShips." });
    let made = ana.post("/applications", body).await.is(201);
    assert_eq!((&made["name"], &made["description"]), (&json!("Shop"), &json!("Sells.\nShips.")));
    assert_eq!((&made["redirect_uri"], &made["custom_id"]), (&json!("https://a.test/cb"), &Value::Null));
    assert_eq!(made["developer"]["id"], ana.id.as_str());
    assert!(made["created_at"].is_i64() && made["consumer"]["id"].is_string(), "{made}");
    let credential = &made["credential"];
    assert_eq!(credential["client_secret"].as_str().unwrap().len(), 32, "{made}");
    assert_eq!((&credential["hash_secret"], &credential["name"]), (&json!(true), &json!("Shop")));
    assert_eq!(credential["redirect_uris"], json!(["https://a.test/cb"]));
    let mut plain = made.clone();
    plain.as_object_mut().unwrap().remove("credential");
    let path = format!("/applications/{}", id(&made));
    assert_eq!(ana.get(&path).await.is(200), plain);
    assert_eq!(ana.get(&format!("/api{path}")).await.is(200), plain, "the same below /api");
    let list = ana.get("/applications").await.is(200);
    assert_eq!(list, json!({ "data": [plain], "next": null, "total": 1 }));
    assert_eq!(ana.sent(ana.request("HEAD", &path)).await.is(200), Value::Null);
    let form = ana.form("POST", "/applications", "name=Form&redirect_uri=https%3A%2F%2Fa.test%2F&description=d").await;
    assert_eq!(form.is(201)["redirect_uri"], "https://a.test/");
}

#[tokio::test]
async fn what_is_wrong_with_an_application_is_told_all_at_once() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let faults = ana.post("/applications", json!({})).await.faults();
    assert_eq!(faults, json!({ "name": "required field missing", "redirect_uri": "required field missing" }));
    let body = json!({ "name": "", "redirect_uri": "/cb#x", "wat": 1, "id": crate::stage::NOBODY, "custom_id": "x",
        "developer": { "id": ana.id }, "consumer": { "id": ana.id }, "created_at": 1, "description": 1 });
    let faults = ana.post("/applications", body).await.faults();
    for field in ["name", "redirect_uri", "description"] {
        assert!(faults[field].is_string(), "{field}: {faults}");
    }
    assert_eq!(faults["wat"], "unknown field");
    for field in ["id", "custom_id", "developer", "consumer", "created_at"] {
        assert_eq!(faults[field], "cannot be set", "{faults}");
    }
    ana.application("Shop").await;
    let taken = ana.form("POST", "/applications", "name=Shop&redirect_uri=https://a.test").await.is(409);
    assert_eq!((&taken["code"], &taken["fields"]), (&json!(5), &json!({ "name": "Shop" })));
    assert_eq!(taken["message"], "UNIQUE violation detected on '{name=\"Shop\"}'");
    assert_eq!(ana.total("/applications").await, 1, "nothing is half-made");
    stage.developer("bob@b.test").await.application("Shop").await;
}

#[tokio::test]
async fn an_application_is_changed_in_what_is_its_developers_to_say() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let made = ana.application("Shop").await;
    let path = format!("/applications/{}", id(&made));
    let changed = ana.patch(&path, json!({ "name": "Store", "description": "d" })).await.is(200);
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Store"), &json!("d")));
    assert_eq!(ana.form("PATCH", &path, "description=").await.is(200)["description"], Value::Null);
    let body = json!({ "developer": { "id": crate::stage::NOBODY }, "consumer": null, "id": "x", "created_at": 1,
        "custom_id": "bank", "redirect_uri": null, "wat": 1 });
    let faults = ana.patch(&path, body).await.faults();
    for field in ["developer", "consumer", "id", "created_at", "custom_id"] {
        assert_eq!(faults[field], "immutable field cannot be updated", "{faults}");
    }
    assert_eq!((&faults["wat"], &faults["redirect_uri"]), (&json!("unknown field"), &json!("required field missing")));
    ana.application("Other").await;
    assert_eq!(ana.patch(&path, json!({ "name": "Other" })).await.is(409)["fields"], json!({ "name": "Other" }));
    assert_eq!(ana.get(&path).await.is(200)["name"], "Store");
    assert_eq!(ana.delete(&path).await.is(204), Value::Null);
    ana.delete(&path).await.must_be_nothing();
    ana.get(&path).await.must_be_nothing();
    assert_eq!(ana.total("/applications").await, 1);
}

#[tokio::test]
async fn lists_are_paged_sorted_and_filtered() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let mut made = Vec::new();
    for name in ["b", "c", "día"] {
        made.push(ana.application(name).await);
    }
    let names_at = async |path: &str| names(&ana.get(path).await.is(200)).join(" ");
    assert_eq!(names_at("/applications").await, "b c día");
    assert_eq!(names_at("/applications?sort_by=name&sort_desc=true").await, "día c b");
    assert_eq!(names_at("/applications?name=d%C3%ADa").await, "día");
    assert_eq!(names_at(&format!("/applications?id={}", id(&made[1]))).await, "c");
    assert_eq!(names_at("/applications?id=wat&unknown=1").await, "");
    let at = made[2]["created_at"].as_i64().unwrap();
    assert_eq!(names_at(&format!("/applications?created_at_to={at}&created_at_from=0")).await, "b c día");
    assert_eq!(names_at(&format!("/applications?created_at_from={}", at + 1)).await, "");
    let first = ana.get("/api/applications?size=2&sort_by=name").await.is(200);
    assert_eq!((names(&first).join(" "), &first["total"]), ("b c".to_owned(), &json!(3)));
    let next = first["next"].as_str().unwrap();
    assert_eq!(next, format!("/api/applications?size=2&sort_by=name&offset={}", first["offset"].as_str().unwrap()));
    let last = ana.get(next).await.is(200);
    assert_eq!((names(&last), &last["next"], last.get("offset")), (vec!["día"], &Value::Null, None));
    for size in ["0", "1001", "x"] {
        let refused = ana.get(&format!("/applications?size={size}")).await.is(400);
        assert_eq!((&refused["code"], &refused["name"]), (&json!(9), &json!("invalid size")));
    }
    assert_eq!(ana.get("/applications?offset=wat").await.is(400)["code"], 7);
    ana.get("/applications?sort_by=consumer").await.must_be_wrong_option("sort_by");
    ana.get("/applications?sort_desc=maybe").await.must_be_wrong_option("sort_desc");
    ana.get("/applications?created_at_from=now").await.must_be_wrong_option("created_at_from");
    ana.get("/applications?created_at_to=9223372036854775807").await.must_be_wrong_option("created_at_to");
    ana.get("/applications?include_instances=maybe").await.must_be_wrong_option("include_instances");
}

#[tokio::test]
async fn contracts_are_told_with_applications_where_asked() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.offered("orders", false).await);
    let (shop, idle) = (ana.application("Shop").await, ana.application("Idle").await);
    let contract = ana.contract(&shop, &service).await;
    let list = ana.get("/applications?include_instances=true").await.is(200);
    let told = &list["data"][0]["application_instances"];
    assert_eq!(told.as_array().unwrap().len(), 1, "{list}");
    assert_eq!((&told[0]["id"], &told[0]["status"]), (&contract["id"], &json!(1)));
    assert_eq!(told[0]["composite_id"], format!("{}_{service}", id(&shop)));
    assert_eq!((&list["data"][1]["id"], &list["data"][1]["application_instances"]), (&idle["id"], &json!([])));
    assert!(ana.get("/applications").await.is(200)["data"][0].get("application_instances").is_none());
}

#[tokio::test]
async fn with_an_application_go_its_contracts_credentials_and_tokens() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.offered("orders", true).await);
    let shop = ana.application("Shop").await;
    ana.contract(&shop, &service).await;
    let token = stage.access("orders", &shop["credential"]).await;
    assert_eq!(stage.call("orders", &token).await, 200);
    ana.delete(&format!("/applications/{}", id(&shop))).await.is(204);
    assert_eq!(stage.call("orders", &token).await, 401);
    assert_eq!(stage.token("orders", &shop["credential"]).await.is(400)["error"], "invalid_client");
    ana.get(&below(&shop, "credentials")).await.must_be_nothing();
}
