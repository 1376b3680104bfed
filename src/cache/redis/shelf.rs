//! What tokens and codes have in common in Redis: small marked values that end by themselves, read with little patience
//! and written by the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::Cmd;
use tokio::sync::Semaphore;

use super::error::RedisError;
use super::line::Line;
use super::seal::Seal;
use crate::domain::{Keyring, TokenDigest};

/// How long a look-up waits for Redis before it asks the database instead.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long a write may take; nobody waits for it.
pub(super) const WRITE_LIMIT: Duration = Duration::from_secs(1);
/// Look-ups of one worker that may be under way: more than a connection answers within the patience are of no use.
const MOST_READS: usize = 1024;
/// Writes of one worker that may be under way; those beyond are not made.
const MOST_WRITES: usize = 256;

/// How often what happened; counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    /// Look-ups that found something good.
    pub found: u64,
    /// Look-ups that found nothing.
    pub missed: u64,
    /// Look-ups that found what is not to be believed: out of date, of another time, not ours.
    pub disbelieved: u64,
    /// Look-ups that Redis refused, or did not answer in time.
    pub unanswered: u64,
    /// Look-ups that were not made, since too many were under way.
    pub crowded: u64,
    pub written: u64,
    /// Writes that found something later there.
    pub outdated: u64,
    /// Writes that failed because Redis is full.
    pub full: u64,
    /// Writes that failed otherwise.
    pub failed: u64,
    /// Writes that were not made, since too many were under way.
    pub dropped: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub found: AtomicU64,
    pub missed: AtomicU64,
    pub disbelieved: AtomicU64,
    pub unanswered: AtomicU64,
    pub crowded: AtomicU64,
    pub written: AtomicU64,
    pub outdated: AtomicU64,
    pub full: AtomicU64,
    pub failed: AtomicU64,
    pub dropped: AtomicU64,
}

impl Counts {
    fn read(&self) -> Tallies {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Tallies {
            found: read(&self.found),
            missed: read(&self.missed),
            disbelieved: read(&self.disbelieved),
            unanswered: read(&self.unanswered),
            crowded: read(&self.crowded),
            written: read(&self.written),
            outdated: read(&self.outdated),
            full: read(&self.full),
            failed: read(&self.failed),
            dropped: read(&self.dropped),
        }
    }
}

pub(super) fn count(of: &AtomicU64) {
    of.fetch_add(1, Ordering::Relaxed);
}

/// The values of one kind, as one worker reads and writes them. Clones share line and counts.
#[derive(Clone)]
pub(super) struct Shelf {
    pub line: Line,
    seal: Seal,
    /// What every key begins with; the digest follows. It has no hash tag: in a Cluster, values spread over all servers.
    start: Vec<u8>,
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    pub counts: Arc<Counts>,
}

impl Shelf {
    pub fn new(line: Line, keyring: &Keyring, prefix: &str, kind: &str) -> Self {
        Self {
            line,
            seal: Seal::new(keyring),
            start: format!("{prefix}:{kind}:").into_bytes(),
            reads: Arc::new(Semaphore::new(MOST_READS)),
            writes: Arc::new(Semaphore::new(MOST_WRITES)),
            counts: Arc::default(),
        }
    }

    pub fn key(&self, digest: TokenDigest) -> Vec<u8> {
        [&self.start[..], &digest.0].concat()
    }

    pub fn tallies(&self) -> Tallies {
        self.counts.read()
    }

    /// Asks for a value by the command `verb`. `None`: there is none, it is not ours, or Redis did not answer in time.
    pub async fn read(&self, verb: &str, key: &[u8]) -> Option<Vec<u8>> {
        let Ok(_permit) = self.reads.try_acquire() else {
            count(&self.counts.crowded);
            return None;
        };
        let mut command = redis::cmd(verb);
        command.arg(key);
        let Ok(answer) = self.line.hurry::<Option<Vec<u8>>>(&command, key, PATIENCE).await else {
            count(&self.counts.unanswered);
            return None;
        };
        let Some(mut value) = answer else {
            count(&self.counts.missed);
            return None;
        };
        let Some(length) = self.seal.open(key, &value).map(<[u8]>::len) else {
            count(&self.counts.disbelieved);
            return None;
        };
        value.truncate(length);
        Some(value)
    }

    /// Counts whether what was read is believed.
    pub fn judged<T>(&self, believed: Option<T>) -> Option<T> {
        count(if believed.is_some() { &self.counts.found } else { &self.counts.disbelieved });
        believed
    }

    /// `value` as it is laid down.
    pub fn close(&self, key: &[u8], value: Vec<u8>) -> Vec<u8> {
        self.seal.close(key, value)
    }

    /// Has `writing` done by the way, unless too much is under way already.
    pub fn by_the_way(&self, writing: impl Future<Output = ()> + Send + 'static) {
        match Arc::clone(&self.writes).try_acquire_owned() {
            Ok(permit) => {
                tokio::spawn(async move {
                    writing.await;
                    drop(permit);
                });
            }
            Err(_) => count(&self.counts.dropped),
        }
    }

    /// Counts what became of a write; 0 says that something later was there.
    pub fn count_write(&self, outcome: Result<i64, RedisError>) {
        count(match outcome {
            Ok(0) => &self.counts.outdated,
            Ok(_) => &self.counts.written,
            Err(RedisError::Full) => &self.counts.full,
            Err(_) => &self.counts.failed,
        });
    }

    pub async fn delete(&self, key: &[u8]) {
        let mut command = Cmd::new();
        command.arg("DEL").arg(key);
        if self.line.query::<i64>(&command, WRITE_LIMIT).await.is_err() {
            count(&self.counts.failed);
        }
    }
}
