//! One declaration per admin entity: fields, defaults, references, unique keys, checks.
//!
//! From it come body decoding, all violations at once, SQL for create/read/update/delete/list (room `storage`), JSON
//! out, `/schemas/…` and OpenAPI. A body goes [`decode()`] → [`Registry::insert`] (or `replace`, `patch`), which reads
//! form texts by type, resolves shorthands, fills defaults and judges.
//!
//! **Invariants:** pure; a validated [`Entity`] has every field of its schema, in schema order, `null` where unset;
//! no input makes decoding or judging panic, or cost more than a small multiple of its size.
//!
//! **Absent on purpose:** HTTP, generated values and the time (they come as arguments), whether what a reference names
//! exists (the store knows).

mod accept;
mod build;
mod check;
pub mod checks;
mod coerce;
mod decode;
pub mod describe;
mod endpoint;
pub mod entities;
mod field;
pub mod openapi;
mod plugin;
mod registry;
mod validate;
mod violations;

pub use accept::Generate;
pub use decode::{Body, DecodeError, decode, from_pairs, multipart_pairs};
pub use endpoint::{Endpoint, Resource, Shape, Verb};
pub use entities::APPLICATIONS_CREDENTIAL;
pub use field::{Auto, Check, Entity, EntityCheck, Expand, Field, Kind, OnDelete, Schema, Seal, Write};
pub use plugin::{DEFAULT_PROTOCOLS, FieldGroup, PROTOCOLS, PluginSchema};
pub use registry::Registry;
pub use validate::{Accepted, insert, patch, replace};
pub use violations::{ENTITY, Fault, Violations};
