//! Header fields and request heads: names and values as slices of one buffer.

use bytes::Bytes;

/// Header fields in the order they came. Names compare without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    fields: Vec<(Bytes, Bytes)>,
}

impl Headers {
    pub fn push(&mut self, name: Bytes, value: Bytes) {
        self.fields.push((name, value));
    }

    /// The first value under `name` (any case).
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Every value under `name`, in order.
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h Bytes> {
        self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.fields.iter().map(|(name, value)| (name, value))
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub fn clear(&mut self) {
        self.fields.clear();
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
