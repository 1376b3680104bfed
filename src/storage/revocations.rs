//! Revocations by what tokens have in common: one row ends everything of X that was issued before it.
//!
//! What "before" means is not left to clocks, of which every node has its own. Revocations are numbered in the order of
//! their commits, and a token or code bears the number of the last one that was seen by the statement which stored it. A
//! revocation ends what bears a lower number: also what was being stored meanwhile and commits later, and nothing that was
//! asked for after it was answered. Whoever issues on the strength of another row (a code, a refresh token) sees in one
//! statement that no revocation has ended that row, and takes the number.
//!
//! The row is in force from its commit on. Removing what it has ended, in bites, is for the space only; the row leaves
//! when all of that is gone and every statement that had not seen it is over.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::Timestamp;

use super::Store;
use super::registration_tokens::TokenFilter;
use super::store::Outcome;
use super::value::{Row, Statement, Value, count};

/// Number of the last revocation: what a row that is stored now bears.
macro_rules! last_revocation {
    () => {
        "(SELECT number FROM oauth2_revocation_count)"
    };
}

/// That no revocation has ended a row of tokens or codes, by its alias and its consumer's id. The first question looks
/// among the revocations of its user, the second among those of any user; both find theirs by an index.
macro_rules! unrevoked {
    ($row:literal) => {
        $crate::storage::revocations::unrevoked!(
            $row,
            concat!("(SELECT h.consumer_id FROM oauth2_credentials AS h WHERE h.id = ", $row, ".credential_id)")
        )
    };
    ($row:literal, $consumer:expr) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM oauth2_revocations AS k
                WHERE k.authenticated_userid = ",
            $row,
            ".authenticated_userid AND k.number > ",
            $row,
            ".issued_after
                AND (k.credential_id IS NULL OR k.credential_id = ",
            $row,
            ".credential_id)
                AND (k.service_id IS NULL OR k.service_id = ",
            $row,
            ".service_id)
                AND (k.consumer_id IS NULL OR k.consumer_id = ",
            $consumer,
            "))
            AND NOT EXISTS (SELECT 1 FROM oauth2_revocations AS k
                WHERE k.authenticated_userid IS NULL AND k.number > ",
            $row,
            ".issued_after
                AND COALESCE(k.credential_id, k.consumer_id, k.service_id)
                    IN (",
            $row,
            ".credential_id, ",
            $row,
            ".service_id, ",
            $consumer,
            ")
                AND (k.credential_id IS NULL OR k.credential_id = ",
            $row,
            ".credential_id)
                AND (k.service_id IS NULL OR k.service_id = ",
            $row,
            ".service_id)
                AND (k.consumer_id IS NULL OR k.consumer_id = ",
            $consumer,
            "))"
        )
    };
}

pub(super) use {last_revocation, unrevoked};

pub(super) const STATEMENTS: &[&str] = &[ADVANCE, RECORD, RECORD_CONTRACT, RECORD_DEVELOPER, LAST, LIST];

/// Held until the commit: numbers are in the order of commits.
const ADVANCE: &str = "UPDATE oauth2_revocation_count SET number = number + 1 RETURNING number";
/// A revocation of the same takes the place of the one before, which it covers.
const RECORD: &str = "INSERT INTO oauth2_revocations
        (id, number, consumer_id, credential_id, service_id, authenticated_userid, created_at)
    SELECT $1, number, $2, $3, $4, $5, $6 FROM oauth2_revocation_count WHERE 1 = 1
    ON CONFLICT (id) DO UPDATE SET number = excluded.number, created_at = excluded.created_at RETURNING number";
/// What an application was granted for a service; the id is that of the contract.
const RECORD_CONTRACT: &str = "INSERT INTO oauth2_revocations (id, number, consumer_id, service_id, created_at)
    SELECT $1, n.number, a.consumer_id, $3, $4 FROM applications AS a, oauth2_revocation_count AS n WHERE a.id = $2
    ON CONFLICT (id) DO UPDATE SET number = excluded.number, created_at = excluded.created_at RETURNING number";
/// What all applications of a developer were granted; the ids are those of the applications.
const RECORD_DEVELOPER: &str = "INSERT INTO oauth2_revocations (id, number, consumer_id, created_at)
    SELECT a.id, n.number, a.consumer_id, $2 FROM applications AS a, oauth2_revocation_count AS n
    WHERE a.developer_id = $1
    ON CONFLICT (id) DO UPDATE SET number = excluded.number, created_at = excluded.created_at RETURNING number";

const LAST: &str = "SELECT number FROM oauth2_revocation_count";
const LIST: &str = "SELECT id, number, consumer_id, credential_id, service_id, authenticated_userid
    FROM oauth2_revocations WHERE number <= $1 ORDER BY number, id LIMIT $2";

/// A revocation in force. Its filter says what it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    pub id: Uuid,
    /// Of two, the higher one was committed later.
    pub number: i64,
    pub filter: TokenFilter,
}

/// What was removed at once of the tokens that a revocation has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    pub removed: usize,
    /// So many of them had not expired.
    pub live: usize,
}

impl Store {
    /// Ends every token and code that fits and was issued before: from now on no statement gives out one of them. `None`
    /// when nothing can fit: no filter at all, or one that no token has.
    pub async fn revoke_tokens(&self, filter: &TokenFilter) -> Outcome<Option<Revocation>> {
        if filter.is_empty() || filter.is_impossible() {
            return Ok(None);
        }
        let id = revocation_id(filter);
        let params = vec![
            id.into(),
            filter.consumer.into(),
            filter.credential.into(),
            filter.service.into(),
            filter.authenticated_userid.clone().into(),
            self.now().into(),
        ];
        let statements = vec![advance(), Statement::new(RECORD, params)];
        let number = self.driver().write(statements).await?.pop().and_then(|mut rows| rows.pop());
        let number = number.map_or(Ok(0), |row| row.read("oauth2_revocations").int())?;
        Ok(Some(Revocation { id, number, filter: filter.clone() }))
    }

    /// Removes at most `limit` tokens that a revocation has ended. Less than `limit`: the others are gone, or held by
    /// somebody at this moment.
    pub async fn remove_revoked_tokens(&self, revocation: &Revocation, limit: usize) -> Outcome<Removed> {
        let now = self.now();
        let (sql, params) = self.removing(revocation, "oauth2_tokens", "id, expires_at", limit);
        let mut done = Removed::default();
        for row in self.write(sql, params).await? {
            let mut columns = row.read("oauth2_tokens");
            columns.uuid()?;
            done.removed += 1;
            done.live += usize::from(columns.maybe_time()?.is_none_or(|end| end > now));
        }
        Ok(done)
    }

    /// Removes at most `limit` authorization codes that a revocation has ended; as for tokens.
    pub async fn remove_revoked_codes(&self, revocation: &Revocation, limit: usize) -> Outcome<usize> {
        let (sql, params) = self.removing(revocation, "oauth2_authorization_codes", "id", limit);
        Ok(self.write(sql, params).await?.len())
    }

    /// The number of the last revocation.
    pub async fn last_revocation(&self) -> Outcome<i64> {
        let found = self.read(LAST, Vec::new()).await?.pop();
        found.map_or(Ok(0), |row| row.read("oauth2_revocation_count").int())
    }

    /// The oldest revocations up to a number, at most `limit`.
    pub async fn revocations(&self, upto: i64, limit: usize) -> Outcome<Vec<Revocation>> {
        self.read(LIST, vec![upto.into(), count(limit)]).await?.into_iter().map(revocation).collect()
    }

    /// Lets a revocation go if nothing is left that it has ended; false: something is, or it was repeated meanwhile.
    ///
    /// Only for one that every statement has seen: what is stored by one that has not would live.
    pub async fn finish_revocation(&self, revocation: &Revocation) -> Outcome<bool> {
        let (conditions, given) = revocation.filter.conditions(3);
        let params = [revocation.id.into(), revocation.number.into()].into_iter().chain(given).collect();
        Ok(!self.write(finishing(&conditions), params).await?.is_empty())
    }

    fn removing(&self, revocation: &Revocation, table: &str, told: &str, limit: usize) -> (String, Vec<Value>) {
        let (conditions, given) = revocation.filter.conditions(3);
        let params = [revocation.number.into(), count(limit)].into_iter().chain(given).collect();
        (removing(table, told, &conditions, self.dialect().skip_locked), params)
    }
}

/// Takes the next number and holds it until the commit; last in a transaction, for all others who revoke wait.
pub(super) fn advance() -> Statement {
    Statement::new(ADVANCE, Vec::new())
}

/// After [`advance`]: ends what an application was granted for a service.
pub(super) fn record_contract(contract: Uuid, application: Uuid, service: Uuid, now: Timestamp) -> Statement {
    Statement::new(RECORD_CONTRACT, vec![contract.into(), application.into(), service.into(), now.into()])
}

/// After [`advance`]: ends what every application of a developer was granted.
pub(super) fn record_developer(developer: Uuid, now: Timestamp) -> Statement {
    Statement::new(RECORD_DEVELOPER, vec![developer.into(), now.into()])
}

/// The same for the same filter, and for no other.
fn revocation_id(filter: &TokenFilter) -> Uuid {
    let mut digest = Sha256::new();
    for id in [filter.consumer, filter.credential, filter.service] {
        digest.update([u8::from(id.is_some())]);
        digest.update(id.unwrap_or_default());
    }
    if let Some(user) = &filter.authenticated_userid {
        digest.update(user);
    }
    let digest: [u8; 32] = digest.finalize().into();
    let (id, _) = digest.split_first_chunk::<16>().expect("a digest has 32 bytes");
    uuid::Builder::from_custom_bytes(*id).into_uuid()
}

fn revocation(row: Row) -> Outcome<Revocation> {
    let mut columns = row.read("oauth2_revocations");
    Ok(Revocation {
        id: columns.uuid()?,
        number: columns.int()?,
        filter: TokenFilter {
            consumer: columns.maybe_uuid()?,
            credential: columns.maybe_uuid()?,
            service: columns.maybe_uuid()?,
            authenticated_userid: columns.maybe_text()?,
        },
    })
}

/// `$1` is the number of the revocation, `$2` the limit. Rows that somebody holds are left for the next time, so that no
/// two wait for each other in a circle.
fn removing(table: &str, told: &str, conditions: &str, skip_locked: &str) -> String {
    format!(
        "WITH ended AS MATERIALIZED (SELECT t.id FROM {table} AS t
            WHERE t.issued_after < $1{conditions} LIMIT $2{skip_locked})
        DELETE FROM {table} WHERE id IN (SELECT id FROM ended) RETURNING {told}"
    )
}

/// `$1` is the id of the revocation, `$2` its number.
fn finishing(conditions: &str) -> String {
    let left = |table: &str| format!("EXISTS (SELECT 1 FROM {table} AS t WHERE t.issued_after < $2{conditions})");
    format!(
        "DELETE FROM oauth2_revocations WHERE id = $1 AND number = $2 AND NOT {} AND NOT {} RETURNING id",
        left("oauth2_tokens"),
        left("oauth2_authorization_codes")
    )
}

/// The statements that depend on which filters are given.
pub(super) fn statements(skip_locked: &str) -> Vec<String> {
    let mut every = Vec::new();
    for filter in TokenFilter::kinds() {
        let conditions = filter.conditions(3).0;
        every.push(removing("oauth2_tokens", "id, expires_at", &conditions, skip_locked));
        every.push(removing("oauth2_authorization_codes", "id", &conditions, skip_locked));
        every.push(finishing(&conditions));
    }
    every
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_an_id_of_its_own() {
        let id = Uuid::from_u128(1);
        let user = |user: &str| Some(user.to_owned());
        let filters = [
            TokenFilter { consumer: Some(id), ..TokenFilter::default() },
            TokenFilter { credential: Some(id), ..TokenFilter::default() },
            TokenFilter { credential: Some(Uuid::nil()), ..TokenFilter::default() },
            TokenFilter { service: Some(id), ..TokenFilter::default() },
            TokenFilter { service: Some(id), authenticated_userid: user("a"), ..TokenFilter::default() },
            TokenFilter { authenticated_userid: user("a"), ..TokenFilter::default() },
            TokenFilter { authenticated_userid: user("b"), ..TokenFilter::default() },
        ];
        let ids: std::collections::BTreeSet<Uuid> = filters.iter().map(revocation_id).collect();
        assert_eq!(ids.len(), filters.len());
        assert_eq!(revocation_id(&filters[4]), revocation_id(&filters[4].clone()));
    }
}
