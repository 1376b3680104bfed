//! From a running Admin API: tollgate's own, and one with Kong's manners.

use serde_json::{Value, json};

use crate::api::{Flaw, Kong};
use crate::house::{House, On, call, file};
use crate::support::client;

const SERVICE: &str = "7a5c0d52-2f3b-4c6e-9d35-000000000001";
const CONSUMER: &str = "7a5c0d52-2f3b-4c6e-9d35-000000000002";
const CREDENTIAL: &str = "7a5c0d52-2f3b-4c6e-9d35-000000000003";

/// As a Kong 3 answers; with `is_old`, as a Kong 2 does.
fn lists(is_old: bool) -> Value {
    let route = json!({"id": "7a5c0d52-2f3b-4c6e-9d35-000000000004", "name": "orders", "paths": ["/orders"],
        "service": {"id": SERVICE}, "methods": null, "hosts": {}, "tags": {}, "headers": null, "created_at": 1690000000,
        "updated_at": 1690000001});
    let mut service = json!({"id": SERVICE, "name": "orders", "host": "orders.internal", "port": 80, "protocol": "http",
        "path": null, "client_certificate": null, "ca_certificates": null, "created_at": 1690000000, "retries": 5,
        "connect_timeout": 60000, "tags": null});
    if !is_old {
        service["tls_sans"] = Value::Null;
        service["enabled"] = true.into();
    }
    json!({
        "services": [service, {"id": "7a5c0d52-2f3b-4c6e-9d35-000000000009", "host": "x", "name": "two"}],
        "routes": [route],
        "consumers": [{"id": CONSUMER, "username": "kim", "custom_id": null, "type": 0, "tags": null}],
        "plugins": [
            {"id": "7a5c0d52-2f3b-4c6e-9d35-000000000005", "name": "oauth2", "service": {"id": SERVICE}, "route": null,
             "consumer": null, "consumer_group": null, "ordering": null, "enabled": true, "protocols": ["http", "https"],
             "config": {"scopes": {}, "enable_client_credentials": true, "provision_key": "p", "anonymous": null,
                "unknown_there": "yes", "token_expiration": 7200}},
            {"id": "7a5c0d52-2f3b-4c6e-9d35-000000000006", "name": "ip-restriction", "service": {"id": SERVICE},
             "config": {"deny": ["10.0.0.0/8"]}}],
        "oauth2": [{"id": CREDENTIAL, "name": "app", "client_id": "app", "client_secret": "clear", "hash_secret": false,
            "redirect_uris": {}, "client_type": "confidential", "consumer": {"id": CONSUMER}, "created_at": 1690000000}],
        "key-auths": [{"id": "7a5c0d52-2f3b-4c6e-9d35-000000000007", "key": "k", "ttl": null, "consumer": {"id": CONSUMER}}],
        "oauth2_tokens": [token(1), token(2), token(3)],
        "acls": [{"id": "7a5c0d52-2f3b-4c6e-9d35-000000000008", "group": "staff", "consumer": {"id": CONSUMER}},
            {"id": "7a5c0d52-2f3b-4c6e-9d35-000000000010", "group": "guests", "consumer": {"id": CONSUMER}}],
    })
}

/// The nth token of the credential.
pub fn token(nth: u64) -> Value {
    json!({"id": format!("7a5c0d52-2f3b-4c6e-9d36-{nth:012}"), "access_token": format!("access-{nth}"),
        "refresh_token": format!("refresh-{nth}"), "expires_in": 7200, "created_at": 1690000000.5, "scope": "read",
        "authenticated_userid": null, "token_type": "bearer", "credential": {"id": CREDENTIAL}, "service": {"id": SERVICE},
        "ttl": null})
}

async fn from_kong(is_old: bool) {
    let house = House::new(On::Sqlite).await;
    let address = Kong::new(lists(is_old), 1).asking_for("let-me-in").serve().await;
    let url = format!("http://{address}");
    let refused = house.run(&["import", &url]).await;
    assert_eq!((refused.code, refused.err.lines().count()), (Some(1), 1), "{refused:?}");
    assert!(refused.err.contains("401") && refused.err.contains("--token-file"), "{refused:?}");
    let token = house.write("token", "let-me-in\n");
    let args = ["import", &url, "--token-file", token.to_str().unwrap()];
    let said = house.run(&args).await;
    assert_eq!(
        said.summary(),
        "7 created, 0 changed, 0 unchanged; tokens: 3 created, 0 unchanged; 4 not taken",
        "{said:?}"
    );
    for told in [
        "/plugins/oauth2.config.unknown_there: no such field",
        "`ip-restriction`; CALLS THAT IT REFUSES",
        "/acls/staff",
    ] {
        assert!(said.err.contains(told), "{told}: {}", said.err);
    }
    let again = house.run(&args).await;
    assert!(
        again.summary().starts_with("0 created, 0 changed, 7 unchanged; tokens: 0 created, 3 unchanged"),
        "{again:?}"
    );
    let gateway = house.gateway(&[]).await;
    let found =
        client().get(gateway.admin("/oauth2_tokens/access-2")).send().await.unwrap().json::<Value>().await.unwrap();
    let wanted = token_as_stored(2);
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&found[field], value, "{field}: {found}");
    }
}

fn token_as_stored(nth: u64) -> Value {
    let mut token = token(nth);
    token["created_at"] = 1_690_000_000.into();
    token
}

#[tokio::test]
async fn a_kong_3_is_taken_page_by_page() {
    from_kong(false).await;
}

#[tokio::test]
async fn a_kong_2_is_taken_page_by_page() {
    from_kong(true).await;
}

#[tokio::test]
async fn a_running_tollgate_is_taken_whole() {
    let (first, second) = (House::new(On::Sqlite).await, House::new(On::Sqlite).await);
    first.run(&["import", &file("flat-2.1.json")]).await.summary();
    let gateway = first.gateway(&[]).await;
    let said = second.run(&["import", &gateway.admin("")]).await;
    assert_eq!(said.summary(), "11 created, 0 changed, 0 unchanged; tokens: 1 created, 0 unchanged", "{said:?}");
    let texts =
        [first.run(&["export", "--with-secrets"]).await.out, second.run(&["export", "--with-secrets"]).await.out];
    assert_eq!(texts[0], texts[1]);
    let copy = second.gateway(&[]).await;
    for gateway in [&gateway, &copy] {
        let (status, _) = call(gateway, "/items", &[("apikey", "flat-key")]).await;
        assert_ne!(status, 401, "the key came along");
        assert_eq!(call(gateway, "/items", &[]).await.0, 401);
    }
}

#[tokio::test]
async fn an_api_that_is_none_or_never_ends_is_one_readable_line() {
    let house = House::new(On::Sqlite).await;
    for (flaw, told) in [
        (Flaw::Circle, "it would never end"),
        (Flaw::Endless, "larger than 32 MiB"),
        (Flaw::Garbage, "the answer is not JSON"),
    ] {
        let address = Kong::new(lists(false), 1).with(flaw).serve().await;
        let said = house.run(&["import", &format!("http://{address}")]).await;
        assert_eq!((said.code, said.err.lines().count()), (Some(1), 1), "{said:?}");
        assert!(said.err.contains(told), "{said:?}");
    }
    let empty = Kong::new(json!({}), 1).serve().await;
    let said = house.run(&["import", &format!("http://{empty}")]).await;
    assert_eq!(said.summary(), "0 created, 0 changed, 0 unchanged", "an empty Kong is no fault");
}
