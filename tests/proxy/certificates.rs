//! Which certificate a handshake shows after each change, for both versions of TLS and of HTTP.

use std::sync::Arc;

use rcgen::{KeyPair, PKCS_RSA_SHA256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, SignatureScheme, SupportedProtocolVersion};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tollgate::proxy::Configuration;

use crate::house::{Client, House, configured, echo, put_in_force, run};
use crate::tls::{Authority, CERTIFICATES, add_certificate};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

/// How a client connects.
struct Caller<'a> {
    authority: &'a Authority,
    version: &'static SupportedProtocolVersion,
    protocol: &'static str,
    /// Signatures that it can judge, in its order; all where empty.
    schemes: &'a [SignatureScheme],
}

impl Caller<'_> {
    fn config(&self) -> ClientConfig {
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        if !self.schemes.is_empty() {
            let known = provider.signature_verification_algorithms.mapping;
            let judged =
                self.schemes.iter().filter_map(|scheme| known.iter().find(|(name, _)| name == scheme).copied());
            provider.signature_verification_algorithms.mapping = Box::leak(judged.collect());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[self.version]);
        let mut config = config.unwrap().with_root_certificates(self.authority.roots()).with_no_client_auth();
        config.alpn_protocols = vec![self.protocol.into()];
        config
    }

    /// Shakes hands, makes a call, and tells the certificate shown; `None`: none that proves the name.
    async fn shown(&self, house: &House, name: &str) -> Option<CertificateDer<'static>> {
        let connector = TlsConnector::from(Arc::new(self.config()));
        let stream = TcpStream::connect(house.tls).await.unwrap();
        let stream = connector.connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await.ok()?;
        let session = stream.get_ref().1;
        assert_eq!(session.alpn_protocol(), Some(self.protocol.as_bytes()));
        assert_eq!(session.protocol_version(), Some(self.version.version));
        let shown = session.peer_certificates().unwrap()[0].clone().into_owned();
        assert_eq!(self.call(stream, name).await, 200);
        Some(shown)
    }

    async fn call(&self, stream: TlsStream<TcpStream>, name: &str) -> u16 {
        if self.protocol == "http/1.1" {
            let mut client = Client::new(stream);
            client.send(format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n").as_bytes()).await;
            return client.reply().await.status;
        }
        let (send, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::task::spawn_local(connection);
        let request = http::Request::get(format!("https://{name}/")).body(()).unwrap();
        let (response, _) = send.ready().await.unwrap().send_request(request, true).unwrap();
        response.await.unwrap().status().as_u16()
    }
}

fn der(pem: &str) -> Option<CertificateDer<'static>> {
    Some(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
}

#[test]
fn each_change_is_shown_at_the_next_handshake() {
    run(async {
        let authority = Authority::new();
        let address = echo().await;
        let with = |certificates: &[(usize, &(String, String), &[&str])]| -> Configuration {
            let mut configuration = configured(address, json!({}), json!({}));
            for (place, pair, names) in certificates {
                add_certificate(&mut configuration, CERTIFICATES[*place], (*pair).clone(), names);
            }
            configuration
        };
        let (old, new) = (authority.issue("a.example.com"), authority.issue("a.example.com"));
        let house = House::build(with(&[]));
        for (version, protocol) in VERSIONS.into_iter().flat_map(|version| [(version, "http/1.1"), (version, "h2")]) {
            let caller = Caller { authority: &authority, version, protocol, schemes: &[] };
            put_in_force(&house.gateway, with(&[]));
            assert_eq!(caller.shown(&house, "a.example.com").await, None, "no certificate at all");
            put_in_force(&house.gateway, with(&[(0, &old, &["a.example.com"])]));
            assert_eq!(caller.shown(&house, "a.example.com").await, der(&old.0), "created");
            put_in_force(&house.gateway, with(&[(0, &new, &["a.example.com"])]));
            assert_eq!(caller.shown(&house, "a.example.com").await, der(&new.0), "changed");
            put_in_force(&house.gateway, with(&[(0, &old, &["a.example.com"]), (1, &new, &["*"])]));
            assert_eq!(caller.shown(&house, "a.example.com").await, der(&old.0), "before the default");
            put_in_force(&house.gateway, with(&[(0, &old, &[]), (1, &new, &["*"])]));
            assert_eq!(caller.shown(&house, "a.example.com").await, der(&new.0), "its name deleted");
            put_in_force(&house.gateway, with(&[(0, &old, &["b.example.com"])]));
            assert_eq!(caller.shown(&house, "a.example.com").await, None, "no default");
        }
    });
}

#[test]
fn an_exact_name_comes_before_a_prefix_wildcard_before_a_suffix_wildcard_before_the_default() {
    run(async {
        let authority = Authority::new();
        let name = "a.example.com";
        let ranks = ["a.example.com", "*.example.com", "a.example.*", "*"];
        let pairs = [(); 4].map(|()| authority.issue(name));
        let ids = [CERTIFICATES[0], CERTIFICATES[1], CERTIFICATES[2], "00000000-0000-7000-8000-00000000000e"];
        let address = echo().await;
        let house = House::build(configured(address, json!({}), json!({})));
        for protocol in ["http/1.1", "h2"] {
            let caller = Caller { authority: &authority, version: VERSIONS[0], protocol, schemes: &[] };
            for best in 0..4 {
                let mut configuration = configured(address, json!({}), json!({}));
                for rank in best..4 {
                    add_certificate(&mut configuration, ids[rank], pairs[rank].clone(), &[ranks[rank]]);
                }
                put_in_force(&house.gateway, configuration);
                assert_eq!(caller.shown(&house, name).await, der(&pairs[best].0), "{}", ranks[best]);
            }
        }
    });
}

#[test]
fn of_two_chains_the_client_is_shown_the_one_it_names_first_of_those_it_can_judge() {
    run(async {
        let authority = Authority::new();
        let elliptic = authority.issue("a.org");
        let rsa = authority.issue_for("a.org", &KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap());
        let (ecdsa, pss) = (SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256);
        let orders: [(&[SignatureScheme], &str); 4] =
            [(&[ecdsa], &elliptic.0), (&[pss], &rsa.0), (&[ecdsa, pss], &elliptic.0), (&[pss, ecdsa], &rsa.0)];
        for (first, second) in [(&elliptic, &rsa), (&rsa, &elliptic)] {
            let mut configuration = configured(echo().await, json!({}), json!({}));
            let entity = json!({
                "id": CERTIFICATES[0], "cert": first.0, "key": first.1, "cert_alt": second.0, "key_alt": second.1,
            });
            configuration.add("certificates", entity.as_object().unwrap()).unwrap();
            let sni = json!({"id": CERTIFICATES[0], "name": "a.org", "certificate": {"id": CERTIFICATES[0]}});
            configuration.add("snis", sni.as_object().unwrap()).unwrap();
            let house = House::build(configuration);
            for (version, (schemes, expected)) in
                VERSIONS.iter().flat_map(|version| orders.map(|order| (version, order)))
            {
                let caller = Caller { authority: &authority, version, protocol: "h2", schemes };
                assert_eq!(caller.shown(&house, "a.org").await, der(expected), "{version:?} {schemes:?}");
            }
        }
    });
}
