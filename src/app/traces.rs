//! The traces' way: from each worker's buffer to the exporter, and to its end when the gateway stops.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use tracing::warn;

use super::error::Failure;
use super::gathering::{Gathering, Holders};
use crate::actors::{Collector, Exporter, Settled};
use crate::config::{Settings, TracingSettings};
use crate::telemetry::{HandOver, Meter, Meters, Registry, SpanLog, Spares};

/// How long the collector may take for what is left when the gateway stops.
const PATIENCE: Duration = Duration::from_secs(3);

/// The traces as the gateway holds them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Traces {
    exporter: Addr<Exporter>,
    hand_over: HandOver,
    spares: Spares,
    holders: Holders,
}

impl Traces {
    /// `None`: nothing is to be traced. `node`: what this one of several is known by.
    ///
    /// # Errors
    /// The collector's address cannot be used.
    pub fn start(settings: &Settings, node: &str, meters: &Registry) -> Result<Option<Self>, Failure> {
        let Some(TracingSettings { endpoint, headers, .. }) = settings.tracing.clone() else { return Ok(None) };
        let spares = Spares::default();
        let own = meters.worker();
        let collector = Collector { endpoint, headers, node: node.to_owned() };
        let exporter = Exporter::start_with(collector, Arc::clone(&own), spares.clone())
            .map_err(|error| Failure::setting(format!("telemetry.otlp_endpoint: {error}")))?;
        let hand_over = Exporter::hand_over(exporter.clone(), own);
        Ok(Some(Self { exporter, hand_over, spares, holders: Holders::default() }))
    }

    /// One worker's, to be called on its thread.
    pub fn of_worker(&self, meters: &Arc<Meters>) -> Rc<RefCell<Gathering<SpanLog>>> {
        let own = SpanLog::new(Arc::clone(&self.hand_over), self.spares.clone());
        Gathering::start(own, meters, Meter::SpansDropped, &self.holders)
    }

    /// Waits until every span is sent, or given up. To be called when nothing is proxied any more.
    pub async fn settle(&self) {
        self.holders.end().await;
        if self.exporter.send(Settled).timeout(PATIENCE).await.is_err() {
            warn!("the collector did not take the last spans in time");
        }
    }
}
