//! What workers gather, lines of the access log and spans alike: handed over when it is full, when its time has come, and
//! with its worker's end.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::telemetry::{Gather, Meter, Meters};

/// A line waits no longer than this in its worker.
const WAIT: Duration = Duration::from_millis(200);
/// By then every worker has handed over, whether or not its thread has ended.
const WORKERS_END: Duration = Duration::from_secs(1);
/// How often to look whether it has.
const LOOK: Duration = Duration::from_millis(5);

/// Workers that may still hold something.
#[derive(Clone, Default)]
pub(super) struct Holders(Arc<AtomicUsize>);

impl Holders {
    /// Waits until they hold nothing. To be called when nothing is proxied any more.
    pub async fn end(&self) {
        let patience = Instant::now() + WORKERS_END;
        while self.0.load(Ordering::Acquire) > 0 && Instant::now() < patience {
            sleep(LOOK).await;
        }
    }
}

/// One worker's.
pub(super) struct Gathering<T: Gather> {
    own: T,
    meters: Arc<Meters>,
    /// What counts what nobody took.
    dropped: Meter,
    /// Told when a batch begins.
    begun: Rc<Notify>,
    holders: Holders,
}

impl<T: Gather + 'static> Gathering<T> {
    /// To be called on the worker's thread.
    pub fn start(own: T, meters: &Arc<Meters>, dropped: Meter, holders: &Holders) -> Rc<RefCell<Self>> {
        holders.0.fetch_add(1, Ordering::AcqRel);
        let (begun, meters, holders) = (Rc::new(Notify::new()), Arc::clone(meters), holders.clone());
        let gathering = Rc::new(RefCell::new(Self { own, meters, dropped, begun: Rc::clone(&begun), holders }));
        actix_rt::spawn(hand_over_in_time(Rc::downgrade(&gathering), begun));
        gathering
    }
}

impl<T: Gather> Gathering<T> {
    /// `write` gives how many lines were dropped.
    pub fn write(&mut self, write: impl FnOnce(&mut T) -> u64) {
        if self.own.outbox().is_empty() {
            self.begun.notify_one();
        }
        let dropped = write(&mut self.own);
        self.count(dropped);
    }

    fn flush(&mut self) {
        let dropped = self.own.outbox().flush();
        self.count(dropped);
    }

    fn count(&self, dropped: u64) {
        if dropped > 0 {
            self.meters.add(self.dropped, dropped);
        }
    }
}

impl<T: Gather> Drop for Gathering<T> {
    fn drop(&mut self) {
        self.flush();
        self.holders.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Hands over what has waited long enough, for as long as the worker lives. Sleeps where there is nothing.
async fn hand_over_in_time<T: Gather>(gathering: Weak<RefCell<Gathering<T>>>, begun: Rc<Notify>) {
    loop {
        begun.notified().await;
        sleep(WAIT).await;
        let Some(gathering) = gathering.upgrade() else { return };
        gathering.borrow_mut().flush();
    }
}
