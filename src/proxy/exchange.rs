//! One request through its phases: route, protocol rule, plugins, upstream, answer. Knows no protocol.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::dial::Asker;
use super::failure::Failure;
use super::forward::Forward;
use super::link::Link;
use super::own;
use super::seam::{Inbound, Sink};
use super::snapshot::{Snapshot, Target};
use super::timer::Timer;
use super::worker::Worker;
use crate::domain::Timestamp;
use crate::engine::AskedGrant;
use crate::message::{Answer, BodyError, Refusal, RequestFrame, RequestHead, Source, Version};
use crate::plugins::{Call, Changes, Facts, ForwardedProto, Identity, Peer, Plugin, Rest, Verdict};
use crate::router::{Ask, Match, Protocol, RouteSpec, normalize};
use crate::telemetry::{Attempt, Trace};

/// How long a client may take to hear that the gateway stops.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// What an exchange keeps from one request of a connection to the next: buffers, emptied but not freed.
#[derive(Default)]
pub(super) struct Space {
    pub changes: Changes,
    pub joined: Vec<u8>,
    pub path: Vec<u8>,
    pub prefix: Vec<u8>,
}

/// What is told of a request when it is over.
#[derive(Default)]
pub(super) struct Report {
    /// Place of the route in the snapshot.
    pub target: Option<usize>,
    pub status: u16,
    /// From the request's head to the moment it was sent on.
    pub proxy: Option<Duration>,
    /// From the request's last byte sent to the answer's first byte.
    pub upstream: Option<Duration>,
    /// `None`: it was not asked for.
    pub client_ip: Option<IpAddr>,
    pub identity: Option<Identity>,
    pub failure: Option<Failure>,
    /// When it was over, if somebody looked.
    pub ended: Option<Instant>,
    /// Tries at the upstream, of a call that is recorded.
    pub attempts: Vec<Attempt>,
    /// Of a request to an OAuth 2.0 endpoint: what was asked, and what came of it.
    pub asked: Option<(AskedGrant, &'static str)>,
}

/// The parts of a connection that change while one of its requests is served.
pub(super) struct Live<'l, S, K> {
    pub space: &'l mut Space,
    pub source: &'l mut S,
    pub sink: &'l mut K,
    pub timer: &'l mut Timer,
    pub report: &'l mut Report,
}

/// How the client's connection goes on.
pub(super) enum Outcome {
    /// An answer was sent, or begun and broken off: see `failed`.
    Answered { failed: bool },
    /// Both sides speak another protocol from here on.
    Switched(Box<Link>),
}

/// A request with everything its exchange looks at.
pub(super) struct Exchange<'e, P: Plugin> {
    pub worker: &'e Worker<P>,
    pub snapshot: &'e Snapshot<P>,
    pub head: &'e RequestHead,
    pub frame: &'e RequestFrame,
    pub peer: &'e Peer,
    pub request_id: &'e str,
    pub trace: Option<Trace>,
    pub begun: Instant,
    pub now: Timestamp,
}

