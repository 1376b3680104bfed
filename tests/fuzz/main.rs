//! Throws mutated input at everything that we parse ourselves, for as long as it is told.
//!
//! ```text
//! cargo test --test fuzz -- 60                  every target for a minute, side by side (a step of tests/run)
//! cargo test --release --test fuzz -- 3600      by hand
//! cargo test --test fuzz -- 60 chunked --seed 7 one target, with what chance decides settled
//! ```
//!
//! A target fails when it panics or an oracle of it is broken; the input is printed as Rust writes bytes, to become a
//! test of its own. Without libtest's harness: asked for its tests, this binary has none.

mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mutate::Mutator;
use targets::{TARGETS, Target};

/// Inputs between two looks at the clock.
const ROUND: usize = 256;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.is_empty() || words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    match order(&words) {
        Ok((seconds, chosen, seed)) => run(Duration::from_secs(seconds), &chosen, seed),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn order(words: &[String]) -> Result<(u64, Vec<&'static Target>, u64), String> {
    let (mut seconds, mut chosen, mut seed) = (None, Vec::new(), rand::random());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Ok(number) = word.parse() {
            seconds = Some(number);
        } else if word == "--seed" {
            seed = words.next().and_then(|seed| seed.parse().ok()).ok_or("--seed needs a number")?;
        } else {
            let named = TARGETS.iter().find(|target| target.name == word);
            chosen.push(named.ok_or_else(|| {
                let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
                format!("no target is named `{word}`; there are {}", names.join(", "))
            })?);
        }
    }
    if chosen.is_empty() {
        chosen.extend(TARGETS);
    }
    Ok((seconds.ok_or("say for how many seconds")?, chosen, seed))
}

fn run(limit: Duration, chosen: &[&'static Target], seed: u64) -> ExitCode {
    println!("seed {seed}");
    // What a target says of its panic is printed with the input.
    std::panic::set_hook(Box::new(|_| {}));
    let runs: Vec<_> =
        chosen.iter().copied().map(|target| std::thread::spawn(move || fuzz(target, limit, seed))).collect();
    let clean = runs.into_iter().map(|run| run.join().unwrap_or(false)).filter(|is_clean| *is_clean).count();
    let failed = chosen.len() - clean;
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether nothing was found.
fn fuzz(target: &Target, limit: Duration, seed: u64) -> bool {
    let (begun, mut tried, mut taken) = (Instant::now(), 0_usize, 0_usize);
    let mut mutator = Mutator::new(seed, target.seeds, target.words);
    while begun.elapsed() < limit {
        for _ in 0..ROUND {
            let input = mutator.next();
            match catch_unwind(AssertUnwindSafe(|| (target.judge)(&input))) {
                Ok(is_taken) => {
                    tried += 1;
                    taken += usize::from(is_taken);
                    if is_taken {
                        mutator.keep(input);
                    }
                }
                Err(panic) => {
                    let said = panic.downcast_ref::<String>().cloned();
                    let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    println!("{}: {}\n    b\"{}\"", target.name, said.unwrap_or_default(), input.escape_ascii());
                    return false;
                }
            }
        }
    }
    println!("{:<10} {tried} inputs, {taken} of them taken", target.name);
    assert!(taken > 0, "{}: a parser that takes nothing is not tried", target.name);
    true
}
