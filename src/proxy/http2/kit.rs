//! What a stream needs room for, kept by the task that serves it for the next one.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderName;
use tokio::time::Instant;

use crate::message::RequestHead;
use crate::proxy::exchange::Space;
use crate::proxy::timer::Timer;

/// Fields of a head for which room is kept.
const MOST_FIELDS: usize = 64;
/// Bytes for which room is kept, of each kind.
const MOST_BYTES: usize = 8 * 1024;

/// When the timer of a new kit comes at first; it is set to what is asked of it.
const FIRST: Duration = Duration::from_secs(60);

/// Buffers, emptied but not freed.
pub(super) struct Kit {
    pub head: RequestHead,
    pub space: Space,
    pub timer: Timer,
    pub fields: StreamFields,
    /// What of a body was not sent yet.
    pub queue: VecDeque<Bytes>,
}

/// Fields of a head of HTTP/2 in the making.
#[derive(Default)]
pub(super) struct StreamFields {
    /// Every value, one after the other; and for each its name, its length, and whether compression may remember it.
    pub text: BytesMut,
    pub names: Vec<(HeaderName, usize, bool)>,
}

impl Kit {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            head: RequestHead::default(),
            space: Space::default(),
            timer: Timer::new(Instant::now() + FIRST),
            fields: StreamFields::default(),
            queue: VecDeque::new(),
        }
    }

    /// Makes it ready for the next stream. One that has grown is made anew: what one stream made large should not be held
    /// for ever.
    pub fn clear(&mut self) {
        if self.is_large() {
            *self = Self::new();
        }
        self.head.clear();
        self.space.changes.clear();
        self.fields.names.clear();
        self.fields.text.clear();
        self.queue.clear();
    }

    fn is_large(&self) -> bool {
        let Space { joined, path, prefix, .. } = &self.space;
        let most_bytes = [joined.capacity(), path.capacity(), prefix.capacity(), self.fields.text.capacity()];
        let fields = self.head.headers.len().max(self.fields.names.capacity()).max(self.queue.capacity());
        fields > MOST_FIELDS || most_bytes.into_iter().any(|bytes| bytes > MOST_BYTES)
    }
}