impl<P: Plugin> Exchange<'_, P> {
    pub async fn run<S: Inbound, K: Sink>(&self, live: &mut Live<'_, S, K>) -> Outcome {
        live.space.changes.clear();
        if !P::is_current(&self.worker.engine) {
            let message = "This node cannot know its configuration at the moment, try again later";
            let answer = own::error(503, message, self.request_id, self.head).with_header("retry-after", "1");
            return self.answer(&answer, live).await;
        }
        let path = normalize(self.head.path());
        let secure = self.peer.tls || self.is_forwarded_secure();
        let Some(found) = self.route(&path, secure) else {
            let answer = own::error(404, "no Route matched with those values", self.request_id, self.head);
            return self.answer(&answer, live).await;
        };
        live.report.target = Some(found.route);
        let target = &self.snapshot.targets[found.route];
        if let Some(answer) = self.protocol_rule(&target.route, secure) {
            return self.answer(&answer, live).await;
        }
        let client_ip = self.client_ip();
        live.report.client_ip = Some(client_ip);
        let rest = match self.plugins(target, &path, client_ip, secure, live).await {
            Ok(rest) => rest,
            Err(answer) => return self.answer(&answer, live).await,
        };
        let Some(upstream) = &target.upstream else {
            let answer = own::error(503, "no Service found with those values", self.request_id, self.head);
            return self.answer(&answer, live).await;
        };
        let forward = Forward { exchange: self, target, upstream, found, path: &path, client_ip, secure, rest };
        match forward.run(live).await {
            Ok(outcome) => outcome,
            Err(failure) => self.tell(failure, live).await,
        }
    }

    /// Tells the client what went wrong, if it can still be told.
    async fn tell<S: Inbound, K: Sink>(&self, failure: Failure, live: &mut Live<'_, S, K>) -> Outcome {
        live.report.failure = Some(failure);
        match failure.told() {
            Some((status, message)) if !live.sink.has_begun() => {
                let mut answer = own::error(status, message, self.request_id, self.head);
                if matches!(failure, Failure::Overloaded | Failure::Stopped) {
                    answer = answer.with_header("Retry-After", "1");
                }
                self.answer(&answer, live).await;
                // A body that broke its framing hides where the next request begins.
                Outcome::Answered { failed: matches!(failure, Failure::ClientMalformed | Failure::ClientStalled) }
            }
            _ => {
                live.report.status = if live.report.status == 0 { 499 } else { live.report.status };
                // What came before the break is the client's, if it takes it now.
                poll_fn(|context| {
                    let _ = live.sink.poll_flush(context);
                    Poll::Ready(())
                })
                .await;
                Outcome::Answered { failed: true }
            }
        }
    }

    /// For whom connections are made.
    pub fn asker(&self) -> Asker<'_> {
        Asker { request_id: self.request_id, trace_id: self.trace.map(|trace| trace.id) }
    }

    /// Ends a call whose time is over because the gateway stops; it was dropped where it was.
    pub async fn stop<S: Inbound, K: Sink>(&self, live: &mut Live<'_, S, K>) -> Outcome {
        let told = timeout(FAREWELL, self.tell(Failure::Stopped, live)).await;
        told.unwrap_or(Outcome::Answered { failed: true })
    }

    /// Answers a head that is not taken. Nothing of it is believed.
    pub async fn refuse<S: Inbound, K: Sink>(&self, refusal: &Refusal, live: &mut Live<'_, S, K>) -> Outcome {
        live.space.changes.clear();
        let answer = own::error(refusal.status(), &refusal.to_string(), self.request_id, self.head);
        self.answer(&answer, live).await
    }

    /// How long a tunnel to the upstream of this request may be silent.
    pub fn tunnel_limit(&self, report: &Report) -> Duration {
        let upstream = report.target.and_then(|target| self.snapshot.targets[target].upstream.as_ref());
        upstream.map_or(Duration::ZERO, |upstream| upstream.spec.read_timeout.max(upstream.spec.write_timeout))
    }

    /// Tells of the request, now that it is over; and the caller when that was.
    pub fn record(&self, report: &Report, received: u64, sent: u64) -> Instant {
        let ended = report.ended.unwrap_or_else(Instant::now);
        let target = report.target.map(|target| &self.snapshot.targets[target]);
        self.worker.gateway.observe(&Record {
            head: self.head,
            version: self.frame.version,
            peer: self.peer,
            client_ip: report.client_ip.unwrap_or_else(|| self.client_ip()),
            request_id: self.request_id,
            trace: self.trace,
            attempts: &report.attempts,
            asked: report.asked,
            at: self.now,
            place: report.target,
            route: target.map(|target| &target.route),
            service: target.and_then(|target| target.upstream.as_ref()).map(|upstream| &upstream.spec),
            identity: report.identity.as_ref(),
            status: report.status,
            failure: report.failure,
            received,
            sent,
            total: ended.duration_since(self.begun),
            proxy: report.proxy,
            upstream: report.upstream,
        });
        ended
    }

    fn route(&self, path: &[u8], secure: bool) -> Option<Match> {
        self.snapshot.router.find(&Ask {
            method: self.head.method(),
            host: self.head.host(),
            path,
            headers: &self.head.headers,
            secure,
            sni: self.peer.sni.as_deref(),
        })
    }

    fn is_forwarded_secure(&self) -> bool {
        self.peer.trusted
            && matches!(ForwardedProto::of(&self.head.headers), ForwardedProto::One(proto) if proto.eq_ignore_ascii_case(b"https"))
    }

    fn client_ip(&self) -> IpAddr {
        match self.peer.trusted {
            true => self.worker.gateway.settings.trusted.client(&self.head.headers, self.peer.address),
            false => self.peer.address,
        }
    }

    /// What the request speaks, as protocols of routes name it.
    fn protocol(&self, route: &RouteSpec, secure: bool) -> Protocol {
        if own::is_grpc(self.head) {
            return if secure { Protocol::Grpcs } else { Protocol::Grpc };
        }
        let websocket = if secure { Protocol::Wss } else { Protocol::Ws };
        match secure {
            _ if self.frame.upgrade && route.protocols.contains(websocket) => websocket,
            true => Protocol::Https,
            false => Protocol::Http,
        }
    }

    /// Refuses, or redirects, what the matched route does not speak.
    fn protocol_rule(&self, route: &RouteSpec, secure: bool) -> Option<Answer> {
        let protocol = self.protocol(route, secure);
        if route.protocols.contains(protocol) {
            return None;
        }
        let error = |status, message| Some(own::error(status, message, self.request_id, self.head));
        let grpc = matches!(protocol, Protocol::Grpc | Protocol::Grpcs);
        let speaks_http = [Protocol::Http, Protocol::Https, Protocol::Ws, Protocol::Wss];
        let speaks_http = speaks_http.into_iter().any(|protocol| route.protocols.contains(protocol));
        if (grpc && !route.protocols.speaks_grpc()) || (!grpc && !speaks_http) {
            let message =
                if grpc { "gRPC request matched non-gRPC route" } else { "Non-gRPC request matched gRPC route" };
            return error(415, message);
        }
        if secure {
            // Kong lets a TLS call through to a route that also, or only, names the plain protocol.
            return None;
        }
        let status = route.https_redirect_status_code;
        if status == 426 {
            let answer = error(426, "Please use HTTPS protocol")?;
            return Some(answer.with_header("Upgrade", "TLS/1.2, HTTP/1.1"));
        }
        let query = self.head.query().map(|query| format!("?{}", String::from_utf8_lossy(query)));
        let (host, path) = (String::from_utf8_lossy(self.head.host()), String::from_utf8_lossy(self.head.path()));
        let name =
            host.rsplit_once(':').map_or(&host[..], |(name, port)| if port.ends_with(']') { &host } else { name });
        let location = format!("https://{name}{path}{}", query.unwrap_or_default());
        Some(error(status, "Please use HTTPS protocol")?.with_header("Location", location))
    }

    async fn plugins<S: Inbound, K: Sink>(
        &self,
        target: &Target<P>,
        path: &[u8],
        client_ip: IpAddr,
        secure: bool,
        live: &mut Live<'_, S, K>,
    ) -> Result<Rest, Answer> {
        if target.chain.is_empty() {
            return Ok(Rest { identity: None, asked: None, arrived: Bytes::new(), ended: false });
        }
        let facts = Facts {
            head: self.head,
            path,
            peer: self.peer,
            client_ip,
            protocol: self.protocol(&target.route, secure),
            now: self.now,
            route: &target.route,
            service: target.upstream.as_ref().map(|upstream| &upstream.spec),
            request_id: self.request_id,
            trace_id: self.trace.map(|trace| trace.id),
        };
        let limit = self.worker.gateway.settings.client_timeout;
        let mut timed = Timed { source: live.source, timer: live.timer, limit, since: None };
        let mut call = Call::new(facts, &mut live.space.changes, &mut timed);
        let verdict = target.chain.access(&mut call, &self.worker.engine).await;
        let mut rest = call.finish();
        live.report.identity = rest.identity.take();
        live.report.asked = rest.asked;
        match verdict {
            Verdict::Continue => Ok(rest),
            Verdict::Answer(answer) => Err(answer),
        }
    }

    /// Sends an answer of our own.
    async fn answer<S: Inbound, K: Sink>(&self, answer: &Answer, live: &mut Live<'_, S, K>) -> Outcome {
        let Live { space, sink, timer, report, .. } = live;
        let date = self.worker.date(self.now);
        report.status = own::write(answer, self.head, &space.changes, &date, self.request_id, *sink);
        let deadline = Instant::now() + self.worker.gateway.settings.client_timeout;
        let sent = poll_fn(|context| match sink.poll_flush(context) {
            Poll::Pending => timer.poll_until(context, deadline).map(|()| false),
            Poll::Ready(flushed) => Poll::Ready(flushed.is_ok()),
        });
        Outcome::Answered { failed: !sent.await }
    }
}

