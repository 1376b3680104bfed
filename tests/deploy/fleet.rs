//! The set-up of `compose.yaml` on one machine: its commands and environment as they stand there, with addresses of this
//! machine in place of those of its networks.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use serde_json::{Value, json};

use crate::compose::{Compose, strings};
use crate::echo::Echo;
use crate::server::{Server, free_port};
use crate::support::{Folder, Gateway, Start, client, tollgate};
use crate::tools::{program, said};

/// Who calls. Another address than the front's, which is the one that the gateways believe.
pub const CALLER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 7);

/// What is on this machine in place of what the file names.
struct Places(Vec<(&'static str, String)>);

impl Places {
    fn here(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    }

    fn environment(&self, compose: &Compose, service: &str) -> Vec<(String, String)> {
        compose.environment(service).into_iter().map(|(name, value)| (name, self.here(&value))).collect()
    }

    fn run(&self, compose: &Compose, service: &str) {
        said(tollgate().args(compose.command(service)).envs(self.environment(compose, service)));
    }
}

pub struct Fleet {
    pub gateways: Vec<Gateway>,
    pub echo: Echo,
    pub admin_token: String,
    pub folder: Folder,
    places: Places,
    _redis: Server,
    _schema: Schema,
}

impl Fleet {
    pub async fn start() -> Self {
        let (compose, folder, schema) = (Compose::read(), Folder::new(), Schema::create().await);
        let state = folder.join("state");
        std::fs::create_dir(&state).unwrap();
        let port = free_port();
        let redis = start_redis(&compose, port);
        let places = Places(vec![
            ("postgres://tollgate:tollgate@postgres:5432/tollgate", schema.url.clone()),
            ("redis:6379", format!("127.0.0.1:{port}")),
            ("/var/lib/tollgate", state.display().to_string()),
            ("172.30.77.2", "127.0.0.1".to_owned()),
        ]);
        // Each `up` runs these again.
        for _ in 0..2 {
            places.run(&compose, "keyring");
            let certificate = compose.service("certificate");
            let words = [strings(&certificate["entrypoint"]), strings(&certificate["command"])].concat();
            said(Command::new(&words[0]).args(words[1..].iter().map(|word| places.here(word))));
            places.run(&compose, "migrate");
        }
        let mut gateways = Vec::new();
        for service in ["gateway-1", "gateway-2"] {
            assert_eq!(compose.command(service), ["serve"]);
            let own = folder.join(service);
            std::fs::create_dir(&own).unwrap();
            let mut start = Start::serve(&own, &schema.url).env("TOLLGATE_DATABASE_AUTO_MIGRATE", "false");
            for (name, value) in places.environment(&compose, service) {
                let is_place = name.contains("_LISTEN");
                start = start.env(&name, if is_place { "127.0.0.1:0" } else { &value });
            }
            let gateway = start.ready();
            let health = strings(&compose.service(service)["healthcheck"]["test"]);
            assert_eq!(health, ["CMD", "tollgate", "health"]);
            said(tollgate().args(&health[2..]).env("TOLLGATE_STATUS_LISTEN", gateway.addresses["status"].to_string()));
            gateways.push(gateway);
        }
        // `docker compose exec gateway-1 tollgate admin-token create operator`
        let create = ["admin-token", "create", "operator"];
        let admin_token =
            said(tollgate().args(create).envs(places.environment(&compose, "gateway-1"))).trim().to_owned();
        Self { gateways, echo: Echo::start().await, admin_token, folder, places, _redis: redis, _schema: schema }
    }

    /// Writes by the Admin API of one of the gateways.
    pub async fn made(&self, gateway: usize, path: &str, body: Value) -> Value {
        let request = client().post(self.gateways[gateway].admin(path)).header("Kong-Admin-Token", &self.admin_token);
        let answer = request.json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 201, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A service with a route under `/echo` that oauth2 protects, and a client of it, `app` with the secret `secret`.
    pub async fn protected(&self) {
        let url = format!("http://{}", self.echo.address);
        self.made(0, "/services", json!({ "name": "echo", "url": url })).await;
        self.made(0, "/services/echo/routes", json!({ "name": "echo", "paths": ["/echo"] })).await;
        let config = json!({ "enable_client_credentials": true, "accept_http_if_already_terminated": true });
        self.made(0, "/services/echo/plugins", json!({ "name": "oauth2", "config": config })).await;
        self.made(0, "/consumers", json!({ "username": "shop" })).await;
        let credential = json!({ "name": "app", "client_id": "app", "client_secret": "secret",
            "redirect_uris": ["https://shop.test/"] });
        self.made(0, "/consumers/shop/oauth2", credential).await;
    }

    /// Runs one of the services that come to an end, as `docker compose run --rm` does.
    pub fn run(&self, service: &str) {
        self.places.run(&Compose::read(), service);
    }

    /// The certificate that the compose file makes.
    pub fn certificate(&self) -> std::path::PathBuf {
        self.folder.join("state/cert.pem")
    }

    /// A configuration of `deploy/` with the gateways' places in it.
    pub fn placed(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (number, gateway) in self.gateways.iter().enumerate() {
            for (port, listener) in [(8000, "proxy"), (8443, "proxy_tls")] {
                let status = gateway.addresses["status"].port();
                let name = format!("gateway-{}:{port}", number + 1);
                let address = gateway.addresses[listener].to_string();
                text = text.replace(&format!("{name} check port 8100"), &format!("{name} check port {status}"));
                text = text.replace(&name, &address);
            }
        }
        text
    }
}

/// A client at [`CALLER`] that trusts the set-up's certificate.
pub fn caller(certificate: &std::path::Path) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_pem(&std::fs::read(certificate).unwrap()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only([certificate])
        .local_address(std::net::IpAddr::V4(CALLER))
        .redirect(reqwest::redirect::Policy::none())
        // Each call is a connection, so that each is given to a gateway anew.
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

/// A token of the client that [`Fleet::protected`] makes, asked for at an address that ends TLS.
pub async fn token(client: &reqwest::Client, at: SocketAddr) -> String {
    let form = [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "secret")];
    let url = format!("https://127.0.0.1:{}/echo/oauth2/token", at.port());
    let answer = client.post(url).form(&form).send().await.unwrap();
    let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

fn start_redis(compose: &Compose, port: u16) -> Server {
    let words = compose.command("redis");
    let mut command = Command::new(program(&words[0]));
    command.args(&words[1..]).args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    Server::start(command, port)
}

/// A schema of the test's own in the PostgreSQL of `tests/run`.
struct Schema {
    name: String,
    url: String,
}

impl Schema {
    async fn create() -> Self {
        let base = std::env::var("TOLLGATE_TEST_POSTGRES").expect("tests/run sets TOLLGATE_TEST_POSTGRES");
        let name = format!("deploy_{}", uuid::Uuid::new_v4().simple());
        sql(&format!("CREATE SCHEMA {name}")).await;
        let url = format!("{base}?options=-csearch_path%3D{name}");
        Self { name, url }
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA {} CASCADE", self.name);
        let done = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(sql(&drop));
        });
        let _ = done.join();
    }
}

async fn sql(statement: &str) {
    let base = std::env::var("TOLLGATE_TEST_POSTGRES").unwrap();
    let (client, connection) = tokio_postgres::connect(&base, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
}
