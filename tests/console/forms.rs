//! Forms made of schemas.

use serde_json::{Value, json};

use crate::browser::{Browser, Desk};
use crate::html::{Form, fault, form_to, text};
use crate::stage::{Stage, id};

#[tokio::test]
async fn a_service_is_made_changed_and_deleted() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let path = "/console/entities/services/new";
    let form = form_to(&browser.page(path).await, path);
    assert_eq!((form.get("protocol"), form.get("port"), form.get("retries")), ("http", "80", "5"));
    let seen = browser.send(&form.clone().set("port", "x").set("tags", "a\nb")).await;
    assert_eq!(seen.status, 400);
    assert_eq!(fault(&seen.html, "port").as_deref(), Some("expected an integer"));
    assert_eq!(fault(&seen.html, "host").as_deref(), Some("required field missing"));
    assert_eq!(form_to(&seen.html, path).get("tags"), "a\nb", "what was typed comes back");

    let form = form_to(&seen.html, path).set("port", "8080").set("host", "a.example").set("name", "orders");
    let page = browser.done(&form).await;
    assert!(text(&page).contains("It was created"), "{page}");
    let (_, service) = desk.api("/services/orders").await;
    assert_eq!((&service["port"], &service["tags"]), (&json!(8080), &json!(["a", "b"])));
    let own = format!("/console/entities/services/{}", service["id"].as_str().unwrap());
    let page = browser.done(&form_to(&page, &own).set("path", "/x").set("tags", "")).await;
    assert!(text(&page).contains("The changes were saved"));
    let (_, service) = desk.api("/services/orders").await;
    assert_eq!((&service["path"], &service["tags"]), (&json!("/x"), &Value::Null));

    let delete = format!("{own}/delete");
    let page = browser.page(&delete).await;
    let page = browser.done(&form_to(&page, &delete)).await;
    assert!(text(&page).contains("It was deleted."));
    assert_eq!(desk.api("/services/orders").await.0, 404);
    assert_eq!(browser.get(&own).await.status, 404);
}

const NEW_ROUTE: &str = "/console/entities/routes/new";

async fn new_form(browser: &mut Browser<'_>, path: &str) -> Form {
    let action = path.split('?').next().unwrap();
    form_to(&browser.page(path).await, action)
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_what_concerns_several_on_top() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let form = new_form(&mut browser, NEW_ROUTE).await;
    let seen = browser.send(&form.clone().set("name", "a b")).await;
    assert_eq!(seen.status, 400);
    assert!(fault(&seen.html, "name").unwrap().contains("invalid value 'a b'"), "{}", text(&seen.html));
    assert!(
        text(&seen.html).contains("must set one of 'methods', 'hosts', 'headers', 'paths'"),
        "{}",
        text(&seen.html)
    );

    let bad = form.set("paths", "/a\nb").set("headers", "{").set("service", "nobody").set("protocols", "http\nquic");
    let seen = browser.send(&bad).await;
    assert!(fault(&seen.html, "headers").unwrap().starts_with("is not JSON: "), "{}", text(&seen.html));
    let seen = browser.send(&form_to(&seen.html, NEW_ROUTE).set("headers", "{\"x y\": \"1\"}")).await;
    let told = fault(&seen.html, "service").unwrap();
    assert_eq!(told, "there is none of 'services' whose name is 'nobody'");
    let seen = browser.send(&form_to(&seen.html, NEW_ROUTE).set("service", "")).await;
    assert!(fault(&seen.html, "paths").unwrap().starts_with("element 2: should start with: /"));
    assert!(fault(&seen.html, "headers").unwrap().starts_with("x y: "), "{}", text(&seen.html));
    assert!(fault(&seen.html, "protocols").unwrap().starts_with("element 2: "));
    assert!(seen.html.contains("aria-invalid=\"true\" aria-describedby=\"paths-fault paths-hint\""), "{}", seen.html);
    assert_eq!(desk.api("/routes").await.1["data"], json!([]));
}

