//! Applications and tokens (contract of the `oauth2` plugin, section 5).

use serde_json::{Value, json};

use crate::desk::{Desk, id};

async fn desk_with_bob() -> Desk {
    let desk = Desk::open();
    desk.made("/consumers", json!({ "username": "bob" })).await;
    desk
}

fn is_token(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[tokio::test]
async fn an_application_gets_its_id_and_secret() {
    let desk = desk_with_bob().await;
    let made = desk.made("/consumers/bob/oauth2", json!({ "name": "a", "redirect_uris": "http://a.com/x" })).await;
    assert!(is_token(&made["client_id"]) && is_token(&made["client_secret"]), "{made}");
    assert_eq!((&made["hash_secret"], &made["client_type"]), (&json!(false), &json!("confidential")));
    assert_eq!(made["redirect_uris"], json!(["http://a.com/x"]));
    let (_, bob) = desk.get("/consumers/bob").await;
    assert_eq!(made["consumer"], json!({ "id": id(&bob) }));
    let path = format!("/oauth2/{}", made["client_id"].as_str().unwrap());
    assert_eq!(desk.get(&path).await, (200, made.clone()));
    assert_eq!(desk.get(&format!("{path}/consumer")).await, (200, bob));
}

#[tokio::test]
async fn two_applications_may_share_a_secret_but_no_client_id() {
    let desk = desk_with_bob().await;
    let body = |client: &str| json!({ "name": "a", "client_id": client, "client_secret": "same" });
    desk.made("/consumers/bob/oauth2", body("one")).await;
    desk.made("/consumers/bob/oauth2", body("two")).await;
    let (status, refusal) = desk.post("/consumers/bob/oauth2", body("one")).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "client_id": "one" })));
}

#[tokio::test]
async fn a_hashed_secret_is_stored_as_argon2id_and_a_hash_as_it_stands() {
    let desk = desk_with_bob().await;
    let body = json!({ "name": "a", "client_id": "c", "client_secret": "clear", "hash_secret": true });
    let made = desk.made("/consumers/bob/oauth2", body).await;
    let hash = made["client_secret"].as_str().unwrap().to_owned();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let (_, put) = desk.put("/consumers/bob/oauth2/c", made).await;
    assert_eq!(put["client_secret"], json!(hash), "a dump can be restored");
    let kongs = "$pbkdf2-sha512$i=10000,l=32$GPkBIZCfQ1QW+eFRtj0dcw$kuKzVZjvVBQtLzFTOJ1mEbOVxDQEpAEpyTYT+VxfiAA";
    let body = json!({ "name": "a", "client_id": "k", "client_secret": kongs, "hash_secret": true });
    assert_eq!(desk.made("/consumers/bob/oauth2", body).await["client_secret"], json!(kongs));
}

#[tokio::test]
async fn secret_and_hash_flag_change_together_only() {
    let desk = desk_with_bob().await;
    desk.made("/consumers/bob/oauth2", json!({ "name": "a", "client_id": "c" })).await;
    let text = "all or none of these fields must be set: 'hash_secret', 'client_secret'";
    for (path, body) in
        [("/oauth2/c", json!({ "client_secret": "x" })), ("/consumers/bob/oauth2/c", json!({ "hash_secret": true }))]
    {
        let (status, refusal) = desk.patch(path, body).await;
        assert_eq!((status, &refusal["fields"]), (400, &json!({ "@entity": [text] })));
    }
    let (status, patched) = desk.patch("/oauth2/c", json!({ "client_secret": "x", "hash_secret": true })).await;
    assert_eq!(status, 200);
    assert!(patched["client_secret"].as_str().unwrap().starts_with("$argon2id$"));
}

