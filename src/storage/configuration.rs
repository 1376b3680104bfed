//! What the data plane compiles its snapshot from.

use crate::schema::{Entity, Schema};

use super::store::Outcome;
use super::value::Statement;
use super::{Store, rows};

impl Store {
    /// All rows of these tables as of one moment, in the order of the argument; rows in the order of ids.
    pub async fn load_configuration(&self, schemas: &[&Schema]) -> Outcome<Vec<Vec<Entity>>> {
        let tables: Vec<_> = schemas.iter().map(|schema| self.table(schema)).collect();
        let reads = tables.iter().map(|table| Statement::new(&table.all, Vec::new())).collect();
        let answers = self.driver().read(reads).await?;
        let keyring = self.keyring();
        let loaded = tables.iter().zip(answers);
        loaded.map(|(table, found)| found.into_iter().map(|row| rows::entity(table, row, &keyring)).collect()).collect()
    }
}
