//! The chunked coding (RFC 9112 §7.1).

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// Longest chunk-size line, extensions included.
const MAX_SIZE_LINE: usize = 256;
/// Most bytes of trailer section. Trailers are read and dropped.
const MAX_TRAILERS: usize = 8 * 1024;
/// 16⁻¹⁵ of a chunk would not fit in a file system; more digits only serve to overflow someone's counter.
const MAX_DIGITS: usize = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed chunked coding")]
pub struct BadChunk;

/// What came out of the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Never empty.
    Data(Bytes),
    /// The buffer has to be filled further.
    More,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    Data { left: u64 },
    DataEnd,
    Trailers { seen: usize },
    End,
}

/// Takes a chunked body out of a buffer. Trailer fields are checked for their line ends and dropped.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { state: State::Size }
    }
}

impl Decoder {
    /// The next part of the body, taken from the front of `buffer`. Never leaves more than a line unread in it.
    ///
    /// # Errors
    /// The coding is broken; where the body ends is then unknown.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Decoded, BadChunk> {
        loop {
            match self.state {
                State::Size => match take_line(buffer, MAX_SIZE_LINE)? {
                    None => return Ok(Decoded::More),
                    Some(line) => {
                        let size = chunk_size(&line)?;
                        self.state = if size == 0 { State::Trailers { seen: 0 } } else { State::Data { left: size } };
                    }
                },
                State::Data { .. } if buffer.is_empty() => return Ok(Decoded::More),
                State::Data { left } => {
                    let taken = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::DataEnd } else { State::Data { left } };
                    return Ok(Decoded::Data(buffer.split_to(taken).freeze()));
                }
                State::DataEnd => match buffer.get(..2) {
                    Some(b"\r\n") => {
                        buffer.advance(2);
                        self.state = State::Size;
                    }
                    Some(_) => return Err(BadChunk),
                    None if buffer.first().is_some_and(|byte| *byte != b'\r') => return Err(BadChunk),
                    None => return Ok(Decoded::More),
                },
                State::Trailers { seen } => match take_line(buffer, MAX_TRAILERS - seen)? {
                    None => return Ok(Decoded::More),
                    Some(line) if line.is_empty() => self.state = State::End,
                    Some(line) => {
                        check_trailer(&line)?;
                        let seen = seen + line.len() + 2;
                        if seen >= MAX_TRAILERS {
                            return Err(BadChunk);
                        }
                        self.state = State::Trailers { seen };
                    }
                },
                State::End => return Ok(Decoded::End),
            }
        }
    }

    pub fn is_ended(&self) -> bool {
        self.state == State::End
    }
}

/// A line without its CRLF; `None` while it is not whole. It may have `limit` bytes at most.
fn take_line(buffer: &mut BytesMut, limit: usize) -> Result<Option<BytesMut>, BadChunk> {
    let Some(feed) = memchr(b'\n', &buffer[..buffer.len().min(limit)]) else {
        return if buffer.len() >= limit { Err(BadChunk) } else { Ok(None) };
    };
    if feed == 0 || buffer[feed - 1] != b'\r' {
        return Err(BadChunk);
    }
    let mut line = buffer.split_to(feed + 1);
    line.truncate(feed - 1);
    Ok(Some(line))
}

fn chunk_size(line: &[u8]) -> Result<u64, BadChunk> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    if digits == 0 || digits > MAX_DIGITS {
        return Err(BadChunk);
    }
    let (number, extension) = line.split_at(digits);
    let visible = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    if extension.first().is_some_and(|byte| *byte != b';') || !extension.iter().all(visible) {
        return Err(BadChunk);
    }
    let value = |digit: u8| u64::from(char::from(digit).to_digit(16).unwrap_or_default());
    Ok(number.iter().fold(0, |size, digit| size << 4 | value(*digit)))
}

fn check_trailer(line: &[u8]) -> Result<(), BadChunk> {
    let colon = memchr(b':', line).ok_or(BadChunk)?;
    let name = |byte: &u8| byte.is_ascii_graphic();
    let value = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    let good = colon > 0 && line[..colon].iter().all(name) && line[colon..].iter().all(value);
    if good { Ok(()) } else { Err(BadChunk) }
}

/// Appends `data` as one chunk. Empty data is left out, since an empty chunk would end the body.
pub fn encode_chunk(data: &[u8], out: &mut BytesMut) {
    if data.is_empty() {
        return;
    }
    encode_size(data.len(), out);
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// What ends a chunked body.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The size line of a chunk; its data and a CRLF have to follow.
pub fn encode_size(size: usize, out: &mut BytesMut) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut line = [0u8; 18];
    line[16..].copy_from_slice(b"\r\n");
    let mut start = 16;
    let mut left = size;
    loop {
        start -= 1;
        line[start] = DIGITS[left % 16];
        left /= 16;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&line[start..]);
}
