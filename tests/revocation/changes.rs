//! Each kind of change while 32 callers use what it changes, and while caches are cold.

use serde_json::{Value, json};

use crate::caller::{Caller, Seen};
use crate::stage::{On, Stage};
use crate::truth::Load;

const CALLERS: usize = 32;
const ROUNDS: usize = 10;
const TOKEN: &str = "brought-from-elsewhere";

fn shop() -> Seen {
    Seen::passed("one", "shop")
}

async fn a_deleted_token_is_refused_and_an_imported_one_passes_on_the_next_call(on: On) {
    let stage = Stage::set(on).await;
    let mut body = stage.import(TOKEN).await;
    for minted in [false, true] {
        if minted {
            body.as_object_mut().unwrap().remove("access_token");
            let token = stage.made("/oauth2_tokens", body.clone()).await;
            body["access_token"] = token["access_token"].clone();
            stage.change("DELETE", &format!("/oauth2_tokens/{}", token["id"].as_str().unwrap()), Value::Null).await;
        }
        let token = body["access_token"].as_str().unwrap();
        let load = Load::begin(&stage, CALLERS, "/api", token, Seen::refused()).await;
        for round in 0..ROUNDS {
            let made = load.change(&stage, "POST", "/oauth2_tokens", body.clone(), shop()).await;
            // By either of its names.
            let key = if round % 2 == 0 { &made["id"] } else { &made["access_token"] };
            let path = format!("/oauth2_tokens/{}", key.as_str().unwrap());
            load.change(&stage, "DELETE", &path, Value::Null, Seen::refused()).await;
        }
        load.end().await;
    }
    stage.clear().await;
}

async fn tokens_of_a_deleted_credential_or_consumer_are_refused_on_the_next_call(on: On) {
    let stage = Stage::set(on).await;
    let load = Load::begin(&stage, CALLERS, "/api", TOKEN, Seen::refused()).await;
    for _ in 0..ROUNDS / 2 {
        for gone in ["/oauth2/app", "/consumers/shop"] {
            load.change(&stage, "POST", "/oauth2_tokens", stage.import(TOKEN).await, shop()).await;
            load.change(&stage, "DELETE", gone, Value::Null, Seen::refused()).await;
            stage.send("DELETE", "/consumers/shop", Value::Null).await;
            stage.make_application().await;
        }
    }
    load.end().await;
    stage.clear().await;
}

async fn a_token_whose_life_is_cut_is_refused_on_the_next_call(on: On) {
    let stage = Stage::set(on).await;
    let mut body = stage.import(TOKEN).await;
    body["created_at"] = json!(1_600_000_000);
    body["expires_in"] = json!(0);
    let path = format!("/oauth2_tokens/{}", stage.made("/oauth2_tokens", body).await["id"].as_str().unwrap());
    let load = Load::begin(&stage, CALLERS, "/api", TOKEN, shop()).await;
    for _ in 0..ROUNDS {
        load.change(&stage, "PATCH", &path, json!({ "expires_in": 60 }), Seen::refused()).await;
        load.change(&stage, "PATCH", &path, json!({ "expires_in": 0 }), shop()).await;
    }
    load.end().await;
    stage.clear().await;
}

async fn a_renamed_consumer_is_told_by_its_new_name_on_the_next_call(on: On) {
    let stage = Stage::set(on).await;
    stage.made("/oauth2_tokens", stage.import(TOKEN).await).await;
    let path = format!("/consumers/{}", stage.id("/consumers/shop").await);
    let load = Load::begin(&stage, CALLERS, "/api", TOKEN, shop()).await;
    for round in 0..2 * ROUNDS {
        let name = format!("shop-{round}");
        load.change(&stage, "PATCH", &path, json!({ "username": name }), Seen::passed("one", &name)).await;
    }
    load.end().await;
    stage.clear().await;
}

async fn plugins_routes_and_services_change_for_the_next_call(on: On) {
    let stage = Stage::set(on).await;
    stage.made("/oauth2_tokens", stage.import(TOKEN).await).await;
    let plugin = format!("/plugins/{}", stage.get("/services/one/plugins").await["data"][0]["id"].as_str().unwrap());
    let (one, two) = (stage.id("/services/one").await, stage.id("/services/two").await);
    let open = Seen::passed("one", "");
    let load = Load::begin(&stage, 16, "/api", TOKEN, shop()).await;
    // 20 rounds of 10 changes.
    for _ in 0..20 {
        for (method, path, body, state) in [
            ("PATCH", plugin.as_str(), json!({ "enabled": false }), open.clone()),
            ("PATCH", &plugin, json!({ "enabled": true }), shop()),
            ("PATCH", &plugin, json!({ "service": { "id": two } }), open.clone()),
            ("PATCH", &plugin, json!({ "service": { "id": one } }), shop()),
            ("PATCH", "/routes/api", json!({ "service": { "id": two } }), Seen::passed("two", "")),
            ("PATCH", "/routes/api", json!({ "service": { "id": one } }), shop()),
            ("PATCH", "/routes/api", json!({ "paths": ["/elsewhere"] }), Seen::missing()),
            ("PATCH", "/routes/api", json!({ "paths": ["/api"] }), shop()),
            ("DELETE", "/routes/api", Value::Null, Seen::missing()),
            ("POST", "/services/one/routes", json!({ "name": "api", "paths": ["/api"] }), shop()),
        ] {
            load.change(&stage, method, path, body, state).await;
        }
    }
    load.end().await;
    stage.clear().await;
}

async fn a_look_up_under_way_does_not_outlive_the_deletion_of_what_it_finds(on: On) {
    let stage = Stage::set(on).await;
    let body = stage.import(TOKEN).await;
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        callers.push(Caller::connect(stage.proxy()).await);
    }
    for round in 0..100 {
        let mut body = body.clone();
        body["access_token"] = json!(format!("cold-{round}"));
        let made = stage.made("/oauth2_tokens", body).await;
        let (token, id) = (made["access_token"].as_str().unwrap(), made["id"].as_str().unwrap());
        let first = futures_util::future::join_all(callers.iter_mut().map(|caller| caller.get("/api", token)));
        let path = format!("/oauth2_tokens/{id}");
        let ((), _) = tokio::join!(
            async {
                stage.change("DELETE", &path, Value::Null).await;
            },
            first
        );
        for caller in &mut callers {
            assert_eq!(caller.get("/api", token).await, Seen::refused(), "a fill overtook a revocation");
        }
    }
    stage.clear().await;
}

macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::On::Sqlite).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::On::Postgres).await;
            })+
        }
    };
}

on_both!(
    a_deleted_token_is_refused_and_an_imported_one_passes_on_the_next_call,
    tokens_of_a_deleted_credential_or_consumer_are_refused_on_the_next_call,
    a_token_whose_life_is_cut_is_refused_on_the_next_call,
    a_renamed_consumer_is_told_by_its_new_name_on_the_next_call,
    plugins_routes_and_services_change_for_the_next_call,
    a_look_up_under_way_does_not_outlive_the_deletion_of_what_it_finds,
);
