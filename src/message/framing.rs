//! How long a body is (RFC 9112 §6), read so strictly that no two parsers can disagree.

use super::{Headers, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
    Http2,
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// Exactly so many bytes; 0 = no body.
    Exact(u64),
    Chunked,
    /// Until the connection closes (responses only).
    UntilClose,
}

impl BodyLength {
    pub const NONE: Self = Self::Exact(0);

    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// A number as Content-Length spells it: digits only, and not so many that it could overflow.
pub(super) fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// What the header fields say of the body; `None` when they say nothing.
pub(super) fn declared(headers: &Headers, version: Version) -> Result<Option<BodyLength>, Refusal> {
    // A name has the mark of what it imitates.
    if !headers.may_have(b"content-length") && !headers.may_have(b"transfer-encoding") {
        return Ok(None);
    }
    let mut length = None;
    let mut encoded = false;
    for (name, value) in headers.iter() {
        if name.len() == 14 && name.eq_ignore_ascii_case(b"content-length") {
            if length.is_some() {
                return Err(Refusal::RepeatedLength);
            }
            length = Some(content_length(value).ok_or(Refusal::Length)?);
        } else if name.len() == 17 && name.eq_ignore_ascii_case(b"transfer-encoding") {
            if encoded || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::Encoding);
            }
            encoded = true;
        } else if matches!(name.len(), 14 | 17) && imitates(name) {
            return Err(Refusal::Imitation);
        }
    }
    match (length, encoded) {
        (Some(_), true) => Err(Refusal::LengthAndEncoding),
        (None, true) if version == Version::Http10 => Err(Refusal::EncodingInOldVersion),
        (None, true) => Ok(Some(BodyLength::Chunked)),
        (Some(length), false) => Ok(Some(BodyLength::Exact(length))),
        (None, false) => Ok(None),
    }
}

/// `Content_Length` and `Transfer.Encoding` are other fields to HTTP, but the same variable to a CGI-like upstream.
fn imitates(name: &[u8]) -> bool {
    let dashed = |original: &[u8]| {
        let pairs = name.iter().zip(original);
        pairs.into_iter().all(|(a, b)| a.eq_ignore_ascii_case(b) || (*b == b'-' && !a.is_ascii_alphanumeric()))
    };
    if name.len() == 14 { dashed(b"content-length") } else { dashed(b"transfer-encoding") }
}

/// The body of a request: none unless declared.
pub(super) fn of_request(headers: &Headers, version: Version) -> Result<BodyLength, Refusal> {
    Ok(declared(headers, version)?.unwrap_or(BodyLength::NONE))
}

/// The body of a response to a request of `method`. `None` when head and body contradict each other.
pub(super) fn of_response(headers: &Headers, version: Version, status: u16, to_head: bool) -> Option<BodyLength> {
    let declared = declared(headers, version).ok()?;
    if to_head || status < 200 || status == 204 || status == 304 {
        return Some(BodyLength::NONE);
    }
    Some(declared.unwrap_or(BodyLength::UntilClose))
}

/// Most words of a `Connection` field. Every other field is compared with each, so many of them would cost.
const MAX_CONNECTION_WORDS: usize = 32;

/// What `Connection` says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    pub close: bool,
    pub keep_alive: bool,
    pub upgrade: bool,
}

/// Reads `Connection`; `None` when it has too many words.
pub(super) fn connection(headers: &Headers) -> Option<Wishes> {
    let mut wishes = Wishes::default();
    for (nth, word) in list(headers, "connection").enumerate() {
        if nth == MAX_CONNECTION_WORDS {
            return None;
        }
        wishes.close |= word.eq_ignore_ascii_case(b"close");
        wishes.keep_alive |= word.eq_ignore_ascii_case(b"keep-alive");
        wishes.upgrade |= word.eq_ignore_ascii_case(b"upgrade");
    }
    Some(wishes)
}

/// The words of a comma-separated field, over every line of it, trimmed, empty ones left out.
pub fn list<'h>(headers: &'h Headers, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let words = headers.all(name).flat_map(|value| value.split(|byte| *byte == b','));
    words.map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
}
