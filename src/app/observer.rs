//! What is told of every request: its counts, and its line in the access log.
//!
//! Called by the proxy in the worker that served the request, so everything here is that thread's own.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use super::access_log::{AccessLogs, WorkerLog};
use crate::config::AccessFormat;
use crate::message::Version;
use crate::plugins::Identity;
use crate::proxy::Record;
use crate::router::{RouteSpec, ServiceSpec};
use crate::telemetry::{Answered, Caller, ConsumerClass, Entry, Meters, Place, Registry, RouteLabels, Sent, Slot};

/// What workers' observers are made of.
pub(super) struct Outlets {
    pub meters: Arc<Registry>,
    /// `None`: no line is written.
    pub log: Option<AccessLogs>,
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
    log: Option<Rc<RefCell<WorkerLog>>>,
}

/// A route this worker has met.
struct Known {
    /// Of another snapshot, the same place holds another one.
    route: Arc<RouteSpec>,
    slot: Arc<Slot>,
    place: Place,
}

impl Observer {
    fn new(outlets: &Outlets) -> Self {
        let number = outlets.meters.traffic.worker();
        let meters = outlets.meters.worker();
        Self {
            number,
            no_route: outlets.meters.traffic.slot(number, &RouteLabels::none()),
            routes: Vec::new(),
            log: outlets.log.as_ref().map(|log| WorkerLog::start(log, &meters)),
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
        if let Some(log) = &self.log {
            write(record, known.map(|known| &known.place), &mut log.borrow_mut());
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

fn class_of(identity: Option<&Identity>) -> ConsumerClass {
    match identity {
        None => ConsumerClass::None,
        Some(Identity { credential: None, .. }) => ConsumerClass::Anonymous,
        Some(Identity { is_application: true, .. }) => ConsumerClass::Application,
        Some(_) => ConsumerClass::Consumer,
    }
}

fn write(record: &Record<'_>, place: Option<&Place>, log: &mut WorkerLog) {
    let head = record.head;
    let field = |name| head.headers.get(name);
    let caller = record.identity.and_then(|identity| {
        let consumer = identity.consumer.as_deref()?;
        let name = consumer.username.as_deref().or(consumer.custom_id.as_deref()).unwrap_or_default();
        Some(Caller { consumer: consumer.id, name, credential: identity.credential })
    });
    log.write(&Entry {
        at_ms: record.at.millis(),
        request_id: record.request_id,
        sent: Sent {
            method: &head.method,
            host: &head.host,
            path: &head.path,
            user_agent: field("user-agent"),
            referrer: if log.format == AccessFormat::Combined { field("referer") } else { None },
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
    });
}
