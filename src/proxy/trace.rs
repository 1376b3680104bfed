//! A call's place in its trace (W3C Trace Context): what comes with it, and what the upstream is told.
//!
//! Without [`Settings::sampler`](super::gateway::Settings) nothing here does anything, and the client's fields pass.

use tokio::time::Instant;

use super::exchange::Report;
use super::failure::Failure;
use crate::message::Headers;
use crate::telemetry::{Attempt, Context, Sampler, SpanId, Trace};

/// Tries of one call that have spans; with more, the last one takes the place of the one before.
const MOST_ATTEMPTS: usize = 16;

/// What the call belongs to. A context that came twice, or is malformed, counts as none.
pub(super) fn begin(sampler: Option<&Sampler>, headers: &Headers) -> Option<Trace> {
    let sampler = sampler?;
    let mut values = headers.all("traceparent");
    let incoming = match (values.next(), values.next()) {
        (Some(value), None) => Context::parse(value),
        _ => None,
    };
    Some(sampler.decide(incoming, rand::random()))
}

/// What the upstream is told instead of the client's `traceparent`.
#[derive(Clone, Copy)]
pub(super) struct Outgoing {
    pub traceparent: [u8; 55],
    /// Whether the client's `tracestate` belongs to it.
    pub keeps_state: bool,
}

/// `None`: the client's fields pass as they came.
pub(super) fn outgoing(trace: Option<Trace>, report: &Report) -> Option<Outgoing> {
    let Trace { id, parent, span, sampled } = trace?;
    // Of a trace that is not recorded the caller's span stays the one that calls.
    if !sampled && parent.is_some() {
        return None;
    }
    let span = report.attempts.last().map_or(span, |attempt| attempt.span);
    Some(Outgoing { traceparent: Context { trace: id, span, sampled }.write(), keeps_state: parent.is_some() })
}

impl Report {
    /// A try at the upstream begins. `begun`: when the call did.
    pub(super) fn begin_attempt(&mut self, trace: Option<Trace>, begun: Instant) {
        if !trace.is_some_and(|trace| trace.sampled) {
            return;
        }
        if self.attempts.len() == MOST_ATTEMPTS {
            self.attempts.pop();
        }
        let span = SpanId(rand::random::<u64>().max(1));
        self.attempts.push(Attempt { span, from: begun.elapsed(), to: None, status: 0, failure: None });
    }

    /// It is over.
    pub(super) fn end_attempt(&mut self, begun: Instant, failure: Option<Failure>) {
        let status = self.status;
        if let Some(attempt) = self.attempts.last_mut() {
            *attempt = Attempt { to: Some(begun.elapsed()), status, failure: failure.map(Failure::word), ..*attempt };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(values: &[&str]) -> Headers {
        let mut headers = Headers::default();
        values.iter().for_each(|value| headers.push(b"TraceParent", value.as_bytes()));
        headers
    }

    #[test]
    fn a_context_counts_only_when_it_came_once_and_is_whole() {
        let all = Sampler::new(1.0);
        assert_eq!(begin(None, &headers(&[PARENT])), None);
        let trace = begin(Some(&all), &headers(&[PARENT])).unwrap();
        assert_eq!(trace.id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.parent.unwrap().to_string(), "00f067aa0ba902b7");
        for bad in [&[PARENT, PARENT][..], &[], &["00-nonsense"]] {
            let trace = begin(Some(&all), &headers(bad)).unwrap();
            assert_eq!((trace.parent, trace.sampled), (None, true), "{bad:?}");
        }
    }

    #[test]
    fn the_upstream_hears_of_the_try_and_of_traces_not_recorded_what_the_caller_said() {
        let begun = Instant::now();
        let trace = begin(Some(&Sampler::new(1.0)), &headers(&[PARENT])).unwrap();
        let mut report = Report::default();
        for _ in 0..40 {
            report.begin_attempt(Some(trace), begun);
        }
        assert_eq!(report.attempts.len(), MOST_ATTEMPTS);
        let told = outgoing(Some(trace), &report).unwrap();
        let told_span = Context::parse(&told.traceparent).unwrap();
        assert_eq!((told_span.trace, told_span.span), (trace.id, report.attempts[15].span));
        assert!(told_span.sampled && told.keeps_state);

        let mut report = Report::default();
        let left = begin(Some(&Sampler::new(1.0)), &headers(&[&PARENT.replace("-01", "-00")])).unwrap();
        report.begin_attempt(Some(left), begun);
        assert!(report.attempts.is_empty() && outgoing(Some(left), &report).is_none());
        let fresh = begin(Some(&Sampler::new(0.0)), &headers(&[])).unwrap();
        let told = outgoing(Some(fresh), &report).unwrap();
        assert!(!Context::parse(&told.traceparent).unwrap().sampled && !told.keeps_state);
    }
}
