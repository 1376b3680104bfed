//! Application registration by the Admin API of the real binary: developers, applications, contracts, and what ends with
//! them.

#[expect(dead_code, reason = "this is a part of what a desk can do")]
#[path = "../admin/desk.rs"]
mod desk;
#[path = "../support/mod.rs"]
mod support;

mod applications;
mod consumers;
mod contracts;
mod credentials;
mod developers;
mod people;
mod races;
mod services;
mod watched;
