//! The access log's way: from each worker's buffer to the scribe, and to its end when the gateway stops.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix::Addr;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::error::Failure;
use crate::actors::{Reopen, Scribe, Settle};
use crate::config::{AccessFormat, Settings};
use crate::telemetry::{AccessLog, Entry, HandOver, Meter, Meters, Registry, Spares};

/// A line waits no longer than this in its worker.
const WAIT: Duration = Duration::from_millis(200);
/// By then every worker has handed over, whether or not its thread has ended.
const WORKERS_END: Duration = Duration::from_secs(1);
/// How often to look whether it has.
const LOOK: Duration = Duration::from_millis(5);
/// How long the scribe may take to open its file again: it may be stuck in a pipe that nobody reads.
const PATIENCE: Duration = Duration::from_secs(1);

/// The log as the gateway holds it. Cheap to clone.
#[derive(Clone)]
pub(super) struct AccessLogs {
    pub format: AccessFormat,
    scribe: Addr<Scribe>,
    hand_over: HandOver,
    spares: Spares,
    /// Workers that may still hold lines.
    workers: Arc<AtomicUsize>,
}

impl AccessLogs {
    /// `None`: there is to be no log.
    ///
    /// # Errors
    /// The file cannot be opened for appending.
    pub fn start(settings: &Settings, meters: &Registry) -> Result<Option<Self>, Failure> {
        let Some(format) = settings.log_access else { return Ok(None) };
        let spares = Spares::default();
        let own = meters.worker();
        let scribe = Scribe::start_with(settings.log_access_file.clone(), Arc::clone(&own), spares.clone())
            .map_err(|error| Failure::setting(format!("log.access_file: {error}")))?;
        let hand_over = Scribe::hand_over(scribe.clone(), own);
        Ok(Some(Self { format, scribe, hand_over, spares, workers: Arc::default() }))
    }

    /// Opens the file again: logrotate has moved the old one away.
    pub async fn reopen(&self) {
        if self.scribe.send(Reopen).timeout(PATIENCE).await.is_err() {
            warn!("the access log is stuck where it writes to, and was not opened again");
        }
    }

    /// Waits until every line is written. To be called when nothing is proxied any more.
    pub async fn settle(&self) {
        let patience = Instant::now() + WORKERS_END;
        while self.workers.load(Ordering::Acquire) > 0 && Instant::now() < patience {
            sleep(LOOK).await;
        }
        if self.scribe.send(Settle).await.is_err() {
            warn!("the access log ended before its last lines were written");
        }
    }
}

/// The log as a worker holds it: a buffer, handed over when it is full, when its time has come, and with its worker's
/// end.
pub(super) struct WorkerLog {
    lines: AccessLog,
    pub format: AccessFormat,
    meters: Arc<Meters>,
    /// Told when a batch begins.
    begun: Rc<Notify>,
    workers: Arc<AtomicUsize>,
}

impl WorkerLog {
    /// To be called on the worker's thread.
    pub fn start(log: &AccessLogs, meters: &Arc<Meters>) -> Rc<RefCell<Self>> {
        log.workers.fetch_add(1, Ordering::AcqRel);
        let begun = Rc::new(Notify::new());
        let own = Rc::new(RefCell::new(Self {
            lines: AccessLog::new(log.format, Arc::clone(&log.hand_over), log.spares.clone()),
            format: log.format,
            meters: Arc::clone(meters),
            begun: Rc::clone(&begun),
            workers: Arc::clone(&log.workers),
        }));
        actix_rt::spawn(hand_over_in_time(Rc::downgrade(&own), begun));
        own
    }

    pub fn write(&mut self, entry: &Entry<'_>) {
        if self.lines.is_empty() {
            self.begun.notify_one();
        }
        let dropped = self.lines.write(entry);
        self.count(dropped);
    }

    fn flush(&mut self) {
        let dropped = self.lines.flush();
        self.count(dropped);
    }

    fn count(&self, dropped: u64) {
        if dropped > 0 {
            self.meters.add(Meter::AccessLogDropped, dropped);
        }
    }
}

impl Drop for WorkerLog {
    fn drop(&mut self) {
        self.flush();
        self.workers.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Hands over what has waited long enough, for as long as the worker lives. Sleeps where there is nothing.
async fn hand_over_in_time(log: Weak<RefCell<WorkerLog>>, begun: Rc<Notify>) {
    loop {
        begun.notified().await;
        sleep(WAIT).await;
        let Some(log) = log.upgrade() else { return };
        log.borrow_mut().flush();
    }
}
