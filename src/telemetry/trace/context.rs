//! W3C Trace Context: what `traceparent` says, and what we say in it.

/// Bytes of a `traceparent` of version 00.
const LENGTH: usize = 55;
/// Of the flags: the caller keeps its spans.
const SAMPLED: u8 = 1;
/// Of the flags: the id of the trace is random (Trace Context level 2).
const RANDOM: u8 = 2;

/// The share of traces that are kept of those that begin here. A caller's decision stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling(f64);

impl Sampling {
    /// `share`: 0 to 1.
    pub fn new(share: f64) -> Self {
        Self(share.clamp(0.0, 1.0))
    }

    /// By the id alone, so that every node decides alike.
    fn keeps(self, id: u128) -> bool {
        // The last bits are the random ones; as many as a float holds exactly.
        let random = (id & ((1 << 53) - 1)) as f64 / (1u64 << 53) as f64;
        random < self.0
    }
}

/// A caller's context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    id: u128,
    span: u64,
    flags: u8,
}

impl Incoming {
    /// Reads a `traceparent`; `None` where the specification is not kept.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, rest) = value.split_at_checked(LENGTH)?;
        let version = number(&known[..2])?;
        // What a later version adds stands behind another dash.
        let follows = if version == 0 { rest.is_empty() } else { rest.is_empty() || rest[0] == b'-' };
        let dashes = [2, 35, 52].iter().all(|place| known[*place] == b'-');
        if version == 0xff || !follows || !dashes {
            return None;
        }
        let (id, span) = (number(&known[3..35])?, number(&known[36..52])? as u64);
        let flags = number(&known[53..])? as u8;
        (id != 0 && span != 0).then_some(Self { id, span, flags })
    }
}

/// Digits in lower case only, as the specification has them.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

/// One call's place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    pub(super) id: u128,
    /// The caller's span.
    pub(super) parent: Option<u64>,
    pub(super) server: u64,
    pub(super) client: u64,
    flags: u8,
}

impl Trace {
    /// `values`: every `traceparent` of the request; `random`: bits nobody can foresee. `None`: the caller does not trace
    /// this call, so its context passes as it is.
    pub fn begin<'v>(
        mut values: impl Iterator<Item = &'v [u8]>,
        sampling: Sampling,
        random: (u128, u64, u64),
    ) -> Option<Self> {
        let first = values.next();
        // Two of them contradict each other.
        let incoming = first.filter(|_| values.next().is_none()).and_then(Incoming::parse);
        // An id of zeros is none.
        let (id, server, client) = (random.0.max(1), random.1.max(1), random.2.max(1));
        match incoming {
            Some(Incoming { flags, .. }) if flags & SAMPLED == 0 => None,
            Some(Incoming { id, span, flags }) => {
                Some(Self { id, parent: Some(span), server, client, flags: flags & RANDOM | SAMPLED })
            }
            None => Some(Self { id, parent: None, server, client, flags: u8::from(sampling.keeps(id)) }),
        }
    }

    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Whether a field of the request does not go to the upstream, as ours stands there, or its trace goes no further.
    pub fn replaces(&self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(b"traceparent") || (self.parent.is_none() && name.eq_ignore_ascii_case(b"tracestate"))
    }

    /// What the upstream is told.
    pub fn traceparent(&self) -> [u8; LENGTH] {
        let mut text = [b'-'; LENGTH];
        text[..2].copy_from_slice(b"00");
        write_digits(self.id, &mut text[3..35]);
        write_digits(self.client.into(), &mut text[36..52]);
        write_digits(self.flags.into(), &mut text[53..]);
        text
    }

    /// The id of the trace, as 32 digits.
    pub fn id(&self) -> [u8; 32] {
        let mut digits = [0; 32];
        write_digits(self.id, &mut digits);
        digits
    }
}

/// As many hexadecimal digits as there is room for.
pub(super) fn write_digits(mut number: u128, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const RANDOM_BITS: (u128, u64, u64) = (0xabc, 1, 2);

    fn begun(values: &[&[u8]], share: f64) -> Option<Trace> {
        Trace::begin(values.iter().copied(), Sampling::new(share), RANDOM_BITS)
    }

    #[test]
    fn a_callers_trace_goes_on() {
        let trace = begun(&[PARENT], 0.0).unwrap();
        assert!(trace.is_sampled() && trace.parent == Some(0x00f0_67aa_0ba9_02b7));
        assert_eq!(&trace.traceparent(), b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000002-01");
        assert_eq!(&trace.id(), b"4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(trace.replaces(b"Traceparent") && !trace.replaces(b"tracestate"));
    }

    #[test]
    fn what_the_caller_does_not_trace_passes() {
        assert_eq!(begun(&[b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"], 1.0), None);
        assert_eq!(begun(&[b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"], 1.0), None);
    }

    #[test]
    fn what_does_not_follow_the_specification_begins_a_trace_anew() {
        for bad in [
            &b""[..],
            b"00",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
            b"0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            let trace = begun(&[bad], 1.0).unwrap();
            assert_eq!((trace.id, trace.parent), (0xabc, None), "{}", String::from_utf8_lossy(bad));
            assert!(trace.is_sampled() && trace.replaces(b"TraceState"));
        }
        assert_eq!(begun(&[PARENT, PARENT], 1.0).unwrap().parent, None);
        let later = b"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert_eq!(begun(&[later], 0.0).unwrap().traceparent()[..2], *b"00");
    }

    #[test]
    fn a_share_of_new_traces_is_kept_and_the_others_say_so() {
        let kept = (0..1000u128).filter(|nth| {
            let random = nth << 43;
            Trace::begin(std::iter::empty(), Sampling::new(0.25), (random, 1, 2)).unwrap().is_sampled()
        });
        assert_eq!(kept.count(), 256);
        assert_eq!(&begun(&[], 0.0).unwrap().traceparent()[52..], b"-00");
        assert!(begun(&[], 1.0).unwrap().is_sampled());
        assert!(Trace::begin(std::iter::empty(), Sampling::new(1.0), (u128::MAX, 0, 0)).unwrap().is_sampled());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_again(id in 1u128.., client in 1u64..) {
            let trace = Trace { id, parent: None, server: 1, client, flags: SAMPLED };
            proptest::prop_assert_eq!(
                Incoming::parse(&trace.traceparent()),
                Some(Incoming { id, span: client, flags: SAMPLED })
            );
        }

        #[test]
        fn nothing_a_client_sends_panics(value: Vec<u8>) {
            let _ = Incoming::parse(&value);
        }
    }
}
