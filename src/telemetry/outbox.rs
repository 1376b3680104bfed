//! What a worker has to tell, gathered until it is handed over.

use std::sync::{Arc, Mutex};

/// From here on a batch is handed over.
pub(super) const FULL: usize = 32 * 1024;
/// Nothing that is told at once is longer than what is left above [`FULL`].
pub(super) const ROOM: usize = 64 * 1024;
/// Emptied batches that wait to be filled again.
const MOST_SPARES: usize = 16;

/// Whole lines, or whole spans.
#[derive(Debug, Default)]
pub struct Batch {
    pub bytes: Vec<u8>,
    /// How many.
    pub lines: u64,
}

/// Takes a batch without waiting.
///
/// # Errors
/// It cannot be taken now, and is given back.
pub type HandOver = Arc<dyn Fn(Batch) -> Result<(), Batch> + Send + Sync>;

/// Memory that went out with a batch, and came back: it is used again rather than freed on another thread.
#[derive(Clone, Debug, Default)]
pub struct Spares(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spares {
    pub fn give(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let mut spares = self.0.lock().expect("no one panics while holding it");
        if spares.len() < MOST_SPARES {
            spares.push(bytes);
        }
    }

    fn take(&self) -> Vec<u8> {
        let spare = self.0.lock().expect("no one panics while holding it").pop();
        spare.unwrap_or_else(|| Vec::with_capacity(ROOM))
    }
}

/// One worker's, of one kind.
pub(super) struct Outbox {
    batch: Batch,
    hand_over: HandOver,
    spares: Spares,
}

impl Outbox {
    pub fn new(hand_over: HandOver, spares: Spares) -> Self {
        Self { batch: Batch { bytes: spares.take(), lines: 0 }, hand_over, spares }
    }

    /// Where the next line goes.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.batch.bytes
    }

    /// Something was written whole. Hands the batch over when it is full; gives how much was dropped.
    pub fn wrote(&mut self, lines: u64) -> u64 {
        self.batch.lines += lines;
        if self.batch.bytes.len() < FULL { 0 } else { self.flush() }
    }

    pub fn is_empty(&self) -> bool {
        self.batch.lines == 0
    }

    /// Hands over what there is. Gives how much was dropped: nobody took it.
    pub fn flush(&mut self) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let next = Batch { bytes: self.spares.take(), lines: 0 };
        match (self.hand_over)(std::mem::replace(&mut self.batch, next)) {
            Ok(()) => 0,
            Err(batch) => {
                self.spares.give(batch.bytes);
                batch.lines
            }
        }
    }
}
