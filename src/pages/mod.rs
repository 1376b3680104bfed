//! What the portal's and the console's pages share: layout, style, script, forms, cookies, CSRF tokens, charts.
//!
//! A page is an askama template that extends `layout.html` and holds a [`Page`]; [`answer()`] makes it an HTTP answer. Style
//! and script are two files, served by [`assets`] under names that change with their contents.
//!
//! **Invariants:** every page works without a script; nothing is inline, so that the Content-Security-Policy allows our own
//! files only; texts of people are escaped by the templates (no `safe` filter); a form that writes carries a CSRF token
//! that belongs to the session, or before log-in to the visitor.
//!
//! **Absent on purpose:** who may see what (rooms `portal` and `console`), sessions (room `engine`).

mod answer;
pub mod assets;
mod chart;
mod cookie;
mod csrf;
pub mod document;
mod form;
mod page;
mod text;

pub use answer::{Way, answer, message, redirect};
pub use chart::{Bar, Picture, chart};
pub use cookie::Cookie;
pub use csrf::{Csrf, Visitor};
pub use form::{Form, FormError};
pub use page::{Link, Notice, Page, Site, Tone};
pub use text::{iso, plural, shown};
