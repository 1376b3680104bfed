//! What stands between a matched route and its upstream: plugins, and the call they look at and change.
//!
//! A plugin is a type with an access phase ([`Plugin`]); a [`Chain`] is the plugins of one route in the order they run.
//!
//! **Invariants:** of several plugins of one name the most specific runs, and only that one; a chain is compiled when
//! the configuration changes, never per request; a plugin changes a call only through [`Call`], never its head; who calls
//! is set only from what the store knows.
//!
//! **Absent on purpose:** sockets and protocols (room `proxy`); a call that came by HTTP/2 looks the same.

mod anonymous;
pub mod application_registration;
mod call;
mod carried;
mod chain;
mod challenge;
mod compiled;
mod identity;
pub mod jwt;
pub mod key_auth;
pub mod oauth2;
mod reason;

pub use call::{Call, Changes, Facts, ForwardedProto, Identity, Peer, Rest};
pub use chain::{Attachment, Chain, Chains, CompileError};
pub use compiled::{Compiled, schemas};

use crate::domain::Gate;
use crate::message::Answer;

/// What a plugin decided.
#[derive(Debug)]
pub enum Verdict {
    /// The next plugin, in the end the upstream.
    Continue,
    /// This ends the call; nothing is proxied.
    Answer(Answer),
}

/// A compiled plugin, or an enum of them: dispatch is static, so that no future is boxed per call.
pub trait Plugin: Send + Sync + Sized + 'static {
    /// What plugins ask in a worker. One is made per worker thread; it need be neither `Send` nor `Sync`.
    type Engine: 'static;

    /// Compiles a plugin from its entity's `name` and `config`.
    ///
    /// # Errors
    /// A sentence for the log; the plugin's place in the chain is then taken by [`Plugin::broken`].
    fn compile(attachment: &Attachment) -> Result<Self, String>;

    /// Higher runs earlier.
    fn priority(name: &str) -> i32;

    /// What runs in place of a plugin that did not compile: it must refuse the call, never let it through.
    fn broken(name: &str) -> Self;

    /// What this plugin puts before the service it stands on. A chain tells its plugins ([`Call::gate`]), also those that
    /// run earlier.
    fn gate(&self) -> Option<Gate> {
        None
    }

    fn access(&self, call: &mut Call<'_>, engine: &Self::Engine) -> impl Future<Output = Verdict>;

    /// Whether the configuration may be gone by now. False: no call is let through.
    fn is_current(_: &Self::Engine) -> bool {
        true
    }
}
