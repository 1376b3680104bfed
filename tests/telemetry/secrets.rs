//! No secret that was used in a run stands in any of what the gateway tells of it.

use std::fs;

use serde_json::{Value, json};

use crate::collector::{Collector, Mood};
use crate::house::{House, PROVISION, SECRET};

const PASSWORD: &str = "correct horse battery";
const GUESS: &str = "a-wrong-password-9Zx";
const KEY: &str = "api-key-3fQ8";
const JWT_SECRET: &str = "jwt-secret-8Kw1";
const MARK: &str = "body-mark-6Ty4";
const BASIC_SECRET: &str = "basic-guess-2Hn7";

/// What was used, and must be seen nowhere.
struct Secrets(Vec<String>);

impl Secrets {
    fn keep(&mut self, secret: &str) -> String {
        assert!(secret.len() > 7, "too short to look for: {secret}");
        self.0.push(secret.to_owned());
        secret.to_owned()
    }

    fn field(&mut self, body: &Value, name: &str) -> String {
        self.keep(body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")))
    }

    fn sent(&mut self, body: &Value, name: &str) -> String {
        let uri = body["redirect_uri"].as_str().unwrap_or_else(|| panic!("{body}"));
        let value = uri.split_once(&format!("{name}=")).unwrap().1.split('&').next().unwrap();
        self.keep(value)
    }
}

/// Every grant, each used, misused and ended.
async fn grants(house: &House, secrets: &mut Secrets) {
    let user = [("provision_key", PROVISION), ("authenticated_userid", "user-1")];
    let app = [("client_id", "app")];
    let (_, pair) = house.token(&[&user[..], &[("grant_type", "password")]].concat()).await;
    let (first, refresh) = (secrets.field(&pair, "access_token"), secrets.field(&pair, "refresh_token"));
    let again = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let (_, pair) = house.token(&again).await;
    secrets.field(&pair, "access_token");
    secrets.field(&pair, "refresh_token");
    house.token(&again).await;
    let (_, sent) = house.ask("authorize", &[&user[..], &app, &[("response_type", "code")]].concat()).await;
    let code = secrets.sent(&sent, "code");
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let (_, pair) = house.token(&exchange).await;
    secrets.field(&pair, "access_token");
    assert_eq!(house.token(&exchange).await.0, 400);
    let (_, sent) = house.ask("authorize", &[&user[..], &app, &[("response_type", "token")]].concat()).await;
    let implicit = secrets.sent(&sent, "access_token");
    let token = house.access_token().await;
    secrets.keep(&token);
    for token in [&first, &implicit, &token, &"wrong-token-5Lp0".to_owned()] {
        house.call("/api", Some(token)).await;
        // Where a token should not stand, and yet does.
        house.call(&format!("/api?access_token={token}"), None).await;
        house.call(&format!("/nothing?access_token={token}&code={code}"), Some(token)).await;
        let url = house.gateway.url("proxy", "/api");
        let referrer = format!("https://client.example/cb?code={code}#access_token={token}");
        house.http.post(&url).header("referer", referrer).form(&[("access_token", token)]).send().await.unwrap();
        house.http.post(&url).body(format!("{MARK} {token}")).send().await.unwrap();
    }
    secrets.keep("wrong-token-5Lp0");
    let url = house.gateway.url("proxy_tls", "/api/oauth2/token");
    for secret in [SECRET, BASIC_SECRET] {
        let request = house.http.post(&url).basic_auth("app", Some(secret));
        request.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
    }
    // A revocation names the token in its path.
    let url = house.gateway.admin(&format!("/oauth2_tokens/{token}"));
    house.http.delete(url).send().await.unwrap().error_for_status().unwrap();
    assert_eq!(house.call("/api", Some(&token)).await, 401);
}

/// The other plugins that take credentials.
async fn keys(house: &House, secrets: &mut Secrets) {
    for (path, plugin) in [("/keyed", "key-auth"), ("/jwted", "jwt")] {
        let route = json!({ "name": plugin, "paths": [path] });
        house.made("/services/api/routes", route).await;
        house.made(&format!("/routes/{plugin}/plugins"), json!({ "name": plugin })).await;
    }
    house.made("/consumers/shop/key-auth", json!({ "key": KEY })).await;
    let credential = json!({ "key": "issuer", "secret": JWT_SECRET });
    house.made("/consumers/shop/jwt", credential).await;
    let claims = json!({ "iss": "issuer", "exp": 4_000_000_000_i64 });
    let key = jsonwebtoken::EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
    secrets.keep(&token);
    for path in [format!("/keyed?apikey={KEY}"), format!("/jwted?jwt={token}")] {
        assert_eq!(house.call(&path, None).await, 200, "{path}");
    }
    assert_eq!(house.call("/jwted", Some(&token)).await, 200);
    let wrong = house.http.get(house.gateway.url("proxy", "/keyed")).header("apikey", "wrong-key-1Vb6");
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    secrets.keep("wrong-key-1Vb6");
}

/// What administrators write, well and badly.
async fn admin(house: &House, secrets: &mut Secrets) {
    let token = fs::read_to_string(house.folder.join("data").join("admin-token")).unwrap();
    let token = secrets.keep(token.trim());
    for (method, path, body) in [
        ("POST", "/consumers/shop/oauth2", json!({ "name": "b", "client_secret": "second-secret-4Rr" })),
        ("POST", "/consumers/shop/oauth2", json!({ "name": 1, "client_secret": "refused-secret-7Uj" })),
        ("PATCH", "/oauth2/app", json!({ "client_secret": "third-secret-0Oi" })),
        ("POST", "/certificates", json!({ "cert": "nonsense", "key": "private-key-2Wq" })),
        ("POST", "/consumers/shop/key-auth", json!({ "key": KEY })),
    ] {
        let request = house.http.request(method.parse().unwrap(), house.gateway.admin(path));
        request.header("Kong-Admin-Token", &token).json(&body).send().await.unwrap();
    }
    let console = house.gateway.admin("/console/login");
    house.http.post(console).form(&[("token", token.as_str())]).send().await.unwrap();
    for secret in ["second-secret-4Rr", "refused-secret-7Uj", "third-secret-0Oi", "private-key-2Wq"] {
        secrets.keep(secret);
    }
}

/// A developer registers, logs in, and mistypes.
async fn portal(house: &House, secrets: &mut Secrets) {
    let wish = json!({ "email": "ana@b.test", "password": PASSWORD, "meta": { "full_name": "Ana" } });
    let registered = house.http.post(house.gateway.url("portal", "/register")).json(&wish);
    registered.send().await.unwrap().error_for_status().unwrap();
    for password in [GUESS, PASSWORD] {
        let request = house.http.get(house.gateway.url("portal", "/auth")).basic_auth("ana@b.test", Some(password));
        let answer = request.send().await.unwrap();
        if let Some(cookie) = answer.headers().get("set-cookie") {
            let value = cookie.to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
            secrets.keep(&value);
        }
    }
}

async fn run(format: &str) {
    let collector = Collector::start(Mood::Takes);
    let endpoint = collector.endpoint();
    let settings = [
        ("LOG_ACCESS", format),
        ("LOG_LEVEL", "trace"),
        ("PORTAL_EMAIL_VERIFICATION", "false"),
        ("TELEMETRY_OTLP_ENDPOINT", &endpoint),
    ];
    let mut house = House::open_with(&settings).await;
    let known = [SECRET, PROVISION, PASSWORD, GUESS, KEY, JWT_SECRET, MARK, BASIC_SECRET];
    let mut secrets = Secrets(known.map(str::to_owned).to_vec());
    grants(&house, &mut secrets).await;
    keys(&house, &mut secrets).await;
    admin(&house, &mut secrets).await;
    portal(&house, &mut secrets).await;
    let metrics = house.metrics().await;
    let Secrets(secrets) = secrets;
    let session = secrets.last().unwrap();
    assert!(!session.starts_with("correct"), "there was a log-in");
    assert_eq!(house.gateway.stop(), Some(0));
    let access = fs::read_to_string(house.access_file()).unwrap();
    assert!(access.lines().count() > 30 && access.contains("/keyed"), "{access}");
    let spans = collector.text();
    assert!(collector.spans().len() > 30 && spans.contains("/keyed"), "{spans}");
    let stdout = fs::read_to_string(&house.gateway.stdout).unwrap();
    for (name, text) in [
        ("access log", &access),
        ("log", &house.gateway.log_text()),
        ("metrics", &metrics),
        ("spans", &spans),
        ("standard output", &stdout),
    ] {
        for secret in &secrets {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{secret} stands in the {name}");
        }
    }
}

#[tokio::test]
async fn no_secret_of_a_run_is_told_beside_json() {
    run("json").await;
}

#[tokio::test]
async fn no_secret_of_a_run_is_told_beside_combined() {
    run("combined").await;
}
