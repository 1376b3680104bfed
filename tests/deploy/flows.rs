//! The seeds' flow: what is made at one gateway is in force at the other, and what is revoked is so at both.

use std::net::SocketAddr;
use std::process::Command;

use crate::compose::text;
use crate::echo::field;
use crate::fleet::{CALLER, Fleet, caller, token};
use crate::server::{Server, free_port};
use crate::tools::{program, said};

async fn call(client: &reqwest::Client, url: &str, token: &str) -> (u16, String) {
    let answer = client.get(url).bearer_auth(token).header("X-Forwarded-For", "6.6.6.6").send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_are_one() {
    let fleet = Fleet::start().await;
    fleet.protected().await;
    let (client, tls) = (caller(&fleet.certificate()), |number: usize| fleet.gateways[number].addresses["proxy_tls"]);
    let url = |number: usize| format!("https://127.0.0.1:{}/echo/orders", tls(number).port());
    let token = token(&client, tls(1)).await;
    for gateway in [0, 1] {
        let (status, head) = call(&client, &url(gateway), &token).await;
        assert_eq!(status, 200, "{head}");
        assert_eq!(field(&head, "X-Consumer-Username"), Some("shop"));
    }
    let listed = client.get(fleet.gateways[1].admin("/oauth2_tokens")).header("Kong-Admin-Token", &fleet.admin_token);
    let tokens: serde_json::Value = listed.send().await.unwrap().json().await.unwrap();
    let id = tokens["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{tokens}"));
    let revoked = client
        .delete(fleet.gateways[1].admin(&format!("/oauth2_tokens/{id}")))
        .header("Kong-Admin-Token", &fleet.admin_token);
    assert_eq!(revoked.send().await.unwrap().status(), 204);
    for gateway in [0, 1] {
        assert_eq!(call(&client, &url(gateway), &token).await.0, 401, "gateway {gateway}");
    }
}

/// `deploy/haproxy/haproxy.cfg` on free ports: the doors for HTTP and for HTTPS.
fn haproxy(fleet: &Fleet) -> (Server, SocketAddr, SocketAddr) {
    let ports = [free_port(), free_port(), free_port()];
    let mut config = fleet.placed(&text("haproxy/haproxy.cfg"));
    for (there, here) in [("bind :8000", ports[0]), ("bind :8443", ports[1]), ("bind :8404", ports[2])] {
        assert!(config.contains(there), "{there}");
        config = config.replace(there, &format!("bind 127.0.0.1:{here}"));
    }
    let path = fleet.folder.join("haproxy.cfg");
    std::fs::write(&path, config).unwrap();
    said(Command::new(program("haproxy")).arg("-c").arg("-f").arg(&path));
    let mut command = Command::new(program("haproxy"));
    command.arg("-db").arg("-f").arg(&path).stderr(std::process::Stdio::null());
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    (Server::start(command, ports[2]), at(ports[0]), at(ports[1]))
}

/// `deploy/nginx/nginx.conf` on free ports: the door for HTTPS.
fn nginx(fleet: &Fleet) -> (Server, SocketAddr) {
    let (plain, tls) = (free_port(), free_port());
    let folder = fleet.folder.path().display().to_string();
    let mut config = fleet.placed(&text("nginx/nginx.conf"));
    let places = [
        ("listen 8000", format!("listen 127.0.0.1:{plain}")),
        ("listen 8443", format!("listen 127.0.0.1:{tls}")),
        ("/etc/nginx/tls/", format!("{folder}/state/")),
        ("/tmp/nginx", format!("{folder}/nginx")),
        ("/dev/stdout", format!("{folder}/access")),
    ];
    for (there, here) in places {
        assert!(config.contains(there), "{there}");
        config = config.replace(there, &here);
    }
    let path = fleet.folder.join("nginx.conf");
    std::fs::write(&path, config).unwrap();
    said(Command::new(program("nginx")).arg("-t").arg("-c").arg(&path));
    let mut command = Command::new(program("nginx"));
    command.arg("-c").arg(&path).args(["-g", "daemon off;"]);
    (Server::start(command, tls), SocketAddr::from(([127, 0, 0, 1], tls)))
}

/// The service hears who called and how, and not what the caller claims.
async fn is_told_who_calls(fleet: &Fleet, at: SocketAddr, hops: &str) {
    let client = caller(&fleet.certificate());
    let url = format!("https://127.0.0.1:{}/echo", at.port());
    let token = token(&client, at).await;
    let (status, head) = call(&client, &url, &token).await;
    assert_eq!(status, 200, "{head}");
    assert_eq!(field(&head, "X-Real-IP"), Some(CALLER.to_string().as_str()), "{head}");
    assert_eq!(field(&head, "X-Forwarded-For"), Some(hops), "{head}");
    assert_eq!(field(&head, "X-Forwarded-Proto"), Some("https"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_tells_who_calls_and_leaves_out_who_is_gone() {
    let mut fleet = Fleet::start().await;
    fleet.protected().await;
    let (_haproxy, _, https) = haproxy(&fleet);
    // The gateway is the first that speaks HTTP: it appends whom it saw to what the caller says.
    is_told_who_calls(&fleet, https, "6.6.6.6, 127.0.0.7").await;
    leaves_out_who_is_gone(&mut fleet, https).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_tells_who_calls_and_leaves_out_who_is_gone() {
    let mut fleet = Fleet::start().await;
    fleet.protected().await;
    let (_nginx, https) = nginx(&fleet);
    is_told_who_calls(&fleet, https, "127.0.0.7, 127.0.0.1").await;
    leaves_out_who_is_gone(&mut fleet, https).await;
}

/// No call fails of those that are made after a gateway was stopped in good order.
async fn leaves_out_who_is_gone(fleet: &mut Fleet, at: SocketAddr) {
    let client = caller(&fleet.certificate());
    let token = token(&client, at).await;
    assert_eq!(fleet.gateways[0].stop(), Some(0));
    let url = format!("https://127.0.0.1:{}/echo", at.port());
    for _ in 0..20 {
        let (status, text) = call(&client, &url, &token).await;
        assert_eq!(status, 200, "{text}");
    }
}
