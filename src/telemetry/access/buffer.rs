//! A worker's lines, gathered until they are handed over.

use super::entry::Entry;
use super::{combined, json};
use crate::config::AccessFormat;
use crate::telemetry::outbox::{HandOver, Outbox, Spares};
use crate::telemetry::text;

/// The access log of one worker.
pub struct AccessLog {
    format: AccessFormat,
    outbox: Outbox,
    /// The second that `text` tells.
    second: i64,
    text: Vec<u8>,
    /// The time of a line, put together.
    time: Vec<u8>,
}

impl AccessLog {
    pub fn new(format: AccessFormat, hand_over: HandOver, spares: Spares) -> Self {
        let outbox = Outbox::new(hand_over, spares);
        Self { format, outbox, second: i64::MIN, text: Vec::new(), time: Vec::new() }
    }

    /// Writes a line; hands the batch over when it is full. Gives how many lines were dropped.
    pub fn write(&mut self, entry: &Entry<'_>) -> u64 {
        self.tell_time(entry.at_ms);
        let line = self.outbox.bytes();
        match self.format {
            AccessFormat::Json => json::write(entry, &self.time, line),
            AccessFormat::Combined => combined::write(entry, &self.time, line),
        }
        self.outbox.wrote(1)
    }

    pub fn is_empty(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Hands over what there is. Gives how many lines were dropped: nobody took them.
    pub fn flush(&mut self) -> u64 {
        self.outbox.flush()
    }

    fn tell_time(&mut self, at_ms: i64) {
        let second = at_ms.div_euclid(1000);
        if second != self.second {
            self.second = second;
            self.text.clear();
            write_second(second, self.format, &mut self.text);
        }
        self.time.clear();
        self.time.extend_from_slice(&self.text);
        if self.format == AccessFormat::Json {
            self.time.push(b'.');
            text::padded(at_ms.rem_euclid(1000) as u16, &mut self.time);
            self.time.push(b'Z');
        }
    }
}

/// `2026-11-22T22:24:35`, or as nginx writes it: `22/Nov/2026:22:24:35 +0000`.
fn write_second(second: i64, format: AccessFormat, out: &mut Vec<u8>) {
    use std::io::Write;
    let Ok(at) = time::OffsetDateTime::from_unix_timestamp(second) else { return };
    let ((year, month, day), (hour, minute, second)) = (at.to_calendar_date(), at.to_hms());
    // Writing into a vector does not fail.
    let _ = match format {
        AccessFormat::Json => {
            write!(out, "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", u8::from(month))
        }
        AccessFormat::Combined => {
            let month = month.to_string();
            write!(out, "{day:02}/{}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000", &month[..3])
        }
    };
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
