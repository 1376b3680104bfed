//! Posting to one address that the operator names, such as a collector of traces.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use uuid::Uuid;

use super::dial::connect;
use super::names::Names;
use super::own::PRODUCT;
use super::snapshot::Upstream;
use super::verify::{Demands, TlsError, client_config};
use crate::domain::Secret;
use crate::message::{ResponseHead, Scan, read_response};
use crate::router::{Protocol, ServiceSpec};

/// For a connection with its TLS handshake.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Most head of an answer.
const MOST_HEAD: usize = 16 * 1024;

/// Where to post to.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Whether it speaks TLS: then its certificate must be one the web trusts, or of these authorities (PEM).
    pub secure: bool,
    pub authorities: Vec<String>,
    pub host: String,
    pub port: u16,
    pub path: String,
    /// Fields that every request carries: names and values as HTTP allows them.
    pub headers: Vec<(String, Secret)>,
}

/// Posts to one destination, over a connection for each request: they are few. Belongs to one thread.
pub struct Poster {
    upstream: Upstream,
    path: String,
    headers: Vec<(String, Secret)>,
    names: Rc<Names>,
}

impl Poster {
    /// # Errors
    /// The host is no name of a server, or an authority cannot be read.
    pub fn new(destination: &Destination) -> Result<Self, TlsError> {
        let Destination { secure, authorities, host, port, path, headers } = destination;
        let tls = match secure {
            false => None,
            true => {
                let demands = Demands {
                    http2: false,
                    verify: true,
                    depth: None,
                    authorities: authorities.clone(),
                    identity: None,
                };
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                let name = ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::Name(host.clone()))?;
                Some(Ok((client_config(&demands)?, name)))
            }
        };
        let spec = ServiceSpec {
            id: Uuid::nil(),
            name: None,
            protocol: if *secure { Protocol::Https } else { Protocol::Http },
            host: host.clone(),
            port: *port,
            path: None,
            retries: 0,
            connect_timeout: CONNECT_LIMIT,
            write_timeout: CONNECT_LIMIT,
            read_timeout: CONNECT_LIMIT,
            tls_verify: Some(true),
            tls_verify_depth: None,
            client_certificate: None,
            ca_certificates: Vec::new(),
            enabled: true,
        };
        let authority = format!("{host}:{port}").into_bytes().into();
        let upstream = Upstream { spec: Arc::new(spec), key: 0, authority, is_http2: false, tls };
        Ok(Self { upstream, path: path.clone(), headers: headers.clone(), names: Rc::new(Names::of(Vec::new())) })
    }

    /// The status of the answer to `body`, all within `limit`.
    ///
    /// # Errors
    /// There was none, and why.
    pub async fn post(&self, kind: &str, body: Bytes, limit: Duration) -> Result<u16, String> {
        let answer = timeout(limit, self.exchange(kind, &body)).await;
        answer.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    async fn exchange(&self, kind: &str, body: &Bytes) -> Result<u16, String> {
        let connected = timeout(CONNECT_LIMIT, connect(&self.upstream, &self.names, None)).await;
        let mut io = connected
            .unwrap_or(Err(super::failure::Failure::TimedOut))
            .map_err(|failure| failure.to_string().replace("upstream", "it"))?;
        let mut head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {PRODUCT}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Connection: close\r\n",
            self.path,
            String::from_utf8_lossy(&self.upstream.authority),
            body.len()
        );
        for (name, value) in &self.headers {
            head.extend([name, ": ", value.reveal(), "\r\n"]);
        }
        head.push_str("\r\n");
        let broken = |error: std::io::Error| error.to_string();
        io.write_all(head.as_bytes()).await.map_err(broken)?;
        io.write_all(body).await.map_err(broken)?;
        io.flush().await.map_err(broken)?;
        let (mut buffer, mut scan, mut head) = (BytesMut::new(), Scan::default(), ResponseHead::default());
        loop {
            if io.read_buf(&mut buffer).await.map_err(broken)? == 0 {
                return Err("it closed the connection without an answer".to_owned());
            }
            let read = read_response(&mut buffer, &mut scan, MOST_HEAD, false, &mut head);
            match read.map_err(|error| error.to_string())? {
                Some(_) if head.status < 200 => {
                    (scan, head) = (Scan::default(), ResponseHead::default());
                }
                Some(_) => return Ok(head.status),
                None => {}
            }
        }
    }
}
