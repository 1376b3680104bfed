//! What an error of a library says.

use std::error::Error;

/// The cause that says most: "connection refused" stands below several wrappers.
pub fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
