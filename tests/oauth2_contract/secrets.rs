//! Section 5: client secrets that are kept hashed, ours and Kong's.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::Api;

/// "s3cret", hashed by another program as Kong hashes.
const KONGS: &str = "$pbkdf2-sha512$i=10000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$j8mBoTbXIowlNXNiE33nTvu5qPQ5QgFs6GsGDJ5CCD4";

async fn ask(api: &Api, client: &str, secret: &str) -> u16 {
    let form = [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret)];
    api.token(&form).await.status
}

async fn stored(api: &Api, client: &str) -> String {
    api.admin(Method::GET, &format!("/oauth2/{client}"), Value::Null).await.text("client_secret").to_owned()
}

#[tokio::test]
async fn a_hash_of_kongs_is_stored_as_it_stands_and_replaced_at_its_first_use() {
    let api = Api::with(json!({})).await;
    let imported = json!({ "name": "k", "client_id": "k", "client_secret": KONGS, "hash_secret": true });
    assert_eq!(api.made("/consumers/shop/oauth2", imported).await["client_secret"], KONGS);
    assert_eq!(ask(&api, "k", "S3cret").await, 400);
    assert_eq!(ask(&api, "k", KONGS).await, 400, "the hash is not the secret");
    assert_eq!(stored(&api, "k").await, KONGS);
    assert_eq!(ask(&api, "k", "s3cret").await, 200);
    assert!(stored(&api, "k").await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!((ask(&api, "k", "s3cret").await, ask(&api, "k", "S3cret").await), (200, 400));
}

#[tokio::test]
async fn a_hash_of_ours_moves_from_one_credential_to_another() {
    let api = Api::with(json!({})).await;
    let first = json!({ "name": "a", "client_id": "a", "client_secret": "s3cret", "hash_secret": true });
    let hash = api.made("/consumers/shop/oauth2", first).await["client_secret"].clone();
    let restored = json!({ "name": "b", "client_id": "b", "client_secret": hash, "hash_secret": true });
    assert_eq!(api.made("/consumers/shop/oauth2", restored).await["client_secret"], hash);
    assert_eq!((ask(&api, "a", "s3cret").await, ask(&api, "b", "s3cret").await), (200, 200));
}

#[tokio::test]
async fn a_weaker_hash_is_replaced_at_its_first_use() {
    let api = Api::with(json!({})).await;
    // "s3cret" with 64 KiB and one pass.
    let weak = argon2_of("s3cret", 64, 1);
    api.made(
        "/consumers/shop/oauth2",
        json!({ "name": "w", "client_id": "w", "client_secret": weak, "hash_secret": true }),
    )
    .await;
    assert_eq!(ask(&api, "w", "s3cret").await, 200);
    assert!(stored(&api, "w").await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

fn argon2_of(secret: &str, memory: u32, passes: u32) -> String {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
    let params = Params::new(memory, passes, 1, None).unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(secret.as_bytes()).unwrap().to_string()
}

#[tokio::test]
async fn a_hash_that_would_stall_the_gateway_is_refused() {
    let api = Api::with(json!({})).await;
    for hash in [KONGS.replace("10000", "4000000000"), "$argon2id$v=19$m=4194304,t=9,p=1$c2FsdHNhbHQ$aGFzaA".to_owned()]
    {
        let body = json!({ "name": "k", "client_secret": hash, "hash_secret": true });
        let reply = api.admin(Method::POST, "/consumers/shop/oauth2", body).await;
        assert_eq!(
            (reply.status, &reply.body["fields"]["client_secret"]),
            (400, &json!("hash is too costly to verify"))
        );
    }
}

#[tokio::test]
async fn two_credentials_may_share_a_secret() {
    let api = Api::with(json!({})).await;
    for client in ["a", "b"] {
        api.made("/consumers/shop/oauth2", json!({ "name": client, "client_id": client, "client_secret": "same" }))
            .await;
        assert_eq!(ask(&api, client, "same").await, 200);
    }
}

#[tokio::test]
async fn a_secret_and_its_kind_change_together() {
    let api = Api::with(json!({})).await;
    let patch = async |body| api.admin(Method::PATCH, "/oauth2/app", body).await;
    for alone in [json!({ "hash_secret": true }), json!({ "client_secret": "new" })] {
        let reply = patch(alone).await;
        let text = "all or none of these fields must be set: 'hash_secret', 'client_secret'";
        assert_eq!((reply.status, &reply.body["fields"]["@entity"][0]), (400, &json!(text)));
    }
    assert_eq!(patch(json!({ "name": "renamed" })).await.status, 200);
    assert_eq!(ask(&api, "app", "secret").await, 200);
    let both = patch(json!({ "hash_secret": true, "client_secret": "new" })).await;
    assert!(both.text("client_secret").starts_with("$argon2id$"));
    assert_eq!((ask(&api, "app", "secret").await, ask(&api, "app", "new").await), (400, 200));
}
