//! The access log's way: from each worker's buffer to the scribe, and to its end when the gateway stops.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use tracing::warn;

use super::error::Failure;
use super::gathering::{Gathering, Holders};
use crate::actors::{Reopen, Scribe, Settle};
use crate::config::{AccessFormat, Settings};
use crate::telemetry::{AccessLog, HandOver, Meter, Meters, Registry, Spares};

/// How long the scribe may take to open its file again: it may be stuck in a pipe that nobody reads.
const PATIENCE: Duration = Duration::from_secs(1);

/// The log as the gateway holds it. Cheap to clone.
#[derive(Clone)]
pub(super) struct AccessLogs {
    pub format: AccessFormat,
    scribe: Addr<Scribe>,
    hand_over: HandOver,
    spares: Spares,
    holders: Holders,
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
        Ok(Some(Self { format, scribe, hand_over, spares, holders: Holders::default() }))
    }

    /// A worker's lines. To be called on its thread.
    pub fn of_worker(&self, meters: &Arc<Meters>) -> Rc<RefCell<Gathering<AccessLog>>> {
        let lines = AccessLog::new(self.format, Arc::clone(&self.hand_over), self.spares.clone());
        Gathering::start(lines, Meter::AccessLogDropped, meters, &self.holders)
    }

    /// Opens the file again: logrotate has moved the old one away.
    pub async fn reopen(&self) {
        if self.scribe.send(Reopen).timeout(PATIENCE).await.is_err() {
            warn!("the access log is stuck where it writes to, and was not opened again");
        }
    }

    /// Waits until every line is written. To be called when nothing is proxied any more.
    pub async fn settle(&self) {
        self.holders.gone().await;
        if self.scribe.send(Settle).await.is_err() {
            warn!("the access log ended before its last lines were written");
        }
    }
}
