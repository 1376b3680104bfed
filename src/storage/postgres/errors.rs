//! What PostgreSQL and its pool report, in the words of the room. The server's own texts may hold values of rows, so
//! only its codes and names of constraints are used.

use std::error::Error as _;
use std::io;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::storage::StorageError;

pub(super) fn pool_failure(error: &PoolError) -> StorageError {
    let reason = match error {
        PoolError::Timeout(TimeoutType::Wait) => "every database connection is busy",
        PoolError::Timeout(TimeoutType::Create) => "the database does not answer",
        PoolError::Timeout(TimeoutType::Recycle) => "a database connection does not answer",
        PoolError::Closed => "the store is closed",
        PoolError::Backend(error) => return connecting(error),
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => "the connection pool is set up wrongly",
    };
    StorageError::Unavailable(reason.to_owned())
}

/// Whatever keeps us from connecting may pass, except a fault of ours.
fn connecting(error: &Error) -> StorageError {
    match failure(error) {
        StorageError::Other(reason) => StorageError::Unavailable(format!("cannot connect: {reason}")),
        known => known,
    }
}

pub(super) fn is_io(error: &Error) -> bool {
    error.source().is_some_and(|source| source.is::<io::Error>())
}

/// The server ended the session: it stops, or someone ended it.
pub(super) fn is_shutdown(error: &Error) -> bool {
    let ends = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    error.code().is_some_and(|code| ends.contains(code))
}

pub(super) fn failure(error: &Error) -> StorageError {
    if let Some(reported) = error.as_db_error() {
        return classify(reported);
    }
    if error.is_closed() {
        return StorageError::Unavailable("the database closed the connection".into());
    }
    if let Some(source) = error.source() {
        if let Some(io) = source.downcast_ref::<io::Error>() {
            return StorageError::Unavailable(format!("the database cannot be reached: {io}"));
        }
        return StorageError::Other(format!("{error}: {source}"));
    }
    // The driver's own texts: "error connecting to server: …", "timed out", without values.
    let text = error.to_string();
    if text.contains("connect") || text.contains("timed out") || text.contains("timeout") {
        return StorageError::Unavailable(text);
    }
    StorageError::Other(text)
}

fn classify(error: &DbError) -> StorageError {
    let code = error.code();
    let unavailable = |reason: &str| StorageError::Unavailable(reason.to_owned());
    let table = error.table().unwrap_or_default();
    let column = |suffix: &str| constrained(error.constraint().unwrap_or_default(), table, suffix);
    match *code {
        SqlState::UNIQUE_VIOLATION => StorageError::Unique { fields: vec![column("_key")] },
        SqlState::FOREIGN_KEY_VIOLATION | SqlState::RESTRICT_VIOLATION => {
            StorageError::ForeignKey { table: table.to_owned(), field: column("_fkey") }
        }
        // An index takes no more; the schemas bound what clients can write, so this is the last fence.
        SqlState::PROGRAM_LIMIT_EXCEEDED => StorageError::Unstorable { field: column("_key") },
        SqlState::DISK_FULL => StorageError::Full,
        SqlState::TOO_MANY_CONNECTIONS => unavailable("the database has too many connections"),
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            unavailable("the database refuses the user or the password")
        }
        SqlState::INVALID_CATALOG_NAME => unavailable("the database of that name does not exist"),
        SqlState::QUERY_CANCELED => unavailable("a statement took too long"),
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => unavailable("the database is stopping"),
        SqlState::CANNOT_CONNECT_NOW => unavailable("the database is starting or stopping"),
        SqlState::READ_ONLY_SQL_TRANSACTION => unavailable("the database is read-only (a standby?)"),
        SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE | SqlState::LOCK_NOT_AVAILABLE => {
            unavailable("another transaction was in the way")
        }
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN => {
            StorageError::Other(format!("the database lacks a table or column ({}); was it migrated?", code.code()))
        }
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
            StorageError::Corrupt("PostgreSQL reports damaged data".into())
        }
        SqlState::INSUFFICIENT_PRIVILEGE => StorageError::Other("the database user lacks a privilege".into()),
        // Classes 08 (connection), 53 (resources), 57 (operator), 58 (system): the surroundings, not the statement.
        _ if ["08", "53", "57", "58"].iter().any(|class| code.code().starts_with(class)) => {
            StorageError::Unavailable(format!("the database is not serving (SQLSTATE {})", code.code()))
        }
        _ => StorageError::Other(format!("SQLSTATE {}", code.code())),
    }
}

/// The column of a constraint named by PostgreSQL's rule, `<table>_<column>_key`.
fn constrained(constraint: &str, table: &str, suffix: &str) -> String {
    let column = constraint.strip_prefix(table).and_then(|rest| rest.strip_suffix(suffix));
    match column {
        Some(column) => column.trim_start_matches('_').to_owned(),
        None if constraint.ends_with("_pkey") => "id".to_owned(),
        None => constraint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_from_names_of_constraints() {
        assert_eq!(constrained("consumers_username_key", "consumers", "_key"), "username");
        assert_eq!(constrained("routes_service_id_fkey", "routes", "_fkey"), "service_id");
        assert_eq!(constrained("consumers_pkey", "consumers", "_key"), "id");
    }
}
