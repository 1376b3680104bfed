//! Values in and out, and the spelling of parameters.

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};

use crate::storage::value::Value;

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = match self {
            Self::Null => ValueRef::Null,
            Self::Bool(truth) => ValueRef::Integer(i64::from(*truth)),
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Uuid(id) => ValueRef::Blob(id.as_bytes()),
            Self::Time(instant) => ValueRef::Integer(instant.millis()),
            Self::Json(json) => return Ok(ToSqlOutput::Owned(Owned::Text(json.to_string()))),
        };
        Ok(ToSqlOutput::Borrowed(borrowed))
    }
}

pub(super) fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Json(number.into()),
        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

/// `$N` becomes `?N`: to SQLite `$2` is a name, numbered by its first appearance.
pub(super) fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let is_number = after[1..].starts_with(|next: char| next.is_ascii_digit());
        out.push(if is_number { '?' } else { '$' });
        rest = &after[1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_and_other_dollars_stay() {
        assert_eq!(numbered("a = $2 AND b = $1"), "a = ?2 AND b = ?1");
        assert_eq!(numbered("'$' $10"), "'$' ?10");
        assert_eq!(numbered("none"), "none");
    }
}
