//! A gateway's side of Redis: its lines, what it has heard, and its view of tokens.

use std::sync::{Arc, Mutex};

use tollgate::cache::redis::{Dialer, Epoch, Event, Kept, Line, Memory, Purpose, RedisError, Seq, Stamp, TokenTier};
use tollgate::domain::{Consumer, Keyring, Secret, Timestamp, TokenDigest, TokenView};
use uuid::Uuid;

use crate::server::{PATIENCE, until};

pub const EPOCH: Epoch = Epoch::new(1_000, 7);
pub const NOW: Timestamp = Timestamp::from_seconds(1_000);

pub fn keyring() -> Keyring {
    Keyring::new([1; 32], [2; 32])
}

pub fn digest(name: &str) -> TokenDigest {
    keyring().digest(name.as_bytes())
}

pub fn stamp(seq: Seq) -> Stamp {
    Stamp { epoch: EPOCH, seq }
}

pub fn view() -> TokenView {
    let id = Uuid::from_u128;
    TokenView {
        id: id(1),
        credential_id: id(2),
        family_id: id(1),
        client_id: "client".into(),
        consumer: Arc::new(Consumer { id: id(3), username: Some("ann".to_owned()), custom_id: None }),
        service_id: Some(id(4)),
        scope: Some("read write".into()),
        authenticated_userid: Some("user".to_owned()),
        created_at: NOW,
        expires_in: 3600,
        expires_at: None,
    }
}

pub fn dialer(url: &str) -> Result<Arc<Dialer>, RedisError> {
    Dialer::new(&Secret::new(url)).map(Arc::new)
}

pub fn line(url: &str, purpose: Purpose) -> Line {
    Line::open(dialer(url).unwrap(), purpose)
}

/// Why no connection comes about.
pub async fn refusal(url: &str) -> RedisError {
    let line = match dialer(url) {
        Ok(dialer) => Line::open(dialer, Purpose::Hot),
        Err(error) => return error,
    };
    let waiting = std::time::Instant::now();
    loop {
        match line.status() {
            Err(RedisError::NotReady(text)) if text.contains("first connection") => {}
            Err(error) => return error,
            Ok(()) => panic!("{url} was taken"),
        }
        assert!(waiting.elapsed() < PATIENCE, "no answer at all");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// One worker, that has heard everything of [`EPOCH`] up to some event.
pub struct Node {
    pub tier: TokenTier,
    pub memory: Arc<Mutex<Memory>>,
    pub line: Line,
}

impl Node {
    pub fn new(url: &str) -> Self {
        let (line, memory) = (line(url, Purpose::Hot), Arc::new(Mutex::new(Memory::new(1000))));
        memory.lock().unwrap().begin(EPOCH, 0);
        let tier = TokenTier::new(line.clone(), Arc::clone(&memory), &keyring(), "tollgate");
        Self { tier, memory, line }
    }

    pub async fn reach(url: &str) -> Self {
        let node = Self::new(url);
        node.line.ready(PATIENCE).await.unwrap();
        node
    }

    pub fn hear(&self, seq: Seq, event: &Event) {
        self.memory.lock().unwrap().record(seq, event);
    }

    /// What a look-up that Redis answered gave; on a busy machine one may be given up.
    pub async fn find(&self, name: &str) -> Option<Kept> {
        let mut found = None;
        until("Redis answers a look-up", async || {
            let before = self.tier.tallies();
            found = self.tier.find(digest(name)).await;
            self.tier.tallies().unanswered == before.unanswered
        })
        .await;
        found
    }

    pub async fn knows(&self, name: &str) -> bool {
        matches!(self.find(name).await, Some(Kept::Known(_)))
    }

    pub async fn knows_nothing(&self, name: &str) -> bool {
        matches!(self.find(name).await, Some(Kept::Unknown))
    }

    /// Keeps, and waits for what becomes of it.
    pub async fn keep(&self, name: &str, found: Option<&TokenView>, seq: Seq) {
        let before = self.writes();
        self.tier.keep(digest(name), found, NOW, stamp(seq));
        until("the write ends", async || self.writes() > before).await;
    }

    /// Writes that have ended, well or not.
    pub fn writes(&self) -> u64 {
        let told = self.tier.tallies();
        told.written + told.outdated + told.full + told.failed
    }
}
