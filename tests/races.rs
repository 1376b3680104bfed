//! Sixty-four clients at once with one code, and with one refresh token, over the whole gateway and each database.

mod support;

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Folder, Gateway, Start, trusting};

/// Parallel tries of each race.
const CROWD: usize = 64;

/// Rounds of each race: few in a quick run, as many as `TOLLGATE_TEST_RACES` says in a long one.
fn rounds() -> usize {
    std::env::var("TOLLGATE_TEST_RACES").ok().and_then(|number| number.parse().ok()).unwrap_or(10)
}

struct Api {
    gateway: Gateway,
    http: reqwest::Client,
    _folder: Folder,
}

impl Api {
    /// A service `/api` behind a gateway on the database at this URL, with one application.
    async fn on(database: Option<&str>) -> Self {
        let folder = Folder::new();
        let start = Start::dev(folder.path()).arg("--empty");
        let gateway = match database {
            Some(url) => start.env("TOLLGATE_DATABASE_URL", url).ready(),
            None => start.ready(),
        };
        let http = trusting(&folder.join("data/tls/cert.pem"));
        let api = Self { gateway, http, _folder: folder };
        let config = json!({ "scopes": ["read"], "provision_key": "provision", "enable_authorization_code": true });
        let application =
            json!({ "name": "app", "client_id": "app", "client_secret": "secret", "redirect_uris": ["app://back"] });
        let upstream = api.gateway.url("status", "/status/live");
        for (path, body) in [
            ("/services", json!({ "name": "api", "url": upstream })),
            ("/services/api/routes", json!({ "paths": ["/api"] })),
            ("/services/api/plugins", json!({ "name": "oauth2", "config": config })),
            ("/consumers", json!({ "username": "shop" })),
            ("/consumers/shop/oauth2", application),
        ] {
            let made = api.http.post(api.gateway.admin(path)).json(&body).send().await.unwrap();
            assert_eq!(made.status(), 201, "{path}: {}", made.text().await.unwrap());
        }
        api
    }

    async fn ask(&self, endpoint: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let url = self.gateway.url("proxy_tls", &format!("/api/oauth2/{endpoint}"));
        let answer = self.http.post(url).form(form).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn code(&self) -> String {
        let form = [
            ("provision_key", "provision"),
            ("authenticated_userid", "user-1"),
            ("client_id", "app"),
            ("response_type", "code"),
        ];
        let (status, body) = self.ask("authorize", &form).await;
        assert_eq!(status, 200, "{body}");
        body["redirect_uri"].as_str().unwrap().strip_prefix("app://back?code=").unwrap().to_owned()
    }

    /// Asks for a token with the same `field` from everywhere at once.
    async fn crowd(&self, grant: &str, field: (&str, &str)) -> Vec<(u16, Value)> {
        let form = [("grant_type", grant), ("client_id", "app"), ("client_secret", "secret"), field];
        join_all((0..CROWD).map(|_| self.ask("token", &form))).await
    }

    async fn redeem(&self, code: &str) -> (String, String) {
        let form =
            [("grant_type", "authorization_code"), ("client_id", "app"), ("client_secret", "secret"), ("code", code)];
        let (status, body) = self.ask("token", &form).await;
        assert_eq!(status, 200, "{body}");
        pair(&body)
    }

    async fn call(&self, token: &str) -> u16 {
        let call = self.http.get(self.gateway.url("proxy_tls", "/api")).bearer_auth(token);
        call.send().await.unwrap().status().as_u16()
    }

    /// The rows that a reader of the Admin API sees.
    async fn rows(&self) -> usize {
        let page = self.http.get(self.gateway.admin("/oauth2_tokens?size=1000")).send().await.unwrap();
        page.json::<Value>().await.unwrap()["data"].as_array().unwrap().len()
    }
}

fn pair(body: &Value) -> (String, String) {
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn one_code_has_one_winner_and_its_replays_end_the_family(api: &Api) {
    for round in 0..rounds() {
        let code = api.code().await;
        let answers = api.crowd("authorization_code", ("code", &code)).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(status, _)| *status == 200);
        assert_eq!(won.len(), 1, "round {round}: {won:?}");
        for (status, body) in lost {
            assert_eq!((*status, &body["error"]), (400, &json!("invalid_request")), "round {round}: {body}");
            assert_eq!(body["error_description"], "Invalid code", "round {round}");
        }
        let (access, refresh) = pair(&won[0].1);
        assert_eq!(api.call(&access).await, 401, "round {round}: a code came twice, so nobody keeps what it gave");
        let (status, body) = api.crowd("refresh_token", ("refresh_token", &refresh)).await.remove(0);
        assert_eq!((status, &body["error"]), (400, &json!("invalid_request")), "round {round}");
        assert_eq!(api.rows().await, 0, "round {round}: neither winner nor loser left a token");
    }
}

async fn one_refresh_token_has_one_pair_for_all(api: &Api) {
    let (mut access, mut refresh) = api.redeem(&api.code().await).await;
    for round in 0..rounds() {
        let answers = api.crowd("refresh_token", ("refresh_token", &refresh)).await;
        let refused = answers.iter().find(|(status, _)| *status != 200);
        assert!(refused.is_none(), "round {round}: {refused:?}");
        let pairs: BTreeSet<_> = answers.iter().map(|(_, body)| pair(body)).collect();
        assert_eq!(pairs.len(), 1, "round {round}");
        let (new_access, new_refresh) = pairs.into_iter().next().unwrap();
        assert!(new_access != access && new_refresh != refresh, "round {round}");
        assert_eq!((api.call(&access).await, api.call(&new_access).await), (401, 200), "round {round}");
        assert_eq!(api.rows().await, 1, "round {round}: one pair is one row");
        (access, refresh) = (new_access, new_refresh);
    }
}

#[tokio::test]
async fn codes_on_sqlite() {
    one_code_has_one_winner_and_its_replays_end_the_family(&Api::on(None).await).await;
}

#[tokio::test]
async fn refreshes_on_sqlite() {
    one_refresh_token_has_one_pair_for_all(&Api::on(None).await).await;
}

#[tokio::test]
async fn codes_on_postgres() {
    let schema = Schema::new().await;
    one_code_has_one_winner_and_its_replays_end_the_family(&Api::on(Some(&schema.url())).await).await;
    schema.clear().await;
}

#[tokio::test]
async fn refreshes_on_postgres() {
    let schema = Schema::new().await;
    one_refresh_token_has_one_pair_for_all(&Api::on(Some(&schema.url())).await).await;
    schema.clear().await;
}

/// A PostgreSQL schema of its own.
struct Schema {
    base: String,
    name: String,
}

impl Schema {
    async fn new() -> Self {
        let base = std::env::var("TOLLGATE_TEST_POSTGRES").expect(
            "set TOLLGATE_TEST_POSTGRES to the URL of a PostgreSQL server for tests \
             (postgres://user@host:port/database), or run tests/run, which starts one",
        );
        let schema = Self { base, name: format!("t_{}", uuid::Uuid::new_v4().simple()) };
        schema.sql(&format!("CREATE SCHEMA {}", schema.name)).await;
        schema
    }

    fn url(&self) -> String {
        let joint = if self.base.contains('?') { '&' } else { '?' };
        format!("{}{joint}options=-csearch_path%3D{}", self.base, self.name)
    }

    async fn sql(&self, text: &str) {
        let (client, connection) = tokio_postgres::connect(&self.base, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(text).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    }

    async fn clear(self) {
        self.sql(&format!("DROP SCHEMA {} CASCADE", self.name)).await;
    }
}
