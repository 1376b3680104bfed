use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tollgate::domain::Keyring;
use tollgate::proxy::{Configuration, Settings};

use crate::house::{Client, House, configured, echo, field, run};

pub const CERTIFICATES: [&str; 3] = [
    "00000000-0000-7000-8000-00000000000a",
    "00000000-0000-7000-8000-00000000000b",
    "00000000-0000-7000-8000-00000000000c",
];
const AUTHORITY: &str = "00000000-0000-7000-8000-00000000000d";

pub struct Authority(pub CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Certificate and key, PEM.
    pub fn issue(&self, name: &str) -> (String, String) {
        self.issue_for(name, &KeyPair::generate().unwrap())
    }

    pub fn issue_for(&self, name: &str, key: &KeyPair) -> (String, String) {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }
}

pub fn add_certificate(configuration: &mut Configuration, id: &str, (cert, key): (String, String), names: &[&str]) {
    let entity = json!({"id": id, "cert": cert, "key": key});
    configuration.add("certificates", entity.as_object().unwrap()).unwrap();
    for name in names {
        let entity = json!({"id": id, "name": name, "certificate": {"id": id}});
        configuration.add("snis", entity.as_object().unwrap()).unwrap();
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[test]
fn a_client_is_shown_the_certificate_it_names() {
    run(async {
        let authority = Authority::new();
        let mut configuration =
            configured(echo().await, json!({}), json!({"snis": ["a.org", "b.c.org"], "protocols": ["https"]}));
        add_certificate(&mut configuration, CERTIFICATES[0], authority.issue("a.org"), &["a.org"]);
        add_certificate(&mut configuration, CERTIFICATES[1], authority.issue("*.c.org"), &["*.c.org"]);
        add_certificate(&mut configuration, CERTIFICATES[2], authority.issue("default.org"), &["*"]);
        let house = House::build(configuration);
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let connector =
            TlsConnector::from(Arc::new(config.with_root_certificates(authority.roots()).with_no_client_auth()));
        for (name, status) in
            [("a.org", Some(200)), ("b.c.org", Some(200)), ("default.org", Some(404)), ("other.org", None)]
        {
            let stream = TcpStream::connect(house.tls).await.unwrap();
            let connected = connector.connect(ServerName::try_from(name).unwrap(), stream).await;
            assert_eq!(connected.is_ok(), status.is_some(), "{name}");
            let Ok(stream) = connected else { continue };
            let mut client = Client::new(stream);
            for _ in 0..2 {
                client.send(b"GET / HTTP/1.1\r\nHost: a.org\r\n\r\n").await;
                let reply = client.reply().await;
                assert_eq!(Some(reply.status), status, "{name}");
                if status == Some(200) {
                    assert_eq!(field(&reply.text(), "x-forwarded-proto"), Some("https"));
                }
            }
        }
    });
}

/// An echo over TLS that demands a certificate of `authority` when `mutual`.
async fn secure_echo(authority: &Authority, name: &str, mutual: bool) -> SocketAddr {
    secure_upstream(authority, name, mutual, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()).await
}

/// The same with another answer, in as few records as it fits in.
async fn secure_upstream(authority: &Authority, name: &str, mutual: bool, answer: Vec<u8>) -> SocketAddr {
    let (cert, key) = authority.issue(name);
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = match mutual {
        true => {
            let roots = Arc::new(authority.roots());
            config.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(roots, provider()).build().unwrap(),
            )
        }
        false => config.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
    let config = config.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let mut client = Client::new(stream);
            while client.request().await.is_some() {
                client.send(&answer).await;
            }
        }
    });
    address
}

async fn status(address: SocketAddr, authority: &Authority, service: Value) -> u16 {
    let mut fields = json!({"protocol": "https"});
    service.as_object().unwrap().iter().for_each(|(name, value)| fields[name] = value.clone());
    let mut configuration = configured(address, fields, json!({}));
    let entity = json!({"id": AUTHORITY, "cert": authority.0.pem()});
    configuration.add("ca_certificates", entity.as_object().unwrap()).unwrap();
    add_certificate(&mut configuration, CERTIFICATES[0], authority.issue("client"), &[]);
    House::build(configuration).ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.status
}

