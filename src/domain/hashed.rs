//! Maps whose keys are as good as random already.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps by keys of which nobody outside chooses the bits: a number made of a hash, a MAC.
pub type Hashed = BuildHasherDefault<AsItIs>;

/// Takes a number for its own hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut number = [0; 8];
            number[..chunk.len()].copy_from_slice(chunk);
            self.0 = self.0.rotate_left(5) ^ u64::from_ne_bytes(number);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
