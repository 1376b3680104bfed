//! `/application_services`.

use serde_json::{Value, json};

use crate::stage::{NOBODY, Stage, id, names};

#[tokio::test]
async fn the_catalogue_tells_what_a_developer_needs_and_no_provision_key() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let orders = stage.offered("orders", true).await;
    stage.gated("keys", json!({ "description": "By key", "show_issuer": true })).await;
    stage.plugin("keys", "key-auth", json!({ "key_names": ["x-key"] })).await;
    let first = json!({ "enable_client_credentials": true, "provision_key": "provision-7c1f" });
    stage.gated("first", first).await;
    stage.service("hidden").await;
    let document = json!({ "path": "specs/orders.json" });
    let stored = stage.admin("POST", "/services/orders/document_objects", document).await;
    assert_eq!(stored.status, 201, "{stored:?}");
    let list = ana.get("/application_services").await.is(200);
    assert_eq!(
        (names(&list).join(" "), &list["total"], &list["next"]),
        ("orders keys first".to_owned(), &json!(3), &Value::Null)
    );
    let row = &list["data"][0];
    let config =
        json!({ "display_name": "The orders", "description": null, "auto_approve": true, "show_issuer": false });
    assert_eq!((&row["id"], &row["app_registration_config"]), (&json!(orders), &config));
    assert_eq!(row["document_route"], format!("/catalog/{orders}/spec"));
    assert_eq!((&row["auth_plugin_config"]["name"], &row["instance"]), (&json!("oauth2"), &Value::Null));
    assert_eq!(row["auth_plugin_config"]["scopes"], json!(["read"]));
    assert_eq!(list["data"][1]["auth_plugin_config"]["key_names"], json!(["x-key"]));
    assert_eq!(list["data"][1]["document_route"], Value::Null);
    assert_eq!(list["data"][2]["auth_plugin_config"]["enable_client_credentials"], true);
}

#[tokio::test]
async fn the_catalogue_is_filtered_sorted_and_paged() {
    let stage = Stage::open();
    let (ana, bob) = (stage.developer("ana@b.test").await, stage.developer("bob@b.test").await);
    let shop = ana.application("Shop").await;
    let mut services = Vec::new();
    for name in ["b", "c", "a"] {
        services.push(stage.offered(name, name == "b").await);
    }
    for service in &services[..2] {
        ana.contract(&shop, service).await;
    }
    let app = format!("app_id={}", id(&shop));
    let at = async |query: &str| names(&ana.get(&format!("/application_services?{query}")).await.is(200)).join(" ");
    assert_eq!(at("name=THE+C").await, "c");
    assert_eq!(at("sort_by=name").await, "a b c");
    assert_eq!(at("sort_by=name&sort_desc=true").await, "c b a");
    assert_eq!(at(&format!("{app}&status=0")).await, "b");
    assert_eq!(at(&format!("{app}&status=pending")).await, "c");
    assert_eq!(at(&format!("{app}&status=-1")).await, "a");
    assert_eq!(at(&format!("{app}&status=3")).await, "");
    assert_eq!(at("status=0").await, "", "without an application there are no contracts");
    let first = ana.get("/api/application_services?size=2&sort_by=name").await.is(200);
    assert_eq!((names(&first).join(" "), &first["total"]), ("a b".to_owned(), &json!(3)));
    let last = ana.get(first["next"].as_str().unwrap()).await.is(200);
    assert_eq!((names(&last), &last["next"]), (vec!["c"], &Value::Null));
    ana.get("/application_services?status=4").await.must_be_wrong_option("status");
    ana.get("/application_services?sort_by=id").await.must_be_wrong_option("sort_by");
    assert_eq!(ana.get("/application_services?size=0").await.is(400)["code"], 9);
    assert_eq!(ana.get("/application_services?offset=wat").await.is(400)["code"], 7);
    for nobodys in [NOBODY, "wat", "%00"] {
        ana.get(&format!("/application_services?app_id={nobodys}")).await.must_be_nothing();
    }
    bob.get(&format!("/application_services?{app}")).await.must_be_nothing();
}
