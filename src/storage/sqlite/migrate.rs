//! Migrations on SQLite: one exclusive transaction for all that is missing.

use rusqlite::{Connection, TransactionBehavior, params};

use crate::domain::Timestamp;
use crate::storage::StorageError;
use crate::storage::migrations::{
    APPLIED, Applied, READERS, RECORD, Source, TABLE, known, missing, newer, note_readers,
};

use super::bind::numbered;
use super::errors::failure;

fn applied(connection: &Connection) -> Result<Vec<Applied>, StorageError> {
    let mut statement = connection.prepare(APPLIED).map_err(failure)?;
    let rows = statement.query_map([], |row| {
        let applied_at = Timestamp::from_millis(row.get(2)?);
        Ok(Applied { version: row.get(0)?, checksum: row.get(1)?, applied_at, oldest_reader: None })
    });
    let mut applied: Vec<Applied> = rows.and_then(Iterator::collect).map_err(failure)?;
    if newer(&applied, known()).is_some() {
        let mut statement = connection.prepare(&numbered(READERS)).map_err(failure)?;
        let rows = statement.query_map([known()], |row| Ok((row.get(0)?, row.get(1)?)));
        let readers: Vec<_> = rows.and_then(Iterator::collect).map_err(failure)?;
        note_readers(&mut applied, &readers);
    }
    Ok(applied)
}

pub(super) fn up(connection: &mut Connection, sources: &[Source], now: i64) -> Result<(), StorageError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(failure)?;
    transaction.execute_batch(TABLE).map_err(failure)?;
    for source in missing(sources, &applied(&transaction)?)? {
        transaction.execute_batch(source.sql).map_err(failure)?;
        let record = params![source.version, source.name, source.checksum(), now];
        transaction.execute(&numbered(RECORD), record).map_err(failure)?;
    }
    transaction.commit().map_err(failure)
}
