//! The developer portal: its API and its pages.
//!
//! **Absent on purpose:** rules of developers, applications and contracts (room `engine`).

mod lines;
mod show;
mod views;
