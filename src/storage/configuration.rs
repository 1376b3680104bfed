//! What the data plane compiles its snapshot from.

use std::sync::Arc;

use crate::schema::{Entity, Schema};

use super::store::Outcome;
use super::table::Table;
use super::value::{Row, Statement};
use super::{StorageError, Store, rows};

pub(super) const STATEMENTS: &[&str] = &[PLUGINS_IN_USE, VERSION];

const PLUGINS_IN_USE: &str = "SELECT DISTINCT name FROM plugins WHERE enabled = $1 ORDER BY name";
/// Moved by triggers, in the transaction of the change.
const VERSION: &str = "SELECT version FROM configuration_version";

impl Store {
    /// Names of the plugins that are enabled somewhere.
    pub async fn plugins_in_use(&self) -> Outcome<Vec<String>> {
        let found = self.read(PLUGINS_IN_USE, vec![true.into()]).await?;
        found.into_iter().map(|row| row.read("plugins").text()).collect()
    }

    /// A number that is another after every committed change of services, routes, plugins, certificates, SNIs or CA
    /// certificates, whoever made it. It only goes up.
    pub async fn configuration_version(&self) -> Outcome<i64> {
        version(self.read(VERSION, Vec::new()).await?)
    }

    /// All rows of these tables as of one moment, in the order of the argument, rows in the order of ids; and the version
    /// of that moment.
    pub async fn load_configuration(&self, schemas: &[&Schema]) -> Outcome<(i64, Vec<Vec<Entity>>)> {
        let tables: Vec<_> = schemas.iter().map(|schema| self.table(schema)).collect();
        let mut reads = vec![Statement::new(VERSION, Vec::new())];
        reads.extend(tables.iter().map(|table| Statement::new(&table.all, Vec::new())));
        let mut answers = self.driver().read(reads).await?.into_iter();
        let version = version(answers.next().unwrap_or_default())?;
        let keyring = self.keyring();
        let entities = |(table, found): (&Arc<Table>, Vec<Row>)| {
            found.into_iter().map(|row| rows::entity(table, row, &keyring)).collect::<Outcome<Vec<_>>>()
        };
        Ok((version, tables.iter().zip(answers).map(entities).collect::<Outcome<_>>()?))
    }
}

fn version(mut found: Vec<Row>) -> Outcome<i64> {
    let missing = || StorageError::Other("the row of configuration_version is missing; was it deleted by hand?".into());
    found.pop().ok_or_else(missing)?.read("configuration_version").int()
}
