//! The overview: what waits, and how this node does.

use serde_json::Value;

use super::contracts::CONTRACTS;
use super::facts::{fact, told};
use super::frame::{APPLICATIONS, DEVELOPERS, HOME, MAILS, REQUESTS, SERVICES};
use super::paging::with;
use super::refusal::{Answer, Refusal};
use super::views::{Badge, Count, Fact, HomePage, Shown};
use super::visit::Visit;
use crate::domain::{ContractStatus, DeveloperStatus};
use crate::engine::accounts::MailState;
use crate::engine::catalog::ListRequest;
use crate::pages::{Tone, answer};

/// Mails that failed are counted up to here.
const MOST_MAILS: usize = 100;

pub(super) async fn page(visit: &Visit) -> Answer {
    let surroundings = &visit.state.admin.surroundings;
    let (ready, why) = match surroundings.ready().await {
        Ok(()) => (Badge { text: "ready".to_owned(), tone: Tone::Good }, String::new()),
        Err(why) => (Badge { text: "not ready".to_owned(), tone: Tone::Bad }, why),
    };
    let node = node(&surroundings.information(), &surroundings.status().await);
    let page = HomePage { page: visit.page("Overview", HOME), counts: counts(visit).await?, ready, why, node };
    Ok(answer(200, &page))
}

async fn counts(visit: &Visit) -> Result<Vec<Count>, Refusal> {
    let requested = (ContractStatus::Requested.word(), DeveloperStatus::Requested.word());
    let contracts = count(visit, CONTRACTS, Some(requested.0)).await?;
    let waiting = count(visit, "developers", Some(requested.1)).await?;
    let developers = count(visit, "developers", None).await?;
    let applications = count(visit, "applications", None).await?;
    let services = count(visit, "services", None).await?;
    let (failed, more) = visit.state.accounts.mails(Some(MailState::Failed), None, MOST_MAILS).await?;
    let failed = u64::try_from(failed.len()).ok().filter(|_| more.is_none());
    let mut mails = entry(failed, "mail that failed", "mails that failed", with(MAILS, &[("state", "failed")]));
    if failed.is_none() {
        mails.number = format!("more than {MOST_MAILS}");
    }
    Ok(vec![
        urgent(entry(contracts, "contract waiting", "contracts waiting", REQUESTS), contracts),
        urgent(entry(waiting, "developer waiting", "developers waiting", REQUESTS), waiting),
        entry(developers, "developer", "developers", DEVELOPERS),
        entry(applications, "application", "applications", APPLICATIONS),
        entry(services, "service", "services", SERVICES),
        urgent(mails, failed),
    ])
}

fn entry(number: Option<u64>, one: &'static str, many: &'static str, path: impl Into<String>) -> Count {
    Count {
        number: number.map_or_else(|| "more than 100000".to_owned(), |number| number.to_string()),
        text: if number == Some(1) { one } else { many },
        path: path.into(),
        is_urgent: false,
    }
}

/// Unless there is none, somebody should look.
fn urgent(count: Count, number: Option<u64>) -> Count {
    Count { is_urgent: number != Some(0), ..count }
}

/// How many there are (in a status); `None`: more than are counted out.
async fn count(visit: &Visit, entity: &str, status: Option<&str>) -> Result<Option<u64>, Refusal> {
    let filters = status.map(|status| ("status".to_owned(), status.into())).into_iter().collect();
    let request = ListRequest { filters, size: Some("1".to_owned()), ..ListRequest::default() };
    Ok(visit.catalog().list(visit.schema(entity)?, &request).await?.total)
}

fn node(information: &Value, status: &Value) -> Vec<Fact> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let at = |path: &str| status.pointer(path).map(text).unwrap_or_default();
    let megabytes = status.pointer("/memory/resident_bytes").and_then(Value::as_u64).map(|bytes| bytes / 1_000_000);
    let reachable = status.pointer("/database/reachable").and_then(Value::as_bool).unwrap_or(false);
    let database = match reachable {
        true => Badge { text: "reachable".to_owned(), tone: Tone::Good },
        false => Badge { text: "away".to_owned(), tone: Tone::Bad },
    };
    vec![
        fact("Version", told(&text(&information["tollgate"]))),
        fact("Host", told(&text(&information["hostname"]))),
        fact("Database", Shown::Badge(database)),
        fact("Open connections", told(&at("/server/connections_active"))),
        fact("Requests answered", told(&at("/server/total_requests"))),
        fact("Memory", told(&megabytes.map(|megabytes| format!("{megabytes} MB")).unwrap_or_default())),
    ]
}
