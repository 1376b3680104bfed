//! Upstreams that speak gRPC over TLS: whom the gateway believes, and what it shows.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Request, Response};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::house::{House, configured, run};
use crate::tls::{Authority, CERTIFICATES, add_certificate};

const AUTHORITY: &str = "00000000-0000-7000-8000-00000000000d";

/// A gRPC upstream that demands a certificate of `authority` when `mutual`.
async fn upstream(authority: &Authority, name: &str, mutual: bool) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let roots = Arc::new(authority.roots());
    let config = match mutual {
        true => config
            .unwrap()
            .with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(roots, provider).build().unwrap()),
        false => config.unwrap().with_no_client_auth(),
    };
    let (cert, key) = authority.issue(name);
    let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
    let mut config = config.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let Ok(mut connection) = h2::server::handshake(stream).await else { continue };
            tokio::task::spawn_local(async move {
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
                    let mut send = respond.send_response(head, false).unwrap();
                    let trailers = [(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))];
                    send.send_trailers(trailers.into_iter().collect()).unwrap();
                }
            });
        }
    });
    address
}

/// The grpc-status of a call to a service with these fields.
async fn status(address: SocketAddr, authority: &Authority, service: Value) -> String {
    let mut fields = json!({"protocol": "grpcs"});
    service.as_object().unwrap().iter().for_each(|(name, value)| fields[name] = value.clone());
    let mut configuration = configured(address, fields, json!({"protocols": ["grpc"], "strip_path": false}));
    let entity = json!({"id": AUTHORITY, "cert": authority.0.pem()});
    configuration.add("ca_certificates", entity.as_object().unwrap()).unwrap();
    add_certificate(&mut configuration, CERTIFICATES[0], authority.issue("client"), &[]);
    let house = House::build(configuration);
    let (send, connection) = h2::client::handshake(TcpStream::connect(house.plain).await.unwrap()).await.unwrap();
    tokio::task::spawn_local(connection);
    let request = Request::post("http://a.org/pkg.Service/Method").header("content-type", "application/grpc");
    let request = request.header("te", "trailers").body(()).unwrap();
    let (response, _) = send.ready().await.unwrap().send_request(request, true).unwrap();
    let (head, mut body) = response.await.unwrap().into_parts();
    let told = |fields: &HeaderMap| fields.get("grpc-status").map(|status| status.to_str().unwrap().to_owned());
    match told(&head.headers) {
        Some(status) => status,
        None => {
            while let Some(data) = body.data().await {
                data.unwrap();
            }
            told(&body.trailers().await.unwrap().unwrap()).unwrap()
        }
    }
}

#[test]
fn an_upstream_is_verified_as_far_as_its_service_says() {
    run(async {
        let authority = Authority::new();
        let address = upstream(&authority, "127.0.0.1", false).await;
        let trusting = json!({"tls_verify": true, "ca_certificates": [AUTHORITY]});
        assert_eq!(status(address, &authority, json!({})).await, "0", "not verified by default");
        assert_eq!(status(address, &authority, json!({"tls_verify": true})).await, "14", "nobody's authority");
        assert_eq!(status(address, &authority, trusting.clone()).await, "0");
        let other = upstream(&authority, "other.org", false).await;
        assert_eq!(status(other, &authority, trusting).await, "14", "the name is not its own");
    });
}

#[test]
fn an_upstream_is_shown_the_certificate_of_the_service() {
    run(async {
        let authority = Authority::new();
        let address = upstream(&authority, "127.0.0.1", true).await;
        assert_eq!(status(address, &authority, json!({})).await, "14");
        let shown = json!({"client_certificate": {"id": CERTIFICATES[0]}});
        assert_eq!(status(address, &authority, shown.clone()).await, "0");
        let stranger = upstream(&Authority::new(), "127.0.0.1", true).await;
        assert_eq!(status(stranger, &authority, shown).await, "14", "signed by no one it knows");
    });
}
