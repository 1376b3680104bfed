//! The queue: what waits for an administrator's word, and what was decided.

use super::contracts::{self, CONTRACTS, TABS};
use super::developers;
use super::facts::{leads, text, when};
use super::frame::{DEVELOPERS, REQUESTS};
use super::paging::{self, paging, tabs, with};
use super::refusal::{Answer, Refusal};
use super::views::{DeveloperCard, RequestsPage};
use super::visit::Visit;
use crate::domain::{ContractStatus, DeveloperStatus};
use crate::pages::answer;

pub(super) async fn page(visit: &Visit) -> Answer {
    let status = contracts::tab(&visit.query.text("status"));
    // Who has waited longest comes first; of what was decided, the last.
    let mut request = paging::request(visit, status != ContractStatus::Requested);
    request.filters.push(("status".to_owned(), status.word().into()));
    let mut listing = visit.catalog().list(visit.schema(CONTRACTS)?, &request).await?;
    let data = std::mem::take(&mut listing.data);
    let (developers, more_developers) = match status {
        ContractStatus::Requested => waiting(visit).await?,
        _ => (Vec::new(), None),
    };
    let page = RequestsPage {
        page: visit.page("Requests", REQUESTS),
        writes: visit.writes(),
        tabs: tabs(REQUESTS, "status", &TABS, status.word()),
        status: status.word().to_owned(),
        contracts: contracts::cards(visit, data, "requests").await?,
        paging: paging(visit, &listing, REQUESTS, &[("status", status.word())]),
        developers,
        more_developers,
    };
    Ok(answer(200, &page))
}

/// Developers who ask for access, those who have waited longest first; and where there are more.
async fn waiting(visit: &Visit) -> Result<(Vec<DeveloperCard>, Option<String>), Refusal> {
    let requested = DeveloperStatus::Requested;
    let mut request = paging::request(visit, false);
    request.offset = None;
    request.filters.push(("status".to_owned(), requested.word().into()));
    let listing = visit.registration().developers(&request).await?;
    let card = |developer| DeveloperCard {
        developer: leads(format!("{DEVELOPERS}/{}", text(developer, "id")), text(developer, "email")),
        asked: when(developer, "created_at"),
        moves: developers::moves(developer),
    };
    let cards = listing.data.iter().map(card).collect();
    Ok((cards, listing.offset.map(|_| with(DEVELOPERS, &[("status", requested.word())]))))
}