#[tokio::test]
async fn a_value_that_is_taken_and_a_reference_that_leads_nowhere_stand_at_their_fields() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    desk.made("/consumers", json!({ "username": "bob" })).await;
    let path = "/console/entities/consumers/new";
    let form = new_form(&mut browser, path).await;
    let seen = browser.send(&form.set("username", "bob").set("custom_id", "1")).await;
    assert_eq!((seen.status, fault(&seen.html, "username").as_deref()), (409, Some("is taken: another one has it")));
    assert_eq!(fault(&seen.html, "custom_id"), None);

    let form = new_form(&mut browser, "/console/entities/snis/new").await;
    let nobody = "0191c5a4-0000-7000-8000-000000000000";
    let seen = browser.send(&form.set("name", "a.example").set("certificate", nobody)).await;
    let told = fault(&seen.html, "certificate").unwrap();
    assert_eq!((seen.status, told.as_str()), (400, "does not reference an existing 'certificates' entity"));

    desk.made("/services", json!({ "name": "orders", "url": "http://a.example" })).await;
    desk.made("/services/orders/plugins", json!({ "name": "key-auth" })).await;
    let form = new_form(&mut browser, "/console/entities/plugins/new?plugin=key-auth").await;
    let seen = browser.send(&form.set("service", "orders")).await;
    assert_eq!(seen.status, 409);
    assert!(text(&seen.html).contains("another entity has the same consumer, name, route, service"));
}

#[tokio::test]
async fn a_plugin_is_chosen_first_and_its_own_fields_are_judged() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let service = desk.made("/services", json!({ "name": "orders", "url": "http://a.example" })).await;
    let path = "/console/entities/plugins/new";
    let page = browser.page(path).await;
    for plugin in ["application-registration", "jwt", "key-auth", "oauth2"] {
        assert!(page.contains(&format!("<option value=\"{plugin}\"")), "{plugin}");
    }
    let form = new_form(&mut browser, &format!("{path}?plugin=oauth2&service={}", id(&service))).await;
    assert_eq!((form.get("service"), form.get("config.token_expiration")), (id(&service).as_str(), "7200"));
    assert_eq!((form.get("config.scope_header_separator"), form.get("config.pkce")), (" ", "lax"));
    let seen =
        browser.send(&form.clone().set("config.token_expiration", "-1").set("config.mandatory_scope", "true")).await;
    assert_eq!(
        fault(&seen.html, "config.token_expiration").as_deref(),
        Some("value should be between 0 and 10000000000")
    );
    let seen = browser.send(&form.clone().set("config.token_expiration", "60")).await;
    assert!(text(&seen.html).contains("config: at least one of these fields must be true"), "{}", text(&seen.html));

    let seen = browser.send(&form.set("config.enable_client_credentials", "true").set("config.realm", "<b>")).await;
    assert_eq!(seen.status, 201);
    let (_, plugins) = desk.api("/services/orders/plugins").await;
    let key = plugins["data"][0]["config"]["provision_key"].as_str().unwrap();
    assert!(text(&seen.html).contains(&format!("Provision key {key}")), "what was made is shown once");
    let own = format!("/console/entities/plugins/{}", id(&plugins["data"][0]));
    let page = browser.page(&own).await;
    assert!(!page.contains(key) && !page.contains("<b>") && text(&page).contains("It is set and not shown"));
    assert_eq!(form_to(&page, &own).get("config.realm"), "<b>");

    browser.done(&form_to(&page, &own).set("config.provision_key", "mine").set("service", "orders")).await;
    let (_, plugins) = desk.api("/services/orders/plugins").await;
    assert_eq!(plugins["data"][0]["config"]["provision_key"], "mine");
    let seen = browser.get("/console/entities/plugins/new?plugin=nothing").await;
    assert!(seen.html.contains("Which plugin"), "an unknown plugin is asked for again");
}

