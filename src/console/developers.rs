//! Developers: who they are, and whether they are let in.

use serde_json::{Value, json};
use uuid::Uuid;

use super::applications;
use super::facts::{code, developer_badge, developer_status, fact, leads, text, texts, told, when};
use super::frame::{APPLICATIONS, DEVELOPERS, REQUESTS};
use super::notices::Done;
use super::paging::{self, paging, with};
use super::refusal::{Answer, Refusal};
use super::views::{
    Choice, ConfirmPage, DeveloperPage, DeveloperRow, DevelopersPage, Fact, InvitedPage, Move, Role, Shown,
};
use super::visit::{self, Visit};
use crate::domain::DeveloperStatus;
use crate::engine::catalog::{Key, ListRequest};
use crate::engine::registration::Scope;
use crate::pages::{Form, answer, redirect};
use crate::schema::{Body, Entity};

/// Addresses that are invited at once.
const MOST_INVITED: usize = 200;

pub(super) async fn list(visit: &Visit) -> Answer {
    let (status, email) = (visit.query.text("status"), visit.query.text("email"));
    let chosen = DeveloperStatus::of_word(&status);
    let mut request = paging::request(visit, true);
    request.filters.extend(chosen.map(|status| ("status".to_owned(), status.word().into())));
    let wanted = email.trim().to_lowercase();
    if !wanted.is_empty() {
        request.filters.push(("email".to_owned(), wanted.into()));
    }
    let listing = visit.registration().developers(&request).await?;
    let row = |developer: &Entity| DeveloperRow {
        developer: leads(format!("{DEVELOPERS}/{}", text(developer, "id")), text(developer, "email")),
        status: developer_badge(developer),
        registered: when(developer, "created_at"),
    };
    let word = chosen.map(DeveloperStatus::word).unwrap_or_default();
    let page = DevelopersPage {
        page: visit.page("Developers", DEVELOPERS),
        writes: visit.writes(),
        statuses: statuses(word),
        is_narrowed: !word.is_empty() || !email.is_empty(),
        developers: listing.data.iter().map(row).collect(),
        paging: paging(visit, &listing, DEVELOPERS, &[("status", word), ("email", &email)]),
        email,
    };
    Ok(answer(200, &page))
}

fn statuses(chosen: &str) -> Vec<Choice> {
    let all = [("", "all")].into_iter();
    let words = DeveloperStatus::ALL.map(|status| (status.word(), status.word()));
    let choice = |(value, text): (&str, &str)| Choice {
        value: value.to_owned(),
        text: text.to_owned(),
        is_chosen: value == chosen,
    };
    all.chain(words).map(choice).collect()
}

/// Invites every address of a form, one per line or separated by commas.
pub(super) async fn invite(visit: &Visit, form: &Form) -> Answer {
    let given = form.text("emails");
    let emails = given.split([',', '\n', ';']).map(str::trim).filter(|email| !email.is_empty());
    let emails: Vec<String> = emails.take(MOST_INVITED).map(str::to_owned).collect();
    if emails.is_empty() {
        return Ok(redirect(&Done::Nobody.at(DEVELOPERS)));
    }
    let invited = visit.state.accounts.mail_invitations(&emails).await?;
    let page = InvitedPage {
        page: visit.page("Invitations", DEVELOPERS).narrow(),
        sent: invited.sent,
        failed: invited.failed,
        is_sent: visit.state.accounts.sends_mail(),
    };
    Ok(answer(200, &page))
}

/// Where a developer can go from where they stand.
pub(super) fn moves(developer: &Entity) -> Vec<Move> {
    let to = |act: &str, text, is_bad| Move {
        path: format!("{DEVELOPERS}/{}/{act}", super::facts::text(developer, "id")),
        text,
        is_bad,
    };
    match developer_status(developer) {
        Some(DeveloperStatus::Approved) => vec![to("revoke", "Revoke", true)],
        Some(DeveloperStatus::Requested | DeveloperStatus::Unverified) => {
            vec![to("approve", "Approve", false), to("reject", "Reject", true)]
        }
        Some(DeveloperStatus::Rejected | DeveloperStatus::Revoked) | None => vec![to("approve", "Approve", false)],
    }
}

async fn found(visit: &Visit, id: &str) -> Result<(Uuid, Entity), Refusal> {
    let id = visit::id(id)?;
    Ok((id, visit.registration().developer(&Key::Id(id)).await?))
}

