//! Finding the end of a head, line by line, without looking at a byte twice.

use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;

/// How far a head was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scan {
    /// Where the line that is not whole yet begins.
    line: usize,
    /// Bytes already searched for a line end.
    seen: usize,
    /// Length of the first line; 0 while it is not whole.
    first: usize,
}

impl Scan {
    pub(super) fn first_line(&self) -> usize {
        self.first
    }
}

/// The length of the head that `buffer` begins with, through its empty line; `None` while it is not whole.
///
/// # Errors
/// A line feed without its carriage return: some servers end a line there and some do not.
pub(super) fn head_end(buffer: &[u8], scan: &mut Scan) -> Result<Option<usize>, ()> {
    if scan.seen == 0
        && let Some(length) = whole(buffer)
    {
        scan.first = memchr(b'\n', buffer).map_or(0, |feed| feed + 1);
        return Ok(Some(length));
    }
    while let Some(found) = memchr(b'\n', &buffer[scan.seen.min(buffer.len())..]) {
        let feed = scan.seen + found;
        if feed == 0 || buffer[feed - 1] != b'\r' {
            return Err(());
        }
        if scan.first == 0 {
            scan.first = feed + 1;
        }
        if feed == scan.line + 1 {
            return Ok(Some(feed + 1));
        }
        scan.line = feed + 1;
        scan.seen = feed + 1;
    }
    scan.seen = buffer.len();
    Ok(None)
}

/// The length of a head that came in one piece, in which every line ends as it should; `None` where that needs a closer
/// look. Most heads do, and this takes many bytes at a time.
fn whole(buffer: &[u8]) -> Option<usize> {
    static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\r\n\r\n"));
    let length = END.find(buffer)? + 4;
    let head = &buffer[..length];
    let pairs = head.iter().zip(&head[1..]);
    let bare = pairs.fold(false, |bare, (before, byte)| bare | ((*byte == b'\n') & (*before != b'\r')));
    // An empty line at the beginning is no head.
    (!bare && !matches!(head[0], b'\r' | b'\n')).then_some(length)
}
