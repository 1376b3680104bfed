//! Ending tokens by what they have in common, in bites: one statement would hold millions of rows, and end by its time.

use uuid::Uuid;

use crate::domain::TokenDigest;

use super::Store;
use super::store::Outcome;
use super::value::{Row, Value, count};

/// What the tokens have in common; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFilter {
    pub authenticated_userid: Option<String>,
    pub credential: Option<Uuid>,
    pub service: Option<Uuid>,
}

impl TokenFilter {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The conditions, with parameters from `place` on.
    fn conditions(&self, mut place: usize) -> (String, Vec<Value>) {
        let given: [(&str, Option<Value>); 3] = [
            ("authenticated_userid", self.authenticated_userid.as_deref().map(Value::from)),
            ("credential_id", self.credential.map(Value::from)),
            ("service_id", self.service.map(Value::from)),
        ];
        let (mut text, mut params) = (String::new(), Vec::new());
        for (column, value) in given {
            let Some(value) = value else { continue };
            text.push_str(&format!(" AND {column} = ${place}"));
            params.push(value);
            place += 1;
        }
        (text, params)
    }
}

/// Whose tokens go with a contract, an application, a developer or a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Contract { application: Uuid, service: Uuid },
    Application(Uuid),
    Developer(Uuid),
    Credential(Uuid),
}

/// `$1` is the limit.
const DRAIN_CONTRACT: &str = "DELETE FROM oauth2_tokens WHERE id IN (SELECT t.id FROM oauth2_tokens AS t
    JOIN oauth2_credentials AS c ON c.id = t.credential_id JOIN applications AS a ON a.consumer_id = c.consumer_id
    WHERE a.id = $2 AND t.service_id = $3 LIMIT $1) RETURNING id";
const DRAIN_APPLICATION: &str = "DELETE FROM oauth2_tokens WHERE id IN (SELECT t.id FROM oauth2_tokens AS t
    JOIN oauth2_credentials AS c ON c.id = t.credential_id JOIN applications AS a ON a.consumer_id = c.consumer_id
    WHERE a.id = $2 LIMIT $1) RETURNING id";
const DRAIN_DEVELOPER: &str = "DELETE FROM oauth2_tokens WHERE id IN (SELECT t.id FROM oauth2_tokens AS t
    JOIN oauth2_credentials AS c ON c.id = t.credential_id JOIN applications AS a ON a.consumer_id = c.consumer_id
    WHERE a.developer_id = $2 LIMIT $1) RETURNING id";
const DRAIN_CREDENTIAL: &str = "DELETE FROM oauth2_tokens WHERE id IN
    (SELECT id FROM oauth2_tokens WHERE credential_id = $2 LIMIT $1) RETURNING id";

/// No token has such a text.
fn is_impossible(filter: &TokenFilter) -> bool {
    filter.authenticated_userid.as_ref().is_some_and(|text| text.contains('\0'))
}

impl Store {
    /// Deletes at most `limit` live tokens; gives the digests of their access tokens. No filter matches nothing.
    pub async fn delete_tokens(&self, filter: &TokenFilter, limit: usize) -> Outcome<Vec<TokenDigest>> {
        if filter.is_empty() || is_impossible(filter) {
            return Ok(Vec::new());
        }
        let (conditions, given) = filter.conditions(3);
        let params = [self.now().into(), count(limit)].into_iter().chain(given).collect();
        let deleted = self.write(deleting(&conditions), params).await?;
        deleted.into_iter().map(|row: Row| row.read("oauth2_tokens").digest()).collect()
    }

    /// Deletes at most `limit` tokens of a holder; gives how many.
    pub async fn drain_tokens(&self, holder: Holder, limit: usize) -> Outcome<usize> {
        let (sql, mut params) = match holder {
            Holder::Contract { application, service } => (DRAIN_CONTRACT, vec![application.into(), service.into()]),
            Holder::Application(id) => (DRAIN_APPLICATION, vec![id.into()]),
            Holder::Developer(id) => (DRAIN_DEVELOPER, vec![id.into()]),
            Holder::Credential(id) => (DRAIN_CREDENTIAL, vec![id.into()]),
        };
        params.insert(0, count(limit));
        Ok(self.write(sql, params).await?.len())
    }

    /// Deletes authorization codes that nobody has redeemed; gives how many.
    pub async fn delete_codes(&self, filter: &TokenFilter) -> Outcome<usize> {
        if filter.is_empty() || is_impossible(filter) {
            return Ok(0);
        }
        let (conditions, params) = filter.conditions(1);
        Ok(self.write(deleting_codes(&conditions), params).await?.len())
    }

    /// How many live tokens there are, exactly up to `limit`; `limit + 1` when there are more.
    pub async fn count_tokens(&self, filter: &TokenFilter, limit: usize) -> Outcome<u64> {
        if is_impossible(filter) {
            return Ok(0);
        }
        let (conditions, given) = filter.conditions(3);
        let params = [self.now().into(), count(limit.saturating_add(1))].into_iter().chain(given).collect();
        let counted = self.read(counting(&conditions), params).await?.pop();
        let number = counted.map_or(Ok(0), |row| row.read("oauth2_tokens").int())?;
        Ok(u64::try_from(number).unwrap_or(0))
    }
}

/// `$1` is the present, `$2` the limit.
fn deleting(conditions: &str) -> String {
    format!(
        "DELETE FROM oauth2_tokens WHERE id IN (SELECT id FROM oauth2_tokens
            WHERE (expires_at IS NULL OR expires_at > $1){conditions} LIMIT $2) RETURNING access_token_digest"
    )
}

fn deleting_codes(conditions: &str) -> String {
    format!("DELETE FROM oauth2_authorization_codes WHERE consumed_at IS NULL{conditions} RETURNING id")
}

fn counting(conditions: &str) -> String {
    format!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM oauth2_tokens
            WHERE (expires_at IS NULL OR expires_at > $1){conditions} LIMIT $2) AS counted"
    )
}

/// Every statement, for the test that prepares them.
pub(super) fn statements() -> Vec<String> {
    let mut every = [DRAIN_CONTRACT, DRAIN_APPLICATION, DRAIN_DEVELOPER, DRAIN_CREDENTIAL].map(str::to_owned).to_vec();
    for given in 0..8_u8 {
        let filter = TokenFilter {
            authenticated_userid: (given & 1 > 0).then(String::new),
            credential: (given & 2 > 0).then(Uuid::nil),
            service: (given & 4 > 0).then(Uuid::nil),
        };
        let conditions = filter.conditions(3).0;
        every.extend([deleting(&conditions), counting(&conditions), deleting_codes(&filter.conditions(1).0)]);
    }
    every
}
