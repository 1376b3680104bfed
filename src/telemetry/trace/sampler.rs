//! Which calls are recorded.

use super::context::{Context, SpanId, TraceId};

/// Decides by the caller's word where there is one, else by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// Traces that begin here and whose lower half is below it are recorded.
    below: u128,
}

/// A call's place in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    pub id: TraceId,
    /// The span that calls; `None`: the trace begins here.
    pub parent: Option<SpanId>,
    /// The gateway's own; of no meaning where the call is not recorded.
    pub span: SpanId,
    /// Whether spans are recorded.
    pub sampled: bool,
}

impl Sampler {
    /// `ratio` of the traces that begin here, from 0 to 1.
    pub fn new(ratio: f64) -> Self {
        // Saturates at both ends; a number that is none becomes 0.
        Self { below: (ratio.clamp(0.0, 1.0) * (u64::MAX as f64 + 1.0)) as u128 }
    }

    /// `chance`: 128 random bits for a trace that begins here; and 64 for the span.
    pub fn decide(&self, incoming: Option<Context>, chance: (u128, u64)) -> Trace {
        let span = SpanId(chance.1.max(1));
        match incoming {
            Some(Context { trace, span: parent, sampled }) => Trace { id: trace, parent: Some(parent), span, sampled },
            None => {
                let sampled = (chance.0 & u128::from(u64::MAX)) < self.below;
                Trace { id: TraceId(chance.0.max(1)), parent: None, span, sampled }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_word_comes_before_the_ratio() {
        for sampled in [true, false] {
            let incoming = Context { trace: TraceId(7), span: SpanId(8), sampled };
            for ratio in [0.0, 1.0] {
                let trace = Sampler::new(ratio).decide(Some(incoming), (1, 2));
                let expected = Trace { id: TraceId(7), parent: Some(SpanId(8)), span: SpanId(2), sampled };
                assert_eq!(trace, expected);
            }
        }
    }

    #[test]
    fn a_ratio_of_the_traces_that_begin_here_is_recorded() {
        let recorded = |ratio: f64, low: u64| Sampler::new(ratio).decide(None, (u128::from(low), 1)).sampled;
        assert!(recorded(1.0, u64::MAX) && recorded(1.0, 0));
        assert!(!recorded(0.0, 0) && !recorded(f64::NAN, 0));
        assert!(recorded(0.25, u64::MAX / 4 - 1000) && !recorded(0.25, u64::MAX / 4 + 1000));
    }
}
