//! How a command ends.

use std::fmt;
use std::process::ExitCode;

use crate::config::Fault;
use crate::storage::StorageError;

/// Why a command did not do what it was asked to: one line for standard error, and an exit code.
#[derive(Debug)]
pub enum Failure {
    /// Exit 64: every fault of the settings.
    Settings(Vec<Fault>),
    /// Exit 1.
    Failed(String),
    /// Exit 130.
    Interrupted,
}

impl Failure {
    pub fn failed(what: impl fmt::Display) -> Self {
        Self::Failed(what.to_string())
    }

    pub fn setting(fault: impl Into<String>) -> Self {
        Self::Settings(vec![Fault(fault.into())])
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Settings(_) => 64,
            Self::Failed(_) => 1,
            Self::Interrupted => 130,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(faults) => {
                for (nth, fault) in faults.iter().enumerate() {
                    if nth > 0 {
                        out.write_str("\n")?;
                    }
                    write!(out, "tollgate: bad configuration: {fault}")?;
                }
                Ok(())
            }
            Self::Failed(what) => write!(out, "tollgate: {what}"),
            Self::Interrupted => out.write_str("tollgate: interrupted"),
        }
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Failed(format!("database: {error}"))
    }
}
