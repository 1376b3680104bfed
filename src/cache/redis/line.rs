//! A line to Redis: bounded waits, a new connection sought in the background, and a plain "no" while there is none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use redis::{Cmd, FromRedisValue};
use tokio::sync::watch;
use tracing::{info, warn};

use super::dial::{DIAL_LIMIT, Dialer, Purpose, Transport};
use super::error::RedisError;

/// Pauses between attempts to connect: doubled from the first to the longest, each shortened by chance by up to half.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a connection that was slow once may take to show that it works.
const TRIAL: Duration = Duration::from_secs(1);

/// What there is of a connection just now.
enum State {
    Up { transport: Transport, serial: u64 },
    Down(RedisError),
}

struct Shared {
    state: ArcSwap<State>,
    /// The highest serial that was found to be of no use.
    faulty: watch::Sender<u64>,
    /// The serial of the connection that is up; 0 while there is none.
    up: watch::Sender<u64>,
    /// Whether the connection was slow just now, and is being tried.
    on_trial: AtomicBool,
}

/// A connection that mends itself. Clones share it; the last one gone, it ends.
///
/// While Redis is known to be away every question is refused at once: a caller never waits for what a background task
/// is finding out already.
#[derive(Clone)]
pub struct Line {
    shared: Arc<Shared>,
}

impl Line {
    /// Opens a line on the runtime of this thread; the connection is made in the background.
    pub fn open(dialer: Arc<Dialer>, purpose: Purpose) -> Self {
        let first = State::Down(RedisError::NotReady("the first connection is being made".to_owned()));
        let shared = Arc::new(Shared {
            state: ArcSwap::from_pointee(first),
            faulty: watch::Sender::new(0),
            up: watch::Sender::new(0),
            on_trial: AtomicBool::new(false),
        });
        let faults = shared.faulty.subscribe();
        tokio::spawn(keep(Arc::downgrade(&shared), faults, dialer, purpose));
        Self { shared }
    }

    /// Asks, and waits at most `limit` for the answer.
    ///
    /// # Errors
    /// What Redis answered, that it did not answer in time, or why there is no connection.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd, limit: Duration) -> Result<T, RedisError> {
        let state = self.shared.state.load_full();
        let answer = tokio::time::timeout(limit, self.run(&state, command)).await;
        answer.unwrap_or_else(|_| {
            let error = RedisError::TimedOut(limit);
            self.give_up(&state, &error);
            Err(error)
        })
    }

    /// Asks about `key` something that the caller can do without: waits at most `patience`. A slow answer is no reason
    /// to give up the connection; but until it has shown that it works, every such question is refused at once.
    ///
    /// # Errors
    /// As [`Line::query`].
    pub(super) async fn hurry<T: FromRedisValue>(
        &self,
        command: &Cmd,
        key: &[u8],
        patience: Duration,
    ) -> Result<T, RedisError> {
        if self.shared.on_trial.load(Ordering::Relaxed) {
            return Err(RedisError::TimedOut(patience));
        }
        let state = self.shared.state.load_full();
        match tokio::time::timeout(patience, self.run(&state, command)).await {
            Ok(answer) => answer,
            Err(_) => {
                self.put_on_trial(key);
                Err(RedisError::TimedOut(patience))
            }
        }
    }

    /// Asks for `key` with more patience: of the servers of a Cluster it is the one that was slow which must answer.
    fn put_on_trial(&self, key: &[u8]) {
        if self.shared.on_trial.swap(true, Ordering::Relaxed) {
            return;
        }
        let (line, mut question) = (self.clone(), redis::cmd("GET"));
        question.arg(key);
        tokio::spawn(async move {
            // Whatever the answer is, it is one; and where there is none, the connection is given up by that.
            let _ = line.query::<redis::Value>(&question, TRIAL).await;
            line.shared.on_trial.store(false, Ordering::Relaxed);
        });
    }

    /// Gives up a connection whose answer says that it is of no use.
    async fn run<T: FromRedisValue>(&self, state: &Arc<State>, command: &Cmd) -> Result<T, RedisError> {
        let answer = match &**state {
            State::Up { transport, .. } => run(transport, command).await,
            State::Down(error) => return Err(error.clone()),
        };
        if let Err(error) = &answer
            && error.ends_connection()
        {
            self.give_up(state, error);
        }
        answer
    }

    /// Runs a script; sends its text only to a server that does not know it yet.
    ///
    /// # Errors
    /// As [`Line::query`].
    pub(super) async fn run_script<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&[u8]],
        arguments: &[&[u8]],
        limit: Duration,
    ) -> Result<T, RedisError> {
        match self.query(&script.command("EVALSHA", keys, arguments), limit).await {
            Err(RedisError::UnknownScript) => self.query(&script.command("EVAL", keys, arguments), limit).await,
            answer => answer,
        }
    }

    /// Runs a script about one key, with as little patience as [`Line::hurry`].
    ///
    /// # Errors
    /// As [`Line::query`].
    pub(super) async fn hurry_script<T: FromRedisValue>(
        &self,
        script: &Script,
        key: &[u8],
        arguments: &[&[u8]],
        patience: Duration,
    ) -> Result<T, RedisError> {
        match self.hurry(&script.command("EVALSHA", &[key], arguments), key, patience).await {
            Err(RedisError::UnknownScript) => {
                self.hurry(&script.command("EVAL", &[key], arguments), key, patience).await
            }
            answer => answer,
        }
    }

    /// Waits until there is a connection.
    ///
    /// # Errors
    /// Why there is none after `limit`.
    pub async fn ready(&self, limit: Duration) -> Result<(), RedisError> {
        let mut up = self.shared.up.subscribe();
        // The sender lives in `self`, so the wait ends by an answer or by the limit.
        let _ = tokio::time::timeout(limit, up.wait_for(|serial| *serial > 0)).await;
        self.status()
    }

    /// # Errors
    /// Why there is no connection.
    pub fn status(&self) -> Result<(), RedisError> {
        match &**self.shared.state.load() {
            State::Up { .. } => Ok(()),
            State::Down(error) => Err(error.clone()),
        }
    }

    /// Connections there are at the moment; a Cluster counts as one.
    pub fn connections(&self) -> usize {
        match &**self.shared.state.load() {
            State::Up { transport: Transport::Pooled(pool), .. } => pool.status().size,
            State::Up { .. } => 1,
            State::Down(_) => 0,
        }
    }

    /// Refuses questions from now on, unless somebody else has seen to that or the connection is a newer one.
    fn give_up(&self, seen: &Arc<State>, error: &RedisError) {
        let State::Up { serial, .. } = **seen else { return };
        let before = self.shared.state.compare_and_swap(seen, Arc::new(State::Down(error.clone())));
        if Arc::ptr_eq(&before, seen) {
            self.shared.up.send_replace(0);
            self.shared.faulty.send_if_modified(|known| std::mem::replace(known, serial.max(*known)) < serial);
        }
    }
}

