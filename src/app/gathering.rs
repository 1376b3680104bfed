//! What workers gather before they hand it over: lines of the access log, spans.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::telemetry::{AccessLog, Meter, Meters, SpanLog};

/// Nothing waits longer than this in its worker.
const WAIT: Duration = Duration::from_millis(200);
/// By then every worker has handed over, whether or not its thread has ended.
const WORKERS_END: Duration = Duration::from_secs(1);
/// How often to look whether it has.
const LOOK: Duration = Duration::from_millis(5);

/// A buffer that is handed over by the batch.
pub(super) trait Buffer: 'static {
    fn is_empty(&self) -> bool;

    /// Gives how much was dropped.
    fn flush(&mut self) -> u64;
}

impl Buffer for AccessLog {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn flush(&mut self) -> u64 {
        self.flush()
    }
}

impl Buffer for SpanLog {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn flush(&mut self) -> u64 {
        self.flush()
    }
}

/// The workers that may still hold something. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Holders(Arc<AtomicUsize>);

impl Holders {
    /// Waits until each has handed over. To be called when nothing is proxied any more.
    pub async fn gone(&self) {
        let patience = Instant::now() + WORKERS_END;
        while self.0.load(Ordering::Acquire) > 0 && Instant::now() < patience {
            sleep(LOOK).await;
        }
    }
}

/// A worker's buffer, handed over when it is full, when its time has come, and with its worker's end.
pub(super) struct Gathering<B: Buffer> {
    buffer: B,
    /// Counts what is dropped.
    dropped: Meter,
    meters: Arc<Meters>,
    /// Told when a batch begins.
    begun: Rc<Notify>,
    holders: Holders,
}

impl<B: Buffer> Gathering<B> {
    /// To be called on the worker's thread.
    pub fn start(buffer: B, dropped: Meter, meters: &Arc<Meters>, holders: &Holders) -> Rc<RefCell<Self>> {
        holders.0.fetch_add(1, Ordering::AcqRel);
        let begun = Rc::new(Notify::new());
        let own = Rc::new(RefCell::new(Self {
            buffer,
            dropped,
            meters: Arc::clone(meters),
            begun: Rc::clone(&begun),
            holders: holders.clone(),
        }));
        actix_rt::spawn(hand_over_in_time(Rc::downgrade(&own), begun));
        own
    }

    /// `write` gives how much was dropped.
    pub fn write(&mut self, write: impl FnOnce(&mut B) -> u64) {
        if self.buffer.is_empty() {
            self.begun.notify_one();
        }
        let dropped = write(&mut self.buffer);
        self.count(dropped);
    }

    fn flush(&mut self) {
        let dropped = self.buffer.flush();
        self.count(dropped);
    }

    fn count(&self, dropped: u64) {
        if dropped > 0 {
            self.meters.add(self.dropped, dropped);
        }
    }
}

impl<B: Buffer> Drop for Gathering<B> {
    fn drop(&mut self) {
        self.flush();
        self.holders.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Hands over what has waited long enough, for as long as the worker lives. Sleeps where there is nothing.
async fn hand_over_in_time<B: Buffer>(own: Weak<RefCell<Gathering<B>>>, begun: Rc<Notify>) {
    loop {
        begun.notified().await;
        sleep(WAIT).await;
        let Some(own) = own.upgrade() else { return };
        own.borrow_mut().flush();
    }
}
