//! Every kind of Redis that `redis.url` can describe, and clear words for what it does not describe.

use std::time::Duration;

use redis::cmd;
use tollgate::cache::redis::{Purpose, RedisError};

use crate::certificates::Authority;
use crate::node::{Node, line, refusal, view};
use crate::server::{Folder, PATIENCE, Server};

pub const PURPOSES: [Purpose; 3] = [Purpose::Hot, Purpose::Control, Purpose::Listening(Duration::from_millis(10))];

/// Lines of every purpose work, and a value is kept and found.
pub async fn works(url: &str) {
    for purpose in PURPOSES {
        let line = line(url, purpose);
        line.ready(PATIENCE).await.unwrap_or_else(|error| panic!("{purpose:?}: {error}"));
        let answer: String = line.query(&cmd("PING"), PATIENCE).await.unwrap();
        assert_eq!(answer, "PONG", "{purpose:?}");
    }
    let (one, other) = (Node::reach(url).await, Node::reach(url).await);
    one.keep("a", Some(&view()), 0).await;
    assert!(other.knows("a").await);
}

#[tokio::test]
async fn one_server() {
    let server = Server::start(&[]);
    works(&server.url()).await;
    works(&format!("redis://127.0.0.1:{}/3", server.port)).await;
    let held: i64 = cmd("DBSIZE").query(&mut server.connection()).unwrap();
    assert_eq!(held, 1, "database 3 is another");
}

#[tokio::test]
async fn a_password_and_a_wrong_one() {
    let server = Server::start(&["--requirepass", "p@ss:word/?#"]);
    works(&format!("redis://:p%40ss%3Aword%2F%3F%23@127.0.0.1:{}", server.port)).await;
    for login in ["", ":hunter2@", "nobody:hunter2@"] {
        let told = refusal(&format!("redis://{login}127.0.0.1:{}", server.port)).await;
        assert!(matches!(told, RedisError::Denied(_)), "{login}: {told:?}");
        assert!(!told.to_string().contains("hunter2"), "{told}");
    }
}

/// The rule of `docs/cluster.md`, with a password.
pub fn documented_rule() -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cluster.md")).unwrap();
    let rule = text.lines().find_map(|line| line.strip_prefix("user tollgate ")).expect("docs/cluster.md has the line");
    rule.replace("PASSWORD", "secret")
}

/// What the server refused for want of a permission.
pub fn denials(server: &Server) -> Vec<String> {
    let entries: Vec<redis::Value> = cmd("ACL").arg("LOG").query(&mut server.connection()).unwrap();
    entries
        .into_iter()
        .map(|entry| format!("{entry:?}"))
        .filter(|entry| !entry.contains("reason\"), bulk-string('\"auth"))
        .collect()
}

#[tokio::test]
async fn a_user_with_the_permissions_that_the_documentation_names() {
    let server = Server::start_with(&[], &format!("user tollgate {}\n", documented_rule()), &[]);
    works(&format!("redis://tollgate:secret@127.0.0.1:{}/2", server.port)).await;
    assert_eq!(denials(&server), Vec::<String>::new());
}

#[tokio::test]
async fn a_user_who_may_too_little_is_told_what() {
    let file = "user blind on >secret ~tollgate:* +ping\nuser weak on >secret ~tollgate:* +ping +info +get\n";
    let server = Server::start_with(&[], file, &[]);
    let told = refusal(&format!("redis://blind:secret@127.0.0.1:{}", server.port)).await;
    assert!(matches!(&told, RedisError::NotPermitted(what) if what.contains("info")), "{told:?}");
    let node = Node::reach(&format!("redis://weak:secret@127.0.0.1:{}", server.port)).await;
    node.keep("a", Some(&view()), 0).await;
    assert!(node.tier.tallies().failed == 1 && node.line.status().is_ok());
}

#[tokio::test]
async fn over_tls() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let at = |name: &str| folder.join(name).display().to_string();
    let settings = authority.settings(&folder);
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let open = Server::start(&[&settings[..], &["--tls-auth-clients", "no"]].concat());
    let closed = Server::start(&[&settings[..], &["--tls-auth-clients", "yes"]].concat());
    authority.issue(folder.path(), "client", &["client"]);
    let (ca, client) = (at("ca.pem"), format!("cert={}&key={}", at("client.pem"), at("client.key")));
    for host in ["localhost", "127.0.0.1"] {
        works(&format!("rediss://{host}:{}?ca={ca}", open.tls_port)).await;
        works(&format!("rediss://{host}:{}?ca={ca}&{client}", closed.tls_port)).await;
    }
    let stranger = Authority::new();
    let elsewhere = Folder::new();
    stranger.write(elsewhere.path());
    let other_ca = elsewhere.join("ca.pem").display().to_string();
    for (url, what) in [
        (format!("rediss://localhost:{}", open.tls_port), "certificate"),
        (format!("rediss://localhost:{}?ca={other_ca}", open.tls_port), "certificate"),
        (format!("rediss://localhost:{}?ca={ca}", closed.tls_port), "certificate"),
        (format!("redis://localhost:{}", open.tls_port), ""),
        (format!("rediss://localhost:{}?ca=/no/such.pem", open.tls_port), "file of `ca`"),
        (format!("rediss://localhost:{}?cert={}", open.tls_port, at("client.pem")), "come together"),
        (format!("rediss://localhost:{}?ca={}", open.tls_port, at("client.key")), "file of `ca` holds no"),
        (format!("rediss://localhost:{}?ca={ca}&cert={ca}&key={ca}", open.tls_port), "file of `key` holds no"),
    ] {
        let told = refusal(&url).await.to_string();
        assert!(told.to_lowercase().contains(what), "{url}: {told}");
        println!("{told}");
    }
}

#[tokio::test]
async fn a_server_of_another_kind_than_the_url_says() {
    let server = Server::start(&[]);
    let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {}", server.port)]);
    let member = Server::start(&["--cluster-enabled", "yes"]);
    let monitor = format!("sentinel monitor main 127.0.0.1 {} 1\n", server.port);
    let sentinel = Server::start_with(&[], &monitor, &["--sentinel"]);
    for (url, what) in [
        (replica.url(), "is a replica"),
        (member.url(), "write redis-cluster://"),
        (sentinel.url(), "write redis+sentinel://"),
        (format!("redis+sentinel://127.0.0.1:{}/main", server.port), "write redis:// for a server"),
        (format!("redis+sentinel://127.0.0.1:{}/other", sentinel.port), "no master named `other`"),
        (format!("redis-cluster://127.0.0.1:{}", server.port), "write redis://"),
        (format!("redis-cluster://127.0.0.1:{}", sentinel.port), "write redis+sentinel://"),
        (format!("redis-cluster://127.0.0.1:{}", member.port), "no server of the Cluster answers"),
    ] {
        let told = refusal(&url).await.to_string();
        println!("{url}: {told}");
        assert!(told.contains(what), "{url}: {told}");
    }
}
