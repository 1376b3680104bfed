//! Who may not, and what does not read.

use serde_json::{Value, json};

use crate::stage::{Answer, CALLBACK, NOBODY, Stage, below, id};

/// Every path and verb of the application half, for this application and what hangs on it.
fn every(application: &str, contract: &str, credential: &str, secret: &str) -> Vec<(&'static str, String, Value)> {
    let one = format!("/applications/{application}");
    let (contracts, credentials) = (format!("{one}/application_instances"), format!("{one}/credentials"));
    let none = Value::Null;
    vec![
        ("GET", one.clone(), none.clone()),
        ("HEAD", one.clone(), none.clone()),
        ("PATCH", one.clone(), json!({ "name": "mine" })),
        ("GET", contracts.clone(), none.clone()),
        ("POST", contracts.clone(), json!({ "service": { "id": NOBODY } })),
        ("GET", format!("{contracts}/{contract}"), none.clone()),
        ("DELETE", format!("{contracts}/{contract}"), none.clone()),
        ("GET", credentials.clone(), none.clone()),
        ("POST", credentials.clone(), json!({})),
        ("GET", format!("{credentials}/{credential}"), none.clone()),
        ("POST", format!("{credentials}/{credential}/regenerate-secret"), json!({})),
        ("GET", format!("{credentials}/{credential}/secrets"), none.clone()),
        ("POST", format!("{credentials}/{credential}/secrets"), json!({})),
        ("DELETE", format!("{credentials}/{credential}/secrets/{secret}"), none.clone()),
        ("DELETE", format!("{credentials}/{credential}"), none.clone()),
        ("GET", format!("{one}/analytics"), none.clone()),
        ("DELETE", one, none),
    ]
}

#[tokio::test]
async fn what_is_anothers_is_nothing() {
    let stage = Stage::open();
    let (ana, eve) = (stage.developer("ana@b.test").await, stage.developer("eve@b.test").await);
    let service = stage.offered("orders", true).await;
    let (shop, own) = (ana.application("Shop").await, eve.application("Own").await);
    let contract = ana.contract(&shop, &service).await;
    let mine = eve.contract(&own, &service).await;
    let credential = id(&shop["credential"]);
    let before = stage.admin("GET", &below(&shop, "credentials/oauth2"), Value::Null).await.is(200);
    let paths = every(&id(&shop), &id(&contract), &credential, &credential);
    for prefix in ["", "/api"] {
        for (method, path, body) in &paths {
            let request = eve.request(method, &format!("{prefix}{path}"));
            let answer = eve.sent(if body.is_null() { request } else { request.json(body) }).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
            assert!(
                *method == "HEAD" || answer.body == json!({ "message": "Not found" }),
                "{method} {path}: {answer:?}"
            );
        }
    }
    // Below an application of her own, what is another's is nothing either.
    for (method, path, body) in every(&id(&own), &id(&contract), &credential, &credential) {
        let about_own = !path.contains(&id(&contract)) && !path.contains(&credential);
        if !about_own {
            let request = eve.request(method, &path);
            eve.sent(if body.is_null() { request } else { request.json(&body) }).await.must_be_nothing();
        }
    }
    let secret = format!("{}/{}/secrets/{credential}", below(&own, "credentials"), id(&own["credential"]));
    eve.delete(&secret).await.must_be_nothing();
    let list = eve.get(&format!("/applications?developer.id={}&include_instances=true", ana.id)).await.is(200);
    assert_eq!((&list["total"], &list["data"][0]["id"]), (&json!(1), &own["id"]));
    assert_eq!(list["data"][0]["application_instances"][0]["id"], mine["id"]);
    assert_eq!(eve.total(&format!("/applications?id={}", id(&shop))).await, 0);
    assert_eq!(stage.admin("GET", &below(&shop, "credentials/oauth2"), Value::Null).await.is(200), before);
    assert_eq!(stage.call("orders", &stage.access("orders", &shop["credential"]).await).await, 200);
}