/// A body whose every piece must come in time.
struct Timed<'s, S> {
    source: &'s mut S,
    timer: &'s mut Timer,
    limit: Duration,
    /// When waiting began.
    since: Option<Instant>,
}

impl<S: Source> Source for Timed<'_, S> {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        if let Poll::Ready(read) = self.source.poll_chunk(context) {
            self.since = None;
            return Poll::Ready(read);
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        self.timer.poll_until(context, since + self.limit).map(|()| Err(BodyError::TimedOut))
    }
}

/// What is told of each finished request.
pub struct Record<'r> {
    /// Empty when it was refused for what it is.
    pub head: &'r RequestHead,
    pub version: Version,
    pub peer: &'r Peer,
    /// The peer's address, or what a trusted peer says.
    pub client_ip: IpAddr,
    pub request_id: &'r str,
    /// `None`: traces are not kept.
    pub trace: Option<Trace>,
    /// Tries at the upstream, of a call that is recorded.
    pub attempts: &'r [Attempt],
    pub asked: Option<(AskedGrant, &'static str)>,
    /// When it came.
    pub at: Timestamp,
    /// The route's place in its snapshot.
    pub place: Option<usize>,
    pub route: Option<&'r Arc<RouteSpec>>,
    pub service: Option<&'r Arc<crate::router::ServiceSpec>>,
    pub identity: Option<&'r Identity>,
    /// 499: the client went before it could be answered.
    pub status: u16,
    pub failure: Option<Failure>,
    /// Bytes of body.
    pub received: u64,
    pub sent: u64,
    pub total: Duration,
    /// From the head to the moment the request was sent on; `None` when nothing was proxied.
    pub proxy: Option<Duration>,
    /// From request sent to first byte of the answer; `None` when nothing was proxied.
    pub upstream: Option<Duration>,
}