pub(super) async fn one(visit: &Visit, id: &str) -> Answer {
    let (id, developer) = found(visit, id).await?;
    let request = ListRequest { size: Some(paging::SIZE.to_string()), ..ListRequest::default() };
    let listing = visit.registration().applications(Scope::Developer(id), &request).await?;
    let page = DeveloperPage {
        page: visit.page(text(&developer, "email"), DEVELOPERS),
        writes: visit.writes(),
        path: format!("{DEVELOPERS}/{id}"),
        status: developer_badge(&developer),
        moves: moves(&developer),
        facts: facts(&developer),
        meta: meta(text(&developer, "meta")),
        roles: roles(visit, &texts(&developer, "roles")).await?,
        applications: applications::rows(visit, &listing.data).await?,
        more: listing.offset.map(|_| with(APPLICATIONS, &[("developer", &id.to_string())])),
    };
    Ok(answer(200, &page))
}

fn facts(developer: &Entity) -> Vec<Fact> {
    vec![
        fact("E-mail", told(text(developer, "email"))),
        fact("Custom ID", told(text(developer, "custom_id"))),
        fact("Registered", Shown::Time(when(developer, "created_at"))),
        fact("Changed", Shown::Time(when(developer, "updated_at"))),
        fact("ID", code(text(developer, "id"))),
    ]
}

/// The answers of `meta`, a text that holds a JSON object.
fn meta(text: &str) -> Vec<Fact> {
    let Ok(Value::Object(answers)) = serde_json::from_str(text) else { return Vec::new() };
    let answer = |(name, value): (String, Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        fact(&super::entities::label(&name), told(&text))
    };
    answers.into_iter().map(answer).collect()
}

/// Every role that there is, and those the developer has.
async fn roles(visit: &Visit, had: &[String]) -> Result<Vec<Role>, Refusal> {
    let request = ListRequest { size: Some("1000".to_owned()), ..ListRequest::default() };
    let listing = visit.catalog().list(visit.schema("developer_roles")?, &request).await?;
    let known = listing.data.iter().map(|role| text(role, "name").to_owned());
    let mut names: Vec<String> = known.chain(had.iter().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names.into_iter().map(|name| Role { is_had: had.contains(&name), name }).collect())
}

/// One act of a developer.
pub(super) async fn act(visit: &Visit, id: &str, act: &str, form: &Form) -> Answer {
    let (status, done) = match act {
        "approve" => (DeveloperStatus::Approved, Done::DeveloperApproved),
        "reject" => (DeveloperStatus::Rejected, Done::DeveloperRejected),
        "revoke" => (DeveloperStatus::Revoked, Done::DeveloperRevoked),
        "roles" => return set_roles(visit, id, form).await,
        "delete" => return delete(visit, id).await,
        _ => return Err(Refusal::NoSuchPath),
    };
    let (id, _) = found(visit, id).await?;
    patch(visit, id, "status", status.code().into()).await?;
    let back = if form.text("from") == "requests" { REQUESTS.to_owned() } else { format!("{DEVELOPERS}/{id}") };
    Ok(redirect(&done.at(&back)))
}

async fn patch(visit: &Visit, id: Uuid, field: &str, value: Value) -> Result<Entity, Refusal> {
    let body = [(field.to_owned(), value)].into_iter().collect();
    Ok(visit.registration().patch_developer(&Key::Id(id), Body::json(body)).await?)
}

async fn set_roles(visit: &Visit, id: &str, form: &Form) -> Answer {
    let (id, _) = found(visit, id).await?;
    let roles: Vec<&str> = form.all("role").collect();
    patch(visit, id, "roles", json!(roles)).await?;
    Ok(redirect(&Done::Saved.at(&format!("{DEVELOPERS}/{id}"))))
}

pub(super) async fn confirm_deletion(visit: &Visit, id: &str) -> Answer {
    let (id, developer) = found(visit, id).await?;
    let path = format!("{DEVELOPERS}/{id}");
    let page = ConfirmPage {
        page: visit.page(format!("Delete {}?", text(&developer, "email")), DEVELOPERS).narrow(),
        text: "Their applications, contracts, credentials and tokens go with them. This cannot be taken back."
            .to_owned(),
        action: format!("{path}/delete"),
        fields: Vec::new(),
        button: "Delete the developer".to_owned(),
        back: path,
    };
    Ok(answer(200, &page))
}

async fn delete(visit: &Visit, id: &str) -> Answer {
    let (id, _) = found(visit, id).await?;
    visit.registration().delete_developer(&Key::Id(id)).await?;
    Ok(redirect(&Done::Deleted.at(DEVELOPERS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_by_their_questions() {
        let told = meta(r#"{"full_name": "Ada <L>", "age": 36}"#);
        assert_eq!(told[0], fact("Full name", Shown::Text("Ada <L>".to_owned())));
        assert_eq!(told[1], fact("Age", Shown::Text("36".to_owned())));
        assert!(meta("").is_empty() && meta("[1]").is_empty() && meta("{").is_empty());
    }
}
