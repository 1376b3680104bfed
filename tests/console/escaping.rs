//! Script in every text that people may give comes back as letters.

use serde_json::json;

use crate::browser::{Browser, Desk};
use crate::html::{form_to, text};
use crate::stage::{HOSTILE, Stage, id};

/// That a page shows the text as letters, and nothing of it as markup. Gives how often.
#[track_caller]
fn is_escaped(page: &str, path: &str) -> usize {
    assert!(!page.contains("<script>alert") && !page.contains("\"'>-->"), "{path}: {page}");
    let scripts: Vec<_> = page.match_indices("<script").collect();
    assert_eq!(scripts.len(), 1, "{path}: only our own script");
    page.matches("alert(1)").count()
}

async fn shows(browser: &mut Browser<'_>, path: &str) {
    let page = browser.page(path).await;
    assert!(is_escaped(&page, path) > 0, "{path} does not show it: {}", text(&page));
}

#[tokio::test]
async fn texts_of_applications_and_contracts_are_escaped() {
    let stage = Stage::open().await;
    let desk = &stage.desk;
    let mut browser = desk.logged_in().await;
    let (_, plugins) = desk.api("/services/orders/plugins").await;
    let gate = plugins["data"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "application-registration");
    let gate = desk.gateway.admin(&format!("/plugins/{}", id(gate.unwrap())));
    let renamed = desk.client.patch(gate).json(&json!({ "config": { "display_name": HOSTILE } })).send().await.unwrap();
    assert_eq!(renamed.status(), 200);
    let meta = json!({ "full_name": HOSTILE, HOSTILE: "x" }).to_string();
    let eve = json!({ "email": "\"<script>alert(1)</script>\"@example.com", "meta": meta, "custom_id": HOSTILE });
    let sent = desk.client.post(desk.gateway.admin("/developers")).json(&eve).send().await.unwrap();
    assert_eq!(sent.status(), 400, "no such address is taken");
    let eve = json!({ "email": "eve@example.com", "status": 0, "meta": meta, "custom_id": HOSTILE });
    let eve = id(&desk.made("/developers", eve).await);
    desk.made("/developers/roles", json!({ "name": "role", "comment": HOSTILE })).await;
    let body = json!({ "name": HOSTILE, "redirect_uri": "https://a.example/<script>alert(1)</script>", "description": HOSTILE });
    let app = id(&desk.made(&format!("/developers/{eve}/applications"), body).await);
    let contract = json!({ "service": { "id": stage.service }, "scopes": ["<script>alert(1)</script>"] });
    let contract = id(&desk.made(&format!("/applications/{app}/application_instances"), contract).await);
    for path in ["/console/requests".to_owned(), format!("/console/services/{}", stage.service)] {
        shows(&mut browser, &path).await;
    }
    let page = browser.page("/console/requests").await;
    let approve = format!("/console/contracts/{contract}/approve");
    is_escaped(&browser.done(&form_to(&page, &approve).set("note", HOSTILE)).await, "after approval");
    let paths = [
        "/console/requests?status=approved".to_owned(),
        format!("/console/services/{}?status=approved", stage.service),
        "/console/applications".to_owned(),
        format!("/console/applications/{app}"),
        format!("/console/applications/{app}/delete"),
        format!("/console/developers/{eve}"),
        "/console/mails".to_owned(),
        "/console/entities/oauth2".to_owned(),
    ];
    for path in paths {
        shows(&mut browser, &path).await;
    }
    let page = browser.page("/console/requests?status=approved").await;
    assert!(text(&page).contains(HOSTILE), "the note is told letter by letter");
}

