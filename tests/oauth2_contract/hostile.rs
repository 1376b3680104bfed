//! Inputs nobody sends in good faith: too long, too large, out of range, not what they say.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, sent};

const MOST: i64 = i64::MAX;

#[tokio::test]
async fn numbers_at_the_end_of_their_range_end_nothing() {
    let api = Api::with(json!({})).await;
    for (name, row) in [
        ("a", json!({ "expires_in": MOST })),
        ("b", json!({ "expires_in": MOST, "created_at": MOST })),
        ("c", json!({ "expires_in": -MOST, "created_at": -MOST })),
        ("d", json!({ "expires_in": 1, "ttl": 100_000_000_000_i64 })),
    ] {
        let mut row = row;
        row["access_token"] = json!(name);
        row["refresh_token"] = json!(format!("{name}-r"));
        row["credential"] = json!({ "id": api.credential });
        let reply = api.admin(Method::POST, "/oauth2_tokens", row).await;
        assert!([201, 400].contains(&reply.status), "{name}: {reply:?}");
        let listed = api.admin(Method::GET, "/oauth2_tokens", Value::Null).await;
        assert_eq!(listed.status, 200, "{name}: {listed:?}");
        assert!([200, 401].contains(&api.call(name).await.status), "{name}");
        assert!([200, 400].contains(&api.refresh(&format!("{name}-r")).await.status), "{name}");
    }
    for ttl in [json!(MOST), json!(-1), json!(1e300), json!("x")] {
        let row = json!({ "credential": { "id": api.credential }, "expires_in": 1, "ttl": ttl });
        assert_eq!(api.admin(Method::POST, "/oauth2_tokens", row).await.status, 400, "{ttl}");
    }
}

#[tokio::test]
async fn a_configuration_out_of_range_is_refused() {
    let api = Api::with(json!({})).await;
    for (field, value) in
        [("token_expiration", 1e300), ("token_expiration", -1.0), ("refresh_token_ttl", 1e9), ("refresh_grace", 1e9)]
    {
        let patch = json!({ "config": { field: value } });
        let reply = api.admin(Method::PATCH, &format!("/plugins/{}", api.plugin), patch).await;
        assert_eq!(reply.status, 400, "{field} {value}");
    }
}

