//! Header fields and request heads: names and values as places in one text.

use bytes::Bytes;

/// Header fields in the order they came. Names compare without regard to case.
///
/// One text and places in it: a field costs no count of who holds the text.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// The head that was read; it changes only when there are no fields.
    text: Bytes,
    /// Names and values that did not stand in the head, one after the other.
    added: Vec<u8>,
    fields: Vec<Field>,
}

/// Places count through the text and on through what was added.
#[derive(Clone, Copy, Debug)]
struct Field {
    name: (usize, usize),
    value: (usize, usize),
}

/// Bytes of added text for which room is kept.
const MOST_ADDED: usize = 4 * 1024;

impl Headers {
    /// Empties it for the fields of another head.
    pub fn begin(&mut self, text: Bytes) {
        self.clear();
        self.text = text;
    }

    /// Adds a field. Of what stands in the text of [`Headers::begin`] only the place is kept; anything else is copied.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let field = Field { name: self.place(name), value: self.place(value) };
        self.fields.push(field);
    }

    fn place(&mut self, part: &[u8]) -> (usize, usize) {
        let start = self.place_in_text(part).unwrap_or_else(|| {
            self.added.extend_from_slice(part);
            self.text.len() + self.added.len() - part.len()
        });
        (start, start + part.len())
    }

    fn place_in_text(&self, part: &[u8]) -> Option<usize> {
        let start = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        (start < self.text.len() && part.len() <= self.text.len() - start).then_some(start)
    }

    fn part(&self, (start, end): (usize, usize)) -> &[u8] {
        match start.checked_sub(self.text.len()) {
            None => &self.text[start..end],
            Some(start) => &self.added[start..end - self.text.len()],
        }
    }

    /// The first value under `name` (any case).
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|field| self.is_named(field, name)).map(|field| self.part(field.value))
    }

    /// Every value under `name`, in order.
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.fields.iter().filter(|field| self.is_named(field, name)).map(|field| self.part(field.value))
    }

    fn is_named(&self, field: &Field, name: &str) -> bool {
        let (start, end) = field.name;
        end - start == name.len() && self.part(field.name).eq_ignore_ascii_case(name.as_bytes())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| (self.part(field.name), self.part(field.value)))
    }

    /// A part of a name or value, to be kept: without a copy where it stands in the head.
    pub fn share(&self, part: &[u8]) -> Bytes {
        match self.place_in_text(part) {
            Some(start) => self.text.slice(start..start + part.len()),
            None => Bytes::copy_from_slice(part),
        }
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Lets go of the text and keeps the room for fields.
    pub fn clear(&mut self) {
        self.fields.clear();
        self.text.clear();
        self.added.clear();
        self.added.shrink_to(MOST_ADDED);
    }
}

/// A request's first line and header fields, already judged well-formed.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    pub method: Bytes,
    /// Path as sent, without the query; begins with `/` (or is `*` for OPTIONS).
    pub path: Bytes,
    /// Without the `?`; `None` when there was none.
    pub query: Option<Bytes>,
    /// The authority: of an absolute-form target, else the Host header. Lower-cased by nobody yet.
    pub host: Bytes,
    pub headers: Headers,
}

impl RequestHead {
    /// Lets go of the bytes it points into and keeps the room for fields.
    pub fn clear(&mut self) {
        let mut headers = std::mem::take(&mut self.headers);
        headers.clear();
        *self = Self { headers, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_head_and_added_ones_are_told_alike_and_only_the_former_are_shared() {
        let text = Bytes::from_static(b"Host: a\r\nEmpty:\r\n\r\n");
        let mut headers = Headers::default();
        headers.push(b"Gone", b"with the head before");
        headers.begin(text.clone());
        headers.push(&text[0..4], &text[6..7]);
        headers.push(&text[9..14], b"");
        headers.push(b"host", b"added");
        headers.push(b"Empty", b"");
        let fields: Vec<_> = headers.iter().collect();
        let expected: [(&[u8], &[u8]); 4] = [(b"Host", b"a"), (b"Empty", b""), (b"host", b"added"), (b"Empty", b"")];
        assert_eq!(fields, expected);
        assert_eq!(headers.all("HOST").collect::<Vec<_>>(), [b"a".as_slice(), b"added"]);
        let shared = headers.share(headers.get("host").unwrap());
        assert_eq!((shared.as_ptr(), &shared[..]), (text[6..].as_ptr(), &b"a"[..]));
        assert_eq!(headers.share(&headers.all("host").nth(1).unwrap()[1..]), "dded");
        headers.clear();
        assert!(headers.is_empty() && headers.get("host").is_none());
    }
}
