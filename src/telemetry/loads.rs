//! Which configuration is in force, and whether it could be read.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::reading::Reading;

/// Loads of the configuration.
#[derive(Debug, Default)]
pub struct Loads {
    version: AtomicI64,
    /// Milliseconds since 1970; 0: never.
    at_ms: AtomicI64,
    failures: AtomicU64,
}

impl Loads {
    /// A version is in force since that time, in milliseconds since 1970.
    pub fn loaded(&self, version: i64, at_ms: i64) {
        self.version.store(version, Ordering::Relaxed);
        self.at_ms.store(at_ms, Ordering::Relaxed);
    }

    /// It could not be read: the one before stays in force.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn readings(&self) -> Vec<Reading> {
        let (version, at_ms) = (self.version.load(Ordering::Relaxed), self.at_ms.load(Ordering::Relaxed));
        vec![
            Reading::gauge(
                "tollgate_configuration_version",
                "Number of the configuration in force; every change adds one.",
                version as f64,
            ),
            Reading::gauge(
                "tollgate_configuration_loaded_seconds",
                "Unix time at which the configuration in force was loaded.",
                at_ms as f64 / 1000.0,
            ),
            Reading::counter(
                "tollgate_configuration_failures_total",
                "Times the stored configuration could not be read.",
                self.failures.load(Ordering::Relaxed) as f64,
            ),
        ]
    }
}
