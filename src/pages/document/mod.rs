//! An OpenAPI document as a page: what it says, in a form that a template can print.
//!
//! Reads OpenAPI 3 and Swagger 2, JSON or YAML. **Invariants:** no document makes reading panic, recurse without end or
//! grow beyond a bound; what cannot be understood is left out, never guessed. **Absent on purpose:** references to other
//! documents (nothing is fetched), Markdown (descriptions are shown as they are written), trying calls out.

mod model;
mod operation;
mod read;
mod shape;

pub use model::{Document, Group, Operation, Parameter, Response, Row};
pub use read::{DocumentError, read};

#[cfg(test)]
mod tests;
