//! Properties of the parsers, and the table of shapes that smuggle requests.

mod properties;
mod smuggling;

use bytes::BytesMut;

use super::{HeadLimits, Refusal, RequestFrame, RequestHead, Scan, read_request};

/// Reads one head from bytes that came all at once.
fn read(bytes: &[u8]) -> Result<Option<(RequestHead, RequestFrame)>, Refusal> {
    let mut head = RequestHead::default();
    let mut buffer = BytesMut::from(bytes);
    let frame = read_request(&mut buffer, &mut Scan::default(), &HeadLimits::default(), &mut head)?;
    Ok(frame.map(|frame| (head, frame)))
}
