//! Tokens in Redis: what one node has asked the database, the others need not ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;

use super::line::{Line, Script};
use super::memory::{Memory, Stamp};
use super::shelf::{Shelf, Tallies, WRITE_LIMIT, count};
use super::value::{Content, decode, encode};
use crate::domain::{Keyring, Timestamp, TokenDigest, TokenView};

/// How long a view is kept at most; less when its token ends sooner. What the database does without our knowledge is
/// noticed after that.
const LONGEST: Duration = Duration::from_secs(3600);
const UNKNOWN_LIFE: Duration = Duration::from_secs(5);
/// Longer than any look-up that began before the revocation, so that none of those lays down what has gone.
const TOMBSTONE_LIFE: Duration = Duration::from_secs(60);
/// For all tombstones of one revocation: they spare others a question, and are worth no longer wait.
const BURIAL_LIMIT: Duration = Duration::from_millis(500);
const BURIALS_AT_ONCE: usize = 64;

/// Lays down a value unless what is there was read later, or is a tombstone of that time. Stamps are compared byte by
/// byte, as texts would be compared by the server's locale. What cannot be replaced, for want of memory, is removed: it
/// is older.
const LAY_DOWN: &str = "
local held, new = redis.call('GETRANGE', KEYS[1], 0, 25), ARGV[1]
if #held == 26 and held:byte(1) == new:byte(1) then
  for at = 2, 25 do
    local before, now = held:byte(at), new:byte(at)
    if now > before then break end
    if now < before then return 0 end
    if at == 25 and held:byte(26) == 3 and new:byte(26) ~= 3 then return 0 end
  end
end
local done = redis.pcall('SET', KEYS[1], new, 'PX', ARGV[2])
if done.err then
  redis.pcall('DEL', KEYS[1])
  return done
end
return 1";

/// What Redis knows of a token.
#[derive(Clone, Debug)]
pub enum Kept {
    Known(Arc<TokenView>),
    /// There was no such token when the database was asked, and nothing was heard since that says otherwise.
    Unknown,
}

/// One worker's way to the tokens in Redis. Clones share everything.
///
/// What is found here was believable when it was found. Whether this node may go by what it has heard (its lease) is
/// for the caller to see, after the answer.
#[derive(Clone)]
pub struct TokenTier {
    shelf: Shelf,
    memory: Arc<Mutex<Memory>>,
    lay_down: Arc<Script>,
}

impl TokenTier {
    /// `line`: of [`Purpose::Hot`](super::Purpose::Hot). `memory`: what the node has heard; never held across an await.
    pub fn new(line: Line, memory: Arc<Mutex<Memory>>, keyring: &Keyring, prefix: &str) -> Self {
        let lay_down = Arc::new(Script::new(LAY_DOWN));
        Self { shelf: Shelf::new(line, keyring, prefix, "t"), memory, lay_down }
    }

    /// What Redis holds of a token and this node believes. `None`: ask the database. It takes tens of milliseconds at
    /// most, and no time while Redis is known to be away.
    pub async fn find(&self, digest: TokenDigest) -> Option<Kept> {
        let value = self.shelf.read("GET", &self.shelf.key(digest)).await?;
        self.shelf.judged(decode(&value).and_then(|(content, stamp)| self.judge(digest, content, stamp)))
    }

    fn judge(&self, digest: TokenDigest, content: Content, stamp: Stamp) -> Option<Kept> {
        let memory = self.memory();
        match content {
            Content::Known(view, _) => memory.believes(digest, &view, stamp).then(|| Kept::Known(Arc::new(view))),
            Content::Unknown | Content::Revoked => memory.believes_unknown(digest, stamp).then_some(Kept::Unknown),
        }
    }

    /// To be taken before the database is asked, and given to [`TokenTier::keep`] with the answer. `None`: nothing can
    /// be relied on just now, and the answer is not to be kept.
    pub fn stamp(&self) -> Option<Stamp> {
        self.memory().position()
    }

