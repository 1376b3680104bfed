//! A line as nginx's `combined` format has it, and the request id after it.

use super::entry::Entry;
use super::json::{MOST_AGENT, MOST_METHOD, MOST_NAME, MOST_PATH};
use crate::telemetry::text;

/// `time`: as `$time_local` writes it, in UTC.
pub(super) fn write(entry: &Entry<'_>, time: &[u8], line: &mut Vec<u8>) {
    text::address(entry.client_ip, line);
    line.extend_from_slice(b" - ");
    match entry.caller.map(|caller| caller.name).filter(|name| !name.is_empty()) {
        Some(name) => text::nginx(name.as_bytes(), MOST_NAME, false, line),
        None => line.push(b'-'),
    }
    line.extend_from_slice(b" [");
    line.extend_from_slice(time);
    line.extend_from_slice(b"] \"");
    if !entry.sent.method.is_empty() {
        text::nginx(entry.sent.method, MOST_METHOD, false, line);
        line.push(b' ');
        text::nginx(entry.sent.path, MOST_PATH, false, line);
        line.push(b' ');
        line.extend_from_slice(entry.protocol.as_bytes());
    }
    line.extend_from_slice(b"\" ");
    text::number(u64::from(entry.status), line);
    line.push(b' ');
    text::number(entry.bytes_sent, line);
    let referrer = entry.sent.referrer.map(|referrer| {
        // A page that was sent here with a code or a token in its query tells it so.
        let end = referrer.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(referrer.len());
        &referrer[..end]
    });
    for (text, most) in [(referrer, MOST_PATH), (entry.sent.user_agent, MOST_AGENT)] {
        line.extend_from_slice(b" \"");
        text::nginx(text.unwrap_or(b"-"), most, true, line);
        line.push(b'"');
    }
    line.push(b' ');
    line.extend_from_slice(entry.request_id.as_bytes());
    line.push(b'\n');
}
