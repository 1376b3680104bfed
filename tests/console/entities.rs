//! Every entity: what a form shows reads back as the entity.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::browser::{Browser, Desk};
use crate::html::{Form, form_to, text};
use crate::stage::{HOSTILE, id};

/// A self-signed certificate that may sign, and its key.
fn certificate(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

struct Entity {
    path: &'static str,
    body: Value,
    /// What a copy must say otherwise, and secrets that a form does not show.
    other: Vec<(&'static str, String)>,
    /// Fields in which a copy is another one.
    apart: &'static [&'static str],
}

fn entity(
    path: &'static str,
    body: Value,
    other: Vec<(&'static str, String)>,
    apart: &'static [&'static str],
) -> Entity {
    Entity { path, body, other, apart }
}

fn text_of(text: &str) -> String {
    text.to_owned()
}

/// Entities with as many fields set as go together, among them texts that are hard to write into a page.
async fn world(desk: &Desk) -> Vec<Entity> {
    let (cert, key) = certificate("a.example");
    let (second, second_key) = certificate("b.example");
    let shown = desk.made("/certificates", json!({ "cert": cert, "key": key })).await;
    let trusted = desk.made("/ca_certificates", json!({ "cert": cert })).await;
    let base = desk.made("/services", json!({ "name": "base", "url": "http://base.example" })).await;
    let party = desk.made("/consumers", json!({ "username": "party" })).await;
    let tags = json!(["a tag", "día", "<b>", "\"q'"]);
    let service = json!({
        "name": "orders.v1_~-1", "retries": 0, "protocol": "https", "host": "up.example", "port": 8443,
        "path": "/base/d%C3%ADa", "connect_timeout": 1, "write_timeout": 2, "read_timeout": 3,
        "client_certificate": { "id": id(&shown) }, "tls_verify": false, "tls_verify_depth": 0,
        "ca_certificates": [id(&trusted)], "enabled": false, "tags": tags,
    });
    let route = json!({
        "name": "día", "protocols": ["https"], "methods": ["GET", "PURGE"], "hosts": ["*.example.com", "b.example:8080"],
        "paths": ["/a%3Cb%3E", "~/x/(\\d+)$"], "headers": { "x-a": ["<b>", "2"], "x-b": ["~*^\"v"] }, "snis": ["s.example"],
        "https_redirect_status_code": 301, "regex_priority": -5, "strip_path": false, "path_handling": "v1",
        "preserve_host": true, "request_buffering": false, "response_buffering": false,
        "service": { "id": id(&base) }, "tags": tags,
    });
    let oauth2 = json!({
        "name": "oauth2", "instance_name": "first", "service": { "id": id(&base) }, "protocols": ["https"], "enabled": false,
        "tags": tags,
        "config": {
            "scopes": ["a", "b c", "<c>"], "mandatory_scope": true, "token_expiration": 0.5, "enable_authorization_code": true,
            "hide_credentials": true, "anonymous": "party", "global_credentials": true, "auth_header_name": "x-auth",
            "refresh_token_ttl": 0, "pkce": "strict", "realm": HOSTILE, "scope_header_separator": " ", "refresh_grace": 7,
        },
    });
    let keys = json!({
        "name": "key-auth", "instance_name": "keys", "service": { "id": id(&base) },
        "config": { "key_names": ["x-key", "k"], "key_in_body": true, "realm": "día" },
    });
    let jwt = json!({
        "name": "jwt", "instance_name": "webtokens", "service": { "id": id(&base) },
        "config": { "claims_to_verify": ["exp"], "maximum_expiration": 60, "cookie_names": [], "header_names": ["a", "b"] },
    });
    let registration = json!({
        "name": "application-registration", "instance_name": "gate", "service": { "id": id(&base) },
        "config": { "display_name": HOSTILE, "description": "line one\nline <b>two</b>\n", "auto_approve": true },
    });
    let credential = json!({
        "consumer": { "id": id(&party) }, "name": HOSTILE, "client_id": "the app", "client_type": "public",
        "redirect_uris": ["https://a.example/cb?x=1&y=<b>", "http://localhost/"], "tags": tags,
    });
    let web = json!({ "consumer": { "id": id(&party) }, "key": "issuer <b>", "algorithm": "HS512", "tags": tags });
    let snis = json!({ "cert": second, "key": second_key, "snis": ["z.example", "*.y.example"], "tags": tags });
    let (third, _) = certificate("c.example");
    let name = |name: &str| vec![("instance_name", text_of(name))];
    vec![
        entity("services", service, vec![("name", text_of("copied"))], &["name"]),
        entity("routes", route, vec![("name", text_of("copy"))], &["name"]),
        entity("plugins", oauth2, copy_of_plugin("second"), &["instance_name", "service", "config.provision_key"]),
        entity("plugins", keys, copy_of_plugin("other-keys"), &["instance_name", "service"]),
        entity("plugins", jwt, copy_of_plugin("other-webtokens"), &["instance_name", "service"]),
        entity(
            "plugins",
            registration,
            [copy_of_plugin("other-gate"), vec![("config.display_name", text_of("Other"))]].concat(),
            &["instance_name", "service", "config.display_name", "config.provision_key"],
        ),
        entity(
            "consumers",
            json!({ "username": HOSTILE, "custom_id": "日本", "tags": tags }),
            vec![("username", text_of("c")), ("custom_id", text_of("d"))],
            &["username", "custom_id"],
        ),
        entity("oauth2", credential, vec![("client_id", text_of("copy"))], &["client_id", "client_secret"]),
        entity(
            "key-auths",
            json!({ "consumer": { "id": id(&party) }, "key": "hunter2", "tags": tags }),
            vec![],
            &["key"],
        ),
        entity("jwts", web, vec![("key", text_of("copy"))], &["key", "secret"]),
        entity("certificates", snis, vec![("key", text_of("")), ("snis", text_of("w.example"))], &["key", "snis"]),
        entity(
            "ca_certificates",
            json!({ "cert": second, "tags": tags }),
            vec![("cert", third)],
            &["cert", "cert_digest"],
        ),
        entity(
            "snis",
            json!({ "name": "n.example", "certificate": { "id": id(&shown) }, "tags": tags }),
            [name("x"), vec![("name", text_of("m.example"))]].concat(),
            &["name"],
        ),
    ]
}

/// A plugin of the same kind must stand somewhere else.
fn copy_of_plugin(name: &str) -> Vec<(&'static str, String)> {
    vec![("instance_name", text_of(name)), ("service", text_of("copy"))]
}

/// An entity without what the gateway says of it.
fn own_fields(mut entity: Value, apart: &[&str]) -> Value {
    let whole = entity.as_object_mut().unwrap();
    for name in ["id", "created_at", "updated_at", "ttl"] {
        whole.remove(name);
    }
    for name in apart {
        match name.split_once('.') {
            Some((above, name)) => entity[above].as_object_mut().unwrap().remove(name),
            None => entity.as_object_mut().unwrap().remove(*name),
        };
    }
    entity
}

fn own_path(path: &str, entity: &Value) -> String {
    format!("/console/entities/{path}/{}", id(entity))
}

/// The form of a new entity, filled with everything that the form of another one shows.
async fn copy(browser: &mut Browser<'_>, entity: &Entity, shown: &Form, secret: Option<(&str, &str)>) -> Form {
    let path = format!("/console/entities/{}/new", entity.path);
    let asked = match entity.body["name"].as_str().filter(|_| entity.path == "plugins") {
        Some(plugin) => format!("{path}?plugin={plugin}"),
        None => path.clone(),
    };
    let mut form = form_to(&browser.page(&asked).await, &path);
    for (name, value) in &mut form.fields {
        let from = shown
            .fields
            .iter()
            .find(|(known, _)| known == name && !["csrf_token", "revision"].contains(&name.as_str()));
        if let Some((_, text)) = from {
            value.clone_from(text);
        }
        if let Some((_, text)) = entity.other.iter().find(|(known, _)| known == name) {
            value.clone_from(text);
        }
        if let Some((_, text)) = secret.filter(|(known, _)| known == name) {
            *value = text.to_owned();
        }
    }
    form
}

#[tokio::test]
async fn every_form_shows_its_entity_and_reads_it_back() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let world = world(&desk).await;
    desk.made("/services", json!({ "name": "copy", "url": "http://copy.example" })).await;
    for entity in world {
        let path = match entity.path {
            "oauth2" | "key-auths" | "jwts" => format!("/{}", entity.path),
            path => format!("/{path}"),
        };
        let made = match entity.path {
            "key-auths" => desk.made("/consumers/party/key-auth", entity.body.clone()).await,
            "jwts" => desk.made("/consumers/party/jwt", entity.body.clone()).await,
            _ => desk.made(&path, entity.body.clone()).await,
        };
        let api = format!("{path}/{}", id(&made));
        let (_, before) = desk.api(&api).await;
        let own = own_path(entity.path, &made);
        let shown = form_to(&browser.page(&own).await, &own);
        let page = browser.done(&shown).await;
        assert!(text(&page).contains("Nothing was changed."), "{own}: {}", text(&page));
        assert_eq!(own_fields(desk.api(&api).await.1, &[]), own_fields(before.clone(), &[]), "{own}");

        let (cert, key) = (entity.body["cert"].as_str(), entity.body["key"].as_str());
        let secret = cert.zip(key).filter(|_| entity.path == "certificates").map(|(_, key)| ("key", key));
        let form = copy(&mut browser, &entity, &shown, secret).await;
        let seen = browser.send(&form).await;
        assert!(matches!(seen.status, 201 | 303), "{}: {} {}", entity.path, seen.status, text(&seen.html));
        let (_, all) = desk.api(&format!("{path}?size=1000")).await;
        let copies = all["data"].as_array().unwrap();
        let copy = copies.iter().find(|other| {
            let same = own_fields((*other).clone(), entity.apart) == own_fields(before.clone(), entity.apart);
            same && id(other) != id(&before)
        });
        let newest = copies.last().unwrap();
        assert!(copy.is_some(), "{}:\n{before}\nis not\n{newest}", entity.path);
    }
}

#[tokio::test]
async fn a_text_that_was_changed_changes_nothing_else() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    for entity in
        world(&desk).await.into_iter().filter(|entity| ["services", "routes", "plugins"].contains(&entity.path))
    {
        let made = desk.made(&format!("/{}", entity.path), entity.body.clone()).await;
        let own = own_path(entity.path, &made);
        let form = form_to(&browser.page(&own).await, &own);
        browser.done(&form.set("tags", "one\ntwo")).await;
        let (_, after) = desk.api(&format!("/{}/{}", entity.path, id(&made))).await;
        assert_eq!(after["tags"], json!(["one", "two"]));
        assert_eq!(own_fields(after, &["tags"]), own_fields(made, &["tags"]), "{own}");
    }
}
