//! Contracts: how they are shown, and what is done with them.

use serde_json::Value;
use uuid::Uuid;

use super::entities::Names;
use super::facts::{contract_badge, contract_status, is_suspended, leads, reference, text, texts, when};
use super::frame::{APPLICATIONS, DEVELOPERS, REQUESTS, SERVICES};
use super::notices::Done;
use super::paging::with;
use super::refusal::{Answer, Refusal};
use super::views::{ConfirmPage, ContractCard, Move};
use super::visit::{self, Visit};
use crate::domain::ContractStatus;
use crate::engine::catalog::Key;
use crate::engine::registration::Side;
use crate::pages::{Form, answer, redirect};
use crate::schema::{Body, Entity};

pub(super) const CONTRACTS: &str = "application_instances";

/// The statuses of tabs, as words and as headings.
pub(super) const TABS: [(&str, &str); 4] =
    [("requested", "Requested"), ("approved", "Approved"), ("rejected", "Rejected"), ("revoked", "Revoked")];

/// The tab that a query asks for; the queue where it asks for none.
pub(super) fn tab(word: &str) -> ContractStatus {
    ContractStatus::of_word(word).unwrap_or(ContractStatus::Requested)
}

/// Contracts as they are printed. `from`: the page that their acts lead back to.
pub(super) async fn cards(
    visit: &Visit,
    mut contracts: Vec<Entity>,
    from: &'static str,
) -> Result<Vec<ContractCard>, Refusal> {
    visit.registration().expand(&mut contracts).await?;
    let mut names = Names::new(visit);
    let mut cards = Vec::with_capacity(contracts.len());
    for contract in &contracts {
        let service = reference(contract, "service");
        let name = names.of("services", service).await?;
        cards.push(card(contract, leads(format!("{SERVICES}/{service}"), name), from));
    }
    Ok(cards)
}

fn card(contract: &Entity, service: super::views::Leads, from: &'static str) -> ContractCard {
    let none = Entity::new();
    let whole = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_else(|| none.clone());
    let application = whole(contract.get("application"));
    let developer = whole(application.get("developer"));
    let named = |name: &str, id: &str| if name.is_empty() { id.to_owned() } else { name.to_owned() };
    let (own, of) = (text(&application, "id"), text(&developer, "id"));
    ContractCard {
        id: text(contract, "id").to_owned(),
        application: leads(format!("{APPLICATIONS}/{own}"), named(text(&application, "name"), own)),
        description: text(&application, "description").to_owned(),
        developer: leads(format!("{DEVELOPERS}/{of}"), named(text(&developer, "email"), of)),
        service,
        status: contract_badge(contract),
        requested: when(contract, "created_at"),
        changed: when(contract, "updated_at"),
        scopes: texts(contract, "scopes"),
        note: text(contract, "note").to_owned(),
        moves: moves(contract),
        pause: pause(contract),
        from,
    }
}

fn act_path(contract: &Entity, act: &str) -> String {
    format!("/console/contracts/{}/{act}", text(contract, "id"))
}

/// Where a contract can go from where it stands.
fn moves(contract: &Entity) -> Vec<Move> {
    let to = |act, text, is_bad| Move { path: act_path(contract, act), text, is_bad };
    match contract_status(contract) {
        Some(ContractStatus::Approved) => vec![to("revoke", "Revoke", true)],
        Some(ContractStatus::Requested) => vec![to("approve", "Approve", false), to("reject", "Reject", true)],
        Some(ContractStatus::Rejected) | None => vec![to("approve", "Approve", false)],
        Some(ContractStatus::Revoked) => vec![to("approve", "Approve again", false)],
    }
}

fn pause(contract: &Entity) -> Option<Move> {
    let (act, text) = match (contract_status(contract), is_suspended(contract)) {
        (_, true) => ("resume", "Resume"),
        (Some(ContractStatus::Approved), false) => ("suspend", "Suspend"),
        _ => return None,
    };
    Some(Move { path: act_path(contract, act), text, is_bad: false })
}

async fn found(visit: &Visit, id: &str) -> Result<(Uuid, Entity), Refusal> {
    let id = visit::id(id)?;
    let contract = visit.catalog().find(visit.schema(CONTRACTS)?, &Key::Id(id), None).await?;
    Ok((id, contract.ok_or(Refusal::NotFound)?))
}

/// The page that an act came from.
fn back(contract: &Entity, from: &str) -> String {
    match from {
        "application" => format!("{APPLICATIONS}/{}", reference(contract, "application")),
        "service" => {
            let status = contract_status(contract).map(ContractStatus::word).unwrap_or_default();
            with(&format!("{SERVICES}/{}", reference(contract, "service")), &[("status", status)])
        }
        _ => REQUESTS.to_owned(),
    }
}

/// One act of a contract.
pub(super) async fn act(visit: &Visit, id: &str, act: &str, form: &Form) -> Answer {
    let (body, done) = match act {
        "approve" => (status(ContractStatus::Approved, form), Done::Approved),
        "reject" => (status(ContractStatus::Rejected, form), Done::Rejected),
        "revoke" => (status(ContractStatus::Revoked, form), Done::Revoked),
        "suspend" => (suspended(true), Done::Suspended),
        "resume" => (suspended(false), Done::Resumed),
        "withdraw" => return withdraw(visit, id, form).await,
        _ => return Err(Refusal::NoSuchPath),
    };
    let (id, before) = found(visit, id).await?;
    let side = Side::Service(visit::id(reference(&before, "service"))?);
    visit.registration().patch_contract(side, &Key::Id(id), Body::json(body)).await?;
    Ok(redirect(&done.at(&back(&before, &form.text("from")))))
}

fn status(status: ContractStatus, form: &Form) -> Entity {
    let note = form.filled("note").map_or(Value::Null, Value::from);
    [("status".to_owned(), status.code().into()), ("note".to_owned(), note)].into_iter().collect()
}

fn suspended(is_suspended: bool) -> Entity {
    [("suspended".to_owned(), is_suspended.into())].into_iter().collect()
}

pub(super) async fn confirm_withdrawal(visit: &Visit, id: &str) -> Answer {
    let (id, contract) = found(visit, id).await?;
    let from = visit.query.text("from");
    let page = ConfirmPage {
        page: visit.page("Withdraw the contract?", REQUESTS).narrow(),
        text: "The application loses access to the service at once, with its tokens. To get it back it must ask again."
            .to_owned(),
        action: format!("/console/contracts/{id}/withdraw"),
        back: back(&contract, &from),
        fields: vec![("from".to_owned(), from)],
        button: "Withdraw".to_owned(),
    };
    Ok(answer(200, &page))
}

async fn withdraw(visit: &Visit, id: &str, form: &Form) -> Answer {
    let (id, contract) = found(visit, id).await?;
    let side = Side::Service(visit::id(reference(&contract, "service"))?);
    visit.registration().delete_contract(side, &Key::Id(id)).await?;
    Ok(redirect(&Done::Withdrawn.at(&back(&contract, &form.text("from")))))
}
