//! A gateway that runs meanwhile goes by what was imported when the import says it is done.

use serde_json::json;

use crate::house::{House, On, ask_token, call, upstream};

async fn in_force(on: On) {
    let house = House::new(on).await;
    let upstream = upstream().await;
    let gateway = house.gateway(&[]).await;
    let document = |secret: &str, consumer: &str, enabled: bool| {
        json!({
            "_format_version": "3.0",
            "services": [{"name": "api", "url": format!("http://{upstream}"), "routes": [
                {"name": "tokens", "paths": ["/tokens"], "plugins": [{"name": "oauth2", "config": {
                    "global_credentials": true, "enable_client_credentials": true,
                    "accept_http_if_already_terminated": true}}]},
                {"name": "keys", "paths": ["/keys"], "enabled": null, "plugins": [{"name": "key-auth", "enabled": enabled}]}]}],
            "consumers": [{"id": "7a5c0d52-2f3b-4c6e-9d35-0000000000aa", "username": consumer,
                "oauth2_credentials": [{"name": "app", "client_id": "app", "client_secret": secret}],
                "keyauth_credentials": [{"key": "brought-along"}]}],
            "oauth2_tokens": [{"credential": {"client_id": "app"}, "access_token": "a-token-of-kong", "expires_in": 0}],
        })
        .to_string()
    };
    let bearer = [("Authorization", "Bearer a-token-of-kong")];
    // Asked before they exist: what is remembered of that must not last.
    assert_eq!(call(&gateway, "/keys", &[("apikey", "brought-along")]).await.0, 404);
    house.take(&document("first", "kim", true), &[]).await.summary();
    assert_eq!(call(&gateway, "/keys", &[]).await.0, 401);
    assert_eq!(call(&gateway, "/keys", &[("apikey", "brought-along")]).await.0, 200);
    let (status, told) = call(&gateway, "/tokens", &bearer).await;
    assert!(status == 200 && told["headers"].to_string().contains("x-consumer-username: kim"), "{status} {told}");
    let form = |secret| [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", secret)];
    assert_eq!(ask_token(&gateway, "/tokens/oauth2/token", &form("first")).await.0, 200);

    let said = house.take(&document("second", "lee", false), &[]).await;
    assert_eq!(said.summary(), "0 created, 3 changed, 5 unchanged; tokens: 0 created, 1 unchanged", "{said:?}");
    let (status, _) = ask_token(&gateway, "/tokens/oauth2/token", &form("first")).await;
    assert!((400..500).contains(&status), "the old secret is no secret any more: {status}");
    assert_eq!(ask_token(&gateway, "/tokens/oauth2/token", &form("second")).await.0, 200);
    let (_, told) = call(&gateway, "/tokens", &bearer).await;
    assert!(told["headers"].to_string().contains("x-consumer-username: lee"), "{told}");
    assert_eq!(call(&gateway, "/keys", &[]).await.0, 200, "the plugin is disabled");
    drop(gateway);
    house.clear().await;
}

#[tokio::test]
async fn a_running_gateway_goes_by_an_import_on_sqlite() {
    in_force(On::Sqlite).await;
}

#[tokio::test]
async fn a_running_gateway_goes_by_an_import_on_postgres() {
    in_force(On::Postgres).await;
}
