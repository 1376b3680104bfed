//! The essential flows on both databases, and a database that goes away.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::databases::{Postgres, on_sqlite};
use crate::desk::{Desk, header, id, read};

/// Runs a flow on SQLite and on PostgreSQL, each as a test.
macro_rules! on_both {
    ($($flow:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $flow() {
                super::$flow(&super::on_sqlite().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $flow() {
                let database = super::Postgres::new().await;
                let desk = database.desk().await;
                super::$flow(&desk).await;
                drop(desk);
                database.clear().await;
            })+
        }
    };
}

on_both!(
    a_service_is_made_replaced_changed_and_deleted,
    an_application_gets_a_token_that_ends_with_it,
    references_uniqueness_and_deletion_are_guarded,
    lists_page_count_and_filter,
    a_certificate_keeps_its_names,
    writes_are_in_the_audit_log,
);

async fn a_service_is_made_replaced_changed_and_deleted(desk: &Desk) {
    let made = desk.made("/services", json!({ "name": "día", "url": "https://a.com/x", "tags": ["t"] })).await;
    assert_eq!(desk.get("/services/d%C3%ADa").await, (200, made.clone()));
    let (status, put) = desk.put("/services/d%C3%ADa", json!({ "host": "b.com" })).await;
    assert_eq!((status, &put["id"], &put["port"]), (200, &made["id"], &json!(80)));
    let (status, patched) = desk.patch("/services/d%C3%ADa", json!({ "tags": ["x"], "retries": 0 })).await;
    assert_eq!((status, &patched["tags"], &patched["host"]), (200, &json!(["x"]), &json!("b.com")));
    for status in [204, 204] {
        assert_eq!(desk.delete("/services/d%C3%ADa").await.0, status);
    }
}

async fn an_application_gets_a_token_that_ends_with_it(desk: &Desk) {
    desk.made("/consumers", json!({ "username": "bob" })).await;
    let body = json!({ "name": "a", "client_id": "c", "client_secret": "s", "redirect_uris": ["http://a.com"] });
    let application = desk.made("/consumers/bob/oauth2", body).await;
    assert_eq!(desk.get("/oauth2?client_id=c").await.1["data"], json!([application]));
    let body = json!({ "credential": { "id": id(&application) }, "expires_in": 3600, "access_token": "mine",
                       "refresh_token": "again" });
    let token = desk.made("/oauth2_tokens", body).await;
    assert_eq!(desk.get("/oauth2_tokens/mine").await, (200, token.clone()));
    assert_eq!(desk.get("/oauth2_tokens?refresh_token=again").await.1["data"], json!([token]));
    assert_eq!(desk.delete("/consumers/bob").await.0, 204);
    assert_eq!((desk.get("/oauth2/c").await.0, desk.get("/oauth2_tokens/mine").await.0), (404, 404));
}

async fn references_uniqueness_and_deletion_are_guarded(desk: &Desk) {
    desk.made("/services", json!({ "name": "s", "host": "a.com" })).await;
    desk.made("/services/s/routes", json!({ "name": "r", "paths": ["/"] })).await;
    let (status, refusal) = desk.delete("/services/s").await;
    assert_eq!((status, &refusal["fields"]), (400, &json!({ "@referenced_by": "routes" })));
    let nobody = json!({ "id": crate::desk::NOBODY });
    let (status, refusal) = desk.post("/routes", json!({ "paths": ["/"], "service": nobody })).await;
    assert_eq!((status, &refusal["code"], &refusal["fields"]["service"]), (400, &json!(4), &nobody));
    let (status, refusal) = desk.post("/services", json!({ "name": "s", "host": "b.com" })).await;
    assert_eq!((status, &refusal["code"], &refusal["fields"]), (409, &json!(5), &json!({ "name": "s" })));
    let plugin = json!({ "name": "oauth2", "config": { "enable_client_credentials": true } });
    desk.made("/services/s/plugins", plugin.clone()).await;
    assert_eq!(desk.post("/services/s/plugins", plugin).await.0, 409);
}

async fn lists_page_count_and_filter(desk: &Desk) {
    for nth in 0..25 {
        let tags = if nth % 2 == 0 { json!(["even", "all"]) } else { json!(["odd", "all"]) };
        desk.made("/consumers", json!({ "username": format!("u{nth:02}"), "tags": tags })).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/consumers?size=5&tags=even,all".to_owned());
    loop {
        let (_, page) = desk.get(&path).await;
        assert_eq!(page["total"], 13);
        seen.extend(page["data"].as_array().unwrap().iter().map(|consumer| consumer["username"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = next.to_owned();
    }
    let wanted: Vec<Value> = (0..25).step_by(2).map(|nth| json!(format!("u{nth:02}"))).collect();
    assert_eq!(seen, wanted, "in the order they were made");
    assert_eq!(desk.get("/consumers?tags=odd/even").await.1["total"], 25);
    assert_eq!(desk.get("/consumers?username=u07").await.1["total"], 1);
    assert_eq!(desk.get("/tags/odd").await.1["data"].as_array().unwrap().len(), 12);
}

async fn a_certificate_keeps_its_names(desk: &Desk) {
    let (cert, key) = crate::certificates::leaf("a.com");
    let body = json!({ "cert": cert, "key": key, "snis": ["a.com", "b.com"] });
    let made = desk.made("/certificates", body).await;
    let path = format!("/certificates/{}", id(&made));
    assert_eq!(desk.get(&path).await, (200, made.clone()), "the key is sealed and opened again");
    let (_, patched) = desk.patch(&path, json!({ "snis": ["b.com", "c.com"] })).await;
    assert_eq!(patched["snis"], json!(["b.com", "c.com"]));
    assert_eq!(desk.get("/snis/a.com").await.0, 404);
}

async fn writes_are_in_the_audit_log(desk: &Desk) {
    desk.made("/consumers", json!({ "username": "bob" })).await;
    assert_eq!(desk.delete("/consumers/bob").await.0, 204);
    let (_, page) = desk.get("/audit/requests").await;
    let methods: Vec<&Value> = page["data"].as_array().unwrap().iter().map(|record| &record["method"]).collect();
    assert_eq!(methods, ["DELETE", "POST"], "newest first");
}

/// Asks until the answer has this status.
async fn until(desk: &Desk, path: &str, wanted: u16) -> Duration {
    let begun = Instant::now();
    while desk.get(path).await.0 != wanted {
        assert!(begun.elapsed() < Duration::from_secs(20), "{path} is never {wanted}:\n{}", desk.gateway.log_text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_away_every_need_of_it_is_503_and_afterwards_all_works_again() {
    let mut database = Postgres::new().await;
    let desk = database.desk().await;
    desk.made("/services", json!({ "name": "s", "url": "http://127.0.0.1:1", "retries": 0 })).await;
    desk.made("/services/s/routes", json!({ "paths": ["/r"] })).await;
    for round in 0..2 {
        database.relay.cut().await;
        for (method, path, body) in [
            ("GET", "/services", ""),
            ("GET", "/services/s", ""),
            ("POST", "/consumers", r#"{"username":"bob"}"#),
            ("PUT", "/services/s", r#"{"host":"a.com"}"#),
            ("DELETE", "/services/s", ""),
            ("GET", "/tags", ""),
            ("GET", "/audit/requests", ""),
        ] {
            let request = desk.client.request(method.parse().unwrap(), desk.gateway.admin(path)).body(body);
            let refused = request.header("content-type", "application/json").send().await.unwrap();
            assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (503, "1".to_owned()), "{path}");
            assert_eq!(read(refused).await.1, json!({ "message": "Service unavailable, try again later" }));
        }
        assert_eq!(desk.get("/status/ready").await, (503, json!({ "message": "database is not reachable" })));
        let probe = desk.client.get(desk.gateway.url("status", "/status/ready")).send().await.unwrap();
        assert_eq!((probe.status().as_u16(), header(&probe, "retry-after")), (503, "1".to_owned()));
        assert_eq!(desk.get("/status").await.1["database"], json!({ "reachable": false }));
        assert_eq!(desk.get("/").await.0, 200, "what the node knows of itself is told");
        let call = desk.client.get(desk.gateway.url("proxy", "/r")).send().await.unwrap();
        assert_eq!(call.status(), 502, "routes are still known: the upstream is what fails");
        database.relay.mend().await;
        let waited = until(&desk, "/services", 200).await;
        assert!(waited < Duration::from_secs(5), "came back after {waited:?} only");
        assert_eq!(desk.get("/status/ready").await.0, 200);
        desk.made("/consumers", json!({ "username": format!("after{round}") })).await;
    }
    drop(desk);
    database.clear().await;
}
