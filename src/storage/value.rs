//! The eight kinds of value that both databases keep, and rows of them.

use std::sync::Arc;

use serde_json::Value as Json;
use uuid::Uuid;

use crate::domain::{Timestamp, TokenDigest};

use super::StorageError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
    Time(Timestamp),
    Json(Json),
}

macro_rules! values_from {
    ($($from:ty => $kind:ident),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$kind(value.into())
            }
        }
    )*};
}

values_from!(bool => Bool, i64 => Int, &str => Text, String => Text, Vec<u8> => Bytes, Uuid => Uuid, Timestamp => Time, Json => Json);

impl From<TokenDigest> for Value {
    fn from(digest: TokenDigest) -> Self {
        Self::Bytes(digest.0.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A count as the databases take it.
pub(super) fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// One statement and its parameters; `$1` is the first.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub sql: Sql,
    pub params: Vec<Value>,
}

/// Text of a statement: written down, or generated once from a schema.
#[derive(Clone, Debug)]
pub(super) enum Sql {
    Written(&'static str),
    Generated(Arc<str>),
}

impl Sql {
    pub fn text(&self) -> &str {
        match self {
            Self::Written(text) => text,
            Self::Generated(text) => text,
        }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::Written(text)
    }
}

impl From<&Arc<str>> for Sql {
    fn from(text: &Arc<str>) -> Self {
        Self::Generated(Arc::clone(text))
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Self {
        Self::Generated(text.into())
    }
}

impl Statement {
    pub fn new(sql: impl Into<Sql>, params: Vec<Value>) -> Self {
        Self { sql: sql.into(), params }
    }
}

/// One row. Columns are read by place, in the order the statement lists them; SQLite's narrower kinds (a uuid is bytes,
/// a time is a number, JSON is text) are widened here.
#[derive(Clone, Debug)]
pub(super) struct Row(pub Vec<Value>);

/// Reads the columns of one row from left to right.
pub(super) struct Columns {
    table: &'static str,
    id: Uuid,
    place: usize,
    values: std::vec::IntoIter<Value>,
}

impl Row {
    /// Begins to read a row of `table`; faults name the row by its first column when that is an id.
    pub fn read(self, table: &'static str) -> Columns {
        let id = self.0.first().and_then(as_uuid).unwrap_or_default();
        Columns { table, id, place: 0, values: self.0.into_iter() }
    }
}

fn as_uuid(value: &Value) -> Option<Uuid> {
    match value {
        Value::Uuid(id) => Some(*id),
        Value::Bytes(bytes) => Uuid::from_slice(bytes).ok(),
        _ => None,
    }
}

impl Columns {
    fn next(&mut self) -> Value {
        self.place += 1;
        self.values.next().unwrap_or(Value::Null)
    }

    pub fn fault(&self, reason: impl Into<String>) -> StorageError {
        StorageError::Inconsistent { table: self.table, id: self.id, reason: reason.into() }
    }

    fn wrong<T>(&self, wanted: &str) -> Result<T, StorageError> {
        Err(self.fault(format!("column {} is not {wanted}", self.place)))
    }

    fn needed<T>(&self, value: Option<T>) -> Result<T, StorageError> {
        value.ok_or_else(|| self.fault(format!("column {} is null", self.place)))
    }

    pub fn maybe_uuid(&mut self) -> Result<Option<Uuid>, StorageError> {
        match self.next() {
            Value::Null => Ok(None),
            value => as_uuid(&value).map_or_else(|| self.wrong("a uuid"), |id| Ok(Some(id))),
        }
    }

    pub fn uuid(&mut self) -> Result<Uuid, StorageError> {
        let value = self.maybe_uuid()?;
        self.needed(value)
    }

    pub fn maybe_text(&mut self) -> Result<Option<String>, StorageError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => self.wrong("a text"),
        }
    }

    pub fn text(&mut self) -> Result<String, StorageError> {
        let value = self.maybe_text()?;
        self.needed(value)
    }

    pub fn maybe_int(&mut self) -> Result<Option<i64>, StorageError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(number)),
            _ => self.wrong("an integer"),
        }
    }

    pub fn int(&mut self) -> Result<i64, StorageError> {
        let value = self.maybe_int()?;
        self.needed(value)
    }

    pub fn maybe_bool(&mut self) -> Result<Option<bool>, StorageError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Bool(truth) => Ok(Some(truth)),
            Value::Int(number @ (0 | 1)) => Ok(Some(number == 1)),
            _ => self.wrong("a boolean"),
        }
    }

    pub fn bool(&mut self) -> Result<bool, StorageError> {
        let value = self.maybe_bool()?;
        self.needed(value)
    }

    pub fn maybe_time(&mut self) -> Result<Option<Timestamp>, StorageError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Time(instant) => Ok(Some(instant)),
            Value::Int(millis) => Ok(Some(Timestamp::from_millis(millis))),
            _ => self.wrong("a time"),
        }
    }

    pub fn time(&mut self) -> Result<Timestamp, StorageError> {
        let value = self.maybe_time()?;
        self.needed(value)
    }

    pub fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, StorageError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            _ => self.wrong("bytes"),
        }
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, StorageError> {
        let value = self.maybe_bytes()?;
        self.needed(value)
    }

    pub fn digest(&mut self) -> Result<TokenDigest, StorageError> {
        let bytes = self.bytes()?;
        bytes.try_into().map_or_else(|_| self.wrong("a digest of 32 bytes"), |bytes| Ok(TokenDigest(bytes)))
    }

    pub fn maybe_json(&mut self) -> Result<Option<Json>, StorageError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Json(json) => Ok(Some(json)),
            Value::Text(text) => serde_json::from_str(&text).map_or_else(|_| self.wrong("JSON"), |json| Ok(Some(json))),
            _ => self.wrong("JSON"),
        }
    }
}
