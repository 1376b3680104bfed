//! The configuration: every collection of the Admin API as a list, every entity as a form made of its schema.
//!
//! **Invariants:** a form that is saved as it came changes nothing; a secret is never printed, and changed only when
//! something is typed; what the catalog finds fault with stands beside its field.
//!
//! **Absent on purpose:** developers, applications and contracts, which have pages of their own.

mod change;
mod collections;
mod controls;
mod draft;
mod faults;
mod item;
mod list;
mod place;
mod shown;
mod spelling;

pub(super) use change::{create, delete, save};
pub(super) use collections::name_of;
pub(super) use item::{confirm_deletion, new, one};
pub(super) use list::{collections, list};
pub(super) use place::label;
pub(super) use shown::{Names, path_of};
