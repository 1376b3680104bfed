//! The console over HTTP, as a browser without a script sees it.

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod entities;
mod escaping;
mod forms;
mod login;
mod logs;
mod people;
mod stage;

use support::html;
