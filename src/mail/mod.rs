//! Mails: what they say, and how they are sent.
//!
//! A [`Letter`] knows its occasion; it becomes a [`Mail`] of text and HTML; a [`Transport`] sends it over SMTP.
//!
//! **Invariants:** what users choose (addresses, names of applications, notes) reaches no header but `To` and `Subject`,
//! the first judged as an address and the second free of control characters; in HTML it is escaped. The text of a mail
//! does not print, for links in it are secrets. Sending ends within [`LIMIT`].
//!
//! **Absent on purpose:** when to send and again (the `Mailer`, room `actors`), keeping mails (room `storage`), and paths
//! of the portal's pages (room `engine`).

mod about_access;
mod about_accounts;
mod layout;
mod letter;
mod message;
mod transport;

pub use letter::{Access, Letter};
pub use message::Mail;
pub use transport::{LIMIT, SendError, Smtp, Transport};
