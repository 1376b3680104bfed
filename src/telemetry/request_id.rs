//! Request ids: 32 hexadecimal digits, unique over workers and restarts, cheap to make.

use std::cell::Cell;
use std::fmt;

/// An id of one request, as Kong writes it (32 hexadecimal digits). Not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u128);

impl RequestId {
    /// The 32 digits, without allocating.
    pub fn digits(self) -> [u8; 32] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 32];
        for (nth, digit) in digits.iter_mut().enumerate() {
            *digit = HEX[(self.0 >> (124 - 4 * nth)) as usize & 15];
        }
        digits
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

/// A worker's source of ids: a random start, then a step that visits every value.
#[derive(Debug)]
pub struct RequestIds {
    next: Cell<u128>,
}

impl RequestIds {
    /// `seed`: 16 random bytes.
    pub fn new(seed: [u8; 16]) -> Self {
        Self { next: Cell::new(u128::from_le_bytes(seed)) }
    }

    pub fn next(&self) -> RequestId {
        // An odd step modulo 2^128: no id comes twice, and neighbours look unlike.
        let id = self.next.get().wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        self.next.set(id);
        RequestId(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_display_agree_and_ids_differ() {
        let ids = RequestIds::new([3; 16]);
        let (first, second) = (ids.next(), ids.next());
        assert_ne!(first, second);
        assert_eq!(String::from_utf8(first.digits().to_vec()).unwrap(), first.to_string());
    }
}
