//! What SQLite reports, in the words of the room.

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE};

use crate::storage::StorageError;

pub(super) fn failure(error: rusqlite::Error) -> StorageError {
    match error {
        rusqlite::Error::SqliteFailure(code, message) => classify(code, message.as_deref().unwrap_or_default()),
        rusqlite::Error::SqlInputError { error, msg, .. } => classify(error, &msg),
        other => StorageError::Other(other.to_string()),
    }
}

fn classify(error: rusqlite::ffi::Error, message: &str) -> StorageError {
    let unavailable = |reason: &str| StorageError::Unavailable(reason.to_owned());
    match error.code {
        ErrorCode::ConstraintViolation => constraint(message),
        ErrorCode::DiskFull => StorageError::Full,
        ErrorCode::SystemIoFailure if error.extended_code == SQLITE_IOERR_SHMSIZE => StorageError::Full,
        ErrorCode::SystemIoFailure if error.extended_code == SQLITE_IOERR_WRITE => {
            unavailable("database file cannot be written")
        }
        ErrorCode::SystemIoFailure => unavailable("database file cannot be read or written (input/output error)"),
        ErrorCode::DatabaseCorrupt => StorageError::Corrupt("the file is not what SQLite wrote".into()),
        ErrorCode::NotADatabase => StorageError::Corrupt("the file is not a SQLite database".into()),
        ErrorCode::ReadOnly => unavailable("database file or its folder is read-only"),
        ErrorCode::CannotOpen => unavailable("database file cannot be opened"),
        ErrorCode::PermissionDenied => unavailable("no permission for the database file"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => unavailable("another program holds the database file"),
        _ => StorageError::Other(format!("sqlite error {}: {message}", error.extended_code)),
    }
}

/// `UNIQUE constraint failed: consumers.username`. Of a foreign key SQLite says only that it failed: the caller finds
/// out which.
fn constraint(message: &str) -> StorageError {
    if let Some(columns) = message.strip_prefix("UNIQUE constraint failed: ") {
        let column = |qualified: &str| qualified.rsplit('.').next().unwrap_or_default().trim().to_owned();
        return StorageError::Unique { fields: columns.split(',').map(column).collect() };
    }
    if message.starts_with("FOREIGN KEY") {
        return StorageError::ForeignKey { table: String::new(), field: String::new() };
    }
    StorageError::Other(message.to_owned())
}
