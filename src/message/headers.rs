//! Header fields and request heads: places in one text.

/// Header fields in the order they came. Names compare without regard to case.
///
/// One text and places in it: neither a field nor the head itself costs an allocation or a count of who holds it.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// A copy of the head that was read, and what was added to it.
    text: Vec<u8>,
    fields: Vec<Field>,
    /// A bit for each name that is here, which other names may share: most look-ups are for what is not.
    marks: u64,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    name: Place,
    value: Place,
}

/// Where a part of a head stands in its text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    start: usize,
    end: usize,
}

impl Place {
    /// Where `part`, which is a part of `head`, stands in it; `None` of what is not.
    fn find(head: &[u8], part: &[u8]) -> Option<Self> {
        let start = part.as_ptr().addr().checked_sub(head.as_ptr().addr())?;
        let end = start + part.len();
        (end <= head.len()).then_some(Self { start, end })
    }

    fn len(self) -> usize {
        self.end - self.start
    }
}

/// The bit of a name, the same in any case.
const fn mark(name: &[u8]) -> u64 {
    match name {
        [] => 1,
        [first, .., last] => 1 << ((name.len() + 5 * (*first | 0x20) as usize + 11 * (*last | 0x20) as usize) & 63),
        [only] => 1 << (*only & 31),
    }
}

/// Whether a value can stand in a field: nothing in it ends one.
pub fn is_clean(value: &[u8]) -> bool {
    // Without an early end, many bytes are looked at in one go.
    let bad = |byte: u8| (byte < b' ') & (byte != b'\t') | (byte == 0x7f);
    !value.iter().fold(false, |found, byte| found | bad(*byte))
}

/// Bytes of text for which room is kept.
const MOST_TEXT: usize = 4 * 1024;

impl Headers {
    /// Empties it for the fields of another head, and copies that.
    pub(super) fn begin(&mut self, head: &[u8]) {
        self.clear();
        self.text.extend_from_slice(head);
    }

    /// Adds a field that stands in `head`, with which this was begun.
    pub(super) fn note(&mut self, head: &[u8], name: &[u8], value: &[u8]) {
        self.marks |= mark(name);
        let field = Field { name: self.place(head, name), value: self.place(head, value) };
        self.fields.push(field);
    }

    /// The place of a part of `head`, with which this was begun; of anything else, once it is added.
    pub(super) fn place(&mut self, head: &[u8], part: &[u8]) -> Place {
        Place::find(head, part).unwrap_or_else(|| self.keep(part))
    }

    /// Adds a text that is no field.
    pub(super) fn keep(&mut self, part: &[u8]) -> Place {
        let start = self.text.len();
        self.text.extend_from_slice(part);
        Place { start, end: self.text.len() }
    }

    /// Adds a field.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        self.marks |= mark(name);
        let field = Field { name: self.keep(name), value: self.keep(value) };
        self.fields.push(field);
    }

    pub(super) fn part(&self, place: Place) -> &[u8] {
        &self.text[place.start..place.end]
    }

    /// Whether there may be a field of that name: never no when there is one.
    #[inline(always)]
    pub(super) fn may_have(&self, name: &[u8]) -> bool {
        self.marks & mark(name) != 0
    }

    /// The first value under `name` (any case).
    // Inlined, so that the mark of a name that is written in the program is computed with it.
    #[inline(always)]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let place = self.places(name).next();
        place.map(|place| self.part(place))
    }

    /// Every value under `name`, in order.
    #[inline(always)]
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.places(name).map(|place| self.part(place))
    }

    /// Where they stand.
    #[inline(always)]
    pub(super) fn places<'h>(&'h self, name: &'h str) -> impl Iterator<Item = Place> + 'h {
        let name = name.as_bytes();
        let fields = if self.may_have(name) { &self.fields[..] } else { &[] };
        let named = move |field: &&Field| field.name.len() == name.len() && self.is_named(field, name);
        fields.iter().filter(named).map(|field| field.value)
    }

    #[inline(never)]
    fn is_named(&self, field: &Field, name: &[u8]) -> bool {
        self.part(field.name).eq_ignore_ascii_case(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| (self.part(field.name), self.part(field.value)))
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Empties it and keeps some room for the next head.
    pub fn clear(&mut self) {
        self.fields.clear();
        self.marks = 0;
        self.text.clear();
        if self.text.capacity() > MOST_TEXT {
            self.text = Vec::new();
        }
    }
}

/// A request's first line and header fields, already judged well-formed.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    pub headers: Headers,
    pub(super) line: Line,
}

/// What is known of a request beside its fields.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    pub method: Place,
    pub path: Place,
    pub query: Option<Place>,
    pub host: Place,
}

impl RequestHead {
    pub fn method(&self) -> &[u8] {
        self.headers.part(self.line.method)
    }

    /// Path as sent, without the query; begins with `/` (or is `*` for OPTIONS).
    pub fn path(&self) -> &[u8] {
        self.headers.part(self.line.path)
    }

    /// Without the `?`; `None` when there was none.
    pub fn query(&self) -> Option<&[u8]> {
        self.line.query.map(|query| self.headers.part(query))
    }

    /// The authority: of an absolute-form target, else the Host header. Lower-cased by nobody yet.
    pub fn host(&self) -> &[u8] {
        self.headers.part(self.line.host)
    }

    /// Empties it and keeps some room for the next one.
    pub fn clear(&mut self) {
        self.headers.clear();
        self.line = Line::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_head_and_added_ones_are_told_alike() {
        let text = b"Host: a\r\nEmpty:\r\n\r\n";
        let mut headers = Headers::default();
        headers.push(b"Gone", b"with the head before");
        headers.begin(text);
        headers.note(text, &text[0..4], &text[6..7]);
        headers.note(text, &text[9..14], b"");
        headers.push(b"host", b"added");
        headers.push(b"Empty", b"");
        let fields: Vec<_> = headers.iter().collect();
        let expected: [(&[u8], &[u8]); 4] = [(b"Host", b"a"), (b"Empty", b""), (b"host", b"added"), (b"Empty", b"")];
        assert_eq!(fields, expected);
        assert_eq!(headers.all("HOST").collect::<Vec<_>>(), [b"a".as_slice(), b"added"]);
        assert!(headers.get("gone").is_none());
        headers.clear();
        assert!(headers.is_empty() && headers.get("host").is_none());
    }

    #[test]
    fn a_name_has_one_mark_in_any_case() {
        for name in ["a", "Te", "Host", "CONTENT-length", "x_Request_ID", ""] {
            let marks = [name.to_owned(), name.to_ascii_lowercase(), name.to_ascii_uppercase()];
            let marks = marks.map(|name| mark(name.as_bytes()));
            assert!(marks[0].count_ones() == 1 && marks.iter().all(|mark| *mark == marks[0]), "{name}");
        }
        // What imitates a field that frames a body is to be found by that one's mark.
        assert_eq!(mark(b"CONTENT_LENGTH"), mark(b"content-length"));
    }

    #[test]
    fn a_long_head_is_not_kept_room_for() {
        let mut headers = Headers::default();
        headers.push(b"cookie", &[b'x'; 2 * MOST_TEXT]);
        headers.clear();
        headers.push(b"a", b"b");
        assert!(headers.text.capacity() < MOST_TEXT);
    }
}
