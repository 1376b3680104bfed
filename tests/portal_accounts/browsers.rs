//! What browsers are told, and what pages of other origins may not do (6.3, clause 11).

use serde_json::json;

use crate::house::{House, PASSWORD, wish};

const SPA: &str = "https://spa.example";

fn own(house: &House) -> String {
    house.gateway.url("portal", "")
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let house = House::open();
    house.has("ana@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    let own = own(&house);
    let port_besides = format!("{own}1");
    for origin in ["https://evil.example", "null", "", port_besides.as_str(), "http://127.0.0.1"] {
        for (method, path) in [
            ("POST", "/register"),
            ("DELETE", "/developer"),
            ("PATCH", "/developer/email"),
            ("PUT", "/developer/meta"),
            ("DELETE", "/auth"),
            ("GET", "/auth"),
            ("GET", "/api/auth"),
            ("POST", "/api/forgot-password"),
            ("POST", "/nothing"),
        ] {
            let ask = house.ask(method, path).cookie(&cookie).basic("ana@b.test", PASSWORD);
            let answer = ask.header("origin", origin).json(&wish("new@b.test")).send().await;
            let told = json!({ "message": "Cross-origin requests are not allowed" });
            assert_eq!((answer.status, &answer.body), (403, &told), "{origin} {method} {path}");
            assert!(answer.header("access-control-allow-origin").is_empty());
        }
    }
    for site in ["cross-site", "same-site"] {
        let answer = house.ask("DELETE", "/developer").cookie(&cookie).header("sec-fetch-site", site).send().await;
        assert_eq!(answer.status, 403, "{site}");
    }
    // Reading tells such a page nothing, for browsers keep the answer from it.
    let read = house.ask("GET", "/developer").cookie(&cookie).header("origin", "https://evil.example").send().await;
    assert_eq!(read.status, 200);
    assert!(read.header("access-control-allow-origin").is_empty());
}

#[tokio::test]
async fn our_own_pages_and_programs_write() {
    let house = House::open_with(&[("PORTAL_URL", "https://Portal.example:443/")]);
    house.has("ana@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    let body = json!({ "meta": { "full_name": "Ana" } });
    for origin in [own(&house).as_str(), "https://portal.example"] {
        let ask = house.ask("PATCH", "/developer/meta").cookie(&cookie).header("origin", origin);
        assert_eq!(ask.header("sec-fetch-site", "same-origin").json(&body).send().await.status, 200, "{origin}");
    }
    let ask = house.ask("PATCH", "/developer/meta").cookie(&cookie).header("sec-fetch-site", "none");
    assert_eq!(ask.json(&body).send().await.status, 200);
    assert_eq!(house.ask("PATCH", "/developer/meta").cookie(&cookie).json(&body).send().await.status, 200);
    let ask = house.ask("PATCH", "/developer/meta").cookie(&cookie).header("origin", "http://portal.example");
    assert_eq!(ask.json(&body).send().await.status, 403);
    let mail = house.mail("ana@b.test", "Confirm your e-mail address").await;
    assert!(mail.text.contains("https://Portal.example:443/account/verify?token="), "{mail:?}");
}

#[tokio::test]
async fn a_name_that_was_rebound_to_this_machine_is_not_answered() {
    let house = House::open();
    let ask = |path: &'static str, host: &'static str| house.ask("GET", path).header("host", host).send();
    for path in ["/config", "/mails", "/account/login"] {
        for host in ["evil.example:8003", "127.0.0.1.evil.example", "10.0.0.1:8003"] {
            assert_eq!(ask(path, host).await.status, 403, "{path} {host}");
        }
        for host in ["localhost:8003", "127.0.0.1", "[::1]:1"] {
            assert_eq!(ask(path, host).await.status, 200, "{path} {host}");
        }
    }
    // Behind a name of its own the portal answers to that too; where it shows no mails, to every name.
    let named = House::open_with(&[("PORTAL_URL", "https://portal.example/x")]);
    let asked = |host: &'static str| named.ask("GET", "/config").header("host", host).send();
    assert_eq!((asked("portal.example").await.status, asked("evil.example").await.status), (200, 403));
    let sending = House::open_with(&[("SMTP_URL", "smtp://127.0.0.1:1")]);
    assert_eq!(sending.ask("GET", "/config").header("host", "any.example").send().await.status, 200);
    assert_eq!(sending.ask("GET", "/mails").send().await.status, 404);
}

#[tokio::test]
async fn listed_origins_call_with_cookies_and_others_do_not() {
    let house = House::open_with(&[("PORTAL_CORS_ORIGINS", "https://SPA.example:443, http://localhost:3000")]);
    house.has("ana@b.test").await;
    let ask = house.ask("GET", "/auth").basic("ana@b.test", PASSWORD).header("sec-fetch-site", "cross-site");
    let answer = ask.header("origin", SPA).send().await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), SPA);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert_eq!(answer.header("vary"), "Origin");
    let refused = house.ask("GET", "/developer").header("origin", SPA).send().await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), SPA, "a page must be able to read why not");
    for origin in ["https://spa.example.evil.example", "http://spa.example", "https://spa.example:8443", "null"] {
        let answer = house.ask("POST", "/register").header("origin", origin).json(&wish("b@b.test")).send().await;
        assert_eq!(answer.status, 403, "{origin}");
        assert!(answer.header("access-control-allow-origin").is_empty(), "{origin}");
    }
}

