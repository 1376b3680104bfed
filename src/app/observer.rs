//! What is told of every request: its counts, its line in the access log, and its spans.
//!
//! Called by the proxy in the worker that served the request, so everything here is that thread's own.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use super::access_log::AccessLogs;
use super::gathering::Gathering;
use super::traces::Traces;
use crate::config::AccessFormat;
use crate::message::Version;
use crate::plugins::Identity;
use crate::proxy::Record;
use crate::router::{RouteSpec, ServiceSpec};
use crate::telemetry::{
    AccessLog, Answered, CallSpans, Caller, ConsumerClass, Entry, Marks, Meters, Place, Registry, RouteLabels, Sent,
    Slot, SpanLog,
};

/// What workers' observers are made of.
pub(super) struct Outlets {
    pub meters: Arc<Registry>,
    /// `None`: no line is written.
    pub log: Option<AccessLogs>,
    /// `None`: no call is recorded.
    pub traces: Option<Traces>,
}

thread_local! {
    static OWN: RefCell<Option<Observer>> = const { RefCell::new(None) };
}

/// Tells of a request, once there is something to tell it to.
pub(super) fn observe(record: &Record<'_>, outlets: &OnceLock<Outlets>) {
    let Some(outlets) = outlets.get() else { return };
    OWN.with_borrow_mut(|own| own.get_or_insert_with(|| Observer::new(outlets)).observe(record, outlets));
}

/// One worker's.
struct Observer {
    meters: Arc<Meters>,
    number: usize,
    /// Calls that found no route.
    no_route: Arc<Slot>,
    /// Routes by their place in the snapshot.
    routes: Vec<Option<Known>>,
    log: Option<(AccessFormat, Rc<RefCell<Gathering<AccessLog>>>)>,
    spans: Option<Rc<RefCell<Gathering<SpanLog>>>>,
}

/// A route this worker has met.
struct Known {
    /// Of another snapshot, the same place holds another one.
    route: Arc<RouteSpec>,
    slot: Arc<Slot>,
    place: Place,
    marks: Marks,
}

impl Observer {
    fn new(outlets: &Outlets) -> Self {
        let number = outlets.meters.traffic.worker();
        let meters = outlets.meters.worker();
        Self {
            number,
            no_route: outlets.meters.traffic.slot(number, &RouteLabels::none()),
            routes: Vec::new(),
            log: outlets.log.as_ref().map(|log| (log.format, log.of_worker(&meters))),
            spans: outlets.traces.as_ref().map(|traces| traces.of_worker(&meters)),
            meters,
        }
    }

    fn observe(&mut self, record: &Record<'_>, outlets: &Outlets) {
        self.meters.count_status(record.status);
        let answered = Answered {
            status: record.status,
            class: class_of(record.identity),
            received: record.received,
            sent: record.sent,
            total: record.total,
            // Of a call that the upstream failed nobody knows what the gateway took.
            proxy: record.proxy.or(Some(record.total).filter(|_| record.failure.is_none())),
            upstream: record.upstream,
        };
        self.meet(record, &outlets.meters);
        let known = record.place.and_then(|place| self.routes.get(place)?.as_ref());
        known.map_or(&self.no_route, |known| &known.slot).count(&answered);
        if let Some((format, log)) = &self.log {
            let entry = entry(record, known.map(|known| &known.place), *format);
            log.borrow_mut().write(|log| log.write(&entry));
        }
        if let (Some(spans), Some(trace)) = (&self.spans, record.trace.filter(|trace| trace.sampled)) {
            let call = CallSpans {
                trace,
                entry: &entry(record, None, AccessFormat::Json),
                marks: known.map(|known| &known.marks),
                attempts: record.attempts,
                asked: record.asked.map(|(grant, outcome)| (grant.name(), outcome)),
            };
            spans.borrow_mut().write(|spans| spans.write(&call));
        }
    }

    /// Makes the request's route known, unless it is.
    fn meet(&mut self, record: &Record<'_>, meters: &Registry) {
        let (Some(place), Some(route)) = (record.place, record.route) else { return };
        if self.routes.len() <= place {
            self.routes.resize_with(place + 1, || None);
        }
        if self.routes[place].as_ref().is_some_and(|known| Arc::ptr_eq(&known.route, route)) {
            return;
        }
        let service = record.service.map(|service| &**service);
        self.routes[place] = Some(Known {
            route: Arc::clone(route),
            slot: meters.traffic.slot(self.number, &labels(route, service)),
            place: Place::new((route.id, route.name.as_deref()), service.map(named)),
            marks: marks(route, service),
        });
    }
}

fn named(service: &ServiceSpec) -> (uuid::Uuid, Option<&str>) {
    (service.id, service.name.as_deref())
}

/// By what the calls of a route are counted.
pub(super) fn labels(route: &RouteSpec, service: Option<&ServiceSpec>) -> RouteLabels {
    RouteLabels::new((route.id, route.name.as_deref()), service.map(named))
}

/// What spans tell of a route: what it matches where that is one path, else its name.
fn marks(route: &RouteSpec, service: Option<&ServiceSpec>) -> Marks {
    let name = |name: &Option<String>, id: uuid::Uuid| name.clone().unwrap_or_else(|| id.to_string());
    let own = name(&route.name, route.id);
    let pattern = match &route.paths[..] {
        [only] => only,
        _ => &own,
    };
    let service_name = service.map(|service| name(&service.name, service.id));
    Marks::new(&own, pattern, service_name.as_deref(), service.map(|service| (&service.host[..], service.port)))
}

fn class_of(identity: Option<&Identity>) -> ConsumerClass {
    match identity {
        None => ConsumerClass::None,
        Some(Identity { credential: None, .. }) => ConsumerClass::Anonymous,
        Some(Identity { is_application: true, .. }) => ConsumerClass::Application,
        Some(_) => ConsumerClass::Consumer,
    }
}

fn entry<'e>(record: &'e Record<'_>, place: Option<&'e Place>, format: AccessFormat) -> Entry<'e> {
    let head = record.head;
    let field = |name| head.headers.get(name);
    let caller = record.identity.and_then(|identity| {
        let consumer = identity.consumer.as_deref()?;
        let name = consumer.username.as_deref().or(consumer.custom_id.as_deref()).unwrap_or_default();
        Some(Caller { consumer: consumer.id, name, credential: identity.credential })
    });
    Entry {
        at_ms: record.at.millis(),
        request_id: record.request_id,
        trace: record.trace.map(|trace| trace.id),
        sent: Sent {
            method: head.method(),
            host: head.host(),
            path: head.path(),
            user_agent: field("user-agent"),
            referrer: if format == AccessFormat::Combined { field("referer") } else { None },
        },
        client_ip: record.client_ip,
        protocol: match record.version {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
            Version::Http2 => "HTTP/2.0",
        },
        tls: record.peer.tls,
        status: record.status,
        bytes_received: record.received,
        bytes_sent: record.sent,
        duration: record.total,
        proxy: record.proxy,
        upstream: record.upstream,
        place,
        caller,
        failure: record.failure.map(crate::proxy::Failure::word),
    }
}
