//! Opening a database file: who may, and whether it is sound.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::storage::{Role, SqliteOptions, StorageError};

use super::errors::failure;

/// A connection, and the lock that goes with it (dropped after it).
pub(super) struct Opened {
    pub connection: Connection,
    _lock: Option<File>,
}

/// Files up to this size are checked whole when opened.
const CHECKED: u64 = 64 << 20;
const STATEMENTS: usize = 256;
/// How long a gateway waits for the one before it to let go of the file.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

pub(super) fn writer(options: &SqliteOptions) -> impl FnOnce() -> Result<Opened, StorageError> + Send + 'static {
    let options = options.clone();
    move || {
        let Some(path) = &options.path else {
            let connection = Connection::open_in_memory().map_err(failure)?;
            configure(&connection, &options)?;
            return Ok(Opened { connection, _lock: None });
        };
        let lock = if options.role == Role::Gateway { Some(lock(path)?) } else { None };
        let connection = connect(path)?;
        configure(&connection, &options).map_err(|error| about(path, error))?;
        check(&connection, path)?;
        Ok(Opened { connection, _lock: lock })
    }
}

pub(super) fn reader(options: &SqliteOptions) -> impl FnOnce() -> Result<Opened, StorageError> + Send + 'static {
    let options = options.clone();
    move || {
        let path = options.path.as_deref().expect("a store in memory has no readers");
        let connection = connect(path)?;
        configure(&connection, &options)?;
        connection.pragma_update(None, "query_only", true).map_err(failure)?;
        Ok(Opened { connection, _lock: None })
    }
}

/// Takes the lock file beside the database. Not the database itself: closing any other handle of a file drops the
/// locks SQLite holds on it.
fn lock(path: &Path) -> Result<File, StorageError> {
    let beside = PathBuf::from(OsString::from_iter([path.as_os_str(), ".lock".as_ref()]));
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&beside);
    let file = file.map_err(|error| refused(&beside, &error))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(refused(&beside, &error)),
        }
    }
    let name = path.display();
    Err(StorageError::Unavailable(format!("another tollgate is running on {name}: one gateway per SQLite file")))
}

fn refused(path: &Path, error: &std::io::Error) -> StorageError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return StorageError::Full;
    }
    StorageError::Unavailable(format!("{} cannot be opened: {error}", path.display()))
}

fn connect(path: &Path) -> Result<Connection, StorageError> {
    // Made here and not by SQLite, so that nobody else may read it.
    match OpenOptions::new().create_new(true).write(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(refused(path, &error)),
        _ => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|error| about(path, failure(error)))
}

fn configure(connection: &Connection, options: &SqliteOptions) -> Result<(), StorageError> {
    connection.busy_timeout(Duration::from_secs(5)).map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let pragma = |name: &str, value: &dyn rusqlite::ToSql| connection.pragma_update(None, name, value).map_err(failure);
    if options.path.is_some() {
        pragma("journal_mode", &"wal")?;
        pragma("synchronous", &"full")?;
        pragma("journal_size_limit", &(64_i64 << 20))?;
    }
    pragma("foreign_keys", &true)?;
    pragma("trusted_schema", &false)?;
    if let Some(pages) = options.max_pages {
        pragma("max_page_count", &pages)?;
    }
    Ok(())
}

fn check(connection: &Connection, path: &Path) -> Result<(), StorageError> {
    let small = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() <= CHECKED);
    let question = if small { "PRAGMA quick_check(1)" } else { "SELECT 'ok' FROM sqlite_master LIMIT 1" };
    let verdict = connection.query_row(question, [], |row| row.get::<_, String>(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(_) => Err(StorageError::Corrupt(format!("{} does not pass SQLite's own check", path.display()))),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(()),
        Err(error) => Err(about(path, failure(error))),
    }
}

/// Names the file in an error of opening it.
fn about(path: &Path, error: StorageError) -> StorageError {
    let name = path.display();
    match error {
        StorageError::Corrupt(reason) => StorageError::Corrupt(format!("{name}: {reason}")),
        StorageError::Unavailable(reason) => StorageError::Unavailable(format!("{name}: {reason}")),
        StorageError::Other(reason) => StorageError::Other(format!("{name}: {reason}")),
        other => other,
    }
}
