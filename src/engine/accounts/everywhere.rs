//! Guesses counted over all nodes, where Redis keeps the counts. While it is away each node goes by its own.

use std::net::IpAddr;

use futures_util::future::{join, join3};

use super::throttle::{ALARMS, CLIENTS, Guess, LOG_INS, Throttle, WARY_LOG_INS};
use crate::cache::redis::Counters;
use crate::domain::Timestamp;

/// What a guess is counted under.
struct Keys {
    pair: Vec<u8>,
    wary: Vec<u8>,
    alarm: Vec<u8>,
    client: Vec<u8>,
}

fn of_client(client: IpAddr) -> Vec<u8> {
    format!("client {client}").into_bytes()
}

impl Keys {
    fn of(guess: Guess) -> Self {
        let named = |table: &str, digest: &[u8]| [table.as_bytes(), b" ", digest].concat();
        Self {
            pair: named("log-in", &guess.pair.0),
            wary: named("wary log-in", &guess.pair.0),
            alarm: named("alarm", &guess.address.0),
            client: of_client(guess.client),
        }
    }
}

impl Throttle {
    /// Counts a guess at a password, here and everywhere.
    ///
    /// # Errors
    /// Seconds until one may be made again; this one was not counted.
    pub(super) async fn guess_everywhere(
        &self,
        counters: Option<&Counters>,
        guess: Guess,
        now: Timestamp,
    ) -> Result<(), i64> {
        self.guess(guess, now)?;
        let Some(counters) = counters else { return Ok(()) };
        let told = attempt(counters, &Keys::of(guess), now).await;
        if told.is_err() {
            self.was_none(guess);
        }
        told
    }

    /// It was the right password.
    pub(super) async fn was_right_everywhere(&self, counters: Option<&Counters>, guess: Guess) {
        self.was_right(guess);
        if let Some(counters) = counters {
            let Keys { pair, wary, alarm, client } = Keys::of(guess);
            join(counters.forget(&pair), counters.forget(&wary)).await;
            join(counters.take_back(&alarm), counters.take_back(&client)).await;
        }
    }

    /// It was not judged at all.
    pub(super) async fn was_none_everywhere(&self, counters: Option<&Counters>, guess: Guess) {
        self.was_none(guess);
        if let Some(counters) = counters {
            let Keys { pair, wary, alarm, client } = Keys::of(guess);
            join(counters.take_back(&pair), counters.take_back(&wary)).await;
            join(counters.take_back(&alarm), counters.take_back(&client)).await;
        }
    }

    /// Counts a guess at an API key.
    ///
    /// # Errors
    /// As [`Throttle::guess_everywhere`].
    pub(super) async fn guess_key_everywhere(
        &self,
        counters: Option<&Counters>,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<(), i64> {
        self.guess_key(client, now)?;
        let Some(counters) = counters else { return Ok(()) };
        let told = counters.attempt(&of_client(client), CLIENTS, now).await.unwrap_or(Ok(()));
        if told.is_err() {
            self.key_was_right(client);
        }
        told
    }

    pub(super) async fn key_was_right_everywhere(&self, counters: Option<&Counters>, client: IpAddr) {
        self.key_was_right(client);
        if let Some(counters) = counters {
            counters.take_back(&of_client(client)).await;
        }
    }
}

/// All counts or none.
async fn attempt(counters: &Counters, keys: &Keys, now: Timestamp) -> Result<(), i64> {
    let alarmed = counters.alarm(&keys.alarm, ALARMS, now);
    let pair = counters.attempt(&keys.pair, LOG_INS, now);
    let client = counters.attempt(&keys.client, CLIENTS, now);
    let (alarmed, pair, client) = join3(alarmed, pair, client).await;
    // An address that is guessed at from many places leaves each of them one guess in place of five. Counted in any
    // case: an alarm may come later.
    let wary = counters.alarm(&keys.wary, WARY_LOG_INS, now).await.unwrap_or(0);
    let is_alarmed = alarmed.is_some_and(|seconds| seconds > 0);
    let wary = if is_alarmed && wary > 0 { Err(wary) } else { Ok(()) };
    let outcomes = [pair.unwrap_or(Ok(())), client.unwrap_or(Ok(())), wary];
    let locked = outcomes.into_iter().filter_map(Result::err).max();
    let Some(seconds) = locked else { return Ok(()) };
    if pair == Some(Ok(())) {
        counters.take_back(&keys.pair).await;
    }
    if client == Some(Ok(())) {
        counters.take_back(&keys.client).await;
    }
    join(counters.take_back(&keys.alarm), counters.take_back(&keys.wary)).await;
    Err(seconds)
}
