//! Tokens: found by whose they are, and ended. The token itself is never shown.

use serde_json::Value;
use uuid::Uuid;

use super::entities::{Names, path_of};
use super::facts::{leads, reference, text, when};
use super::frame::TOKENS;
use super::notices::Done;
use super::paging::{self, paging, with};
use super::refusal::{Answer, Refusal};
use super::token_search::{Found, found};
use super::views::{Choice, ConfirmPage, OutcomePage, Shown, TokenRow, TokenSearch, TokensPage, When};
use super::visit::{self, Visit};
use crate::engine::catalog::{Key, Listing};
use crate::engine::registration::TokenFilter;
use crate::pages::{Form, answer, plural, redirect};
use crate::schema::Entity;

const ENTITY: &str = "oauth2_tokens";

pub(super) async fn list(visit: &Visit) -> Answer {
    let search = search(&visit.query);
    let found = found(visit, &search).await?;
    let listing = match found.is_clear() {
        true => tokens(visit, &found.filter).await?,
        false => Listing { data: Vec::new(), offset: None, total: Some(0) },
    };
    let parameters = parameters(&search);
    let is_narrowed = !found.filter.is_empty();
    let revocable = visit.writes() && found.is_clear() && is_narrowed && !listing.data.is_empty();
    let choice = |(client_id, text): (String, String)| Choice {
        value: with(TOKENS, &[("application", &client_id), ("user", &search.user), ("service", &search.service)]),
        text,
        is_chosen: false,
    };
    let page = TokensPage {
        page: visit.page("Tokens", TOKENS),
        writes: visit.writes(),
        is_narrowed: search != TokenSearch::default(),
        tokens: rows(visit, &listing).await?,
        total: match listing.total {
            Some(total) => plural(total, "token"),
            None => "more than 100000 tokens".to_owned(),
        },
        revoke_all: revocable.then(|| with(&format!("{TOKENS}/revoke"), &parameters)),
        paging: paging(visit, &listing, TOKENS, &parameters),
        application_fault: found.application_fault,
        service_fault: found.service_fault,
        choices: found.choices.into_iter().map(choice).collect(),
        search: search.clone(),
    };
    Ok(answer(200, &page))
}

/// What a query or a form looks for.
fn search(form: &Form) -> TokenSearch {
    let trimmed = |name: &str| form.text(name).trim().to_owned();
    TokenSearch { application: trimmed("application"), user: form.text("user"), service: trimmed("service") }
}

fn parameters(search: &TokenSearch) -> [(&'static str, &str); 3] {
    [("application", &search.application), ("user", &search.user), ("service", &search.service)]
}

async fn tokens(visit: &Visit, filter: &TokenFilter) -> Result<Listing, Refusal> {
    let mut request = paging::request(visit, true);
    let id = |id: Option<Uuid>| id.map(|id| Value::from(id.to_string()));
    let given = [
        ("credential.id", id(filter.credential)),
        ("service.id", id(filter.service)),
        ("authenticated_userid", filter.authenticated_userid.as_deref().map(Value::from)),
    ];
    let filters = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    request.filters.extend(filters);
    Ok(visit.catalog().list(visit.schema(ENTITY)?, &request).await?)
}

async fn rows(visit: &Visit, listing: &Listing) -> Result<Vec<TokenRow>, Refusal> {
    let mut names = Names::new(visit);
    let mut rows = Vec::with_capacity(listing.data.len());
    for token in &listing.data {
        rows.push(row(&mut names, token).await?);
    }
    Ok(rows)
}

async fn row(names: &mut Names<'_>, token: &Entity) -> Result<TokenRow, Refusal> {
    let (credential, service) = (reference(token, "credential"), reference(token, "service"));
    let application = names.field("oauth2_credentials", credential, "name").await?;
    Ok(TokenRow {
        id: text(token, "id").to_owned(),
        application: Shown::Link(leads(path_of("oauth2_credentials", credential), application)),
        user: text(token, "authenticated_userid").to_owned(),
        service: match service {
            "" => Shown::Text("all".to_owned()),
            service => Shown::Link(names.link("services", service).await?),
        },
        scope: text(token, "scope").to_owned(),
        issued: when(token, "created_at"),
        expires: When::seconds(token.get("expires_at").and_then(Value::as_i64)),
    })
}

pub(super) async fn revoke_one(visit: &Visit, id: &str, form: &Form) -> Answer {
    let (schema, id) = (visit.schema(ENTITY)?, visit::id(id)?);
    visit.catalog().delete(schema, &Key::Id(id), None).await?;
    Ok(redirect(&Done::TokenRevoked.at(&with(TOKENS, &parameters(&search(form))))))
}

/// How many would go, before they do.
pub(super) async fn confirm_revocation(visit: &Visit) -> Answer {
    let search = search(&visit.query);
    let found = found(visit, &search).await?;
    let back = with(TOKENS, &parameters(&search));
    if !found.is_clear() || found.filter.is_empty() {
        return Ok(redirect(&back));
    }
    let count = visit.registration().count_tokens(&found.filter).await?;
    let names = [("application", &search.application), ("user", &search.user), ("service", &search.service)];
    let of = names.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name} {value}"));
    let page = ConfirmPage {
        page: visit.page(format!("Revoke {}?", plural(count, "token")), TOKENS).narrow(),
        text: format!(
            "Every token of {} ends at once, with its refresh token. Codes that nobody has redeemed end, too.",
            of.collect::<Vec<_>>().join(" and ")
        ),
        action: format!("{TOKENS}/revoke"),
        fields: fields(&found),
        button: format!("Revoke {}", plural(count, "token")),
        back,
    };
    Ok(answer(200, &page))
}

/// The filter itself, by ids: what a name means may change until the form is sent.
fn fields(found: &Found) -> Vec<(String, String)> {
    let filter = &found.filter;
    let given = [
        ("credential", filter.credential.map(|id| id.to_string())),
        ("service", filter.service.map(|id| id.to_string())),
        ("user", filter.authenticated_userid.clone()),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

pub(super) async fn revoke_all(visit: &Visit, form: &Form) -> Answer {
    // What does not read must not be left out: more would be revoked than was asked for.
    let id = |name: &str| form.filled(name).map(|text| visit::id(&text)).transpose();
    let filter = TokenFilter {
        consumer: None,
        authenticated_userid: Some(form.text("user")).filter(|user| !user.is_empty()),
        credential: id("credential")?,
        service: id("service")?,
    };
    let revoked = visit.registration().delete_tokens(&filter).await?;
    let revoked = u64::try_from(revoked).unwrap_or(u64::MAX);
    let page = OutcomePage {
        page: visit.page("Tokens were revoked", TOKENS).narrow(),
        text: format!("{} ended. None of them is answered any more.", plural(revoked, "token")),
        way: leads(TOKENS, "Back to the tokens"),
    };
    Ok(answer(200, &page))
}
