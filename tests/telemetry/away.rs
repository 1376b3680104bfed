//! Collectors that do not do what they should: calls are served, and what cannot be sent is dropped and counted.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::collector::{Collector, Mood};
use crate::house::House;
use crate::spans::house;
use crate::support::Folder;

const DROPPED: &str = "tollgate_spans_dropped_total";
const SENT: &str = "tollgate_spans_total";

async fn burst(house: &House, calls: usize) {
    let agent = "x".repeat(500);
    let calls = (0..calls).map(|_| async {
        let request = house.http.get(house.gateway.url("proxy", "/nothing")).header("user-agent", &agent);
        assert_eq!(request.send().await.unwrap().status(), 404);
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn a_collector_that_is_silent_costs_spans_and_holds_up_nobody() {
    let collector = Collector::start(Mood::Silent);
    let mut house = house(&collector, &[]).await;
    while house.series(DROPPED).await == 0 {
        burst(&house, 200).await;
        // What waits is bounded: in the tracer's hands, its mailbox, and with the workers.
        let depth = house.series("tollgate_mailbox_depth{actor=\"tracer\"}").await;
        assert!(depth <= 3 * 64, "{depth}");
    }
    assert_eq!(house.series(SENT).await, 0);
    assert_eq!(house.gateway.stop(), Some(0), "it stops all the same");
    assert_eq!(house.gateway.log_text().matches("`traces` did not stop in time").count(), 1);
}

#[tokio::test]
async fn a_collector_that_is_busy_is_asked_again() {
    let collector = Collector::start(Mood::Says(503));
    let house = house(&collector, &[]).await;
    burst(&house, 1).await;
    while collector.requests() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    collector.change(Mood::Takes);
    while house.series(SENT).await == 0 {
        burst(&house, 1).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(house.series(DROPPED).await, 0);
    let log = house.gateway.log_text();
    assert_eq!(log.matches("the collector takes no spans").count(), 1, "{log}");
    assert!(log.contains("the collector takes spans again"), "{log}");
}

#[tokio::test]
async fn a_collector_that_is_away_or_refuses_costs_spans() {
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refusing = Collector::start(Mood::Says(400));
    for endpoint in [format!("http://{away}/v1/traces"), refusing.endpoint()] {
        let settings = [("LOG_ACCESS", "json"), ("TELEMETRY_OTLP_ENDPOINT", endpoint.as_str())];
        let mut house = House::open_with(&settings).await;
        burst(&house, 3).await;
        while house.series(DROPPED).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(house.call("/open", None).await, 200);
        assert_eq!(house.gateway.stop(), Some(0));
    }
    assert!(refusing.requests() > 0);
}

#[tokio::test]
async fn the_collector_gets_the_fields_it_asks_for_and_nobody_else_sees_them() {
    let collector = Collector::start(Mood::Takes);
    let fields = ("TELEMETRY_OTLP_HEADERS", "X-Scope=shop, authorization=Basic c2VjcmV0");
    let mut house = house(&collector, &[fields, ("LOG_LEVEL", "trace")]).await;
    burst(&house, 1).await;
    assert_eq!(house.gateway.stop(), Some(0));
    let heads = collector.heads();
    assert!(!heads.is_empty());
    for head in heads {
        assert!(head.contains("\r\nx-scope: shop\r\n") && head.contains("\r\nauthorization: basic c2vjcmv0"), "{head}");
    }
    assert!(!house.gateway.log_text().contains("c2VjcmV0"));
}

#[tokio::test]
async fn what_waits_is_sent_when_the_gateway_stops() {
    let collector = Collector::start(Mood::Takes);
    let mut house = house(&collector, &[]).await;
    let before = collector.spans().len();
    burst(&house, 20).await;
    assert_eq!(house.gateway.stop(), Some(0));
    assert_eq!(collector.spans().len(), before + 20);
}

/// TLS in front of a collector: where it listens, and its certificate.
async fn behind_tls(collector: SocketAddr) -> (SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut plain = TcpStream::connect(collector).await.unwrap();
            // Either side may break it off.
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut plain).await;
        }
    });
    (address, made.cert.pem())
}

#[tokio::test]
async fn a_collector_behind_tls_is_believed_by_its_authority_only() {
    let collector = Collector::start(Mood::Takes);
    let (address, certificate) = behind_tls(collector.address).await;
    let (folder, endpoint) = (Folder::new(), format!("https://localhost:{}", address.port()));
    let authority = folder.join("collector.pem");
    fs::write(&authority, certificate).unwrap();
    let strange = [("TELEMETRY_OTLP_ENDPOINT", endpoint.as_str())];
    let house = House::open_with(&strange).await;
    burst(&house, 1).await;
    while house.series(DROPPED).await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(collector.requests(), 0);
    let trusted = [strange[0], ("TELEMETRY_OTLP_CA", authority.to_str().unwrap())];
    let house = House::open_with(&trusted).await;
    burst(&house, 1).await;
    while house.series(SENT).await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(collector.spans().len(), 1);
}

#[test]
fn settings_of_traces_that_cannot_work_are_refused_at_the_start() {
    let folder = Folder::new();
    for (name, value, told) in [
        (
            "OTLP_ENDPOINT",
            "collector:4318",
            "telemetry.otlp_endpoint (environment TOLLGATE_TELEMETRY_OTLP_ENDPOINT): must be http://",
        ),
        (
            "TRACE_SAMPLE",
            "2",
            "telemetry.trace_sample (environment TOLLGATE_TELEMETRY_TRACE_SAMPLE): must be a number from 0 to 1",
        ),
        ("OTLP_CA", "/nowhere/at/all", "telemetry.otlp_ca: cannot read /nowhere/at/all"),
    ] {
        let mut command = crate::support::tollgate();
        command.arg("dev").arg("--data-dir").arg(folder.path());
        for listener in ["PROXY_LISTEN", "PROXY_LISTEN_TLS", "ADMIN_LISTEN", "STATUS_LISTEN", "PORTAL_LISTEN"] {
            command.env(format!("TOLLGATE_{listener}"), "127.0.0.1:0");
        }
        command.env("TOLLGATE_TELEMETRY_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        let output = command.env(format!("TOLLGATE_TELEMETRY_{name}"), value).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{text}");
        assert!(text.contains(told), "{text}");
    }
}
