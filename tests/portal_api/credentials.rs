//! `/applications/{a}/credentials`, and clauses 9 and 10 of 6.3.

use serde_json::{Value, json};

use crate::stage::{CALLBACK, Dev, NOBODY, Stage, below, id};

/// An application that may call `orders`.
async fn scene<'s>(stage: &'s Stage) -> (Dev<'s>, Value, String) {
    let (ana, service) = (stage.developer("ana@b.test").await, stage.offered("orders", true).await);
    let shop = ana.application("Shop").await;
    ana.contract(&shop, &service).await;
    let path = below(&shop, "credentials");
    (ana, shop, path)
}

#[tokio::test]
async fn a_secret_is_told_when_it_is_made_and_never_again() {
    let stage = Stage::open();
    let (ana, shop, path) = scene(&stage).await;
    let made = ana.post(&path, json!({})).await.is(201);
    assert_eq!(made["client_secret"].as_str().unwrap().len(), 32);
    assert_eq!((&made["name"], &made["client_type"]), (&json!("Shop"), &json!("confidential")));
    assert_eq!(made["redirect_uris"], json!([CALLBACK]));
    stage.access("orders", &made).await;
    let told = ana.get(&format!("{path}/{}", id(&made))).await.is(200);
    assert!(told.get("client_secret").is_none(), "{told}");
    assert_eq!(told["secrets"], json!([{ "id": made["id"], "created_at": made["created_at"], "expires_at": null }]));
    let list = ana.get(&path).await.is(200);
    assert_eq!(
        (&list["total"], &list["data"][0]["id"], &list["data"][1]),
        (&json!(2), &shop["credential"]["id"], &told)
    );
    for answer in [list, ana.get(&format!("{path}?client_id={}", made["client_id"].as_str().unwrap())).await.is(200)] {
        assert!(!answer.to_string().contains("client_secret\""), "{answer}");
    }
    // Nothing at all is a body, too, and a form.
    ana.sent(ana.request("POST", &path)).await.is(201);
    ana.form("POST", &path, "client_type=confidential").await.is(201);
    assert_eq!(ana.total(&path).await, 4);
}

