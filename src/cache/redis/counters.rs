//! Counts that all nodes share, for limits on what is worth guessing.
//!
//! Every method answers `None` when Redis is away, slow or full: then a node goes by what it has counted itself
//! ([`Attempts`](crate::cache::Attempts)), which it does besides in any case.

use std::sync::Arc;
use std::time::Duration;

use redis::FromRedisValue;

use super::line::{Line, Script};
use super::seal::Seal;
use crate::cache::Leniency;
use crate::domain::{Keyring, Timestamp};

/// How long somebody who is counted waits for the count.
const PATIENCE: Duration = Duration::from_millis(50);
/// Seconds; a century. Larger ones are taken for this, so that Lua's numbers hold them exactly.
const LONGEST: i64 = 100 * 365 * 86_400;

/// The window begins with the first count, and ends whatever comes after.
const ADD: &str = "
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2], 'NX')
return count";

/// The rules of `Attempts`, word for word. ARGV: the present, how many attempts are free, the first and the longest
/// lock, how long all is remembered after that, and whether an attempt is counted though it is locked. An instant that
/// lies ahead is of a node whose clock is wrong, and is taken for the present. Answers for how long it was locked.
const ATTEMPT: &str = "
local now, free, first, longest, memory = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local held = redis.call('HMGET', KEYS[1], 'attempts', 'last')
local attempts, last = tonumber(held[1] or 0), math.min(tonumber(held[2] or 0), now)
local function lock()
  if attempts < free then return 0 end
  return math.min(first * 2 ^ math.min(attempts - free, 32), longest)
end
local left = math.max(last + lock() - now, 0)
if left > 0 and ARGV[6] == '0' then return left end
if last + lock() + memory <= now then attempts = 0 end
attempts = attempts + 1
redis.call('HSET', KEYS[1], 'attempts', attempts, 'last', ARGV[1])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(lock() + memory, 1)))
return left";

const TAKE_BACK: &str = "
if tonumber(redis.call('HGET', KEYS[1], 'attempts') or 0) > 0 then
  redis.call('HINCRBY', KEYS[1], 'attempts', -1)
end
return 0";

/// One worker's way to the shared counts. Clones share everything. Of a key only a keyed digest is written.
#[derive(Clone)]
pub struct Counters {
    line: Line,
    seal: Seal,
    start: Vec<u8>,
    scripts: Arc<Scripts>,
}

struct Scripts {
    add: Script,
    attempt: Script,
    take_back: Script,
}

impl Counters {
    /// `line`: of [`Purpose::Hot`](super::Purpose::Hot).
    pub fn new(line: Line, keyring: &Keyring, prefix: &str) -> Self {
        let scripts =
            Scripts { add: Script::new(ADD), attempt: Script::new(ATTEMPT), take_back: Script::new(TAKE_BACK) };
        let start = format!("{prefix}:n:").into_bytes();
        Self { line, seal: Seal::new(keyring), start, scripts: Arc::new(scripts) }
    }

    /// Adds to a count, and gives what it is now: of everything that was added in all nodes since its window began.
    pub async fn add(&self, key: &[u8], amount: u32, window: Duration) -> Option<u64> {
        let window = u64::try_from(window.as_millis()).unwrap_or(u64::MAX).clamp(1, LONGEST.unsigned_abs() * 1000);
        let arguments = [amount.to_string(), window.to_string()];
        let count: i64 = self.run(&self.scripts.add, key, &arguments).await?;
        u64::try_from(count).ok()
    }

    /// Counts an attempt unless it is locked, by the attempts in all nodes.
    ///
    /// # Errors
    /// Seconds until the next attempt may be made, at least 1; this one was not counted.
    pub async fn attempt(&self, key: &[u8], leniency: Leniency, now: Timestamp) -> Option<Result<(), i64>> {
        let left = self.count(key, leniency, now, false).await?;
        Some(if left > 0 { Err(left) } else { Ok(()) })
    }

    /// Counts an attempt in any case. For how many seconds it was locked; 0 = it was not.
    pub async fn alarm(&self, key: &[u8], leniency: Leniency, now: Timestamp) -> Option<i64> {
        self.count(key, leniency, now, true).await
    }

    /// Takes back one attempt, which was no guess.
    pub async fn take_back(&self, key: &[u8]) -> Option<()> {
        self.run::<i64>(&self.scripts.take_back, key, &[]).await.map(|_| ())
    }

    /// Forgets every attempt.
    pub async fn forget(&self, key: &[u8]) -> Option<()> {
        let key = self.name(key);
        let mut command = redis::cmd("DEL");
        command.arg(&key);
        Box::pin(self.line.hurry::<i64>(&command, &key, PATIENCE)).await.ok().map(|_| ())
    }

    async fn count(&self, key: &[u8], leniency: Leniency, now: Timestamp, in_any_case: bool) -> Option<i64> {
        let millis = |seconds: i64| (seconds.clamp(0, LONGEST) * 1000).to_string();
        let arguments = [
            now.millis().to_string(),
            leniency.free.to_string(),
            millis(leniency.first_lock),
            millis(leniency.longest_lock),
            millis(leniency.memory),
            u8::from(in_any_case).to_string(),
        ];
        let left_ms: i64 = self.run(&self.scripts.attempt, key, &arguments).await?;
        Some((left_ms + 999) / 1000)
    }

    async fn run<T: FromRedisValue>(&self, script: &Script, key: &[u8], arguments: &[String]) -> Option<T> {
        let arguments: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
        // Boxed: the driver's futures are large, and every log-in would carry four of them along.
        Box::pin(self.line.hurry_script(script, &self.name(key), &arguments, PATIENCE)).await.ok()
    }

    fn name(&self, key: &[u8]) -> Vec<u8> {
        [&self.start[..], &self.seal.hide(key)].concat()
    }
}
