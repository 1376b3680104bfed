//! Running statements on a connection.

use rusqlite::{Connection, TransactionBehavior, params_from_iter};

use crate::storage::StorageError;
use crate::storage::tokens::INSERT_TOKEN;
use crate::storage::value::{Row, Statement, Value};

use super::bind::{numbered, value};
use super::errors::failure;

type Outcome<T> = Result<T, StorageError>;

const RESTRICTING: &str = "SELECT m.name, f.\"from\" FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f
    WHERE m.type = 'table' AND f.\"table\" = ?1 AND f.on_delete IN ('RESTRICT', 'NO ACTION')";

fn one(connection: &Connection, sql: &str, params: &[Value]) -> Outcome<Vec<Row>> {
    let mut statement = connection.prepare_cached(&numbered(sql)).map_err(failure)?;
    let columns = statement.column_count();
    let mut found = statement.query(params_from_iter(params)).map_err(failure)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(failure)? {
        let mut cells = Vec::with_capacity(columns);
        for place in 0..columns {
            cells.push(value(row.get_ref(place).map_err(failure)?));
        }
        rows.push(Row(cells));
    }
    Ok(rows)
}

fn all(connection: &Connection, statements: &[Statement]) -> Outcome<Vec<Vec<Row>>> {
    statements.iter().map(|statement| one(connection, statement.sql.text(), &statement.params)).collect()
}

pub(super) fn reads(connection: &mut Connection, statements: &[Statement]) -> Outcome<Vec<Vec<Row>>> {
    if let [statement] = statements {
        return Ok(vec![one(connection, statement.sql.text(), &statement.params)?]);
    }
    let transaction = connection.transaction().map_err(failure)?;
    all(&transaction, statements)
}

pub(super) fn writes(connection: &mut Connection, statements: &[Statement]) -> Outcome<Vec<Vec<Row>>> {
    if let [statement] = statements {
        return Ok(vec![one(connection, statement.sql.text(), &statement.params)?]);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    let answers = all(&transaction, statements)?;
    transaction.commit().map_err(failure)?;
    Ok(answers)
}

/// A row that breaks a constraint is undone alone; anything worse undoes the batch.
pub(super) fn insert_tokens(connection: &mut Connection, rows: &[Vec<Value>]) -> Outcome<Vec<Outcome<()>>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        outcomes.push(match one(&transaction, INSERT_TOKEN, row) {
            Ok(_) => Ok(()),
            Err(refused @ (StorageError::Unique { .. } | StorageError::ForeignKey { .. })) => Err(refused),
            Err(other) => return Err(other),
        });
    }
    transaction.commit().map_err(failure)?;
    Ok(outcomes)
}

pub(super) fn restricting(connection: &mut Connection, table: &str) -> Outcome<Vec<(String, String)>> {
    let rows = one(connection, RESTRICTING, &[table.into()])?;
    rows.into_iter()
        .map(|row| {
            let mut columns = row.read("sqlite_master");
            Ok((columns.text()?, columns.text()?))
        })
        .collect()
}

pub(super) fn prepare(connection: &mut Connection, sql: &str) -> Outcome<()> {
    connection.prepare(&numbered(sql)).map(drop).map_err(failure)
}
