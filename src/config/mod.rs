//! Settings: defaults < file < environment < flags; every fault at once; `explain`.
//!
//! One table ([`SETTINGS`]) names each setting, its default and its meaning; everything else here follows from it.
//!
//! **Invariants:** a [`Settings`] value is whole and valid. Secrets are [`crate::domain::Secret`] and are masked by
//! `explain`. An unknown key in the file is a fault; an unknown environment variable is not, because Kubernetes puts
//! `TOLLGATE_…` variables of its own beside ours.
//!
//! **Absent on purpose:** opening what the settings name (room `app`).

mod admin_tokens;
mod explain;
mod layers;
mod portal;
mod settings;
mod table;
mod traces;

pub use admin_tokens::SetToken;
pub use explain::explain;
pub use layers::{Fault, Layers, Origin};
pub use portal::{AppAuth, MailSettings, PortalSettings};
pub use settings::{AccessFormat, DatabaseUrl, LogFormat, LogLevel, Settings};
pub use table::{Mode, SETTINGS, Setting};
pub use traces::{OtlpEndpoint, TraceSettings};
