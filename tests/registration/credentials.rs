//! Credentials of applications, and their secrets.

use serde_json::{Value, json};

use crate::desk::{Desk, NOBODY, id};
use crate::people::CALLBACK;

/// An approved application with a service `orders`, and the path of its credentials.
async fn scene(desk: &Desk) -> (Value, String) {
    let service = desk.gated("orders", true).await;
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    desk.contract(&application, &service).await;
    let path = format!("/applications/{}/credentials/oauth2", id(&application));
    (application, path)
}

#[tokio::test]
async fn an_application_may_have_several_credentials() {
    let desk = Desk::open();
    let (application, path) = scene(&desk).await;
    let first = desk.credential(&application).await;
    let own = json!({ "id": id(&first), "created_at": first["created_at"], "expires_at": null });
    assert_eq!(first["secrets"], json!([own]), "its own secret has its id");
    let plain = desk.made(&path, json!({})).await;
    assert_eq!((&plain["name"], &plain["redirect_uris"]), (&json!("app"), &json!([CALLBACK])));
    assert_eq!(plain["consumer"], application["consumer"]);
    let body = "client_id=mine&client_secret=hush&redirect_uris[]=https://x.test/&client_type=public&tags=t";
    let (status, brought) = desk.form("POST", &path, body).await;
    assert_eq!((status, &brought["client_id"], &brought["client_secret"]), (201, &json!("mine"), &json!("hush")));
    assert_eq!(desk.total(&path).await, 3);
    for key in [id(&brought), "mine"] {
        assert_eq!(desk.get(&format!("{path}/{key}")).await, (200, brought.clone()), "{key}");
    }
    let (status, refusal) = desk.post(&path, json!({ "client_id": "mine" })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "client_id": "mine" })));
    let body = json!({ "redirect_uris": ["no uri"], "client_type": "wat", "consumer": {}, "wat": 1 });
    let faults = desk.faults(&path, body).await;
    assert!(faults["redirect_uris"][0].is_string(), "{faults}");
    assert_eq!(faults["client_type"], "expected one of: confidential, public");
    assert_eq!((&faults["consumer"], &faults["wat"]), (&json!("cannot be set"), &json!("unknown field")));
}

#[tokio::test]
async fn only_redirect_uris_change() {
    let desk = Desk::open();
    let (application, path) = scene(&desk).await;
    let one = format!("{path}/{}", id(&desk.credential(&application).await));
    let (status, changed) = desk.patch(&one, json!({ "redirect_uris": ["https://y.test/"] })).await;
    assert_eq!((status, &changed["redirect_uris"]), (200, &json!(["https://y.test/"])));
    assert_eq!(changed["secrets"].as_array().unwrap().len(), 1);
    let body = json!({ "client_secret": "x", "name": "y", "wat": 1, "redirect_uris": ["no uri"] });
    let (status, refusal) = desk.patch(&one, body).await;
    assert_eq!(status, 400);
    for (field, text) in [
        ("client_secret", "immutable field cannot be updated"),
        ("name", "immutable field cannot be updated"),
        ("wat", "unknown field"),
    ] {
        assert_eq!(refusal["fields"][field], text, "{refusal}");
    }
    assert!(refusal["fields"]["redirect_uris"][0].is_string(), "{refusal}");
    for bad in [NOBODY, "nobody"] {
        let one = format!("{path}/{bad}");
        assert_eq!(desk.patch(&one, json!({ "redirect_uris": [] })).await.0, 404);
        assert_eq!((desk.get(&one).await.0, desk.delete(&one).await.0), (404, 404));
    }
    assert_eq!(desk.put(&one, json!({})).await.0, 405);
}

