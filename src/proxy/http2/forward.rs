//! A call on its way to an upstream that speaks HTTP/2: a stream, both bodies, and another try where that is safe.

use std::future::poll_fn;
use std::task::Poll;

use http::{Method, Request, Uri};
use tokio::time::Instant;

use super::call::{Call, Order};
use super::channel::{RequestDraft, Share};
use crate::message::{BodyLength, ResponseFrame, ResponseHead};
use crate::plugins::Plugin;
use crate::proxy::exchange::{Live, Outcome, Report, Space};
use crate::proxy::failure::Failure;
use crate::proxy::forward::{Failed, Forward, is_idempotent};
use crate::proxy::seam::{Inbound, Sink};

/// Tries until an answer came or another try would not be safe.
pub(in crate::proxy) async fn run<P: Plugin, S: Inbound, K: Sink>(
    forward: &Forward<'_, P>,
    live: &mut Live<'_, S, K>,
) -> Result<Outcome, Failure> {
    let worker = forward.exchange.worker;
    let mut left = forward.upstream.spec.retries;
    loop {
        live.report.begin_attempt(forward.exchange.trace, forward.exchange.begun);
        let (share, was_used) =
            match worker.channels.share(forward.upstream, &worker.names, forward.exchange.asker()).await {
                Ok(found) => found,
                Err(failure) => {
                    live.report.end_attempt(forward.exchange.begun, Some(failure));
                    // Nothing was sent, so any request may be sent again.
                    if failure == Failure::Refused && left > 0 {
                        left -= 1;
                        continue;
                    }
                    return Err(failure);
                }
            };
        let ended = attempt(forward, &share, live).await;
        live.report.end_attempt(forward.exchange.begun, ended.as_ref().err().map(|failed| failed.failure));
        match ended {
            Ok(()) => return Ok(Outcome::Answered { failed: false }),
            // It went away just as it was used: that try costs none of the retries.
            Err(failed) if failed.repeatable && was_used => {}
            Err(failed) if failed.repeatable && left > 0 => left -= 1,
            Err(failed) => return Err(failed.failure),
        }
    }
}

async fn attempt<P: Plugin, S: Inbound, K: Sink>(
    forward: &Forward<'_, P>,
    share: &Share,
    live: &mut Live<'_, S, K>,
) -> Result<(), Failed> {
    let Live { space, source, sink, timer, report } = live;
    let exchange = forward.exchange;
    let (prefix, with_source, body) = forward.body(&space.changes);
    let is_ended = body.is_none() && !with_source;
    let failed = |failure| Failed { failure, repeatable: false };
    let drafts = &exchange.worker.channels.drafts;
    let request = request(forward, space, report, body, &mut drafts.request.borrow_mut());
    let request = request.ok_or_else(|| failed(Failure::Malformed))?;
    let started = Instant::now();
    let mut way = share.request();
    let ready = poll_fn(|context| match way.poll_ready(context) {
        Poll::Pending => {
            timer.poll_until(context, started + forward.upstream.spec.connect_timeout).map(|()| Err(Failure::TimedOut))
        }
        Poll::Ready(ready) => Poll::Ready(ready.map_err(|_| Failure::Broken)),
    });
    // Nothing was sent yet.
    let gone = |failure| {
        share.give_up();
        Failed { failure, repeatable: failure == Failure::Broken }
    };
    ready.await.map_err(gone)?;
    let (response, send) = way.send_request(request, is_ended).map_err(|_| gone(Failure::Broken))?;
    let changes = &space.changes;
    let on_head = |head: &ResponseHead, frame: &ResponseFrame, sink: &mut K| {
        forward.respond(head, frame, started, changes, sink, report);
    };
    let order = Order {
        source: &mut **source,
        sink: &mut **sink,
        on_head,
        response,
        send,
        prefix,
        with_source,
        is_ended,
        to_head: exchange.head.method() == b"HEAD",
        limits: forward.limits(),
        started,
        draft: &drafts.answer,
    };
    let mut call = Call::new(order);
    let done = poll_fn(|context| call.poll(context, timer)).await;
    done.map_err(|failure| {
        call.cancel();
        if failure == Failure::TimedOut {
            // Perhaps it is the connection that is dead: those that come later take another one.
            share.give_up();
        }
        let untouched = !call.received && !call.taken;
        let safe = call.refused || (failure == Failure::Broken && is_idempotent(exchange.head.method()));
        Failed { failure, repeatable: untouched && safe }
    })
}

fn request<P: Plugin>(
    forward: &Forward<'_, P>,
    space: &Space,
    report: &Report,
    body: BodyLength,
    draft: &mut RequestDraft,
) -> Option<Request<()>> {
    let RequestDraft { uri, fields } = draft;
    forward.outbound(space, report, body, false).write_stream(uri, fields);
    let mut request = Request::new(());
    // Taken first: nothing of this request is to be left for the next one.
    *request.headers_mut() = fields.take();
    *request.uri_mut() = Uri::from_maybe_shared(uri.split().freeze()).ok()?;
    *request.method_mut() = Method::from_bytes(forward.exchange.head.method()).ok()?;
    Some(request)
}
