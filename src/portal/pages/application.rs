//! One application: its access, credentials and calls.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use super::applications::{contracts_of, title, titles};
use super::catalog::key;
use super::guest::{Guest, Posted, own_path};
use super::said::Refused;
use crate::domain::ContractStatus;
use crate::engine::catalog::{CatalogError, ListRequest};
use crate::engine::registration::{AppAuth, Application, Calls, Side};
use crate::pages::{self, Bar};
use crate::portal::show;
use crate::portal::views::{ApplicationPage, Range, ShownOnce};
use crate::schema::Body;

type Answered = Result<HttpResponse, Refused>;

/// What the chart shows: word, text, seconds of a step, steps, characters of the time below (`2026-11-22T11:33:48Z`).
const RANGES: [(&str, &str, i64, i64, std::ops::Range<usize>); 3] = [
    ("hour", "Last hour", 60, 60, 11..16),
    ("day", "24 hours", 3600, 24, 11..16),
    ("month", "30 days", 86_400, 30, 5..10),
];
const CREDENTIALS: &str = "100";

pub(super) async fn show(guest: Guest) -> Answered {
    let application = guest.application().await?;
    page(&guest, &application, None).await
}

/// The page of an application. `shown_once`: a secret that was just made.
pub(super) async fn page(guest: &Guest, application: &Application, shown_once: Option<ShownOnce>) -> Answered {
    let registration = &guest.desk.registration;
    let external = registration.app_auth() == AppAuth::ExternalOauth2;
    let titles = titles(guest).await?;
    let contracts = contracts_of(guest, application).await?;
    let credentials = match external {
        true => Vec::new(),
        false => {
            let request = ListRequest { size: Some(CREDENTIALS.to_owned()), ..ListRequest::default() };
            registration.credentials(application, &request).await?.data
        }
    };
    let asked = guest.query.text("range");
    let chosen = RANGES.iter().position(|(word, ..)| *word == asked).unwrap_or(1);
    let (_, text, width, steps, letters) = RANGES[chosen].clone();
    let calls = registration.calls(application, None, width, steps).await?;
    let sum = |of: fn(&Calls) -> u64| calls.iter().map(of).sum::<u64>();
    let (admitted, refused) = (sum(|calls| calls.admitted), sum(|calls| calls.refused));
    let bars: Vec<Bar> = calls
        .iter()
        .map(|calls| {
            let time = pages::iso(calls.at).get(letters.clone()).unwrap_or_default().to_owned();
            Bar { time, admitted: calls.admitted, refused: calls.refused }
        })
        .collect();
    let label = format!("Calls, {}: {admitted} let through, {refused} refused. Times are UTC.", text.to_lowercase());
    let name = show::text(&application.entity, "name");
    let view = ApplicationPage {
        page: guest.page(name).section("/apps"),
        application: show::application(&application.entity),
        external,
        shown_once,
        contracts: contracts.iter().map(|contract| show::contract_row(contract, |id| title(&titles, id))).collect(),
        credentials: credentials.iter().map(show::credential).collect(),
        ranges: RANGES
            .iter()
            .enumerate()
            .map(|(nth, (value, text, ..))| Range { value, text, chosen: nth == chosen })
            .collect(),
        chart: pages::chart(&bars, &label),
        admitted,
        refused,
    };
    Ok(guest.answer(200, &view))
}

pub(super) async fn request_access(Posted { guest, form }: Posted) -> Answered {
    let application = guest.application().await?;
    let service = form.text("service");
    let fields = Map::from_iter([("service".to_owned(), json!({ "id": service }))]);
    let made = guest.desk.registration.request_contract(&application, Body::json(fields)).await;
    let done = match made {
        Ok(contract) => match show::contract_status(&contract) {
            Some((ContractStatus::Approved, _)) => "access",
            _ => "requested",
        },
        Err(CatalogError::Unique(_)) => "asked-before",
        // It is no service, or takes no applications.
        Err(CatalogError::Violations(_) | CatalogError::ForeignKey { .. }) => return Err(Refused::NotFound),
        Err(other) => return Err(other.into()),
    };
    let id = service.parse::<uuid::Uuid>().map_err(|_| Refused::NotFound)?;
    Ok(pages::redirect(&format!("/catalog/{id}?app={}&done={done}", application.id)))
}

pub(super) async fn withdraw(Posted { guest, form }: Posted) -> Answered {
    let application = guest.application().await?;
    let contract = key(guest.id("contract")?);
    guest.desk.registration.delete_contract(Side::Application(&application), &contract).await?;
    let back = own_path(&form.text("back"), &format!("/apps/{}", application.id));
    Ok(pages::redirect(&format!("{}?done=withdrawn", back.split('?').next().unwrap_or_default())))
}

/// An empty body.
pub(super) fn nothing() -> Body {
    Body::json(Map::<String, Value>::new())
}