async fn run<T: FromRedisValue>(transport: &Transport, command: &Cmd) -> Result<T, RedisError> {
    Ok(match transport {
        Transport::Multiplexed(connection) => command.query_async(&mut connection.clone()).await?,
        Transport::Pooled(pool) => command.query_async(&mut pool.get().await?).await?,
        Transport::Cluster(connection) => command.query_async(&mut connection.clone()).await?,
    })
}

/// Keeps a line connected until its last clone is gone.
async fn keep(line: Weak<Shared>, mut faults: watch::Receiver<u64>, dialer: Arc<Dialer>, purpose: Purpose) {
    let (mut serial, mut pause) = (0, FIRST_PAUSE);
    let mut told: Option<RedisError> = None;
    loop {
        let dialled = tokio::time::timeout(DIAL_LIMIT, dialer.dial(purpose)).await;
        let dialled = dialled.unwrap_or(Err(RedisError::TimedOut(DIAL_LIMIT)));
        let Some(shared) = line.upgrade() else { return };
        match dialled {
            Ok(transport) => {
                serial += 1;
                shared.state.store(Arc::new(State::Up { transport, serial }));
                shared.up.send_replace(serial);
                drop(shared);
                if told.take().is_some() {
                    info!(redis.line = ?purpose, "Redis is reached again");
                }
                let since = Instant::now();
                if faults.wait_for(|faulty| *faulty >= serial).await.is_err() {
                    return;
                }
                // One that failed soon is sought again with growing pauses: it may answer some commands and never others.
                if since.elapsed() > LONGEST_PAUSE {
                    pause = FIRST_PAUSE;
                    continue;
                }
            }
            Err(error) => {
                if told.as_ref() != Some(&error) {
                    warn!(redis.line = ?purpose, "no connection to Redis: {error}");
                    told = Some(error.clone());
                }
                shared.state.store(Arc::new(State::Down(error)));
            }
        }
        tokio::time::sleep(pause.mul_f64(1.0 - rand::random::<f64>() / 2.0)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A Lua script and the name Redis knows it by.
pub(super) struct Script {
    text: String,
    hash: String,
}

impl Script {
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    fn command(&self, verb: &str, keys: &[&[u8]], arguments: &[&[u8]]) -> Cmd {
        let mut command = redis::cmd(verb);
        command.arg(if verb == "EVAL" { &self.text } else { &self.hash }).arg(keys.len());
        for part in keys.iter().chain(arguments) {
            command.arg(*part);
        }
        command
    }
}
