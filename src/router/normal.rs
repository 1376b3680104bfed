//! Request paths in the one spelling that routes are matched against, and back into one fit for a request line.

use std::borrow::Cow;

/// Decodes what needs no encoding, resolves `.` and `..`, merges slashes: as Kong does before it matches.
///
/// Reserved characters stay encoded (in upper case), since decoding them would change what the path means.
pub fn normalize(path: &[u8]) -> Cow<'_, [u8]> {
    if is_normal(path) {
        return Cow::Borrowed(path);
    }
    Cow::Owned(resolve(&decode(path)))
}

/// Whether nothing in the path needs a change. May say no to a normal path, never yes to another.
fn is_normal(path: &[u8]) -> bool {
    let mut before = 0;
    for byte in path {
        match byte {
            b'%' => return false,
            b'/' | b'.' if before == b'/' => return false,
            _ => before = *byte,
        }
    }
    true
}

fn decode(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let encoded = (first == b'%').then(|| hex(after)).flatten();
        match encoded {
            Some(byte) if is_reserved(byte) => {
                out.push(b'%');
                out.extend(after[..2].iter().map(u8::to_ascii_uppercase));
                rest = &after[2..];
            }
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => out.push(first),
        }
    }
    out
}

fn hex(digits: &[u8]) -> Option<u8> {
    let high = char::from(*digits.first()?).to_digit(16)?;
    let low = char::from(*digits.get(1)?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

const fn is_reserved(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' | b'[' | b']')
}

/// RFC 3986 §5.2.4, empty segments merged.
fn resolve(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    let mut segments = path.split(|byte| *byte == b'/').skip(usize::from(path.first() == Some(&b'/'))).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            b"" | b"." if !last => {}
            b"" | b"." => out.push(b'/'),
            b".." => {
                let parent = out.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                out.truncate(parent);
                if last {
                    out.push(b'/');
                }
            }
            _ => {
                out.push(b'/');
                out.extend_from_slice(segment);
            }
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
    out
}

/// Encodes what may not stand in a request line. What is encoded already stays as it is.
pub fn escape_into(path: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = path;
    while !rest.is_empty() {
        let plain = rest.iter().position(|byte| !STANDS[usize::from(*byte)]).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        if let Some((byte, after)) = rest.split_first() {
            out.extend_from_slice(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            rest = after;
        }
    }
}

/// What may stand in the path of a request line. `?` and `#` would end it; both only ever come encoded.
static STANDS: [bool; 256] = {
    let mut stands = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let sign = byte as u8;
        let plain = sign.is_ascii_alphanumeric() || is_reserved(sign) || matches!(sign, b'-' | b'.' | b'_' | b'~');
        stands[byte] = plain && !matches!(sign, b'?' | b'#');
        byte += 1;
    }
    stands
};
