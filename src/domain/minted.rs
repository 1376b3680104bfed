//! The form of the tokens we mint: 32 characters `[A-Za-z0-9]`. Three tell a minute, 22 are random (131 bits), and seven
//! are a stamp, a keyed MAC of the others (41 bits), by which a guess is refused without asking the store.
//!
//! The minute is for the store: what is minted together is kept together. Without it each token would be written into a
//! page of its own of every index, and with millions of tokens at rest none of those pages would be in memory.

use super::Timestamp;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const LENGTH: usize = 32;
/// What the stamp is made of; the stamp follows.
pub(super) const STAMPED: usize = MINUTE + RANDOM;
const MINUTE: usize = 3;
const RANDOM: usize = 22;
const STAMP: usize = LENGTH - STAMPED;
/// Minutes that three characters tell apart: 165 days. What lives longer only loses its good company.
const MINUTES: i64 = 62 * 62 * 62;

/// Minute and random characters: of this instant, or of none in particular.
pub(super) fn body(entropy: [u8; 24], at: Option<Timestamp>) -> String {
    let [first, second, third] = [0, 8, 16].map(|from| {
        let eight = entropy[from..from + 8].try_into().expect("three times eight bytes");
        u64::from_le_bytes(eight)
    });
    let mut text = String::with_capacity(LENGTH);
    match at {
        Some(at) => {
            let minute = at.millis().div_euclid(60_000).rem_euclid(MINUTES);
            push_base62(&mut text, minute.unsigned_abs(), MINUTE);
        }
        None => push_base62(&mut text, third / 62_u64.pow(7), MINUTE),
    }
    for (number, digits) in [(first, 8), (second, 7), (third, 7)] {
        push_base62(&mut text, number, digits);
    }
    text
}

pub(super) fn stamp(mac: u64) -> String {
    let mut text = String::with_capacity(STAMP);
    push_base62(&mut text, mac, STAMP);
    text
}

/// Whether it looks like one; the stamp decides.
pub(super) fn is_formed(token: &[u8]) -> bool {
    token.len() == LENGTH && token.iter().fold(true, |formed, byte| formed & byte.is_ascii_alphanumeric())
}

/// The minute of a token that [`is_formed`].
pub(super) fn minute(token: &[u8]) -> u32 {
    token.iter().take(MINUTE).fold(0, |minute, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            _ => byte.wrapping_sub(b'a').wrapping_add(36),
        };
        minute * 62 + u32::from(digit)
    })
}

/// Base-62 digits of `number` modulo `62^digits`, most significant first. With up to ten digits of 64 random bits, the
/// bias of the modulus costs less than a hundredth of a bit.
fn push_base62(out: &mut String, number: u64, digits: usize) {
    for place in (0..digits).rev() {
        let power = 62_u64.pow(u32::try_from(place).unwrap_or_default());
        out.push(char::from(BASE62[(number / power % 62) as usize]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_told_and_read() {
        let at = |minutes: i64| Timestamp::from_millis(minutes * 60_000 + 59_999);
        for minutes in [0, 1, 61, 62, MINUTES - 1, 28_333_333] {
            let text = body([7; 24], Some(at(minutes)));
            assert_eq!(text.len(), STAMPED);
            assert_eq!(i64::from(minute(text.as_bytes())), minutes % MINUTES);
        }
        assert_eq!(body([7; 24], Some(at(5)))[MINUTE..], body([7; 24], None)[MINUTE..]);
        assert!(body([7; 24], Some(at(-1))) > body([7; 24], Some(at(-2))), "before 1970, too");
    }

    #[test]
    fn every_byte_of_chance_counts() {
        let plain = body([0; 24], None);
        for place in 0..24 {
            let mut entropy = [0; 24];
            entropy[place] = 1;
            assert_ne!(body(entropy, None), plain, "byte {place}");
        }
    }
}
