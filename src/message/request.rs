//! Request heads (RFC 9112 §2-3), strict: what two servers might read differently is refused.

use bytes::{Buf, BytesMut};

use super::framing::{self, BodyLength, Version};
use super::headers::{Headers, Line, Place};
use super::scan::{self, Scan};
use super::{Refusal, RequestHead, target};

/// How much head is taken.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Bytes of the whole head.
    pub head: usize,
    /// Bytes of the request line.
    pub line: usize,
}

/// Most header fields of a message.
pub const MAX_FIELDS: usize = 100;
pub(super) const MAX_METHOD: usize = 32;

impl Default for HeadLimits {
    fn default() -> Self {
        Self { head: 64 * 1024, line: 16 * 1024 }
    }
}

/// What a head says of its message and connection, apart from the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestFrame {
    pub version: Version,
    pub body: BodyLength,
    /// Whether the client wants to go on with the connection.
    pub keep_alive: bool,
    /// `Expect: 100-continue`: the body comes when it is asked for.
    pub expects_continue: bool,
    /// `Connection: upgrade` and `Upgrade: websocket`. Any other upgrade is not heard: through a tunnel of `h2c` a client
    /// would send the upstream requests that nobody here has judged.
    pub upgrade: bool,
}

/// Takes one request head from the front of `buffer` into `head`; `None` when it is not whole yet.
///
/// `head` is overwritten. `scan` remembers how far earlier calls looked; it is reset with each head.
///
/// # Errors
/// What is wrong with the head, as soon as it is certain. The buffer is then of no more use.
pub fn read_request(
    buffer: &mut BytesMut,
    scan: &mut Scan,
    limits: &HeadLimits,
    head: &mut RequestHead,
) -> Result<Option<RequestFrame>, Refusal> {
    skip_empty_lines(buffer, scan);
    let Some(length) = scan::head_end(buffer, scan).map_err(|()| Refusal::BareLineFeed)? else {
        return refuse_early(buffer, scan, limits).map(|()| None);
    };
    if scan.first_line() > limits.line {
        return Err(Refusal::TargetTooLong);
    }
    if length > limits.head {
        return Err(Refusal::HeadTooLarge);
    }
    *scan = Scan::default();
    let frame = parse(&buffer[..length], head)?;
    buffer.advance(length);
    Ok(Some(frame))
}

/// RFC 9112 §2.2: empty lines before a request line are ignored. They count towards nothing, as they take no memory.
fn skip_empty_lines(buffer: &mut BytesMut, scan: &mut Scan) {
    while buffer.starts_with(b"\r\n") {
        buffer.advance(2);
        *scan = Scan::default();
    }
}

fn refuse_early(buffer: &BytesMut, scan: &Scan, limits: &HeadLimits) -> Result<(), Refusal> {
    let line = if scan.first_line() > 0 { scan.first_line() } else { buffer.len() };
    if line > limits.line {
        return Err(Refusal::TargetTooLong);
    }
    if buffer.len() > limits.head {
        return Err(Refusal::HeadTooLarge);
    }
    Ok(())
}

fn parse(bytes: &[u8], head: &mut RequestHead) -> Result<RequestFrame, Refusal> {
    let mut fields = [const { std::mem::MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(Refusal::RequestLine),
        Err(error) => return Err(refusal_of(error)),
    }
    let (Some(method), Some(path), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Refusal::RequestLine);
    };
    let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
    if method == "CONNECT" || method.len() > MAX_METHOD {
        return Err(Refusal::Method);
    }
    let RequestHead { headers, line } = head;
    headers.begin(bytes);
    for field in request.headers.iter() {
        headers.note(bytes, field.name.as_bytes(), field.value);
    }
    let target = target::parse(method.as_bytes(), path.as_bytes())?;
    *line = Line {
        method: headers.place(bytes, method.as_bytes()),
        path: headers.place(bytes, target.path),
        query: target.query.map(|query| headers.place(bytes, query)),
        host: {
            let authority = target.authority.map(|authority| headers.place(bytes, authority));
            host(headers, version, authority)?
        },
    };
    frame(headers, version)
}

fn refusal_of(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::Version => Refusal::Version,
        httparse::Error::TooManyHeaders => Refusal::TooManyFields,
        httparse::Error::Token | httparse::Error::Status => Refusal::RequestLine,
        httparse::Error::NewLine | httparse::Error::HeaderName | httparse::Error::HeaderValue => Refusal::Field,
    }
}

/// The authority of the request. An absolute-form target's replaces the Host field, which must still be there (once).
fn host(headers: &Headers, version: Version, target: Option<Place>) -> Result<Place, Refusal> {
    let mut hosts = headers.places("host");
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::RepeatedHost);
    }
    match host {
        None if version == Version::Http11 => Err(Refusal::MissingHost),
        None => Ok(target.unwrap_or_default()),
        Some(host) if !target::is_authority(headers.part(host)) => Err(Refusal::Host),
        Some(host) => Ok(target.unwrap_or(host)),
    }
}

fn frame(headers: &Headers, version: Version) -> Result<RequestFrame, Refusal> {
    let body = framing::of_request(headers, version)?;
    let wishes = framing::connection(headers).ok_or(Refusal::Field)?;
    let mut expects_continue = false;
    for expectation in headers.all("expect") {
        if !expectation.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::Expectation);
        }
        // An HTTP/1.0 client would take the 100 for the answer (RFC 9110 §10.1.1).
        expects_continue = version == Version::Http11 && !body.is_none();
    }
    let keep_alive = !wishes.close && (version == Version::Http11 || wishes.keep_alive);
    let mut wanted = headers.all("upgrade");
    let websocket = wanted.next().is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"));
    let upgrade = wishes.upgrade && version == Version::Http11 && websocket && wanted.next().is_none();
    Ok(RequestFrame { version, body, keep_alive, expects_continue, upgrade })
}
