//! One stream of a client: from its head to the end of its answer.

use std::rc::Rc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::Request;
use tokio::time::Instant;

use super::connection::Served;
use super::head::read_request;
use super::kit::Kit;
use super::tunnel::tunnel;
use super::wire::{StreamSink, StreamSource, Way};
use crate::message::{BodyLength, RequestFrame, Version};
use crate::plugins::{Peer, Plugin};
use crate::proxy::exchange::{Exchange, Live, Outcome, Report};
use crate::proxy::failure::Failure;
use crate::proxy::request_id::RequestId;
use crate::proxy::trace;
use crate::proxy::worker::Worker;

/// A stream that was just opened, with everything it needs.
pub(super) struct Work<P: Plugin> {
    pub worker: Rc<Worker<P>>,
    pub peer: Rc<Peer>,
    pub request: Request<RecvStream>,
    pub respond: SendResponse<Bytes>,
    pub served: Served,
}

/// Serves a stream to its end, in an empty kit.
pub(super) async fn serve<P: Plugin>(work: Work<P>, kit: &mut Kit) {
    let Work { worker, peer, request, respond, served: _served } = work;
    let _open = worker.counts.streams.one();
    let snapshot = worker.snapshot();
    let (parts, body) = request.into_parts();
    let begun = Instant::now();
    let Kit { head, space, timer, fields, queue } = kit;
    let read = read_request(&parts, body.is_end_stream(), head);
    drop(parts);
    let (frame, refusal) = match read {
        Ok(frame) => (frame, None),
        Err(refusal) => (nothing(), Some(refusal)),
    };
    if refusal.is_some() {
        head.clear();
    }
    let request_id = RequestId::new();
    let exchange = Exchange {
        worker: &worker,
        snapshot: &snapshot,
        head,
        frame: &frame,
        peer: &peer,
        request_id: request_id.as_str(),
        trace: trace::begin(worker.gateway.settings.sampler.as_ref(), &head.headers),
        begun,
        now: worker.gateway.clock.now(),
    };
    let way = Way::new(respond);
    let (mut source, mut sink) = (StreamSource::new(&way, body, &frame), StreamSink::new(&way, fields, queue));
    let mut report = Report::default();
    let mut live = Live { space, source: &mut source, sink: &mut sink, timer, report: &mut report };
    let outcome = match refusal {
        Some(refusal) => exchange.refuse(&refusal, &mut live).await,
        None => exchange.run(&mut live).await,
    };
    if worker.is_cut() && report.failure == Some(Failure::ClientGone) {
        // It was we who broke its connection off.
        report.failure = Some(Failure::Stopped);
    }
    exchange.record(&report, source.received, sink.sent);
    let limit = exchange.tunnel_limit(&report);
    let body = source.into_body();
    match outcome {
        Outcome::Answered { failed: false } => {}
        Outcome::Answered { failed: true } => way.reset(Reason::INTERNAL_ERROR),
        Outcome::Switched(link) => {
            if let Some(send) = way.into_send() {
                Box::pin(tunnel(send, body, link, timer, limit)).await;
            }
        }
    }
}

/// What is known of a request that is not taken.
fn nothing() -> RequestFrame {
    RequestFrame {
        version: Version::Http2,
        body: BodyLength::NONE,
        keep_alive: true,
        expects_continue: false,
        upgrade: false,
    }
}
