//! Response heads of upstreams.

use bytes::{Buf, BytesMut};

use super::Headers;
use super::framing::{self, BodyLength, Version};
use super::request::MAX_FIELDS;
use super::scan::{self, Scan};

/// An upstream's status line and header fields.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    pub status: u16,
    pub headers: Headers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseFrame {
    pub version: Version,
    pub body: BodyLength,
    /// Whether the connection can carry another request after this answer.
    pub keep_alive: bool,
}

/// An answer that is not HTTP/1.x, or whose length is anyone's guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed response head")]
pub struct BadResponse;

/// Reads one response head from the front of `buffer`, as [`super::read_request`] does for requests. `to_head`: it
/// answers a HEAD request and has no body whatever it declares.
///
/// # Errors
/// The head is malformed, longer than `limit`, or contradicts itself.
pub fn read_response(
    buffer: &mut BytesMut,
    scan: &mut Scan,
    limit: usize,
    to_head: bool,
    head: &mut ResponseHead,
) -> Result<Option<ResponseFrame>, BadResponse> {
    let Some(length) = scan::head_end(buffer, scan).map_err(|()| BadResponse)? else {
        return if buffer.len() > limit { Err(BadResponse) } else { Ok(None) };
    };
    if length > limit {
        return Err(BadResponse);
    }
    *scan = Scan::default();
    let frame = parse(&buffer[..length], to_head, head)?;
    buffer.advance(length);
    Ok(Some(frame))
}

fn parse(bytes: &[u8], to_head: bool, head: &mut ResponseHead) -> Result<ResponseFrame, BadResponse> {
    let mut fields = [const { std::mem::MaybeUninit::uninit() }; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut response, bytes, &mut fields) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        _ => return Err(BadResponse),
    }
    let (Some(status), Some(minor)) = (response.code, response.version) else { return Err(BadResponse) };
    if !(100..=999).contains(&status) {
        return Err(BadResponse);
    }
    let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
    head.status = status;
    head.headers.begin(bytes);
    for field in response.headers.iter() {
        head.headers.note(bytes, field.name.as_bytes(), field.value);
    }
    let body = framing::of_response(&head.headers, version, status, to_head).ok_or(BadResponse)?;
    let wishes = framing::connection(&head.headers).ok_or(BadResponse)?;
    let persists = version == Version::Http11 || wishes.keep_alive;
    let keep_alive = !wishes.close && persists && body != BodyLength::UntilClose;
    Ok(ResponseFrame { version, body, keep_alive })
}
