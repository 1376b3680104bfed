//! Tokens by what they have in common: counted, and taken away in bites before what they hang on goes. One statement
//! would hold millions of rows, and end by its time.

use uuid::Uuid;

use super::Store;
use super::revocations::unrevoked;
use super::store::Outcome;
use super::value::{Value, count};

/// What tokens have in common; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFilter {
    pub consumer: Option<Uuid>,
    pub credential: Option<Uuid>,
    pub service: Option<Uuid>,
    pub authenticated_userid: Option<String>,
}

impl TokenFilter {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether no token can fit: none has such a text.
    pub(super) fn is_impossible(&self) -> bool {
        self.authenticated_userid.as_ref().is_some_and(|text| text.contains('\0'))
    }

    /// The conditions on a row `t`, with parameters from `place` on.
    pub(super) fn conditions(&self, mut place: usize) -> (String, Vec<Value>) {
        let given: [(&str, Option<Value>); 4] = [
            (
                "t.credential_id IN (SELECT h.id FROM oauth2_credentials AS h WHERE h.consumer_id = $)",
                self.consumer.map(Value::from),
            ),
            ("t.credential_id = $", self.credential.map(Value::from)),
            ("t.service_id = $", self.service.map(Value::from)),
            ("t.authenticated_userid = $", self.authenticated_userid.as_deref().map(Value::from)),
        ];
        let (mut text, mut params) = (String::new(), Vec::new());
        for (condition, value) in given {
            let Some(value) = value else { continue };
            text.push_str(" AND ");
            text.push_str(&condition.replace('$', &format!("${place}")));
            params.push(value);
            place += 1;
        }
        (text, params)
    }

    /// One filter of each kind, for the test that prepares every statement.
    pub(super) fn kinds() -> impl Iterator<Item = Self> {
        (0..16_u8).map(|given| Self {
            authenticated_userid: (given & 1 > 0).then(String::new),
            credential: (given & 2 > 0).then(Uuid::nil),
            service: (given & 4 > 0).then(Uuid::nil),
            consumer: (given & 8 > 0).then(Uuid::nil),
        })
    }
}

/// Whose tokens go with an application, a developer or a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Application(Uuid),
    Developer(Uuid),
    Credential(Uuid),
}

/// `$1` is the limit.
const DRAIN_APPLICATION: &str = "DELETE FROM oauth2_tokens WHERE id IN (SELECT t.id FROM oauth2_tokens AS t
    JOIN oauth2_credentials AS c ON c.id = t.credential_id JOIN applications AS a ON a.consumer_id = c.consumer_id
    WHERE a.id = $2 LIMIT $1) RETURNING id";
const DRAIN_DEVELOPER: &str = "DELETE FROM oauth2_tokens WHERE id IN (SELECT t.id FROM oauth2_tokens AS t
    JOIN oauth2_credentials AS c ON c.id = t.credential_id JOIN applications AS a ON a.consumer_id = c.consumer_id
    WHERE a.developer_id = $2 LIMIT $1) RETURNING id";
const DRAIN_CREDENTIAL: &str = "DELETE FROM oauth2_tokens WHERE id IN
    (SELECT id FROM oauth2_tokens WHERE credential_id = $2 LIMIT $1) RETURNING id";

impl Store {
    /// Deletes at most `limit` tokens of a holder; gives how many.
    pub async fn drain_tokens(&self, holder: Holder, limit: usize) -> Outcome<usize> {
        let (sql, id) = match holder {
            Holder::Application(id) => (DRAIN_APPLICATION, id),
            Holder::Developer(id) => (DRAIN_DEVELOPER, id),
            Holder::Credential(id) => (DRAIN_CREDENTIAL, id),
        };
        Ok(self.write(sql, vec![count(limit), id.into()]).await?.len())
    }

    /// How many live tokens there are, exactly up to `limit`; `limit + 1` when there are more.
    pub async fn count_tokens(&self, filter: &TokenFilter, limit: usize) -> Outcome<u64> {
        if filter.is_impossible() {
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
fn counting(conditions: &str) -> String {
    format!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM oauth2_tokens AS t
            WHERE (t.expires_at IS NULL OR t.expires_at > $1) AND {}{conditions} LIMIT $2) AS counted",
        unrevoked!("t")
    )
}

/// Every statement, for the test that prepares them.
pub(super) fn statements() -> Vec<String> {
    let mut every = [DRAIN_APPLICATION, DRAIN_DEVELOPER, DRAIN_CREDENTIAL].map(str::to_owned).to_vec();
    every.extend(TokenFilter::kinds().map(|filter| counting(&filter.conditions(3).0)));
    every
}
