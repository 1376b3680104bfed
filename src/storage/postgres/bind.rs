//! Values in and out in the binary format.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::domain::Timestamp;
use crate::storage::value::{Row, Value};

type Fault = Box<dyn Error + Sync + Send>;

/// Milliseconds from 1970 to 2000, where PostgreSQL's time begins.
const EPOCH_2000: i64 = 946_684_800_000;
/// First and last microsecond that PostgreSQL's TIMESTAMPTZ holds.
const FIRST: i64 = -211_813_488_000_000_000;
const LAST: i64 = 9_223_371_331_199_999_999;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        // The server finds the type out by itself, and we were not told which: `is_sent` says that there is no doubt.
        let ty = if *ty == Type::UNKNOWN { &self.kind() } else { ty };
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Bool(truth) if *ty == Type::BOOL => truth.to_sql(ty, out),
            Self::Int(number) if *ty == Type::INT8 => number.to_sql(ty, out),
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Text(text) if *ty == Type::TEXT || *ty == Type::VARCHAR || *ty == Type::NAME => text.to_sql(ty, out),
            Self::Bytes(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
            Self::Uuid(id) if *ty == Type::UUID => id.to_sql(ty, out),
            Self::Json(json) if *ty == Type::JSONB => json.to_sql(ty, out),
            Self::Time(instant) if *ty == Type::TIMESTAMPTZ => {
                let micros = instant.millis().saturating_sub(EPOCH_2000).saturating_mul(1000);
                out.put_i64(micros.clamp(FIRST, LAST));
                Ok(IsNull::No)
            }
            _ => Err(format!("a parameter of type {ty} was given another kind of value").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl Value {
    /// What the server takes a value of this kind for.
    fn kind(&self) -> Type {
        match self {
            Self::Null => Type::UNKNOWN,
            Self::Bool(_) => Type::BOOL,
            Self::Int(_) => Type::INT8,
            Self::Text(_) => Type::TEXT,
            Self::Bytes(_) => Type::BYTEA,
            Self::Uuid(_) => Type::UUID,
            Self::Time(_) => Type::TIMESTAMPTZ,
            Self::Json(_) => Type::JSONB,
        }
    }
}

/// Whether a parameter of this type, or of an array of it, is written alike whether or not we know its type.
pub(super) fn is_sent(ty: &Type) -> bool {
    let of = match ty.kind() {
        Kind::Array(of) => of,
        _ => ty,
    };
    [Type::BOOL, Type::INT8, Type::TEXT, Type::BYTEA, Type::UUID, Type::TIMESTAMPTZ, Type::JSONB].contains(of)
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(match *ty {
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::TEXT | Type::VARCHAR | Type::NAME => Self::Text(String::from_sql(ty, raw)?),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            Type::UUID => Self::Uuid(Uuid::from_sql(ty, raw)?),
            Type::JSONB | Type::JSON => Self::Json(serde_json::Value::from_sql(ty, raw)?),
            Type::TIMESTAMPTZ => {
                let micros = i64::from_be_bytes(raw.try_into()?);
                Self::Time(Timestamp::from_millis(micros.div_euclid(1000).saturating_add(EPOCH_2000)))
            }
            _ => return Err(format!("a column of type {ty} has no kind of value here").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    (0..row.len()).map(|place| row.try_get(place)).collect::<Result<_, _>>().map(Row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_alike_whether_or_not_its_type_is_known() {
        let values = [
            Value::Bool(true),
            Value::Int(-5),
            Value::Text("é".into()),
            Value::Bytes(vec![0, 255]),
            Value::Uuid(Uuid::nil()),
            Value::Time(Timestamp::from_millis(7)),
            Value::Json(serde_json::json!({ "a": [1, null] })),
        ];
        for value in values {
            let (mut known, mut unknown) = (BytesMut::new(), BytesMut::new());
            value.to_sql(&value.kind(), &mut known).unwrap();
            value.to_sql(&Type::UNKNOWN, &mut unknown).unwrap();
            assert!(is_sent(&value.kind()));
            assert_eq!(known, unknown);
        }
        assert!(matches!(Value::Null.to_sql(&Type::UNKNOWN, &mut BytesMut::new()), Ok(IsNull::Yes)));
    }

    fn round_trip(value: Value, ty: &Type) -> Value {
        let mut out = BytesMut::new();
        value.to_sql(ty, &mut out).unwrap();
        Value::from_sql(ty, &out).unwrap()
    }

    #[test]
    fn times_keep_their_milliseconds_and_stay_within_the_databases_range() {
        for millis in [0, -1, 1_700_000_000_123, 946_684_800_000] {
            let time = Value::Time(Timestamp::from_millis(millis));
            assert_eq!(round_trip(time.clone(), &Type::TIMESTAMPTZ), time);
        }
        let mut out = BytesMut::new();
        Value::Time(Timestamp::from_millis(i64::MAX)).to_sql(&Type::TIMESTAMPTZ, &mut out).unwrap();
        assert_eq!(out[..], LAST.to_be_bytes());
    }

    #[test]
    fn a_value_of_another_kind_is_refused_before_it_is_sent() {
        assert!(Value::Int(1).to_sql(&Type::UUID, &mut BytesMut::new()).is_err());
        assert!(!is_sent(&Type::INT4) && !is_sent(&Type::NAME) && !is_sent(&Type::INT4_ARRAY));
    }
}