#[tokio::test]
async fn what_an_administrator_made_in_clear_is_not_told_either() {
    let stage = Stage::open();
    let (ana, shop, path) = scene(&stage).await;
    let body = json!({ "client_secret": "hunter2hunter2" });
    let made = stage.admin("POST", &below(&shop, "credentials/oauth2"), body).await.is(201);
    assert_eq!(made["client_secret"], "hunter2hunter2");
    let told = [ana.get(&path).await.is(200), ana.get(&format!("{path}/{}", id(&made))).await.is(200)];
    for told in told {
        assert!(!told.to_string().contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn a_developer_says_whether_a_client_is_public_and_nothing_else() {
    let stage = Stage::open();
    let (ana, _, path) = scene(&stage).await;
    let public = ana.post(&path, json!({ "client_type": "public" })).await.is(201);
    assert!(public.get("client_secret").is_none(), "{public}");
    assert_eq!((&public["client_type"], &public["secrets"]), (&json!("public"), &json!([])));
    let one = format!("{path}/{}", id(&public));
    assert_eq!(ana.get(&one).await.is(200), public);
    for rest in ["regenerate-secret", "secrets"] {
        let faults = ana.post(&format!("{one}/{rest}"), json!({})).await.faults();
        assert_eq!(faults, json!({ "client_type": "a public client has no secrets" }), "{rest}");
    }
    assert_eq!(ana.get(&format!("{one}/secrets")).await.is(200), json!({ "data": [], "next": null, "total": 0 }));
    let body = json!({ "client_id": "mine", "client_secret": "hush", "hash_secret": false, "name": "n", "id": NOBODY,
        "redirect_uris": ["https://evil.test"], "consumer": { "id": NOBODY }, "tags": ["t"], "wat": 1, "client_type": "x" });
    let faults = ana.post(&path, body).await.faults();
    for field in ["client_id", "client_secret", "hash_secret", "name", "id", "redirect_uris", "consumer", "tags"] {
        assert_eq!(faults[field], "cannot be set", "{faults}");
    }
    assert_eq!(
        (&faults["wat"], &faults["client_type"]),
        (&json!("unknown field"), &json!("expected one of: confidential, public"))
    );
    assert_eq!(ana.total(&path).await, 2);
}

#[tokio::test]
async fn a_secret_is_regenerated_at_once_or_with_an_overlap() {
    let stage = Stage::open();
    let (ana, shop, path) = scene(&stage).await;
    let first = &shop["credential"];
    let again = format!("{path}/{}/regenerate-secret", id(first));
    let second = ana.post(&again, json!({ "overlap_seconds": 3600 })).await.is(200);
    assert_eq!((&second["id"], &second["client_id"]), (&first["id"], &first["client_id"]));
    assert_eq!(second["client_secret"].as_str().unwrap().len(), 32);
    assert_eq!(second["secrets"].as_array().unwrap().len(), 2, "{second}");
    assert!(second["secrets"][0]["expires_at"].is_i64() && second["secrets"][1]["expires_at"].is_null(), "{second}");
    for credential in [first, &second] {
        stage.access("orders", credential).await;
    }
    let third = ana.sent(ana.request("POST", &again)).await.is(200);
    for ended in [first, &second] {
        assert_eq!(stage.token("orders", ended).await.is(400)["error"], "invalid_client");
    }
    stage.access("orders", &third).await;
    assert_eq!(third["secrets"].as_array().unwrap().len(), 1, "{third}");
    ana.form("POST", &again, "overlap_seconds=2592000").await.is(200);
    for bad in [json!(-1), json!(2_592_001), json!(1.5), json!("60"), json!([]), json!(9_223_372_036_854_775_807_i64)] {
        let faults = ana.post(&again, json!({ "overlap_seconds": bad })).await.faults();
        assert!(faults["overlap_seconds"].is_string(), "{faults}");
    }
    assert_eq!(ana.post(&again, json!({ "client_secret": "mine" })).await.faults()["client_secret"], "unknown field");
}

#[tokio::test]
async fn secrets_come_and_go_one_by_one() {
    let stage = Stage::open();
    let (ana, shop, path) = scene(&stage).await;
    let credential = &shop["credential"];
    let secrets = format!("{path}/{}/secrets", id(credential));
    let added = ana.post(&secrets, json!({})).await.is(201);
    let second = json!({ "client_id": credential["client_id"], "client_secret": added["client_secret"] });
    stage.access("orders", credential).await;
    stage.access("orders", &second).await;
    let listed = ana.get(&secrets).await.is(200);
    assert_eq!((&listed["total"], &listed["data"][1]["id"]), (&json!(2), &added["id"]));
    assert!(!listed.to_string().contains("client_secret"), "{listed}");
    ana.delete(&format!("{secrets}/{}", id(credential))).await.is(204);
    assert_eq!(stage.token("orders", credential).await.is(400)["error"], "invalid_client");
    stage.access("orders", &second).await;
    let last = ana.delete(&format!("{secrets}/{}", id(&added))).await.is(409);
    assert!(last["message"].is_string(), "{last}");
    ana.delete(&format!("{secrets}/{NOBODY}")).await.must_be_nothing();
    ana.delete(&format!("{secrets}/wat")).await.must_be_nothing();
    assert!(ana.post(&secrets, json!({ "expires_at": 1 })).await.faults()["expires_at"].is_string());
    for _ in 0..4 {
        ana.form("POST", &secrets, "").await.is(201);
    }
    ana.post(&secrets, json!({})).await.is(409);
}

/// Clause 9.
#[tokio::test]
async fn credentials_follow_a_redirect_uri_that_they_have() {
    let stage = Stage::open();
    let (ana, shop, path) = scene(&stage).await;
    let other = ana.post(&path, json!({})).await.is(201);
    let own = json!({ "redirect_uris": ["https://own.test/"] });
    stage.admin("PATCH", &format!("{}/{}", below(&shop, "credentials/oauth2"), id(&other)), own).await.is(200);
    let one = format!("/applications/{}", id(&shop));
    ana.patch(&one, json!({ "redirect_uri": "https://new.test/" })).await.is(200);
    let list = ana.get(&path).await.is(200);
    assert_eq!(list["data"][0]["redirect_uris"], json!(["https://new.test/"]));
    assert_eq!(list["data"][1]["redirect_uris"], json!(["https://own.test/"]));
}

/// Clause 10.
#[tokio::test]
async fn a_deleted_credential_takes_its_tokens_along_also_the_last() {
    let stage = Stage::open();
    let (ana, shop, path) = scene(&stage).await;
    let token = stage.access("orders", &shop["credential"]).await;
    assert_eq!(stage.call("orders", &token).await, 200);
    let one = format!("{path}/{}", id(&shop["credential"]));
    ana.delete(&one).await.is(204);
    assert_eq!(stage.call("orders", &token).await, 401);
    ana.get(&one).await.must_be_nothing();
    ana.delete(&one).await.must_be_nothing();
    assert_eq!(ana.get(&path).await.is(200), json!({ "data": [], "next": null, "total": 0 }));
    let next = ana.post(&path, json!({})).await.is(201);
    assert_eq!(stage.call("orders", &stage.access("orders", &next).await).await, 200);
}
