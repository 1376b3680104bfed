//! What PostgreSQL and its pool report, in the words of the room. The server's own texts may hold values of rows, so
//! only its codes and names of constraints are used.

use std::error::Error as _;
use std::io;

use deadpool::managed::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::storage::StorageError;

use super::address::Place;

/// Why a server cannot be used, in words for whoever runs the gateway.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub reason: String,
    /// It has no connection left: one of ours that comes free would do.
    pub is_full: bool,
}

impl Refusal {
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_full: false }
    }

    pub fn at(self, place: &Place) -> Self {
        Self { reason: format!("PostgreSQL at {place}: {}", self.reason), ..self }
    }

    /// Of all hosts; full when the one that would do is.
    pub fn of_all(refusals: Vec<Self>) -> Self {
        let is_full = refusals.iter().any(|refusal| refusal.is_full);
        let reasons: Vec<String> = refusals.into_iter().map(|refusal| refusal.reason).collect();
        Self { reason: reasons.join("; "), is_full }
    }
}

pub(super) fn pool_failure(error: PoolError<Refusal>) -> StorageError {
    StorageError::Unavailable(match error {
        PoolError::Backend(refusal) => refusal.reason,
        PoolError::Timeout(_) => "every database connection is busy".to_owned(),
        PoolError::Closed => "the store is closed".to_owned(),
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            "the connection pool is set up wrongly".to_owned()
        }
    })
}

/// Whatever keeps us from connecting may pass. No row is involved yet, so the server's own words may be told.
pub(super) fn connecting(error: &Error) -> Refusal {
    if let Some(reported) = error.as_db_error() {
        return refused(reported);
    }
    let source = error.source();
    if let Some(io) = source.and_then(|source| source.downcast_ref::<io::Error>()) {
        // Answers that are none of PostgreSQL's are an error of reading, too.
        let misread = [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData, io::ErrorKind::Other];
        if misread.contains(&io.kind()) {
            return Refusal::new("what answers there does not speak PostgreSQL's protocol: check database.url");
        }
        if io.kind() == io::ErrorKind::ConnectionReset {
            return Refusal::new(
                "the server broke the connection off: is it PostgreSQL, and is it running well? check database.url",
            );
        }
        return Refusal::new(format!("the server cannot be reached ({io}): check database.url, and whether it runs"));
    }
    if error.is_closed() {
        return Refusal::new(
            "the server closed the connection at once: is it stopping, or does it want TLS (sslmode)?",
        );
    }
    // The driver's own texts, such as a password that is missing or a certificate that is not trusted.
    let reason = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    Refusal::new(format!("{reason}: check database.url"))
}

fn refused(reported: &DbError) -> Refusal {
    let said = reported.message();
    let code = reported.code().code();
    let reason = match *reported.code() {
        SqlState::TOO_MANY_CONNECTIONS => {
            let reason = "the server has too many connections: raise its max_connections, or lower database.pool";
            return Refusal { reason: format!("{reason} ({said})"), is_full: true };
        }
        SqlState::INVALID_PASSWORD => "the server refuses the user or the password: check database.url".to_owned(),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            format!("the server lets this user not in ({said}): check database.url and its pg_hba.conf")
        }
        SqlState::INVALID_CATALOG_NAME => {
            "the database of that name does not exist: create it, or check database.url".to_owned()
        }
        SqlState::CANNOT_CONNECT_NOW | SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => {
            format!("the server is starting or stopping ({said})")
        }
        // What PgBouncer says of `options`.
        SqlState::PROTOCOL_VIOLATION if said.contains("startup parameter") => {
            format!("a pooler refuses our settings ({said}): add pgbouncer=true to database.url")
        }
        _ => format!("the server refuses us: {said} (SQLSTATE {code})"),
    };
    Refusal::new(reason)
}

/// The connection is gone, or leads to a server that is not to be used any more.
pub(super) fn is_lost(error: &Error) -> bool {
    let ends = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::DATABASE_DROPPED,
        SqlState::IDLE_SESSION_TIMEOUT,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    match error.code() {
        Some(code) => ends.contains(code) || code.code().starts_with("08") || is_shared(code),
        None => error.is_closed() || error.source().is_some_and(|source| source.is::<io::Error>()),
    }
}

/// Prepared statements were lost or are another's: somebody else uses this session, too.
fn is_shared(code: &SqlState) -> bool {
    [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT].contains(code)
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
    StorageError::Other(error.to_string())
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
        SqlState::QUERY_CANCELED => unavailable("a statement took too long"),
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => unavailable("the database is stopping"),
        SqlState::CANNOT_CONNECT_NOW => unavailable("the database is starting or stopping"),
        SqlState::READ_ONLY_SQL_TRANSACTION => unavailable("the database takes no writes (a standby?)"),
        ref code if is_shared(code) => unavailable(
            "prepared statements are lost between transactions: a pooler stands before the database; add \
             pgbouncer=true to database.url",
        ),
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