#[tokio::test]
async fn texts_of_the_configuration_are_escaped() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let party = id(&desk
        .made("/consumers", json!({ "username": HOSTILE, "custom_id": HOSTILE, "tags": ["<script>alert(1)"] }))
        .await);
    desk.made("/services", json!({ "name": "orders", "url": "http://a.example", "tags": ["<script>alert(1)"] })).await;
    let config = json!({ "display_name": HOSTILE, "description": HOSTILE });
    let body = json!({ "name": "application-registration", "config": config, "tags": ["<script>alert(1)"] });
    let plugin = id(&desk.made("/services/orders/plugins", body).await);
    let credential = json!({ "name": HOSTILE, "client_id": HOSTILE, "redirect_uris": ["https://a.example/?<script>alert(1)</script>"] });
    let credential = desk.made(&format!("/consumers/{party}/oauth2"), credential).await;
    desk.made(&format!("/consumers/{party}/jwt"), json!({ "key": HOSTILE })).await;
    let (_, service) = desk.api("/services/orders").await;
    let document = json!({ "path": HOSTILE, "contents": json!({ "openapi": "3", "info": { "title": HOSTILE, "description": HOSTILE } }).to_string() });
    desk.made("/services/orders/document_objects", document).await;
    let token = json!({ "credential": { "id": id(&credential) }, "expires_in": 60, "authenticated_userid": HOSTILE, "scope": HOSTILE });
    desk.made("/oauth2_tokens", token).await;
    let service = id(&service);
    let paths = [
        "/console/entities/consumers".to_owned(),
        format!("/console/entities/consumers/{party}"),
        format!("/console/entities/consumers/{party}/delete"),
        "/console/entities/oauth2".to_owned(),
        format!("/console/entities/oauth2/{}", id(&credential)),
        "/console/entities/jwts".to_owned(),
        format!("/console/entities/plugins/{plugin}"),
        format!("/console/entities/services/{service}"),
        "/console/services".to_owned(),
        format!("/console/services/{service}"),
        format!("/console/services/{service}/document"),
        format!("/console/services/{service}/document/edit"),
        "/console/tokens".to_owned(),
    ];
    for path in paths {
        shows(&mut browser, &path).await;
    }
}

#[tokio::test]
async fn what_a_query_or_a_form_says_is_escaped() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let hostile: String = form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    for query in [
        "entities/consumers?key=",
        "entities/consumers?tags=",
        "developers?email=",
        "applications?name=",
        "tokens?application=",
        "tokens?user=",
        "tokens?service=",
    ] {
        shows(&mut browser, &format!("/console/{query}{hostile}")).await;
    }
    for query in [
        "?done=",
        "requests?status=",
        "developers?status=",
        "applications?developer=",
        "mails?state=",
        "entities/plugins/new?plugin=",
    ] {
        let path = format!("/console/{query}{hostile}");
        assert_eq!(is_escaped(&browser.page(&path).await, &path), 0, "{path}: a word that is none is not shown");
    }
    for path in ["audit?offset=", "mails?offset=", "entities/services?offset="] {
        let seen = browser.get(&format!("/console/{path}{hostile}")).await;
        is_escaped(&seen.html, path);
        assert_eq!(seen.status, 400, "{path}");
    }
    let seen = browser.get(&format!("/console/{hostile}")).await;
    assert_eq!((seen.status, is_escaped(&seen.html, "a path")), (404, 0));
    let path = "/console/entities/routes/new";
    let mut form = form_to(&browser.page(path).await, path);
    for (name, value) in &mut form.fields {
        if !["csrf_token", "revision"].contains(&name.as_str()) {
            HOSTILE.clone_into(value);
        }
    }
    let seen = browser.send(&form).await;
    assert_eq!(seen.status, 400);
    assert!(is_escaped(&seen.html, path) > 10);
    let page = browser.page("/console/developers").await;
    let seen = browser.send(&form_to(&page, "/console/developers/invite").set("emails", HOSTILE)).await;
    assert!(is_escaped(&seen.html, "invite") > 0);
    let mut visitor = desk.browser();
    let seen = visitor.get(&format!("/console/login?next={hostile}&done={hostile}")).await;
    assert_eq!((seen.status, is_escaped(&seen.html, "login")), (200, 0));
}
