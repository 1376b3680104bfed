//! The exporter: sends spans to an OpenTelemetry collector (OTLP over HTTP, as JSON), on a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use tracing::{error, info};

use crate::domain::Secret;
use crate::telemetry::{Batch, HandOver, Meter, Meters, Owner, Spares, Waiting, envelope, innermost};

/// Batches that may wait: with those under way at most a few MiB.
const MAILBOX: usize = 64;
/// How long the collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before a batch is sent once more; then it is dropped.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Where spans go.
#[derive(Clone, Debug)]
pub struct Collector {
    /// `http://host:4318`; the path `/v1/traces` where it has none.
    pub endpoint: String,
    /// Fields that every request carries.
    pub headers: Vec<(String, Secret)>,
    /// What this node is known by.
    pub node: String,
}

/// Sends a batch.
#[derive(Message)]
#[rtype(result = "()")]
struct Spans(Batch, Waiting);

/// Answered when everything that was handed over before is sent, or given up.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Settled;

/// The actor; one per node.
pub struct Exporter {
    http: Client,
    place: Url,
    node: String,
    meters: Arc<Meters>,
    spares: Spares,
    /// The last batch was not taken; that was told.
    is_failing: bool,
}

impl Exporter {
    /// Starts it on a thread of its own.
    ///
    /// # Errors
    /// The endpoint is no address.
    pub fn start_with(collector: Collector, meters: Arc<Meters>, spares: Spares) -> Result<Addr<Self>, String> {
        let mut place = Url::parse(&collector.endpoint).map_err(|error| error.to_string())?;
        if !["http", "https"].contains(&place.scheme()) || !place.has_host() {
            return Err(format!("{place} should begin with http:// or https:// and a host"));
        }
        if place.path() == "/" {
            place.set_path("/v1/traces");
        }
        let http = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy();
        let http = http.default_headers(fields(&collector.headers)?);
        let http = http.build().map_err(|error| error.to_string())?;
        let exporter = Self { http, place, node: collector.node, meters, spares, is_failing: false };
        Ok(Self::start_in_arbiter(&Arbiter::new().handle(), |context| {
            context.set_mailbox_capacity(MAILBOX);
            exporter.meters.set_capacity(Owner::Exporter, MAILBOX);
            exporter
        }))
    }

    /// How workers hand their batches over: when too many wait, they get theirs back.
    /// `meters`: of the exporter.
    pub fn hand_over(address: Addr<Self>, meters: Arc<Meters>) -> HandOver {
        Arc::new(move |batch| {
            let spans = Spans(batch, meters.waiting(Owner::Exporter));
            address.try_send(spans).map_err(|refused| match refused {
                SendError::Full(Spans(batch, _)) | SendError::Closed(Spans(batch, _)) => batch,
            })
        })
    }

    fn tell(&mut self, spans: u64, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => {
                self.meters.add(Meter::SpansSent, spans);
                if std::mem::take(&mut self.is_failing) {
                    info!("the collector takes spans again");
                }
            }
            Err(failure) => {
                self.meters.add(Meter::SpansDropped, spans);
                if !std::mem::replace(&mut self.is_failing, true) {
                    error!(%failure, "the collector takes no spans; they are dropped until it does");
                }
            }
        }
    }
}

/// The fields, marked so that nothing prints their values.
fn fields(headers: &[(String, Secret)]) -> Result<HeaderMap, String> {
    let mut fields = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
        let mut value = HeaderValue::from_str(value.reveal()).map_err(|error| error.to_string())?;
        value.set_sensitive(true);
        fields.append(name, value);
    }
    Ok(fields)
}

/// Sends a batch until it is taken, refused for good, or given up.
async fn send(http: Client, place: Url, body: Vec<u8>) -> Result<(), String> {
    let mut pauses = PAUSES.into_iter();
    let body = bytes::Bytes::from(body);
    loop {
        let request = http.post(place.clone()).header("content-type", "application/json").body(body.clone());
        let failure = match request.send().await {
            Ok(answer) if answer.status().is_success() => return finish(answer).await,
            Ok(answer) => {
                let failure = format!("it answers {}", answer.status());
                // What OTLP says may be sent once more.
                if !matches!(answer.status().as_u16(), 429 | 502 | 503 | 504) {
                    return Err(failure);
                }
                failure
            }
            Err(error) => innermost(&error),
        };
        match pauses.next() {
            Some(pause) => actix_rt::time::sleep(pause).await,
            None => return Err(failure),
        }
    }
}

/// Reads the short answer, so that the connection can be used again.
async fn finish(mut answer: Response) -> Result<(), String> {
    let mut length = 0;
    while let Ok(Some(part)) = answer.chunk().await {
        length += part.len();
        if length > 64 * 1024 {
            break;
        }
    }
    Ok(())
}

impl Actor for Exporter {
    type Context = Context<Self>;
}

impl Handler<Spans> for Exporter {
    type Result = ();

    fn handle(&mut self, Spans(batch, waiting): Spans, context: &mut Self::Context) {
        self.meters.count_batch_of(Owner::Exporter, usize::try_from(batch.lines).unwrap_or(usize::MAX));
        let resource = [
            ("service.name", "tollgate"),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("service.instance.id", &self.node),
        ];
        let body = envelope(&batch.bytes, &resource);
        self.spares.give(batch.bytes);
        let sent = send(self.http.clone(), self.place.clone(), body).into_actor(self);
        // One batch at a time: what comes meanwhile waits in the mailbox, and beyond it with the workers.
        context.wait(sent.map(move |outcome, exporter, _| {
            exporter.tell(batch.lines, outcome);
            drop(waiting);
        }));
    }
}

impl Handler<Settled> for Exporter {
    type Result = ();

    fn handle(&mut self, _: Settled, _: &mut Self::Context) {}
}
