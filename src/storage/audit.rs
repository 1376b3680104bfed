//! The audit log of the Admin API: appended, read, never changed.

use super::store::Outcome;
use super::value::{Row, Statement, Value, count};
use super::{AuditRecord, Page, Store};
use uuid::Uuid;

pub(super) const STATEMENTS: &[&str] = &[APPEND, LIST];

const APPEND: &str = "INSERT INTO audit_requests (id, at, request_id, actor, source, method, path, status)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const LIST: &str = "SELECT id, at, request_id, actor, source, method, path, status FROM audit_requests
    WHERE id < $1 ORDER BY id DESC LIMIT $2";

impl Store {
    /// Appends records, all or none.
    pub async fn append_audit(&self, records: Vec<AuditRecord>) -> Outcome<()> {
        if records.is_empty() {
            return Ok(());
        }
        let statements = records.into_iter().map(|record| Statement::new(APPEND, params(record))).collect();
        self.driver().write(statements).await.map(drop)
    }

    /// One page, newest first, of records before the given one.
    pub async fn list_audit(&self, before: Option<Uuid>, size: usize) -> Outcome<Page<AuditRecord>> {
        let before = before.unwrap_or(Uuid::max());
        let mut found = self.read(LIST, vec![before.into(), count(size.saturating_add(1))]).await?;
        let more = found.len() > size;
        found.truncate(size);
        let data = found.into_iter().map(record).collect::<Outcome<Vec<_>>>()?;
        let next = data.last().filter(|_| more).map(|record| record.id);
        Ok(Page { data, next })
    }
}

/// A NUL in what a request brought along is shown as a replacement character: the record matters more than its letter.
fn text(text: String) -> Value {
    Value::Text(text.replace('\0', "\u{fffd}"))
}

fn params(record: AuditRecord) -> Vec<Value> {
    vec![
        record.id.into(),
        record.at.into(),
        text(record.request_id),
        text(record.actor),
        text(record.source),
        text(record.method),
        text(record.path),
        i64::from(record.status).into(),
    ]
}

fn record(row: Row) -> Outcome<AuditRecord> {
    let mut columns = row.read("audit_requests");
    let record = AuditRecord {
        id: columns.uuid()?,
        at: columns.time()?,
        request_id: columns.text()?,
        actor: columns.text()?,
        source: columns.text()?,
        method: columns.text()?,
        path: columns.text()?,
        status: u16::try_from(columns.int()?).map_err(|_| columns.fault("status is not an HTTP status"))?,
    };
    Ok(record)
}
