//! A worker's lines, gathered until they are handed over.

use std::sync::{Arc, Mutex};

use super::entry::Entry;
use super::{combined, json, text};
use crate::config::AccessFormat;

/// From here on a batch is handed over.
const FULL: usize = 32 * 1024;
/// No line is longer than what is left above [`FULL`]: its texts are bounded, and none grows more than six-fold.
const ROOM: usize = 64 * 1024;
/// Emptied batches that wait to be filled again.
const MOST_SPARES: usize = 16;

/// Whole lines.
#[derive(Debug, Default)]
pub struct Batch {
    pub bytes: Vec<u8>,
    pub lines: u64,
}

/// Takes a batch without waiting.
///
/// # Errors
/// It cannot be taken now, and is given back.
pub type HandOver = Arc<dyn Fn(Batch) -> Result<(), Batch> + Send + Sync>;

/// Memory that went out with a batch, and came back: it is used again rather than freed on another thread.
#[derive(Clone, Debug, Default)]
pub struct Spares(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spares {
    pub fn give(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let mut spares = self.0.lock().expect("no one panics while holding it");
        if spares.len() < MOST_SPARES {
            spares.push(bytes);
        }
    }

    fn take(&self) -> Vec<u8> {
        let spare = self.0.lock().expect("no one panics while holding it").pop();
        spare.unwrap_or_else(|| Vec::with_capacity(ROOM))
    }
}

/// The access log of one worker.
pub struct AccessLog {
    format: AccessFormat,
    batch: Batch,
    hand_over: HandOver,
    spares: Spares,
    /// The second that `text` tells.
    second: i64,
    text: Vec<u8>,
    /// The time of a line, put together.
    time: Vec<u8>,
}

impl AccessLog {
    pub fn new(format: AccessFormat, hand_over: HandOver, spares: Spares) -> Self {
        let batch = Batch { bytes: spares.take(), lines: 0 };
        Self { format, batch, hand_over, spares, second: i64::MIN, text: Vec::new(), time: Vec::new() }
    }

    /// Writes a line; hands the batch over when it is full. Gives how many lines were dropped.
    pub fn write(&mut self, entry: &Entry<'_>) -> u64 {
        self.tell_time(entry.at_ms);
        let line = &mut self.batch.bytes;
        match self.format {
            AccessFormat::Json => json::write(entry, &self.time, line),
            AccessFormat::Combined => combined::write(entry, &self.time, line),
        }
        self.batch.lines += 1;
        if self.batch.bytes.len() < FULL { 0 } else { self.flush() }
    }

    pub fn is_empty(&self) -> bool {
        self.batch.lines == 0
    }

    /// Hands over what there is. Gives how many lines were dropped: nobody took them.
    pub fn flush(&mut self) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let next = Batch { bytes: self.spares.take(), lines: 0 };
        match (self.hand_over)(std::mem::replace(&mut self.batch, next)) {
            Ok(()) => 0,
            Err(batch) => {
                self.spares.give(batch.bytes);
                batch.lines
            }
        }
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
