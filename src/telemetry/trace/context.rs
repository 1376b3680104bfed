//! What `traceparent` says (W3C Trace Context, level 1).

use std::fmt;

/// A trace, by 128 bits that are not all zero. Prints as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(pub u128);

/// A span, by 64 bits that are not all zero. Prints as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(pub u64);

impl TraceId {
    /// The 32 digits.
    pub(in crate::telemetry) fn write(self, out: &mut Vec<u8>) {
        let mut room = [0; 32];
        digits(self.0, &mut room);
        out.extend_from_slice(&room);
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl SpanId {
    /// The 16 digits.
    pub(in crate::telemetry) fn write(self, out: &mut Vec<u8>) {
        let mut room = [0; 16];
        digits(u128::from(self.0), &mut room);
        out.extend_from_slice(&room);
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// The length of version 00.
const LENGTH: usize = 55;
const SAMPLED: u8 = 1;

/// A trace, the span in it that calls, and whether the spans of the trace are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    pub trace: TraceId,
    pub span: SpanId,
    pub sampled: bool,
}

impl Context {
    /// `None`: it breaks the rules. Of later versions what they share with version 00 is read.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (first, rest) = value.split_at_checked(LENGTH)?;
        let version = hexadecimal(&first[..2])?;
        let is_whole = if version == 0 { rest.is_empty() } else { rest.is_empty() || rest[0] == b'-' };
        if version == 0xff || !is_whole || [2, 35, 52].iter().any(|place| first[*place] != b'-') {
            return None;
        }
        let (trace, span) = (hexadecimal(&first[3..35])?, hexadecimal(&first[36..52])?);
        let flags = hexadecimal(&first[53..])?;
        let span = u64::try_from(span).ok()?;
        let sampled = flags & u128::from(SAMPLED) != 0;
        (trace != 0 && span != 0).then_some(Self { trace: TraceId(trace), span: SpanId(span), sampled })
    }

    /// As version 00 writes it.
    pub fn write(&self) -> [u8; LENGTH] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        digits(self.trace.0, &mut text[3..35]);
        digits(u128::from(self.span.0), &mut text[36..52]);
        text[54] += u8::from(self.sampled);
        text
    }
}

/// Lower case only, as the standard has it.
fn hexadecimal(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

/// The lowest digits of a number, as many as there is room for.
fn digits(mut number: u128, room: &mut [u8]) {
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_context_is_read_by_the_standards_rules() {
        let read = Context::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(read.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((read.span.to_string().as_str(), read.sampled), ("00f067aa0ba902b7", true));
        assert_eq!(read.write(), GOOD.as_bytes());
        let unsampled = Context::parse(GOOD.replace("-01", "-02").as_bytes()).unwrap();
        assert!(!unsampled.sampled);
        assert!(unsampled.write().ends_with(b"-00"));
        assert!(Context::parse(b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes").is_some());
        for bad in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        ] {
            assert_eq!(Context::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_or_refused(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Context::parse(&value);
        }

        #[test]
        fn what_is_written_is_read(trace in 1u128.., span in 1u64.., sampled: bool) {
            let context = Context { trace: TraceId(trace), span: SpanId(span), sampled };
            prop_assert_eq!(Context::parse(&context.write()), Some(context));
        }
    }
}
