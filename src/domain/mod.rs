//! The words of the trade: instants, secrets, scopes, and what a token, a client and a consumer are.
//!
//! **Invariants:** nothing here is async, reads a clock, draws randomness or does input/output; both come in as
//! arguments (the system clock itself lives here, behind [`Clock`], so that tests can hold it still). A secret has no
//! `Display` and its `Debug` hides it.
//!
//! **Absent on purpose:** HTTP, SQL and JSON bodies.

mod clock;
mod code;
mod hashed;
mod jwt;
mod keyring;
mod limits;
mod minted;
mod network;
mod refresh;
mod registration;
mod scope;
mod secret;
mod secret_hash;
mod tickets;
mod views;

pub use clock::{Clock, Timestamp};
pub use code::{Code, CodeState, NewCode};
pub use hashed::{AsItIs, Hashed};
pub use jwt::{Algorithm, VerifyingKey, decode_base64};
pub use keyring::{KeyId, Keyring, KeyringError, SealedToken, TokenDigest, TokenMac};
pub use limits::{LONGEST_NAME, LONGEST_TOKEN, MOST_SECRETS};
pub use network::{Network, is_loopback_host};
pub use refresh::{RefreshView, Replaced, TokenPair};
pub use registration::{
    ApplicationView, ConsumerType, ContractStatus, ContractView, DeveloperStatus, Gate, Refused, Standing,
};
pub use scope::ScopeSet;
pub use secret::{PlainToken, Secret};
pub use secret_hash::SecretHash;
pub use tickets::TICKET_PERIOD;
pub use views::{
    ClientSecret, ClientType, ClientView, Consumer, JwtSecretView, KeyView, LiveSecret, NewToken, TokenView,
};
