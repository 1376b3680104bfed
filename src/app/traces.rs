//! The way of spans: from each worker's buffer to the tracer, and to the collector.

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use tracing::warn;

use super::error::Failure;
use super::gathering::{Gathering, Holders};
use crate::actors::{Finish, Post, Tracer};
use crate::config::{OtlpEndpoint, TraceSettings};
use crate::proxy::{Destination, Poster};
use crate::telemetry::{Envelope, HandOver, Meter, Meters, Registry, SpanLog, Spares};

/// For one request to the collector.
const LIMIT: Duration = Duration::from_secs(10);

/// Traces as the gateway holds them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Traces {
    tracer: Addr<Tracer>,
    hand_over: HandOver,
    spares: Spares,
    holders: Holders,
}

impl Traces {
    /// `None`: no call is traced. `instance`: tells this node from the others. The collector may still be away.
    ///
    /// # Errors
    /// The collector's host is no name, or its authorities cannot be read.
    pub fn start(settings: Option<&TraceSettings>, instance: &str, meters: &Registry) -> Result<Option<Self>, Failure> {
        let Some(settings) = settings else { return Ok(None) };
        let destination = destination(settings)?;
        // What is wrong with it is told now, not on the thread where it is used.
        Poster::new(&destination)
            .map_err(|error| Failure::setting(format!("telemetry.otlp_endpoint or telemetry.otlp_ca: {error}")))?;
        let make = move || -> Post {
            let poster = Rc::new(Poster::new(&destination));
            Rc::new(move |body| {
                let poster = Rc::clone(&poster);
                Box::pin(async move {
                    let poster = poster.as_ref().as_ref().map_err(ToString::to_string)?;
                    poster.post("application/json", body.into(), LIMIT).await
                })
            })
        };
        let (own, spares) = (meters.worker(), Spares::default());
        let envelope = Envelope::new(env!("CARGO_PKG_VERSION"), instance);
        let tracer = Tracer::start_with(envelope, make, Arc::clone(&own), spares.clone());
        let hand_over = Tracer::hand_over(tracer.clone(), own);
        Ok(Some(Self { tracer, hand_over, spares, holders: Holders::default() }))
    }

    /// A worker's spans. To be called on its thread.
    pub fn of_worker(&self, meters: &Arc<Meters>) -> Rc<RefCell<Gathering<SpanLog>>> {
        let spans = SpanLog::new(Arc::clone(&self.hand_over), self.spares.clone());
        Gathering::start(spans, Meter::SpansDropped, meters, &self.holders)
    }

    /// Waits until every span was sent, or tried to. To be called when nothing is proxied any more.
    pub async fn finish(&self) {
        self.holders.gone().await;
        if self.tracer.send(Finish).await.is_err() {
            warn!("the tracer ended before its last spans were sent");
        }
    }
}

fn destination(settings: &TraceSettings) -> Result<Destination, Failure> {
    let OtlpEndpoint { secure, host, port, path } = settings.endpoint.clone();
    let read = |file: &std::path::PathBuf| {
        fs::read_to_string(file)
            .map_err(|error| Failure::setting(format!("telemetry.otlp_ca: cannot read {}: {error}", file.display())))
    };
    let authorities = settings.authorities.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Destination { secure, authorities, host, port, path, headers: settings.headers.clone() })
}
