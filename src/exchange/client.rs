//! One GET at a time from an Admin API, over HTTP/1.1, on one connection where the server keeps it.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Problem;
use crate::domain::Secret;

/// A page of an Admin API is smaller.
pub const LONGEST_BODY: usize = 32 << 20;
/// How long the server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECTING: Duration = Duration::from_secs(10);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Where to ask, and how to be let in.
pub struct Client {
    base: Uri,
    tls: Option<TlsConnector>,
    token: Option<(HeaderName, HeaderValue)>,
    connection: Mutex<Option<SendRequest<Empty<Bytes>>>>,
}

impl Client {
    /// # Errors
    /// No URL of HTTP, or a header that cannot be sent.
    pub fn new(url: &str, header: &str, token: Option<Secret>) -> Result<Self, Problem> {
        let fault = |text: &str| Problem::new("", text);
        let base: Uri = url.parse().map_err(|_| fault("is not a URL"))?;
        if base.host().is_none() || base.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(fault("is not the URL of a host; a token goes into --token-file"));
        }
        let tls = if base.scheme_str() == Some("https") { Some(connector()?) } else { None };
        let name =
            HeaderName::from_bytes(header.as_bytes()).map_err(|_| fault("--token-header is no header's name"))?;
        let token = match token {
            None => None,
            Some(token) => {
                let mut value = HeaderValue::from_str(token.reveal()).map_err(|_| fault("the token cannot be sent"))?;
                value.set_sensitive(true);
                Some((name, value))
            }
        };
        Ok(Self { base, tls, token, connection: Mutex::default() })
    }

    /// The status and body of one answer.
    ///
    /// # Errors
    /// The server cannot be reached, takes too long, or says too much.
    pub async fn get(&self, path: &str) -> Result<(u16, Bytes), Problem> {
        let mut kept = self.connection.lock().await;
        // A connection that was kept may have been closed meanwhile: then once more, on a new one.
        if let Some(mut connection) = kept.take()
            && !connection.is_closed()
            && let Ok(answer) = self.ask(&mut connection, path).await
        {
            *kept = Some(connection);
            return Ok(answer);
        }
        let mut connection = self.connect().await?;
        let answer = self.ask(&mut connection, path).await?;
        *kept = Some(connection);
        Ok(answer)
    }

    async fn ask(&self, connection: &mut SendRequest<Empty<Bytes>>, path: &str) -> Result<(u16, Bytes), Problem> {
        let fault = |text: String| Problem::new(format!("GET {path}"), text);
        let prefix = self.base.path().trim_end_matches('/');
        let authority = self.base.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::get(format!("{prefix}{path}"))
            .header(HOST, authority)
            .header(USER_AGENT, concat!("tollgate/", env!("CARGO_PKG_VERSION")))
            .header("Accept", "application/json");
        if let Some((name, value)) = &self.token {
            request = request.header(name, value);
        }
        let request = request.body(Empty::new()).map_err(|_| fault("is not a path".to_owned()))?;
        let answered = async {
            connection.ready().await.map_err(|error| fault(error.to_string()))?;
            let answer = connection.send_request(request).await.map_err(|error| fault(error.to_string()))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), LONGEST_BODY).collect().await;
            let body = body
                .map_err(|_| fault(format!("the answer was cut off, or is larger than {} MiB", LONGEST_BODY >> 20)))?;
            Ok((status, body.to_bytes()))
        };
        timeout(PATIENCE, answered).await.unwrap_or_else(|_| Err(fault("no answer in a minute".to_owned())))
    }

    async fn connect(&self) -> Result<SendRequest<Empty<Bytes>>, Problem> {
        let host = self.base.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = self.base.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let fault = |text: String| Problem::new("", format!("cannot connect: {text}"));
        let connected = async {
            let tcp = TcpStream::connect((host.as_str(), port)).await.map_err(|error| fault(error.to_string()))?;
            let Some(tls) = &self.tls else { return Ok(Box::new(tcp) as Box<dyn Stream>) };
            let name = ServerName::try_from(host.clone()).map_err(|error| fault(error.to_string()))?;
            let stream = tls.connect(name, tcp).await.map_err(|error| fault(error.to_string()))?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        };
        let stream = timeout(CONNECTING, connected).await.unwrap_or_else(|_| Err(fault("no answer".to_owned())))?;
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|error| fault(error.to_string()))?;
        // Ends when the sender is dropped, or the server closes.
        actix_rt::spawn(async move { drop(connection.await) });
        Ok(sender)
    }
}

/// Trusts what the machine trusts (`SSL_CERT_FILE` names another bundle).
fn connector() -> Result<TlsConnector, Problem> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Problem::new("", error.to_string()))?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}
