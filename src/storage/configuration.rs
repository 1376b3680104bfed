//! What the data plane compiles its snapshot from.

use crate::schema::{Entity, Schema};

use super::store::Outcome;
use super::value::Statement;
use super::{Store, rows};

pub(super) const STATEMENTS: &[&str] = &[PLUGINS_IN_USE];

const PLUGINS_IN_USE: &str = "SELECT DISTINCT name FROM plugins WHERE enabled = $1 ORDER BY name";

impl Store {
    /// Names of the plugins that are enabled somewhere.
    pub async fn plugins_in_use(&self) -> Outcome<Vec<String>> {
        let found = self.read(PLUGINS_IN_USE, vec![true.into()]).await?;
        found.into_iter().map(|row| row.read("plugins").text()).collect()
    }

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