#[tokio::test]
async fn preflights_are_answered_for_listed_origins_only() {
    let house = House::open_with(&[("PORTAL_CORS_ORIGINS", SPA)]);
    let preflight = |origin: &'static str| {
        let ask = house.ask("OPTIONS", "/developer/meta").header("origin", origin);
        ask.header("access-control-request-method", "PATCH").send()
    };
    let answer = preflight(SPA).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), SPA);
    assert!(answer.header("access-control-allow-methods").contains("PATCH"));
    assert!(answer.header("access-control-allow-headers").contains("apikey"));
    let answer = preflight("https://evil.example").await;
    assert_eq!(answer.status, 403);
    assert!(answer.header("access-control-allow-origin").is_empty());
    let none = House::open();
    let answer = none.ask("OPTIONS", "/developer").header("origin", SPA).send().await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn every_answer_is_nobodys_to_keep_frame_or_guess_at() {
    let house = House::open();
    house.has("ana@b.test").await;
    let cookie = house.session_of("ana@b.test").await;
    let answers = [
        house.get("/developer", &cookie).await,
        house.get("/developer", "").await,
        house.get("/api/nothing", "").await,
        house.ask("POST", "/session").send().await,
        house.ask("POST", "/register").raw("application/json", "{").send().await,
        house.ask("POST", "/register").header("origin", "null").send().await,
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 401, 404, 405, 400, 403]);
    for answer in answers {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        assert!(answer.header("server").starts_with("tollgate/") && answer.header("x-request-id").len() == 32);
        assert!(answer.body["message"].is_string() || answer.status == 200, "{answer:?}");
    }
}

#[tokio::test]
async fn methods_bodies_and_paths_that_are_none_are_told_as_such() {
    let house = House::open();
    let answer = house.ask("PUT", "/developer").send().await;
    assert_eq!((answer.status, answer.header("allow")), (405, "DELETE, GET, HEAD"));
    let answer = house.ask("HEAD", "/auth").basic("ana@b.test", PASSWORD).send().await;
    assert_eq!((answer.status, answer.header("allow")), (405, "DELETE, GET"), "logging in is no reading");
    let answer = house.ask("HEAD", "/config").send().await;
    assert_eq!((answer.status, answer.body), (200, json!(null)));
    for (kind, body, status) in [
        ("application/json", "[1]".to_owned(), 400),
        ("application/x-www-form-urlencoded", "email=%ff".to_owned(), 400),
        ("text/xml", "<a/>".to_owned(), 415),
        ("application/json", format!("{{\"email\":\"{}\"}}", "a".repeat(70_000)), 413),
        ("application/json", "{\"a\":".repeat(5000), 400),
    ] {
        let answer = house.ask("POST", "/forgot-password").raw(kind, body).send().await;
        assert_eq!(answer.status, status, "{kind}");
        assert!(answer.body["message"].is_string(), "{answer:?}");
    }
    for path in ["/api", "/api/nothing", "/api/api/config", "/api/developer/nothing"] {
        assert_eq!(house.get(path, "").await.told(), (404, json!({ "message": "Not found" })), "{path}");
    }
}

#[tokio::test]
async fn below_api_everything_stands_once_more() {
    let house = House::open();
    assert_eq!(house.post("/api/register", wish("ana@b.test")).await.status, 200);
    let token = house.mail("ana@b.test", "Confirm your e-mail address").await.token();
    assert_eq!(house.post("/api/verify-account", json!({ "token": token })).await.status, 200);
    let cookie = house.ask("GET", "/api/auth").basic("ana@b.test", PASSWORD).send().await.cookie();
    assert_eq!(house.get("/api/developer", &cookie).await.body, house.get("/developer", &cookie).await.body);
}

#[tokio::test]
async fn the_portal_speaks_tls_with_the_default_certificate_and_stops_in_order() {
    let mut house = House::open_with(&[("PORTAL_LISTEN_TLS", "127.0.0.1:0")]);
    let trusting = crate::support::trusting(&house.folder.join("data/tls/cert.pem"));
    let answer = trusting.get(house.gateway.url("portal_tls", "/config")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    // Where both listen, links in mails lead to the one that is encrypted.
    house.register("ana@b.test").await;
    let mail = house.mail("ana@b.test", "Confirm your e-mail address").await;
    assert!(mail.text.contains(&house.gateway.url("portal_tls", "/account/verify?token=")), "{mail:?}");
    assert_eq!(house.gateway.stop(), Some(0));
}

#[tokio::test]
async fn a_portal_that_is_not_enabled_does_not_listen() {
    let house = House::open_with(&[("PORTAL_ENABLED", "false")]);
    assert!(!house.gateway.addresses.contains_key("portal"));
    assert_eq!(house.admin("GET", "/developers", json!({})).await.status, 200);
}
