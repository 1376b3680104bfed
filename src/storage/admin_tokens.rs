//! Tokens of the Admin API: a name, a role, a digest.

use crate::domain::TokenDigest;

use super::store::Outcome;
use super::value::{Columns, Value};
use super::{AdminRole, AdminToken, StorageError, Store};

pub(super) const STATEMENTS: &[&str] = &[INSERT, LIST, DELETE, FIND];

const INSERT: &str = "INSERT INTO admin_tokens (id, name, role, digest, created_at) VALUES ($1, $2, $3, $4, $5)";
const LIST: &str = "SELECT id, name, role, created_at, digest FROM admin_tokens ORDER BY name";
const DELETE: &str = "DELETE FROM admin_tokens WHERE name = $1 RETURNING id";
const FIND: &str = "SELECT id, name, role, created_at FROM admin_tokens WHERE digest = $1";

impl AdminRole {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::ReadOnly => "read-only",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Admin, Self::ReadOnly].into_iter().find(|role| role.as_str() == text)
    }
}

impl Store {
    /// # Errors
    /// [`StorageError::Unique`] when the name is taken.
    pub async fn insert_admin_token(&self, token: &AdminToken, digest: TokenDigest) -> Outcome<()> {
        if token.name.contains('\0') {
            return Err(StorageError::Unstorable { field: "name".into() });
        }
        let params: Vec<Value> = vec![
            token.id.into(),
            token.name.as_str().into(),
            token.role.as_str().into(),
            digest.into(),
            token.created_at.into(),
        ];
        self.write(INSERT, params).await.map(drop)
    }

    /// Every token with its digest, by name: few enough to be kept in memory.
    pub async fn list_admin_tokens(&self) -> Outcome<Vec<(AdminToken, TokenDigest)>> {
        let found = self.read(LIST, Vec::new()).await?;
        found
            .into_iter()
            .map(|row| {
                let mut columns = row.read("admin_tokens");
                Ok((token(&mut columns)?, columns.digest()?))
            })
            .collect()
    }

    /// False when there is none of that name.
    pub async fn delete_admin_token(&self, name: &str) -> Outcome<bool> {
        if name.contains('\0') {
            return Ok(false);
        }
        Ok(!self.write(DELETE, vec![name.into()]).await?.is_empty())
    }

    pub async fn find_admin_token(&self, digest: TokenDigest) -> Outcome<Option<AdminToken>> {
        let found = self.read(FIND, vec![digest.into()]).await?.pop();
        found.map(|row| token(&mut row.read("admin_tokens"))).transpose()
    }
}

fn token(columns: &mut Columns) -> Outcome<AdminToken> {
    let (id, name, role) = (columns.uuid()?, columns.text()?, columns.text()?);
    let role = AdminRole::parse(&role).ok_or_else(|| columns.fault("role is neither admin nor read-only"))?;
    Ok(AdminToken { id, name, role, created_at: columns.time()? })
}
