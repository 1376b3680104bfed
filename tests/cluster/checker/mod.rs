//! The checker: whether a history keeps the promise. A pure function of what clients did and saw.
//!
//! Only what clients can prove from outside counts. An operation took effect, if at all, somewhere between its two
//! instants, or at any later time when nobody answered it; a violation is what no such moment explains.
//!
//! **Invariants:** a history of a system that keeps the promise has no violation, whatever failed in it; each violation
//! names the events that prove it.
//!
//! **Absent on purpose:** clocks, sockets, and knowledge of which fault was on.

mod availability;
mod configuration;
mod families;
mod recovery;
mod rights;
mod winners;

use std::fmt;

use crate::history::{Event, Micros, Target};

pub use availability::{Serves, Trouble};
pub use recovery::{Percentiles, Recovery, recoveries, revocation_times};

pub const SECOND: Micros = 1_000_000;

/// What the cluster was set to, and how much is left to chance.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `cluster.lease`.
    pub lease: Micros,
    /// On top of the lease, for the network and a busy machine.
    pub margin: Micros,
    /// `refresh_grace` of the plugin.
    pub grace: Micros,
    /// Longest time to answer what takes rights away, at a node that can.
    pub longest_revocation: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breach {
    /// A call begun after a revocation was answered was let through.
    LetThrough,
    /// The same at a node that had refused it before; or, where nobody was promised anything, at any node a lease after
    /// one had refused it.
    Revived,
    /// A token that was answered is refused though nothing ended it.
    Lost,
    /// One code or refresh token gave two different pairs.
    TwoWinners,
    /// A refresh token was rotated again after its grace.
    LateReplay,
    /// What takes rights away was answered later than the promise allows.
    SlowRevocation,
    /// A change that was answered is not in force after the lease.
    Stale,
    /// A node went back to an older version of a setting.
    Backwards,
    /// A version that nobody wrote.
    Invented,
    /// What must be served in spite of the fault was not.
    Unavailable,
    /// After the end of a fault, something that worked before it does not work again.
    NotRecovered,
}

impl Breach {
    /// Not only of time and service.
    pub fn is_of_consistency(self) -> bool {
        !matches!(self, Self::SlowRevocation | Self::Unavailable | Self::NotRecovered)
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::LetThrough => "revoked, let through",
            Self::Revived => "revoked, revived",
            Self::Lost => "answered, lost",
            Self::TwoWinners => "two winners",
            Self::LateReplay => "replayed after the grace",
            Self::SlowRevocation => "slow revocation",
            Self::Stale => "stale setting",
            Self::Backwards => "setting went back",
            Self::Invented => "setting nobody wrote",
            Self::Unavailable => "not served",
            Self::NotRecovered => "not recovered",
        })
    }
}

/// What took a right away that was used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    Revocation(Target),
    /// A pair was replaced by a new one.
    Rotation,
    /// A code, or a refresh token after its grace, came a second time.
    Replay,
    /// The breach is of another kind.
    None,
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Revocation(Target::Token) => " (token)",
            Self::Revocation(Target::Credential) => " (credential)",
            Self::Revocation(Target::Consumer) => " (consumer)",
            Self::Revocation(Target::Gate) => " (route)",
            Self::Rotation => " (rotation)",
            Self::Replay => " (replay)",
            Self::None => "",
        })
    }
}

/// A proof that the promise was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub breach: Breach,
    pub cause: Cause,
    /// When it showed.
    pub at: Micros,
    /// Node where it showed.
    pub node: usize,
    pub proof: String,
}

impl Violation {
    /// Shown by the end of this event.
    fn new(breach: Breach, event: &Event, proof: String) -> Self {
        Self { breach, cause: Cause::None, at: event.end, node: event.node, proof }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { breach, cause, node, proof, .. } = self;
        write!(out, "{breach}{cause} at {:.3} s on node {node}: {proof}", seconds(self.at))
    }
}

/// Everything in this history that the promise forbids, in the order of time.
pub fn check(events: &[Event], rules: &Rules) -> Vec<Violation> {
    let families = families::Families::of(events);
    let rights = rights::Rights::of(events, &families, rules);
    let mut violations = rights::check(events, rules, &rights);
    violations.extend(winners::check(events, rules, &families, &rights));
    violations.extend(configuration::check(events, rules));
    violations.sort_by_key(|violation| violation.at);
    violations
}

pub(crate) fn seconds(micros: Micros) -> f64 {
    micros as f64 / SECOND as f64
}