    /// Lays down what the database said. Nobody waits for it; what cannot be written is counted and forgotten.
    pub fn keep(&self, digest: TokenDigest, found: Option<&TokenView>, asked_at: Timestamp, stamp: Stamp) {
        let Some(life) = life(found, asked_at) else { return };
        let content = found.map_or(Content::Unknown, |view| Content::Known(view.clone(), asked_at));
        let tier = self.clone();
        self.shelf.by_the_way(async move { tier.lay_down(digest, &content, stamp, life).await });
    }

    /// Leaves tombstones for tokens that were revoked by what was published at `stamp`; without one, removes what is
    /// there. It ends soon, done or not: nothing depends on it.
    pub async fn bury(&self, digests: &[TokenDigest], stamp: Option<Stamp>) {
        let burying = futures_util::stream::iter(digests).for_each_concurrent(BURIALS_AT_ONCE, |digest| async move {
            match stamp {
                Some(stamp) => self.lay_down(*digest, &Content::Revoked, stamp, TOMBSTONE_LIFE).await,
                None => self.shelf.delete(&self.shelf.key(*digest)).await,
            }
        });
        if tokio::time::timeout(BURIAL_LIMIT, burying).await.is_err() {
            count(&self.shelf.counts.failed);
        }
    }

    pub fn tallies(&self) -> Tallies {
        self.shelf.tallies()
    }

    async fn lay_down(&self, digest: TokenDigest, content: &Content, stamp: Stamp, life: Duration) {
        let key = self.shelf.key(digest);
        let value = self.shelf.close(&key, encode(content, stamp));
        let life = life.as_millis().to_string();
        let (keys, arguments): ([&[u8]; 1], [&[u8]; 2]) = ([&key], [&value, life.as_bytes()]);
        let laid = self.shelf.line.run_script(&self.lay_down, &keys, &arguments, WRITE_LIMIT).await;
        self.shelf.count_write(laid);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the answer of the database is worth keeping; `None`: its token has ended.
fn life(found: Option<&TokenView>, asked_at: Timestamp) -> Option<Duration> {
    let Some(view) = found else { return Some(UNKNOWN_LIFE) };
    let token_ends = (view.expires_in > 0).then(|| view.created_at.plus_seconds(view.expires_in));
    let end = token_ends.into_iter().chain(view.expires_at).min();
    let Some(end) = end else { return Some(LONGEST) };
    let left = u64::try_from(end.millis().saturating_sub(asked_at.millis())).ok().filter(|left| *left > 0)?;
    Some(LONGEST.min(Duration::from_millis(left)))
}

#[cfg(test)]
mod tests {
    use super::super::memory::tests::view;
    use super::*;

    #[test]
    fn a_view_is_kept_until_its_token_ends_and_never_long() {
        let life_of = |expires_in: i64, row: Option<i64>, now: i64| {
            let view = TokenView { expires_in, expires_at: row.map(Timestamp::from_seconds), ..view() };
            life(Some(&view), Timestamp::from_seconds(now)).map(|life| life.as_secs())
        };
        assert_eq!(life_of(100, None, 1_000), Some(100));
        assert_eq!(life_of(100, None, 1_099), Some(1));
        assert_eq!(life_of(100, None, 1_100), None);
        assert_eq!(life_of(100, None, i64::MAX), None);
        assert_eq!(life_of(100, Some(1_050), 1_000), Some(50), "the row ends sooner");
        assert_eq!(life_of(100, Some(9_000), 1_000), Some(100));
        assert_eq!(life_of(i64::MAX, None, 1_000), Some(3600));
        assert_eq!(life_of(0, None, 1_000), Some(3600), "it never ends");
        assert_eq!(life_of(0, Some(1_010), 1_000), Some(10));
        assert_eq!(life(None, Timestamp::from_seconds(1)), Some(UNKNOWN_LIFE));
    }
}
