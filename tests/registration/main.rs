//! Application registration by the Admin API of the real binary: developers, applications, contracts, and what ends with
//! them.

#[path = "../admin/desk.rs"]
mod desk;
#[path = "../support/mod.rs"]
mod support;

mod applications;
mod consumers;
mod developers;
mod people;