#[tokio::test]
async fn a_secret_that_is_made_and_hashed_is_told_once() {
    let desk = Desk::open();
    let (_, path) = scene(&desk).await;
    let made = desk.made(&path, json!({ "hash_secret": true })).await;
    let secret = made["client_secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32, "{secret}");
    let (_, shown) = desk.get(&format!("{path}/{}", id(&made))).await;
    assert!(shown["client_secret"].as_str().unwrap().starts_with("$argon2id$"), "{shown}");
    assert_eq!(desk.ask_token_with(&made, secret, "orders").await.0, 200);
    let form = desk.form("POST", &path, "hash_secret=true").await.1;
    assert_eq!(form["client_secret"].as_str().unwrap().len(), 32, "a form says the same");
}

#[tokio::test]
async fn a_deleted_credential_takes_its_tokens_with_it_also_the_last() {
    let desk = Desk::open();
    let (application, path) = scene(&desk).await;
    let credential = desk.credential(&application).await;
    let token = desk.token(&application, "orders").await;
    assert_eq!(desk.call("orders", &token).await, 200);
    assert_eq!(desk.delete(&format!("{path}/{}", id(&credential))).await.0, 204);
    assert_eq!(desk.call("orders", &token).await, 401);
    assert_eq!((desk.total(&path).await, desk.total("/oauth2_tokens").await), (0, 0));
    let secret = credential["client_secret"].as_str().unwrap();
    assert_eq!(desk.ask_token_with(&credential, secret, "orders").await.1["error"], "invalid_client");
    assert_eq!(desk.get(&format!("/applications/{}", id(&application))).await.0, 200, "the application stays");
    desk.made(&path, json!({})).await;
    assert_eq!(desk.call("orders", &desk.token(&application, "orders").await).await, 200);
}

#[tokio::test]
async fn secrets_come_and_go_while_the_client_goes_on() {
    let desk = Desk::open();
    let (application, path) = scene(&desk).await;
    let credential = desk.credential(&application).await;
    let first = credential["client_secret"].as_str().unwrap();
    let secrets = format!("{path}/{}/secrets", id(&credential));
    let added = desk.made(&secrets, json!({})).await;
    let second = added["client_secret"].as_str().unwrap();
    assert_eq!((second.len(), &added["expires_at"]), (32, &Value::Null));
    for secret in [first, second] {
        assert_eq!(desk.ask_token_with(&credential, secret, "orders").await.0, 200);
    }
    let (status, listed) = desk.get(&secrets).await;
    assert_eq!((status, &listed["total"]), (200, &json!(2)));
    assert!(!listed.to_string().contains(second) && !listed.to_string().contains("argon2"), "{listed}");
    assert_eq!(listed["data"][1]["id"], added["id"]);
    assert_eq!(desk.delete(&format!("{secrets}/{}", id(&credential))).await.0, 204, "the first one ends");
    assert_eq!(desk.ask_token_with(&credential, first, "orders").await.1["error"], "invalid_client");
    assert_eq!(desk.ask_token_with(&credential, second, "orders").await.0, 200);
    let last = format!("{secrets}/{}", id(&added));
    let text = json!({ "message": "the last secret of a credential cannot be deleted" });
    assert_eq!(desk.delete(&last).await, (409, text));
    for unknown in [NOBODY, id(&credential)] {
        assert_eq!(desk.delete(&format!("{secrets}/{unknown}")).await.0, 404);
    }
    assert_eq!(desk.get(&last).await.0, 405);
}

#[tokio::test]
async fn secrets_are_five_at_most_and_end_in_the_future() {
    let desk = Desk::open();
    let (application, path) = scene(&desk).await;
    let secrets = format!("{path}/{}/secrets", id(&desk.credential(&application).await));
    for bad in [json!(1), json!("wat"), json!(-1)] {
        let (status, refusal) = desk.post(&secrets, json!({ "expires_at": bad })).await;
        assert_eq!((status, &refusal["code"]), (400, &json!(2)), "{refusal}");
    }
    assert_eq!(desk.faults(&secrets, json!({ "wat": 1 })).await, json!({ "wat": "unknown field" }));
    let end = 4_000_000_000_i64;
    let (status, ending) = desk.form("POST", &secrets, &format!("expires_at={end}")).await;
    assert_eq!((status, &ending["expires_at"]), (201, &json!(end)));
    for _ in 0..3 {
        desk.made(&secrets, json!({ "expires_at": null })).await;
    }
    let text = json!({ "message": "a credential has at most 5 secrets" });
    assert_eq!(desk.post(&secrets, json!({})).await, (409, text));
    assert_eq!(desk.delete(&format!("{secrets}/{}", id(&ending))).await.0, 204);
    desk.made(&secrets, json!({})).await;
    let public = desk.made(&path, json!({ "client_type": "public" })).await;
    let faults = desk.faults(&format!("{path}/{}/secrets", id(&public)), json!({})).await;
    assert_eq!(faults, json!({ "client_type": "a public client has no secrets" }));
    assert_eq!(desk.post(&format!("{path}/{NOBODY}/secrets"), json!({})).await.0, 404);
}
