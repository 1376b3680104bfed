//! Applications by the Portal API of the real binary: application-registration.md 6.2 (the rows of applications) and 6.3,
//! as developers see it. Every answer is looked through for what developers are never told.

mod applications;
mod calls;
mod contracts;
mod credentials;
mod external;
mod hostile;
mod services;
mod stage;
#[path = "../support/mod.rs"]
mod support;