#[tokio::test]
async fn secrets_are_shown_once_changed_when_typed_and_taken_away_when_asked() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    desk.made("/consumers", json!({ "username": "party" })).await;
    for (path, label) in [("key-auths", "Key"), ("jwts", "Secret"), ("oauth2", "Client secret")] {
        let new = format!("/console/entities/{path}/new");
        let mut form = new_form(&mut browser, &new).await.set("consumer", "party");
        if path == "oauth2" {
            form = form.set("name", "app");
        }
        let seen = browser.send(&form).await;
        assert_eq!(seen.status, 201, "{path}: {}", text(&seen.html));
        let (_, listed) = desk.api(&format!("/{path}")).await;
        let entity = &listed["data"][0];
        let secret = ["client_secret", "secret", "key"].iter().find_map(|name| entity[*name].as_str()).unwrap();
        assert!(text(&seen.html).contains(&format!("{label} {secret}")), "{path}: {}", text(&seen.html));
    }
    // A hashed secret is told in clear, for nobody can show it later.
    let form = new_form(&mut browser, "/console/entities/oauth2/new").await;
    let form = form.set("consumer", "party").set("name", "hashed").set("hash_secret", "true").set("client_id", "h");
    let seen = browser.send(&form).await;
    let (_, credential) = desk.api("/oauth2/h").await;
    assert!(credential["client_secret"].as_str().unwrap().starts_with("$argon2id$"), "{credential}");
    assert_eq!(
        seen.html
            .split_once("Client secret</h3>")
            .unwrap()
            .1
            .split("<code>")
            .nth(1)
            .unwrap()
            .split_once('<')
            .unwrap()
            .0
            .len(),
        32
    );

    let own = format!("/console/entities/oauth2/{}", id(&credential));
    let page = browser.page(&own).await;
    browser.done(&form_to(&page, &own).set("client_secret", "typed in")).await;
    let (_, changed) = desk.api("/oauth2/h").await;
    assert!(changed["client_secret"].as_str().unwrap().starts_with("$argon2id$"));
    assert_ne!(changed["client_secret"], credential["client_secret"]);
    let page = browser.page(&own).await;
    let seen = browser.send(&form_to(&page, &own).set("client_secret", "again").set("client_type", "secretive")).await;
    assert_eq!(seen.status, 400);
    assert!(!seen.html.contains("again\"") && fault(&seen.html, "client_secret").unwrap().contains("type it again"));
}

#[tokio::test]
async fn a_second_key_of_a_certificate_can_be_taken_away() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let pair = |name: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    };
    let ((cert, key), (cert_alt, key_alt)) = (pair("a.example"), pair("a.example"));
    let body = json!({ "cert": cert, "key": key, "cert_alt": cert_alt, "key_alt": key_alt, "snis": ["a.example"] });
    let made = desk.made("/certificates", body).await;
    let own = format!("/console/entities/certificates/{}", id(&made));
    let page = browser.page(&own).await;
    assert!(!page.contains("PRIVATE KEY"));
    browser.done(&form_to(&page, &own).set("cert_alt", "").tick("remove:key_alt")).await;
    let (_, after) = desk.api(&format!("/certificates/{}", id(&made))).await;
    assert_eq!((&after["cert_alt"], &after["key_alt"]), (&Value::Null, &Value::Null));
    assert_eq!((&after["cert"], &after["snis"]), (&made["cert"], &json!(["a.example"])));
    let page = browser.page("/console/entities/certificates").await;
    assert!(text(&page).contains("a.example"));
}

#[tokio::test]
async fn a_form_that_is_out_of_date_overwrites_nothing() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let service = desk.made("/services", json!({ "name": "orders", "url": "http://a.example" })).await;
    let own = format!("/console/entities/services/{}", id(&service));
    let form = form_to(&browser.page(&own).await, &own).set("retries", "1");
    let changed = desk.client.patch(desk.gateway.admin("/services/orders")).json(&json!({ "host": "b.example" }));
    assert_eq!(changed.send().await.unwrap().status(), 200);
    let seen = browser.send(&form).await;
    assert_eq!(seen.status, 409);
    assert!(text(&seen.html).contains("It was changed by somebody else"));
    assert_eq!(desk.api("/services/orders").await.1["retries"], 5);
    let form = form_to(&seen.html, &own);
    assert_eq!((form.get("host"), form.get("retries")), ("b.example", "5"));
    browser.done(&form.set("retries", "1")).await;
    assert_eq!(desk.api("/services/orders").await.1["retries"], 1);
}

#[tokio::test]
async fn what_is_referenced_stays_and_says_by_what() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let service = desk.made("/services", json!({ "name": "orders", "url": "http://a.example" })).await;
    desk.made("/services/orders/routes", json!({ "paths": ["/a"] })).await;
    let delete = format!("/console/entities/services/{}/delete", id(&service));
    let page = browser.page(&delete).await;
    let seen = browser.send(&form_to(&page, &delete)).await;
    assert_eq!(seen.status, 400);
    let wanted = "It stays: an existing 'routes' entity references this 'services' entity";
    assert!(text(&seen.html).contains(wanted), "{}", text(&seen.html));
    assert_eq!(desk.api("/services/orders").await.0, 200);
}

