//! What a request needs room for, kept by the worker for the next one.

use std::cell::RefCell;
use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use http::HeaderName;
use tokio::time::Instant;

use super::exchange::Space;
use super::timer::Timer;
use crate::message::RequestHead;

/// Kits a worker keeps.
const MOST: usize = 64;
/// Fields of a head for which room is kept.
const MOST_FIELDS: usize = 64;
/// Bytes for which room is kept, of each kind.
const MOST_BYTES: usize = 8 * 1024;

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

/// The kits that nobody uses at the moment.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "a kit changes hands with every call, and is large")]
pub(super) struct Kits(RefCell<Vec<Box<Kit>>>);

impl Kits {
    /// An empty kit whose timer has not come before `deadline`.
    pub fn take(&self, deadline: Instant) -> Box<Kit> {
        self.0.borrow_mut().pop().unwrap_or_else(|| Box::new(Kit::new(deadline)))
    }

    /// Keeps a kit for the next request, unless there are enough or it has grown: what one request made large should not
    /// be held for ever.
    pub fn give(&self, mut kit: Box<Kit>) {
        let mut kits = self.0.borrow_mut();
        if kits.len() < MOST && !kit.is_large() {
            kit.clear();
            kits.push(kit);
        }
    }
}

impl Kit {
    fn new(deadline: Instant) -> Self {
        Self {
            head: RequestHead::default(),
            space: Space::default(),
            timer: Timer::new(deadline),
            fields: StreamFields::default(),
            queue: VecDeque::new(),
        }
    }

    fn clear(&mut self) {
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
