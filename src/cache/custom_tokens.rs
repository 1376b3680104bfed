//! Which tokens and keys exist that we did not mint: a Bloom filter over the digests of imported ones.
//!
//! A minted token carries a stamp, so a guess is refused without asking the store. An imported one carries none; this
//! filter answers "certainly not there" for nearly every guess. It never says so of a token that exists.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;

use crate::domain::TokenDigest;

/// Bits per token: with 7 hashes about 1 guess in 10 000 goes on to the store, also at full capacity.
const BITS_PER_TOKEN: usize = 20;
const HASHES: usize = 7;
const SMALLEST: usize = 4096;

#[derive(Debug)]
struct Filter {
    bits: Vec<AtomicU64>,
    capacity: usize,
    held: AtomicUsize,
    /// Whether everything stored is in it. Here and not beside it: whoever holds a filter must not judge it by the state
    /// of another one.
    complete: AtomicBool,
}

impl Filter {
    fn new(capacity: usize) -> Self {
        let capacity = capacity.max(SMALLEST);
        let words = (capacity * BITS_PER_TOKEN).div_ceil(64).next_power_of_two();
        let bits = (0..words).map(|_| AtomicU64::new(0)).collect();
        Self { bits, capacity, held: AtomicUsize::new(0), complete: AtomicBool::new(false) }
    }

    /// A digest is a keyed MAC: its bytes are hashes already, and nobody outside can aim them.
    fn places(&self, digest: TokenDigest) -> impl Iterator<Item = (usize, u64)> {
        let mask = self.bits.len() * 64 - 1;
        let word = |at: usize| u64::from_le_bytes(digest.0[at..at + 8].try_into().expect("eight bytes")) as usize;
        let (first, step) = (word(0), word(8) | 1);
        (0..HASHES).map(move |nth| {
            let bit = first.wrapping_add(step.wrapping_mul(nth)) & mask;
            (bit / 64, 1 << (bit % 64))
        })
    }

    fn insert(&self, digest: TokenDigest) {
        for (word, bit) in self.places(digest) {
            self.bits[word].fetch_or(bit, Ordering::Relaxed);
        }
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    fn may_hold(&self, digest: TokenDigest) -> bool {
        if !self.complete.load(Ordering::Acquire) {
            return true;
        }
        self.places(digest).all(|(word, bit)| self.bits[word].load(Ordering::Relaxed) & bit != 0)
    }
}

/// The node's filter; shared by all workers.
#[derive(Debug)]
pub struct CustomTokens {
    filter: ArcSwap<Filter>,
    /// How often it was said that something may be missing.
    doubts: AtomicU64,
}

/// What was not in doubt yet when reading began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading(u64);

impl Default for CustomTokens {
    fn default() -> Self {
        Self { filter: ArcSwap::from_pointee(Filter::new(0)), doubts: AtomicU64::new(0) }
    }
}

impl CustomTokens {
    /// Whether the token may exist. Until everything is loaded, every one may.
    pub fn may_hold(&self, digest: TokenDigest) -> bool {
        self.filter.load().may_hold(digest)
    }

    pub fn insert(&self, digest: TokenDigest) {
        self.filter.load().insert(digest);
    }

    /// Whether it holds more than it was made for, and should be built anew before it passes too many guesses.
    pub fn is_outgrown(&self) -> bool {
        let filter = self.filter.load();
        filter.held.load(Ordering::Relaxed) > filter.capacity
    }

    pub fn is_loaded(&self) -> bool {
        self.filter.load().complete.load(Ordering::Acquire)
    }

    /// Begins a new, empty filter for about `expected` tokens: until [`CustomTokens::finish`], every token may exist.
    pub fn begin(&self, expected: usize) -> Reading {
        let reading = Reading(self.doubts.load(Ordering::Acquire));
        self.filter.store(Arc::new(Filter::new(expected.saturating_mul(2))));
        reading
    }

    /// Everything stored has been inserted. False: that is in doubt again, so it must be read once more.
    pub fn finish(&self, Reading(reading): Reading) -> bool {
        let filter = self.filter.load();
        filter.complete.store(true, Ordering::SeqCst);
        let is_certain = self.doubts.load(Ordering::SeqCst) == reading;
        if !is_certain {
            filter.complete.store(false, Ordering::SeqCst);
        }
        is_certain
    }

    /// Something may exist that this node was not told of: until everything is read anew, every token may exist.
    pub fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::SeqCst);
        self.filter.load().complete.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Keyring;

    #[test]
    fn guesses_are_told_apart_and_nothing_held_is_denied() {
        let keyring = Keyring::new([1; 32], [2; 32]);
        let custom = CustomTokens::default();
        let digest = |number: u32| keyring.digest(format!("token-{number}").as_bytes());
        assert!(custom.may_hold(digest(0)), "before loading everything may be there");
        assert!(custom.finish(custom.begin(0)));
        (0..4000).for_each(|number| custom.insert(digest(number)));
        assert!(!custom.is_outgrown());
        assert!((0..4000).all(|number| custom.may_hold(digest(number))));
        let wrong = (100_000..200_000).filter(|number| custom.may_hold(digest(*number))).count();
        assert!(wrong < 50, "{wrong} of 100 000 guesses went through");
        (4000..5000).for_each(|number| custom.insert(digest(number)));
        assert!(custom.is_outgrown());
    }

    #[test]
    fn nothing_held_is_denied_while_the_filter_is_built_anew() {
        let keyring = Keyring::new([1; 32], [2; 32]);
        let (custom, held) = (CustomTokens::default(), keyring.digest(b"held"));
        let reading = custom.begin(0);
        custom.insert(held);
        custom.finish(reading);
        std::thread::scope(|scope| {
            let rebuilt = scope.spawn(|| {
                for _ in 0..2_000 {
                    let reading = custom.begin(0);
                    custom.insert(held);
                    custom.finish(reading);
                }
            });
            while !rebuilt.is_finished() {
                assert!(custom.may_hold(held), "an imported token was refused during a rebuild");
            }
        });
    }

    #[test]
    fn what_is_in_doubt_is_read_again_before_anything_is_denied() {
        let guess = Keyring::new([1; 32], [2; 32]).digest(b"guess");
        let custom = CustomTokens::default();
        assert!(custom.finish(custom.begin(0)) && !custom.may_hold(guess));
        custom.doubt();
        assert!(custom.may_hold(guess) && !custom.is_loaded());
        let reading = custom.begin(0);
        custom.doubt();
        assert!(!custom.finish(reading) && custom.may_hold(guess), "doubted while it was read");
        assert!(custom.finish(custom.begin(0)) && !custom.may_hold(guess));
    }
}
