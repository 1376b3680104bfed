//! One declaration per admin entity: fields, defaults, references, unique keys, checks.
//!
//! From it come body decoding, all violations at once, SQL for create/read/update/delete/list (room `storage`), JSON
//! out, `/schemas/…` and OpenAPI.
//!
//! **Invariants:** pure; a validated [`Entity`] has every field of its schema, in schema order, `null` where unset.
//!
//! **Absent on purpose:** which entity a plugin or HTTP verb belongs to, generated values (they come as arguments).

mod field;

pub use field::{Auto, Check, Entity, EntityCheck, Field, Kind, OnDelete, Schema, Seal};
