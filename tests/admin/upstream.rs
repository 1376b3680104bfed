//! Upstreams written here, and what they saw.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

#[derive(Clone, Copy)]
pub enum Manner {
    /// Answers with the request it got.
    Echo,
    /// Takes the request, then breaks the connection.
    Reset,
    /// Answers something that is no HTTP.
    Garbage,
    /// Answers nothing.
    Silent,
}

pub struct Upstream {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Upstream {
    pub async fn plain(manner: Manner) -> Self {
        Self::start(manner, None).await
    }

    /// Echoes, and tells whether the client showed a certificate.
    pub async fn tls(config: ServerConfig) -> Self {
        Self::start(Manner::Echo, Some(config)).await
    }

    async fn start(manner: Manner, tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let acceptor = tls.map(|config| tokio_rustls::TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else { return serve(stream, manner, false).await };
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let known = stream.get_ref().1.peer_certificates().is_some();
                        serve(stream, manner, known).await;
                    }
                });
            }
        });
        Self { address, connections }
    }

    /// Connections made so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, manner: Manner, known: bool) {
    let Some((head, body)) = request(&mut stream).await else { return };
    match manner {
        Manner::Reset => {}
        Manner::Silent => tokio::time::sleep(Duration::from_secs(20)).await,
        Manner::Garbage => drop(stream.write_all(b"nonsense\r\n\r\n").await),
        Manner::Echo => {
            let mut lines = head.lines();
            let line: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
            let headers: Vec<Value> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| json!([name.to_ascii_lowercase(), value]))
                .collect();
            let seen = json!({ "method": line[0], "path": line[1], "headers": headers, "body": body, "known": known });
            let seen = seen.to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nX-Up: 1\r\nX-Hop: 1\r\n\
                 Keep-Alive: timeout=5\r\nConnection: close, x-hop\r\n\r\n{seen}",
                seen.len()
            );
            drop(stream.write_all(answer.as_bytes()).await);
            drop(stream.shutdown().await);
        }
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        let mut piece = [0; 8192];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => bytes.extend_from_slice(&piece[..length]),
        }
    }
}

/// The values of a header that the upstream saw.
pub fn values<'s>(seen: &'s Value, name: &str) -> Vec<&'s str> {
    let headers = seen["headers"].as_array().unwrap().iter();
    headers.filter(|header| header[0] == name).map(|header| header[1].as_str().unwrap()).collect()
}

/// A client that looks at a certificate and judges nothing.
pub fn trusting_anyone() -> ClientConfig {
    trusting(rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes())
}

/// The same, that judges signatures of this kind only.
pub fn judging(scheme: SignatureScheme) -> ClientConfig {
    trusting(vec![scheme])
}

fn trusting(schemes: Vec<SignatureScheme>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    versions.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(schemes))).with_no_client_auth()
}

#[derive(Debug)]
struct Anyone(Vec<SignatureScheme>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