#[tokio::test]
async fn a_token_is_made_with_what_is_missing_and_shows_what_older_clients_read() {
    let desk = desk_with_bob().await;
    let credential = desk.made("/consumers/bob/oauth2", json!({ "name": "a", "client_id": "c" })).await;
    let (status, token) =
        desk.form("POST", "/oauth2_tokens", &format!("credential.id={}&expires_in=10", id(&credential))).await;
    assert_eq!(status, 201, "{token}");
    assert!(is_token(&token["access_token"]));
    assert_eq!(
        (&token["token_type"], &token["refresh_token"], &token["service"]),
        (&json!("bearer"), &Value::Null, &Value::Null)
    );
    assert_eq!((&token["credential_id"], &token["service_id"]), (&credential["id"], &Value::Null));
    let expires_at = token["created_at"].as_i64().unwrap() + 10;
    assert_eq!((&token["expires_at"], &token["ttl"]), (&json!(expires_at), &Value::Null));
    let path = format!("/oauth2_tokens/{}", token["access_token"].as_str().unwrap());
    assert_eq!(desk.get(&path).await, (200, token.clone()));
    assert_eq!(desk.get(&format!("/oauth2_tokens/{}", id(&token))).await, (200, token));
}

#[tokio::test]
async fn a_token_is_found_by_its_filters_changed_and_deleted() {
    let desk = desk_with_bob().await;
    let credential = desk.made("/consumers/bob/oauth2", json!({ "name": "a" })).await;
    let body = json!({ "credential": { "id": id(&credential) }, "expires_in": 10, "access_token": "mine",
        "refresh_token": "again", "authenticated_userid": "u", "scope": "a b", "ttl": 100 });
    let token = desk.made("/oauth2_tokens", body).await;
    assert_eq!(token["ttl"], 100);
    for query in ["refresh_token=again", "authenticated_userid=u", &format!("credential.id={}", id(&credential))] {
        assert_eq!(desk.get(&format!("/oauth2_tokens?{query}")).await.1["total"], 1, "{query}");
    }
    assert_eq!(desk.get("/oauth2_tokens?refresh_token=other").await.1["total"], 0);
    let (_, patched) = desk.patch("/oauth2_tokens/mine", json!({ "scope": null, "access_token": "new" })).await;
    assert_eq!((&patched["scope"], &patched["access_token"]), (&Value::Null, &json!("new")));
    assert_eq!(desk.get("/oauth2_tokens/mine").await.0, 404);
    assert_eq!((desk.delete("/oauth2_tokens/new").await.0, desk.delete("/oauth2_tokens/new").await.0), (204, 204));
}

#[tokio::test]
async fn a_token_needs_a_credential_and_a_lifetime() {
    let desk = Desk::open();
    let faults = desk.faults("/oauth2_tokens", json!({ "token_type": "mac" })).await;
    let missing = "required field missing";
    assert_eq!(
        faults,
        json!({ "credential": missing, "expires_in": missing, "token_type": "expected one of: bearer" })
    );
}

#[tokio::test]
async fn a_key_is_made_for_a_consumer_and_is_its_own_name() {
    let desk = desk_with_bob().await;
    desk.made("/consumers", json!({ "username": "eve" })).await;
    let made = desk.made("/consumers/bob/key-auth", json!({})).await;
    assert!(is_token(&made["key"]) && made["ttl"].is_null(), "{made}");
    let mine = desk.made("/consumers/bob/key-auth", json!({ "key": "mine", "ttl": 100, "tags": ["t"] })).await;
    assert_eq!((&mine["ttl"], &mine["tags"]), (&json!(100), &json!(["t"])));
    assert_eq!(desk.get("/key-auths/mine").await.1["id"], mine["id"]);
    assert_eq!(desk.get("/key-auths/mine/consumer").await.1["username"], "bob");
    assert_eq!(
        (desk.get("/key-auths").await.1["total"].clone(), desk.get("/key-auths?tags=t").await.1["total"].clone()),
        (json!(2), json!(1))
    );
    assert_eq!(desk.get("/consumers/eve/key-auth/mine").await.0, 404);
    assert_eq!(desk.delete("/consumers/eve/key-auth/mine").await.0, 404);
    let (status, refusal) = desk.post("/consumers/eve/key-auth", json!({ "key": "mine" })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "key": "mine" })));
    assert_eq!(desk.faults("/key-auths", json!({})).await, json!({ "consumer": "required field missing" }));
    assert_eq!((desk.delete("/key-auths/mine").await.0, desk.delete("/key-auths/mine").await.0), (204, 204));
}
