//! Documents: a service has one.

use uuid::Uuid;

use crate::schema::{Entity, Schema};

use super::store::Outcome;
use super::value::Statement;
use super::{StorageError, Store, rows};

pub(super) const STATEMENTS: &[&str] = &[DELETE];

const DELETE: &str = "DELETE FROM document_objects WHERE service_id = $1 RETURNING id";

/// How often it is tried when others put documents there too.
const ATTEMPTS: usize = 5;

impl Store {
    /// Stores a document in the place of the one its service has.
    ///
    /// # Errors
    /// [`StorageError::ForeignKey`] when there is no such service; [`StorageError::Unique`] for an id that is taken.
    pub async fn replace_document(&self, schema: &Schema, service: Uuid, document: &Entity) -> Outcome<()> {
        let table = self.table(schema);
        let params = rows::params(&table, document, &self.keyring())?;
        for _ in 0..ATTEMPTS {
            let delete = Statement::new(DELETE, vec![service.into()]);
            let insert = Statement::new(&table.insert, params.clone());
            match self.driver().write(vec![delete, insert]).await {
                // Another one came between our two statements.
                Err(StorageError::Unique { fields }) if fields.iter().any(|column| column == "service_id") => {}
                Err(StorageError::ForeignKey { .. }) => {
                    return Err(StorageError::ForeignKey { table: table.name.to_owned(), field: "service".to_owned() });
                }
                done => return done.map(drop),
            }
        }
        Err(StorageError::Unavailable("the document of the service changes all the time".to_owned()))
    }
}