#[tokio::test]
async fn who_is_not_logged_in_is_told_so_whatever_they_ask() {
    let stage = Stage::open();
    let mut paths = every(NOBODY, NOBODY, NOBODY, NOBODY);
    for path in ["/applications", "/application_services"] {
        paths.push(("GET", path.to_owned(), Value::Null));
    }
    paths.push(("POST", "/applications".to_owned(), json!({ "name": "x", "redirect_uri": CALLBACK })));
    for (method, path, body) in paths {
        for cookie in ["", "portal_session=wat"] {
            let url = stage.gateway.url("portal", &path);
            let request = stage.http.request(method.parse().unwrap(), url).header("cookie", cookie);
            let answer = Answer::of(if body.is_null() { request } else { request.json(&body) }).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert!(answer.headers.contains_key("www-authenticate"), "{method} {path}");
            assert!(method == "HEAD" || answer.body == json!({ "message": "Unauthorized" }), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let shop = ana.application("Shop").await;
    let credential = id(&shop["credential"]);
    let mut paths = every(&id(&shop), NOBODY, &credential, &credential);
    paths.push(("POST", "/applications".to_owned(), json!({ "name": "x", "redirect_uri": CALLBACK })));
    for (method, path, body) in paths.into_iter().filter(|(method, ..)| !matches!(*method, "GET" | "HEAD")) {
        for (header, value) in [("origin", "https://evil.test"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            let refused = ana.sent(ana.request(method, &path).header(header, value).json(&body)).await.is(403);
            assert_eq!(refused, json!({ "message": "Cross-origin requests are not allowed" }), "{method} {path}");
        }
    }
    let own = stage.gateway.url("portal", "");
    let body = json!({ "description": "d" });
    let request = ana.request("PATCH", &format!("/applications/{}", id(&shop))).header("origin", own).json(&body);
    ana.sent(request).await.is(200);
    assert_eq!((ana.total("/applications").await, ana.total(&below(&shop, "credentials")).await), (json!(1), json!(1)));
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let one = format!("/applications/{}", id(&ana.application("Shop").await));
    for (path, allowed) in [
        ("/applications".to_owned(), "GET, HEAD, POST"),
        (one.clone(), "DELETE, GET, HEAD, PATCH"),
        ("/application_services".to_owned(), "GET, HEAD"),
        (format!("{one}/application_instances"), "GET, HEAD, POST"),
        (format!("{one}/application_instances/{NOBODY}"), "DELETE, GET, HEAD"),
        (format!("{one}/credentials"), "GET, HEAD, POST"),
        (format!("{one}/credentials/{NOBODY}"), "DELETE, GET, HEAD"),
        (format!("{one}/credentials/{NOBODY}/regenerate-secret"), "POST"),
        (format!("{one}/credentials/{NOBODY}/secrets"), "GET, HEAD, POST"),
        (format!("{one}/credentials/{NOBODY}/secrets/{NOBODY}"), "DELETE"),
        (format!("{one}/analytics"), "GET, HEAD"),
    ] {
        for method in ["GET", "POST", "PATCH", "DELETE", "PUT", "WAT"] {
            if allowed.split(", ").all(|known| known != method) {
                let answer = ana.sent(ana.request(method, &path)).await;
                assert_eq!(answer.headers["allow"], allowed, "{method} {path}");
                assert_eq!(answer.is(405), json!({ "message": "Method not allowed" }), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn odd_texts_are_kept_as_they_are_or_refused() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let odd = ["顧客管理", "<script>alert(1)</script>", "'; DROP TABLE applications; --", "a\"b\\c{{7*7}}", "🦀 مرحبا"];
    for text in odd {
        let body = json!({ "name": text, "description": text, "redirect_uri": CALLBACK });
        let made = ana.post("/applications", body).await.is(201);
        let told = ana.get(&format!("/applications/{}", id(&made))).await;
        assert_eq!(told.headers["content-type"], "application/json; charset=utf-8");
        assert_eq!((&told.body["name"], &told.body["description"]), (&json!(text), &json!(text)));
        let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        assert_eq!(ana.total(&format!("/applications?name={query}")).await, 1, "{text}");
        let form = format!("name={query}-2&redirect_uri={CALLBACK}");
        assert_eq!(ana.form("POST", "/applications", &form).await.is(201)["name"], format!("{text}-2"));
    }
    for name in ["a\0b", "a\r\nX-Evil: 1", " ", "\u{7}", &"x".repeat(1025)] {
        let body = json!({ "name": name, "redirect_uri": CALLBACK });
        assert!(ana.post("/applications", body).await.faults()["name"].is_string(), "{name:?}");
    }
    let long = "x".repeat(5000);
    for (field, value) in [
        ("description", json!("a\0b")),
        ("description", json!(long)),
        ("redirect_uri", json!("javascript:alert(1)#x")),
        ("redirect_uri", json!("https://a.test/\r\nX: 1")),
        ("redirect_uri", json!("https://a.test/\0")),
        ("redirect_uri", json!(format!("https://a.test/{long}"))),
        ("redirect_uri", json!(["https://a.test/", "https://b.test/"])),
        ("name", json!({ "a": 1 })),
    ] {
        let mut body = json!({ "name": "n", "redirect_uri": CALLBACK });
        body[field] = value;
        assert!(!ana.post("/applications", body).await.faults()[field].is_null(), "{field}");
    }
    for (kind, body, status) in [
        ("application/json", "[1]".to_owned(), 400),
        ("application/json", "{\"a\":".repeat(5000), 400),
        ("application/x-www-form-urlencoded", "name=%ff".to_owned(), 400),
        ("text/xml", "<a/>".to_owned(), 415),
        ("application/json", format!("{{\"name\":\"{}\"}}", "a".repeat(70_000)), 413),
    ] {
        let request = ana.request("POST", "/applications").header("content-type", kind).body(body);
        assert!(ana.sent(request).await.is(status)["message"].is_string(), "{kind}");
    }
    assert_eq!(ana.total("/applications").await, 2 * odd.len());
    assert_eq!(ana.total("/applications?name=a%00b").await, 0);
}

#[tokio::test]
async fn odd_paths_and_questions_are_nothing_or_refused() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let one = format!("/applications/{}", id(&ana.application("Shop").await));
    let long = "x".repeat(2000);
    for odd in ["wat", "%00", "%0d%0a", "..%2f..", "%ff", "null", long.as_str(), &NOBODY.replace('-', "")] {
        ana.get(&format!("/applications/{odd}")).await.must_be_nothing();
        for rest in ["application_instances", "credentials"] {
            ana.get(&format!("{one}/{rest}/{odd}")).await.must_be_nothing();
            ana.delete(&format!("{one}/{rest}/{odd}")).await.must_be_nothing();
        }
    }
    let offset = ana.get(&format!("/applications?offset={long}")).await.is(400);
    assert!(offset["message"].is_string(), "{offset}");
    assert_eq!(ana.get("/applications?size=99999999999999999999").await.is(400)["code"], 9);
    let many = "name=x&".repeat(500);
    assert_eq!(ana.total(&format!("/applications?{many}")).await, 0);
}
