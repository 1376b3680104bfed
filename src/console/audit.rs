//! The audit log: every change, by the Admin API or by hand, newest first.

use super::frame::AUDIT;
use super::paging;
use super::refusal::Answer;
use super::views::{AuditPage, AuditRow, When};
use super::visit::Visit;
use crate::engine::AuditRecord;
use crate::engine::catalog::{offset, parse_offset};
use crate::pages::answer;

pub(super) async fn list(visit: &Visit) -> Answer {
    let before = visit.query.filled("offset").map(|text| parse_offset(&text)).transpose()?;
    let (records, next) = visit.state.admin.surroundings.audit(before, paging::SIZE).await?;
    let row = |record: &AuditRecord| AuditRow {
        at: When::of(record.at),
        actor: record.actor.clone(),
        source: record.source.clone(),
        method: record.method.clone(),
        path: record.path.clone(),
        status: record.status,
        request_id: record.request_id.clone(),
    };
    let page = AuditPage {
        page: visit.page("Audit log", AUDIT),
        records: records.iter().map(row).collect(),
        paging: paging::from(visit, next.map(offset).as_deref(), AUDIT, &[]),
    };
    Ok(answer(200, &page))
}