#[tokio::test]
async fn a_unique_text_longer_than_an_index_takes_is_a_clear_400() {
    let api = Api::with(json!({})).await;
    let long = "x".repeat(3000);
    for (path, body, field) in [
        ("/consumers", json!({ "username": long }), "username"),
        ("/consumers", json!({ "custom_id": long }), "custom_id"),
        ("/services", json!({ "name": long, "url": "http://x.y" }), "name"),
        ("/routes", json!({ "name": long, "paths": ["/x"] }), "name"),
        ("/consumers/shop/oauth2", json!({ "name": "x", "client_id": long }), "client_id"),
        ("/consumers/shop/jwt", json!({ "key": long }), "key"),
        (
            "/oauth2_tokens",
            json!({ "credential": { "id": api.credential }, "expires_in": 1, "authenticated_userid": long }),
            "authenticated_userid",
        ),
    ] {
        let reply = api.admin(Method::POST, path, body).await;
        assert_eq!(
            (reply.status, &reply.body["fields"][field]),
            (400, &json!("length must be at most 1024")),
            "{path}"
        );
    }
    let token = "t".repeat(4097);
    let row = json!({ "credential": { "id": api.credential }, "expires_in": 1, "access_token": token });
    let reply = api.admin(Method::POST, "/oauth2_tokens", row).await;
    assert_eq!((reply.status, &reply.body["fields"]["access_token"]), (400, &json!("length must be at most 4096")));
    let longest = "x".repeat(1024);
    api.made("/consumers", json!({ "username": longest })).await;
    assert_eq!(api.admin(Method::GET, &format!("/consumers/{longest}"), Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_user_or_a_client_with_an_endless_name_is_refused() {
    let api = Api::with(json!({})).await;
    let long = "u".repeat(3000);
    let told = (400, "invalid_authenticated_userid", "authenticated_userid is longer than 1024 bytes");
    let vouched = [("provision_key", "provision-api"), ("authenticated_userid", long.as_str())];
    for grant in ["password", "client_credentials"] {
        assert_eq!(api.token(&[&[("grant_type", grant)], &vouched[..]].concat()).await.refusal(), told, "{grant}");
    }
    assert_eq!(api.authorize(&[&[("response_type", "code")], &vouched[..]].concat()).await.refusal(), told);
    let client = [("grant_type", "client_credentials"), ("client_id", long.as_str())];
    assert_eq!(api.token(&client).await.refusal(), (400, "invalid_client", "Invalid client authentication"));
}

#[tokio::test]
async fn a_character_that_no_store_keeps_is_the_clients_fault() {
    let api = Api::with(json!({})).await;
    let nul = [("provision_key", "provision-api"), ("authenticated_userid", "a\0b")];
    let told = (400, "invalid_request", "authenticated_userid holds a character that cannot be stored");
    assert_eq!(api.token(&[&[("grant_type", "password")], &nul[..]].concat()).await.refusal(), told);
    assert_eq!(api.authorize(&[&[("response_type", "code")], &nul[..]].concat()).await.refusal(), told);
    assert_eq!(
        api.token(&[("grant_type", "client_credentials"), ("client_id", "a\0")]).await.refusal().1,
        "invalid_client"
    );
    assert_eq!(sent(api.get("/api?access_token=%00")).await.status, 401);
}

#[tokio::test]
async fn bodies_that_are_not_what_they_say_are_told_so() {
    let api = Api::with(json!({})).await;
    let ask = async |kind: &str, body: Vec<u8>| {
        sent(api.post("/api/oauth2/token").header("content-type", kind).body(body)).await
    };
    for (kind, body) in [
        ("application/json", b"[1]".to_vec()),
        ("application/json", b"{\"grant_type\"".to_vec()),
        ("application/json", b"[".repeat(100_000)),
        ("multipart/form-data", b"--b".to_vec()),
        ("multipart/form-data; boundary=b", b"\r\n\r\n".to_vec()),
        ("application/x-www-form-urlencoded", b"%%%=&&&%zz=\xff".to_vec()),
        ("text/plain", b"grant_type=client_credentials".to_vec()),
    ] {
        let reply = ask(kind, body).await;
        assert_eq!(reply.status, 400, "{kind}: {reply:?}");
        assert!(reply.body["error"].is_string(), "{kind}: {reply:?}");
    }
    assert_eq!(ask("application/json", vec![b' '; 300 * 1024]).await.status, 413);
}

#[tokio::test]
async fn a_parameter_given_twice_is_none() {
    let api = Api::with(json!({})).await;
    let twice = [
        ("grant_type", "client_credentials"),
        ("client_id", "app"),
        ("client_secret", "secret"),
        ("client_secret", "secret"),
    ];
    assert_eq!(api.ask("/api/oauth2/token", &twice).await.refusal().1, "invalid_client");
}

#[tokio::test]
async fn of_many_who_present_one_code_one_gets_a_token() {
    let api = Arc::new(Api::with(json!({})).await);
    let code = api.authorize(&[("response_type", "code")]).await.parameter("code");
    let tries = (0..16).map(|_| {
        let (api, code) = (Arc::clone(&api), code.clone());
        tokio::spawn(async move { api.token(&[("grant_type", "authorization_code"), ("code", &code)]).await.status })
    });
    let mut good = 0;
    for tried in tries.collect::<Vec<_>>() {
        good += usize::from(tried.await.unwrap() == 200);
    }
    assert_eq!(good, 1);
}

#[tokio::test]
async fn a_retry_within_the_grace_gets_its_pair_on_its_own_service_only() {
    let api = Api::with(json!({ "refresh_grace": 60 })).await;
    api.made("/services", json!({ "name": "second", "url": api.upstream().await })).await;
    api.made("/services/second/routes", json!({ "paths": ["/second"] })).await;
    api.protect("second", json!({ "refresh_grace": 60 })).await;
    let (_, refresh) = api.pair().await;
    let first = api.refresh(&refresh).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
        ("client_id", "app"),
        ("client_secret", "secret"),
    ];
    assert_eq!(
        api.ask("/second/oauth2/token", &form).await.refusal(),
        (400, "invalid_request", "Invalid refresh_token")
    );
    assert_eq!(api.refresh(&refresh).await.text("access_token"), first.text("access_token"));
}
