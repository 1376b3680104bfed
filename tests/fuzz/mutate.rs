//! Inputs made of others: bytes changed, parts taken out, doubled, put together, words of the format put in.

use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};

/// Most inputs kept to begin from, and their most bytes.
const MOST_KEPT: usize = 512;
const LONGEST: usize = 2048;

pub struct Mutator {
    random: SmallRng,
    kept: Vec<Vec<u8>>,
    words: &'static [&'static [u8]],
}

impl Mutator {
    pub fn new(seed: u64, seeds: &[&[u8]], words: &'static [&'static [u8]]) -> Self {
        Self { random: SmallRng::seed_from_u64(seed), kept: seeds.iter().map(|seed| seed.to_vec()).collect(), words }
    }

    /// Begins from this one, too: it went deep.
    pub fn keep(&mut self, input: Vec<u8>) {
        if self.kept.len() < MOST_KEPT {
            self.kept.push(input);
        } else {
            let at = self.pick(self.kept.len());
            self.kept[at] = input;
        }
    }

    pub fn next(&mut self) -> Vec<u8> {
        let at = self.pick(self.kept.len());
        let mut input = self.kept[at].clone();
        for _ in 0..=self.pick(4) {
            self.mutate(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn pick(&mut self, below: usize) -> usize {
        self.random.random_range(0..below.max(1))
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.pick(input.len() + 1);
        let end = (at + self.pick(16)).min(input.len());
        match self.pick(7) {
            0 if at < input.len() => input[at] = self.random.next_u32() as u8,
            1 if at < input.len() => input[at] ^= 1 << self.pick(8),
            2 => drop(input.drain(at..end)),
            3 => {
                let part = input[at..end].to_vec();
                input.splice(at..at, part);
            }
            4 => {
                let other = self.pick(self.kept.len());
                let from = self.pick(self.kept[other].len());
                input.truncate(at);
                input.extend_from_slice(&self.kept[other][from..]);
            }
            _ if !self.words.is_empty() => {
                let word = self.words[self.pick(self.words.len())];
                input.splice(at..end, word.iter().copied());
            }
            _ => input.insert(at, self.random.next_u32() as u8),
        }
    }
}
