//! Schema versions: forward only, checksummed, the same numbers for both databases.

use sha2::{Digest, Sha256};

use crate::domain::Timestamp;

use super::{Migration, StorageError};

/// A migration of this program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub version: i64,
    pub name: &'static str,
    pub sql: &'static str,
}

/// A migration that the database has seen.
#[derive(Clone, Debug)]
pub(super) struct Applied {
    pub version: i64,
    pub checksum: String,
    pub applied_at: Timestamp,
    /// Of a migration that this program does not know: the oldest schema version whose programs may go on.
    pub oldest_reader: Option<i64>,
}

macro_rules! sources {
    ($folder:literal: $($version:literal $name:literal),* $(,)?) => {
        &[$(Source {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../sql/", $folder, "/", $name, ".sql")),
        }),*]
    };
}

const POSTGRES: &[Source] = sources!("postgres": 1 "0001_first", 2 "0002_grants", 3 "0003_keys", 4 "0004_registration", 5 "0005_cluster",
        6 "0006_revocations", 7 "0007_readers");
const SQLITE: &[Source] = sources!("sqlite": 1 "0001_first", 2 "0002_grants", 3 "0003_keys", 4 "0004_registration", 5 "0005_cluster",
        6 "0006_revocations", 7 "0007_readers");

/// The table that remembers; the same text for both.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";
pub(super) const APPLIED: &str = "SELECT version, checksum, applied_at FROM schema_migrations ORDER BY version";
/// Of migrations newer than `$1`. The table is there when such a one is.
pub(super) const READERS: &str = "SELECT version, oldest FROM schema_readers WHERE version > $1";
pub(super) const RECORD: &str =
    "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";

pub(super) fn sources(dialect: &str) -> &'static [Source] {
    if dialect == "postgres" { POSTGRES } else { SQLITE }
}

/// Highest version this program knows.
pub(super) fn known() -> i64 {
    POSTGRES.last().map_or(0, |source| source.version)
}

impl Source {
    /// SHA-256 over the text with its line endings normalised, in hexadecimal.
    pub fn checksum(&self) -> String {
        let digest = Sha256::digest(self.sql.replace("\r\n", "\n").as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Notes who may go on with migrations that this program does not know.
pub(super) fn note_readers(applied: &mut [Applied], readers: &[(i64, i64)]) {
    for row in applied {
        row.oldest_reader = readers.iter().find(|(version, _)| *version == row.version).map(|(_, oldest)| *oldest);
    }
}

/// The newest migration that this program does not know.
pub(super) fn newer(applied: &[Applied], known: i64) -> Option<i64> {
    applied.iter().map(|row| row.version).filter(|version| *version > known).max()
}

/// Compares what was applied with what is known and gives what is missing. A newer database will do when its newer
/// migrations say so: nodes are replaced one by one, and one that is still to be replaced may start again.
///
/// # Errors
/// A newer database that is not for this program, a migration whose text has changed since.
pub(super) fn missing(sources: &[Source], applied: &[Applied]) -> Result<Vec<Source>, StorageError> {
    let known = sources.last().map_or(0, |source| source.version);
    for row in applied {
        let Some(source) = sources.iter().find(|source| source.version == row.version) else {
            if row.version > known && row.oldest_reader.is_some_and(|oldest| oldest <= known) {
                continue;
            }
            return Err(StorageError::NewerSchema { found: row.version, known });
        };
        if source.checksum() != row.checksum {
            return Err(StorageError::MigrationChanged { version: row.version });
        }
    }
    let unseen = |source: &&Source| !applied.iter().any(|row| row.version == source.version);
    Ok(sources.iter().filter(unseen).copied().collect())
}

/// Every known migration and when it was applied.
pub(super) fn status(sources: &[Source], applied: &[Applied]) -> Vec<Migration> {
    let at = |version| applied.iter().find(|row| row.version == version).map(|row| row.applied_at);
    let entry = |source: &Source| Migration {
        version: source.version,
        name: source.name.to_owned(),
        applied_at: at(source.version),
    };
    sources.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(version: i64, checksum: String) -> Applied {
        Applied { version, checksum, applied_at: Timestamp::from_millis(0), oldest_reader: None }
    }

    #[test]
    fn both_folders_have_the_same_numbers_in_order() {
        let numbers = |sources: &[Source]| sources.iter().map(|source| source.version).collect::<Vec<_>>();
        assert_eq!(numbers(POSTGRES), numbers(SQLITE));
        assert_eq!(numbers(POSTGRES), (1..=known()).collect::<Vec<_>>());
    }

    #[test]
    fn line_endings_do_not_change_a_checksum() {
        let unix = Source { version: 1, name: "a", sql: "a\nb\n" };
        let dos = Source { version: 1, name: "a", sql: "a\r\nb\r\n" };
        assert_eq!(unix.checksum(), dos.checksum());
    }

    #[test]
    fn what_is_missing_is_applied_and_what_is_newer_or_changed_is_refused() {
        let sources = [Source { version: 1, name: "a", sql: "a" }, Source { version: 2, name: "b", sql: "b" }];
        let first = applied(1, sources[0].checksum());
        let names = |missing: Vec<Source>| missing.iter().map(|source| source.name).collect::<Vec<_>>();
        assert_eq!(names(missing(&sources, &[]).unwrap()), ["a", "b"]);
        assert_eq!(names(missing(&sources, std::slice::from_ref(&first)).unwrap()), ["b"]);
        let later = applied(3, String::new());
        let newer = missing(&sources, &[first.clone(), later.clone()]);
        assert_eq!(newer.unwrap_err(), StorageError::NewerSchema { found: 3, known: 2 });
        let mut readable = [first, applied(2, sources[1].checksum()), later];
        note_readers(&mut readable, &[(3, 2), (4, 9)]);
        assert_eq!(names(missing(&sources, &readable).unwrap()), [""; 0]);
        assert_eq!((super::newer(&readable, 2), super::newer(&readable, 3)), (Some(3), None));
        note_readers(&mut readable, &[(3, 3)]);
        assert!(missing(&sources, &readable).is_err());
        let changed = missing(&sources, &[applied(1, "other".into())]);
        assert_eq!(changed.unwrap_err(), StorageError::MigrationChanged { version: 1 });
    }
}
