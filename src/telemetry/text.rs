//! Texts and numbers as bytes of a line, without allocating.

use std::net::IpAddr;
use std::time::Duration;

use uuid::Uuid;

/// What is told of a text that is longer than its limit.
const CUT: &[u8] = b"...";

/// The beginning of a text, and what tells that there was more of it.
fn bounded(text: &[u8], limit: usize) -> (&[u8], &'static [u8]) {
    if text.len() <= limit { (text, b"") } else { (&text[..limit], CUT) }
}

/// The inside of a JSON string, in visible ASCII. What is no UTF-8 becomes U+FFFD.
pub(in crate::telemetry) fn json(text: &[u8], limit: usize, line: &mut Vec<u8>) {
    let (text, cut) = bounded(text, limit);
    if text.iter().all(|byte| is_plain(*byte)) {
        line.extend_from_slice(text);
    } else {
        for chunk in text.utf8_chunks() {
            for letter in chunk.valid().chars() {
                json_letter(letter, line);
            }
            if !chunk.invalid().is_empty() {
                line.extend_from_slice(b"\\ufffd");
            }
        }
    }
    line.extend_from_slice(cut);
}

fn json_letter(letter: char, line: &mut Vec<u8>) {
    match letter {
        '"' | '\\' => line.extend_from_slice(&[b'\\', letter as u8]),
        ' '..='~' => line.push(letter as u8),
        _ => {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                line.extend_from_slice(b"\\u");
                for shift in [12, 8, 4, 0] {
                    line.push(digit((*unit >> shift) as usize & 15));
                }
            }
        }
    }
}

/// As nginx writes variables in a log: what is not visible ASCII, `"` and `\` become `\xHH`. `spaces`: whether those
/// may stay, as they may between quotes.
pub(in crate::telemetry) fn nginx(text: &[u8], limit: usize, spaces: bool, line: &mut Vec<u8>) {
    let (text, cut) = bounded(text, limit);
    let stays = if spaces { &PLAIN } else { &PLAIN_WORD };
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.iter().position(|byte| !stays[usize::from(*byte)]).unwrap_or(rest.len());
        line.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        if let Some((byte, after)) = rest.split_first() {
            line.extend_from_slice(&[b'\\', b'x', digit(usize::from(byte >> 4)), digit(usize::from(byte & 15))]);
            rest = after;
        }
    }
    line.extend_from_slice(cut);
}

static PLAIN: [bool; 256] = plain(b' ');
static PLAIN_WORD: [bool; 256] = plain(b'!');

/// What is plain, from this byte on.
const fn plain(first: u8) -> [bool; 256] {
    let mut stays = [false; 256];
    let mut byte = first;
    while byte < 255 {
        stays[byte as usize] = is_plain(byte);
        byte += 1;
    }
    stays
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

fn digit(value: usize) -> u8 {
    b"0123456789ABCDEF"[value & 15]
}

pub(in crate::telemetry) fn number(number: u64, line: &mut Vec<u8>) {
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Milliseconds with three decimals.
pub(in crate::telemetry) fn millis(time: Duration, line: &mut Vec<u8>) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    number(micros / 1000, line);
    line.push(b'.');
    padded((micros % 1000) as u16, line);
}

/// Three digits.
pub(in crate::telemetry) fn padded(below_1000: u16, line: &mut Vec<u8>) {
    for unit in [100, 10, 1] {
        line.push(digit(usize::from(below_1000 / unit % 10)));
    }
}

pub(in crate::telemetry) fn id(id: Uuid, line: &mut Vec<u8>) {
    line.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
}

pub(in crate::telemetry) fn address(address: IpAddr, line: &mut Vec<u8>) {
    use std::io::Write;
    match address {
        IpAddr::V4(address) => {
            for (nth, octet) in address.octets().into_iter().enumerate() {
                if nth > 0 {
                    line.push(b'.');
                }
                number(u64::from(octet), line);
            }
        }
        // Writing into a vector does not fail.
        IpAddr::V6(address) => drop(write!(line, "{address}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        write(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn what_clients_send_stays_visible_ascii_in_its_field() {
        for evil in [&b"a\"b\\c\r\nd\x1b[2J\x00\x7f"[..], "é\u{2028}😀\u{85}\u{202e}".as_bytes(), b"\xff\xfe ok \xc3"]
        {
            let json = of(|line| super::json(evil, 100, line));
            assert!(json.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{json}");
            let read: String = serde_json::from_str(&format!("\"{json}\"")).unwrap();
            assert_eq!(read, String::from_utf8_lossy(evil));
            let combined = of(|line| nginx(evil, 100, false, line));
            assert!(combined.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'"'), "{combined}");
        }
        assert_eq!(of(|line| nginx(b"a \"\\\n", 9, true, line)), "a \\x22\\x5C\\x0A");
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        assert_eq!(of(|line| super::json(b"abcdef", 3, line)), "abc...");
        assert_eq!(of(|line| nginx(b"abc", 3, true, line)), "abc");
        // Cut within a letter: what is left of it is no letter.
        assert_eq!(of(|line| super::json("aé".as_bytes(), 2, line)), "a\\ufffd...");
    }

    #[test]
    fn numbers_and_addresses_are_written_as_usual() {
        assert_eq!(of(|line| millis(Duration::from_micros(12_034), line)), "12.034");
        assert_eq!(of(|line| millis(Duration::from_nanos(999), line)), "0.000");
        for text in ["10.0.255.1", "2001:db8::1"] {
            assert_eq!(of(|line| address(text.parse().unwrap(), line)), text);
        }
    }
}
