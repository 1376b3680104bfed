//! What workers gather and hand over by the batch: lines of the access log, spans of traces.

use std::sync::{Arc, Mutex};

/// From here on a batch is handed over.
pub(super) const FULL: usize = 32 * 1024;
/// No line is longer than what is left above [`FULL`]: its texts are bounded, and none grows more than six-fold.
pub(super) const ROOM: usize = 64 * 1024;
/// Emptied batches that wait to be filled again.
const MOST_SPARES: usize = 16;

/// Whole lines, or spans.
#[derive(Debug, Default)]
pub struct Batch {
    pub bytes: Vec<u8>,
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

/// One worker's batch in the making.
pub struct Outbox {
    batch: Batch,
    hand_over: HandOver,
    spares: Spares,
}

impl Outbox {
    pub fn new(hand_over: HandOver, spares: Spares) -> Self {
        let batch = Batch { bytes: spares.take(), lines: 0 };
        Self { batch, hand_over, spares }
    }

    /// Adds a line; hands the batch over when it is full. Gives how many lines were dropped.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> u64 {
        write(&mut self.batch.bytes);
        self.batch.lines += 1;
        if self.batch.bytes.len() < FULL { 0 } else { self.flush() }
    }

    pub fn is_empty(&self) -> bool {
        self.batch.lines == 0
    }

    /// Hands over what there is. Gives how many lines were dropped: nobody took them.
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

/// Something of a worker's that gathers.
pub trait Gather {
    fn outbox(&mut self) -> &mut Outbox;
}