#[test]
fn an_upstream_is_verified_as_far_as_its_service_says() {
    run(async {
        let authority = Authority::new();
        let address = secure_echo(&authority, "127.0.0.1", false).await;
        let trusting = json!({"tls_verify": true, "ca_certificates": [AUTHORITY]});
        assert_eq!(status(address, &authority, json!({})).await, 200, "not verified by default");
        assert_eq!(status(address, &authority, json!({"tls_verify": false})).await, 200);
        assert_eq!(
            status(address, &authority, json!({"tls_verify": true})).await,
            502,
            "the web's roots do not know it"
        );
        assert_eq!(status(address, &authority, trusting.clone()).await, 200);
        let other = secure_echo(&authority, "other.org", false).await;
        assert_eq!(status(other, &authority, trusting).await, 502, "the name is not its own");
    });
}

#[test]
fn what_an_upstream_sends_too_much_within_a_record_is_nobodys_answer() {
    run(async {
        let authority = Authority::new();
        // Answers that fill what is read at a time leave the rest within TLS.
        for length in [1024, 2048, 4096, 8192] {
            let head = |body: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {body}\r\n\r\n");
            let body = (0..length).find(|body| head(*body).len() + body == length).unwrap();
            let surplus = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
            let answer = format!("{}{}{surplus}", head(body), "x".repeat(body)).into_bytes();
            let address = secure_upstream(&authority, "127.0.0.1", false, answer).await;
            let house = House::build(configured(address, json!({"protocol": "https"}), json!({})));
            for _ in 0..3 {
                let reply = house.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
                assert_eq!((reply.status, reply.text().len()), (200, body), "{length}");
            }
        }
    });
}

#[test]
fn an_upstream_is_shown_the_certificate_of_the_service() {
    run(async {
        let authority = Authority::new();
        let address = secure_echo(&authority, "127.0.0.1", true).await;
        assert_eq!(status(address, &authority, json!({})).await, 502);
        assert_eq!(status(address, &authority, json!({"client_certificate": {"id": CERTIFICATES[0]}})).await, 200);
    });
}

/// The handshakes of two connections of one client, the second to another gateway.
async fn handshakes(
    authority: &Authority,
    houses: [&House; 2],
    version: &'static SupportedProtocolVersion,
) -> [Option<HandshakeKind>; 2] {
    let config = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[version]).unwrap();
    let config = config.with_root_certificates(authority.roots()).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let mut kinds = [None; 2];
    for (kind, house) in kinds.iter_mut().zip(houses) {
        let stream = TcpStream::connect(house.tls).await.unwrap();
        let mut client = Client::new(connector.connect(ServerName::try_from("a.org").unwrap(), stream).await.unwrap());
        // The ticket comes with the first answer.
        client.send(b"GET / HTTP/1.1\r\nHost: a.org\r\n\r\n").await;
        assert_eq!(client.reply().await.status, 200);
        *kind = client.stream.get_ref().1.handshake_kind();
    }
    kinds
}

#[test]
fn a_session_is_resumed_at_every_gateway_of_a_keyring() {
    run(async {
        let authority = Authority::new();
        let house = async |lookup: u8| {
            let mut configuration = configured(echo().await, json!({}), json!({}));
            add_certificate(&mut configuration, CERTIFICATES[0], authority.issue("a.org"), &["a.org"]);
            let keyring = Some(Arc::new(Keyring::new([lookup; 32], [2; 32])));
            House::with(Settings { keyring, ..Settings::default() }, configuration)
        };
        let (one, same, other) = (house(1).await, house(1).await, house(9).await);
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            let resumed = handshakes(&authority, [&one, &same], version).await;
            assert_eq!(resumed, [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)], "{version:?}");
            let foreign = handshakes(&authority, [&one, &other], version).await;
            assert_eq!(foreign, [Some(HandshakeKind::Full); 2], "{version:?}");
        }
    });
}
