//! A call on its way to the upstream: connection, head, both bodies, and another try where that is safe.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::dial::dial;
use super::exchange::{Exchange, Live, Outcome, Report, Space};
use super::failure::Failure;
use super::fields;
use super::http2;
use super::link::Link;
use super::seam::{Inbound, Sink};
use super::snapshot::{Target, Upstream};
use super::trace::outgoing;
use super::transfer::{Ended, Limits, Order, Transfer};
use crate::message::{BodyLength, ResponseFrame, ResponseHead};
use crate::plugins::{Changes, Plugin, Rest};
use crate::router::{Joint, Match, escape_into, join_into};

pub(super) struct Forward<'f, P: Plugin> {
    pub exchange: &'f Exchange<'f, P>,
    pub target: &'f Target<P>,
    pub upstream: &'f Arc<Upstream>,
    pub found: Match,
    /// Of the request, normalised.
    pub path: &'f [u8],
    pub client_ip: IpAddr,
    pub secure: bool,
    pub rest: Rest,
}

/// A try that failed, and whether another would be safe.
pub(super) struct Failed {
    pub failure: Failure,
    /// Nothing came back and nothing of the client's body is lost.
    pub repeatable: bool,
}

impl<P: Plugin> Forward<'_, P> {
    /// Tries until an answer came or another try would not be safe.
    pub async fn run<S: Inbound, K: Sink>(&self, live: &mut Live<'_, S, K>) -> Result<Outcome, Failure> {
        let worker = self.exchange.worker;
        let load = worker.loads.one(self.upstream.key).ok_or(Failure::Overloaded)?;
        self.aim(live.space);
        if self.upstream.is_http2 {
            return http2::forward(self, live).await;
        }
        let mut left = self.upstream.spec.retries;
        let mut pooled = worker.pool.borrow_mut().take(self.upstream);
        loop {
            live.report.begin_attempt(self.exchange.trace, self.exchange.begun);
            let mut link = match pooled.take() {
                Some(link) => link,
                // Boxed, as whatever most calls do without: they need not carry room for it.
                None => match Box::pin(dial(self.upstream, &worker.names, &worker.counts, self.exchange.asker())).await
                {
                    Ok(link) => link,
                    Err(failure) => {
                        live.report.end_attempt(self.exchange.begun, Some(failure));
                        // Nothing was sent, so any request may be sent again.
                        if failure == Failure::Refused && left > 0 {
                            left -= 1;
                            continue;
                        }
                        return Err(failure);
                    }
                },
            };
            let was_used = link.used;
            let ended = self.attempt(&mut link, live).await;
            live.report.end_attempt(self.exchange.begun, ended.as_ref().err().map(|failed| failed.failure));
            match ended {
                Ok(Ended::Switched) => {
                    link.load = Some(load);
                    return Ok(Outcome::Switched(link));
                }
                Ok(Ended::Whole { reusable }) => {
                    if reusable {
                        let now = *live.report.ended.insert(Instant::now());
                        worker.pool.borrow_mut().put(self.upstream, link, now);
                    }
                    return Ok(Outcome::Answered { failed: false });
                }
                // An idle connection may close just as it is written to: that try costs none of the retries.
                Err(failed) if failed.repeatable && was_used => {}
                Err(failed) if failed.repeatable && left > 0 => left -= 1,
                Err(failed) => return Err(failed.failure),
            }
        }
    }

    /// The path for the upstream and what was stripped of it, into `space`, escaped: what was decoded for matching may
    /// hold the end of a line.
    fn aim(&self, space: &mut Space) {
        let route = &self.target.route;
        space.joined.clear();
        space.path.clear();
        space.prefix.clear();
        if self.path == b"*" {
            space.path.push(b'*');
            return;
        }
        let service_path = self.upstream.spec.path.as_deref().unwrap_or("/").as_bytes();
        let joint =
            Joint { handling: route.path_handling, strip: route.strip_path, matched: self.found.matched, service_path };
        join_into(&joint, self.path, &mut space.joined);
        escape_into(&space.joined, &mut space.path);
        if let Some(length) = self.found.matched.filter(|_| route.strip_path) {
            escape_into(&self.path[..length], &mut space.prefix);
        }
    }

    /// The body as the upstream gets it: what comes first, whether the client's follows, and its length.
    pub fn body(&self, changes: &Changes) -> (Bytes, bool, BodyLength) {
        if let Some(replaced) = &changes.body {
            return (replaced.clone(), false, BodyLength::Exact(replaced.len() as u64));
        }
        if self.rest.ended {
            return (self.rest.arrived.clone(), false, BodyLength::Exact(self.rest.arrived.len() as u64));
        }
        let length = self.exchange.frame.body;
        (self.rest.arrived.clone(), !length.is_none(), length)
    }

    /// The request as the upstream gets it.
    pub fn outbound<'o>(
        &'o self,
        space: &'o Space,
        report: &Report,
        body: BodyLength,
        upgrade: bool,
    ) -> fields::Outbound<'o> {
        let exchange = self.exchange;
        fields::Outbound {
            head: exchange.head,
            peer: exchange.peer,
            client_ip: self.client_ip,
            secure: self.secure,
            upstream: self.upstream,
            route: &self.target.route,
            path: &space.path,
            prefix: Some(&space.prefix[..]).filter(|prefix| !prefix.is_empty()),
            changes: &space.changes,
            request_id: exchange.request_id,
            trace: outgoing(exchange.trace, report),
            upgrade,
            body,
        }
    }

    pub fn limits(&self) -> Limits {
        let spec = &self.upstream.spec;
        Limits {
            upstream_read: spec.read_timeout,
            upstream_write: spec.write_timeout,
            client: self.exchange.worker.gateway.settings.client_timeout,
        }
    }

    async fn attempt<S: Inbound, K: Sink>(&self, link: &mut Link, live: &mut Live<'_, S, K>) -> Result<Ended, Failed> {
        let Live { space, source, sink, timer, report } = live;
        let exchange = self.exchange;
        let (prefix, with_source, body) = self.body(&space.changes);
        let upgrade = exchange.frame.upgrade && body.is_none();
        link.out.clear();
        self.outbound(space, report, body, upgrade).write(&mut link.out);
        let to_head = exchange.head.method() == b"HEAD";
        let started = Instant::now();
        let on_head = |head: &ResponseHead, frame: &ResponseFrame, sink: &mut K| {
            self.respond(head, frame, started, &space.changes, sink, report);
        };
        let limits = self.limits();
        let (source, sink) = (&mut **source, &mut **sink);
        let order = Order {
            source,
            sink,
            link,
            on_head,
            prefix: &prefix,
            with_source,
            body,
            to_head,
            upgrade,
            limits,
            started,
        };
        let mut transfer = Transfer::new(order);
        let ended = poll_fn(|context| transfer.poll(context, timer)).await;
        ended.map_err(|failure| {
            let untouched = !transfer.received && !transfer.taken;
            let repeatable = failure == Failure::Broken && untouched && is_idempotent(exchange.head.method());
            Failed { failure, repeatable }
        })
    }

    /// Writes the head of the upstream's answer.
    pub fn respond<K: Sink>(
        &self,
        head: &ResponseHead,
        frame: &ResponseFrame,
        started: Instant,
        changes: &Changes,
        sink: &mut K,
        report: &mut Report,
    ) {
        let exchange = self.exchange;
        let upstream = started.elapsed();
        let proxy = started.duration_since(exchange.begun);
        report.status = head.status;
        (report.proxy, report.upstream) = (Some(proxy), Some(upstream));
        let bodiless = exchange.head.method() == b"HEAD" || matches!(head.status, 101 | 204 | 304);
        let body = if bodiless { None } else { Some(frame.body) };
        fields::Inbound {
            head,
            body,
            upgrade: head.status == 101,
            changes,
            request_id: exchange.request_id,
            upstream_ms: upstream.as_millis() as u64,
            proxy_ms: proxy.as_millis() as u64,
            date: &exchange.worker.date(exchange.now),
        }
        .write(sink);
        sink.end_head(body);
    }
}

/// RFC 9110 §9.2.2.
pub(super) fn is_idempotent(method: &[u8]) -> bool {
    [&b"GET"[..], b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"].contains(&method)
}
