//! Gateways that share a Redis hear of an import by the bus, as of any other change.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::house::{House, On, ask_token, call, upstream};
use crate::support::{Folder, Gateway, Start};

struct Redis {
    child: Child,
    url: String,
    _folder: Folder,
}

impl Redis {
    fn start() -> Self {
        let folder = Folder::new();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
        let child = command.arg("--dir").arg(folder.path()).stdout(Stdio::null()).spawn().unwrap();
        Self { child, url: format!("redis://127.0.0.1:{port}"), _folder: folder }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn gateway(house: &House, folder: &Folder, redis: &Redis) -> Gateway {
    std::fs::copy(house.folder.join("keyring"), folder.join("keyring")).unwrap();
    let start = Start::serve(folder.path(), &house.url).env("TOLLGATE_REDIS_URL", &redis.url);
    let start = start.env("TOLLGATE_PROXY_TRUSTED_IPS", "127.0.0.0/8").env("TOLLGATE_CLUSTER_LEASE", "1s");
    let gateway = tokio::task::spawn_blocking(move || start.ready()).await.unwrap();
    let client = crate::support::client();
    // Until it follows the bus it trusts nothing it remembers, and this test would show nothing.
    while client.get(gateway.admin("/status")).send().await.unwrap().json::<serde_json::Value>().await.unwrap()["redis"]
        ["following"]
        != true
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    gateway
}

#[tokio::test]
async fn every_node_of_a_cluster_goes_by_an_import_when_it_is_done() {
    let (house, redis, upstream) = (House::new(On::Postgres).await, Redis::start(), upstream().await);
    let folders = [Folder::new(), Folder::new()];
    let nodes = [gateway(&house, &folders[0], &redis).await, gateway(&house, &folders[1], &redis).await];
    let document = |consumer: &str, secret: &str| {
        json!({
            "_format_version": "3.0",
            "services": [{"name": "api", "url": format!("http://{upstream}"), "routes": [{"name": "api", "paths": ["/api"],
                "plugins": [{"name": "oauth2", "config": {"global_credentials": true, "enable_client_credentials": true,
                    "accept_http_if_already_terminated": true}}]}]}],
            "consumers": [{"id": "7a5c0d52-2f3b-4c6e-9d35-0000000000aa", "username": consumer,
                "oauth2_credentials": [{"name": "app", "client_id": "app", "client_secret": secret}]}],
            "oauth2_tokens": [{"credential": {"client_id": "app"}, "access_token": "a-token-of-kong", "expires_in": 0}],
        })
        .to_string()
    };
    let settings = ["--set", &format!("redis.url={}", redis.url), "--set", "cluster.lease=1s"];
    let form = |secret| [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", secret)];
    let bearer = [("Authorization", "Bearer a-token-of-kong")];
    house.take(&document("kim", "first"), &settings).await.summary();
    for node in &nodes {
        assert!(call(node, "/api", &bearer).await.1["headers"].to_string().contains("x-consumer-username: kim"));
        assert_eq!(ask_token(node, "/api/oauth2/token", &form("first")).await.0, 200);
    }
    house.take(&document("lee", "second"), &settings).await.summary();
    for node in &nodes {
        assert!(call(node, "/api", &bearer).await.1["headers"].to_string().contains("x-consumer-username: lee"));
        let (status, _) = ask_token(node, "/api/oauth2/token", &form("first")).await;
        assert!((400..500).contains(&status), "{status}");
        assert_eq!(ask_token(node, "/api/oauth2/token", &form("second")).await.0, 200);
    }
    drop(nodes);
    house.clear().await;
}