#[tokio::test]
async fn lists_are_narrowed_and_have_pages() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    for number in 0..60 {
        let tags = if number < 2 { json!(["first", "día"]) } else { json!(["later"]) };
        desk.made("/consumers", json!({ "username": format!("c{number:02}"), "tags": tags })).await;
    }
    let path = "/console/entities/consumers";
    let page = browser.page(path).await;
    assert!(page.contains(">c49<") && !page.contains(">c50<"));
    let next = page.split_once("href=\"/console/entities/consumers?offset=").unwrap().1.split_once('"').unwrap().0;
    let page = browser.page(&format!("{path}?offset={next}")).await;
    assert!(page.contains(">c50<") && page.contains("First page") && !page.contains("Next page"));
    let page = browser.page(&format!("{path}?tags=first,d%C3%ADa")).await;
    assert_eq!(page.matches("data-label=\"Name\"").count(), 2);
    let page = browser.page(&format!("{path}?key=c07")).await;
    assert!(page.contains(">c07<") && !page.contains(">c08<"));
    assert!(text(&browser.page(&format!("{path}?key=c7")).await).contains("Nothing found"));
    let page = browser.page(&format!("{path}?tags=a,b/c")).await;
    assert_eq!(fault(&page, "tags").as_deref(), Some("invalid filter syntax"));
    assert_eq!(browser.get(&format!("{path}?offset=wat")).await.status, 400);
    for unknown in ["/console/entities/wat", "/console/entities/services/x", "/console/entities/services/x/y/z"] {
        assert_eq!(browser.get(unknown).await.status, 404, "{unknown}");
    }
    // A list of keys cannot be asked for one by its value, which would stand in histories.
    assert!(!browser.page("/console/entities/key-auths").await.contains("name=\"key\""));
}

#[tokio::test]
async fn over_long_and_foreign_texts_are_kept_or_refused_whole() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let path = "/console/entities/consumers/new";
    let form = new_form(&mut browser, path).await;
    for name in ["Ünï cødé", "日本語", "🔑", "מפתח", "a\u{301}", " spaces "] {
        let page = browser.done(&form.clone().set("username", name)).await;
        assert!(page.contains("It was created"), "{name}");
        let (_, listed) = desk.api("/consumers?size=1000").await;
        assert!(listed["data"].as_array().unwrap().iter().any(|consumer| consumer["username"] == name), "{name}");
    }
    let seen = browser.send(&form.clone().set("username", &"x".repeat(1025))).await;
    assert_eq!(seen.status, 400);
    assert!(fault(&seen.html, "username").unwrap().contains("length must be at most 1024"));
    let seen = browser.send(&form.clone().set("username", "a\0b")).await;
    assert_eq!(fault(&seen.html, "username").as_deref(), Some("must not contain a null character"));
    let seen = browser.send(&form.set("tags", &"x".repeat(1024 * 1024))).await;
    assert_eq!(seen.status, 413);
    assert!(text(&seen.html).contains("What you sent is too long."));
}

#[tokio::test]
async fn consumers_of_applications_and_developers_are_not_edited_as_consumers() {
    let stage = Stage::open().await;
    let mut browser = stage.desk.logged_in().await;
    let page = browser.page("/console/entities/consumers").await;
    assert!(text(&page).contains("None yet"), "{}", text(&page));
    let (_, application) = stage.desk.api(&format!("/applications/{}", stage.application.id)).await;
    let hidden = application["consumer"]["id"].as_str().unwrap();
    let own = format!("/console/entities/consumers/{hidden}");
    assert_eq!(browser.get(&own).await.status, 404);
    let csrf = form_to(&page, "/console/logout").get("csrf_token").to_owned();
    for action in [own.clone(), format!("{own}/delete")] {
        let fields = vec![("csrf_token".to_owned(), csrf.clone()), ("username".to_owned(), "x".to_owned())];
        let seen = browser.send(&Form { action, fields, ..Form::default() }).await;
        assert_eq!(seen.status, 404);
    }
    assert_eq!(stage.desk.api(&format!("/applications/{}", stage.application.id)).await.0, 200);
}
