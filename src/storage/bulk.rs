//! Many rows at once: a whole configuration in one transaction, and what a batch of tokens holds already.

use std::collections::HashSet;

use crate::domain::TokenDigest;
use crate::schema::{Entity, Schema};

use super::store::Outcome;
use super::value::Statement;
use super::{StorageError, Store, rows};

pub(super) const STATEMENTS: &[&str] = &[ANOTHER_VERSION];

/// Makes gateways read everything anew that they believe to know.
const ANOTHER_VERSION: &str = "UPDATE configuration_version SET version = version + 1 RETURNING version";
/// Tokens asked about at once: one statement for every batch.
pub const KNOWN_AT_ONCE: usize = 500;

/// A row to be stored with others.
pub struct Stored<'e> {
    pub schema: &'e Schema,
    /// Otherwise it replaces the row of its id.
    pub is_new: bool,
    pub entity: &'e Entity,
}

impl Store {
    /// Stores all of these or none, in the order given.
    ///
    /// # Errors
    /// [`StorageError::Unique`] and [`StorageError::ForeignKey`] name columns, and do not tell whose.
    /// [`StorageError::Unavailable`] when a row to be replaced has gone: then the others are stored.
    pub async fn put_all(&self, entities: &[Stored<'_>]) -> Outcome<()> {
        if entities.is_empty() {
            return Ok(());
        }
        let keyring = self.keyring();
        let mut statements = Vec::with_capacity(entities.len());
        for Stored { schema, is_new, entity } in entities {
            let table = self.table(schema);
            let params = rows::params(&table, entity, &keyring)?;
            statements.push(if *is_new {
                Statement::new(&table.insert, params)
            } else {
                Statement::new(&table.update, self.with_present(&table, params))
            });
        }
        let answers = self.driver().write(statements).await?;
        let is_gone = |(stored, answer): (&Stored<'_>, &Vec<_>)| !stored.is_new && answer.is_empty();
        if entities.iter().zip(&answers).any(is_gone) {
            return Err(StorageError::Unavailable(
                "something that was to be changed has been deleted meanwhile".into(),
            ));
        }
        Ok(())
    }

    /// Moves the version of the configuration, though nothing of it changed.
    pub async fn renew_configuration(&self) -> Outcome<()> {
        self.write(ANOTHER_VERSION, Vec::new()).await.map(drop)
    }

    /// Which of these access tokens are stored, ended or not; at most [`KNOWN_AT_ONCE`] are looked at.
    pub async fn known_tokens(&self, digests: &[TokenDigest]) -> Outcome<HashSet<TokenDigest>> {
        let Some(last) = digests.last() else { return Ok(HashSet::new()) };
        // The last one fills the places that are left.
        let asked = digests.iter().chain(std::iter::repeat(last)).take(KNOWN_AT_ONCE);
        let found = self.read(known(), asked.map(|digest| (*digest).into()).collect()).await?;
        found.into_iter().map(|row| row.read("oauth2_tokens").digest()).collect()
    }
}

/// Written once for a full batch.
pub(super) fn known() -> String {
    let places: Vec<String> = (1..=KNOWN_AT_ONCE).map(|place| format!("${place}")).collect();
    format!("SELECT access_token_digest FROM oauth2_tokens WHERE access_token_digest IN ({})", places.join(", "))
}
