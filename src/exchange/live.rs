//! What a running Admin API tells, page by page: Kong's, or tollgate's own.

use std::collections::HashSet;

use serde_json::Value;

use super::client::Client;
use super::given::is_empty;
use super::mend::mend;
use super::plan::failed;
use super::references::resolved;
use super::tokens::{belongs, new_token};
use super::{Given, Input, Plan, Problem, Refusal};
use crate::domain::{NewToken, Secret};
use crate::engine::catalog::{Catalog, CatalogError};
use crate::schema::{Body, Entity};

/// Rows of one page.
const PAGE: usize = 1000;
/// Pages of one list; more than there are tokens anywhere.
const MOST_PAGES: usize = 100_000;
/// Rows of one list of configuration.
const MOST_ROWS: usize = 1_000_000;

/// Paths of an Admin API, and the schema of what each holds.
const LISTS: &[(&str, &str)] = &[
    ("certificates", "certificates"),
    ("ca_certificates", "ca_certificates"),
    ("snis", "snis"),
    ("services", "services"),
    ("routes", "routes"),
    ("consumers", "consumers"),
    ("plugins", "plugins"),
    ("oauth2", "oauth2_credentials"),
    ("key-auths", "keyauth_credentials"),
    ("jwts", "jwt_secrets"),
];
const TOKENS: &str = "oauth2_tokens";

/// Lists of Kong's that have no counterpart, or that are not brought along, and why.
const FOREIGN: &[(&str, &str)] = &[
    ("upstreams", "no load balancing: a service whose host is this name must name the real host"),
    ("consumer_groups", "no groups of consumers; plugins set for the group do not run"),
    ("acls", "no plugin `acl`: who is in which group refuses nobody"),
    ("basic-auths", "no plugin `basic-auth`"),
    ("hmac-auths", "no plugin `hmac-auth`"),
    ("vaults", "no vaults: a `{vault://…}` must be replaced by its value"),
    ("key-sets", "no keys as entities"),
    ("keys", "no keys as entities"),
    (
        "developers",
        "developers register anew, or are made by the Admin API; consumers of theirs are taken as consumers",
    ),
    ("applications", "applications are made anew; their credentials are taken as those of consumers"),
    ("application_instances", "developers ask for access anew"),
    ("document_objects", "documents are uploaded anew"),
];

/// A running Admin API.
pub struct Admin(Client);

impl Admin {
    /// # Errors
    /// No URL of HTTP, or a header that cannot be sent.
    pub fn new(url: &str, header: &str, token: Option<Secret>) -> Result<Self, Problem> {
        Ok(Self(Client::new(url, header, token)?))
    }
}

/// One page of a list.
pub struct Page {
    pub rows: Vec<Entity>,
    /// How many rows the list has, where the API tells.
    pub total: Option<u64>,
}

/// The pages of a list, one after the other.
struct Pages<'a> {
    admin: &'a Admin,
    list: &'static str,
    /// Where the next page is; `None`: there is none.
    next: Option<String>,
    seen: HashSet<String>,
}

impl<'a> Pages<'a> {
    fn new(admin: &'a Admin, list: &'static str) -> Self {
        let first = format!("/{list}?size={PAGE}");
        Self { admin, list, next: Some(first), seen: HashSet::new() }
    }

    async fn next(&mut self) -> Result<Option<Page>, Problem> {
        let Some(path) = self.next.take() else { return Ok(None) };
        let fault = |text: String| Problem::new(format!("GET /{}", self.list), text);
        if !self.seen.insert(path.clone()) || self.seen.len() > MOST_PAGES {
            return Err(fault("the list comes back to a page that was read: it would never end".to_owned()));
        }
        let (status, body) = self.admin.0.get(&path).await?;
        match status {
            200 => {}
            // A plugin that is not enabled there has no list.
            404 => return Ok(None),
            401 | 403 => return Err(fault(format!("{status}: give a token that may read (--token-file)"))),
            other => return Err(fault(format!("was answered with {other}"))),
        }
        let answer: Value = serde_json::from_slice(&body).map_err(|_| fault("the answer is not JSON".to_owned()))?;
        let rows = match answer.get("data") {
            Some(Value::Array(rows)) => rows.iter().filter_map(Value::as_object).cloned().collect(),
            // Kong's encoder writes an empty list so.
            Some(Value::Object(fields)) if fields.is_empty() => Vec::new(),
            _ => return Err(fault("the answer is not a list: is this an Admin API?".to_owned())),
        };
        let offset = answer.get("offset").and_then(Value::as_str).filter(|offset| !offset.is_empty());
        self.next = offset.map(|offset| {
            let offset = percent_encoding::utf8_percent_encode(offset, percent_encoding::NON_ALPHANUMERIC);
            format!("/{}?size={PAGE}&offset={offset}", self.list)
        });
        Ok(Some(Page { rows, total: answer.get("total").and_then(Value::as_u64) }))
    }
}

/// Reads everything but tokens. `progress` is told how many rows there are so far.
///
/// # Errors
/// The API cannot be asked, or does not answer as one.
pub async fn read(admin: &Admin, progress: impl Fn(u64)) -> Result<Input, Problem> {
    let mut input = Input { is_live: true, ..Input::default() };
    for (list, entity) in LISTS {
        let mut pages = Pages::new(admin, list);
        while let Some(page) = pages.next().await? {
            for fields in page.rows {
                let place = place(list, &fields);
                input.given.push(Given { place, entity, fields, parent: None });
            }
            progress(input.given.len() as u64);
            if input.given.len() > MOST_ROWS {
                return Err(Problem::new(format!("GET /{list}"), format!("more than {MOST_ROWS} rows")));
            }
        }
    }
    if input.given.iter().all(|one| one.entity != "services") {
        look_at_the_root(admin).await?;
    }
    for (list, why) in FOREIGN {
        tell_foreign(admin, list, why, &mut input).await;
    }
    Ok(input)
}

/// Only to be told of: that a list cannot be read ends nothing, and is told too.
async fn tell_foreign(admin: &Admin, list: &'static str, why: &str, input: &mut Input) {
    let mut pages = Pages::new(admin, list);
    loop {
        match pages.next().await {
            Ok(Some(page)) => page.rows.iter().for_each(|fields| input.leave(place(list, fields), why)),
            Ok(None) => return,
            Err(problem) => {
                return input.leave(format!("/{list}"), format!("what it has is not known: {}", problem.text));
            }
        }
        if input.untaken.len() > MOST_ROWS {
            return input.leave(format!("/{list}"), "and more");
        }
    }
}

/// An address where nothing is listed may be no Admin API at all.
async fn look_at_the_root(admin: &Admin) -> Result<(), Problem> {
    let (status, body) = admin.0.get("/").await?;
    let answer: Option<Value> = serde_json::from_slice(&body).ok();
    let is_api = status == 200 && answer.is_some_and(|answer| answer.get("version").is_some());
    if is_api {
        Ok(())
    } else {
        Err(Problem::new("GET /", format!("was answered with {status}: is this an Admin API?")))
    }
}

/// What a row is called, without its secrets.
fn place(list: &str, fields: &Entity) -> String {
    let text = |field: &&str| fields.get(*field).and_then(Value::as_str).map(str::to_owned);
    let secret = ["key-auths", TOKENS].contains(&list);
    let named = ["name", "username", "client_id", "prefix", "group"].iter().filter(|_| !secret);
    let name = named.filter_map(text).next().or_else(|| text(&"id")).unwrap_or_default();
    format!("/{list}/{name}")
}

/// The tokens of an API, a page at a time.
pub struct TokenPages<'a>(Pages<'a>);

impl<'a> TokenPages<'a> {
    pub fn new(admin: &'a Admin) -> Self {
        Self(Pages::new(admin, TOKENS))
    }

    /// # Errors
    /// The API cannot be asked, or does not answer as one.
    pub async fn next(&mut self) -> Result<Option<Page>, Problem> {
        self.0.next().await
    }
}

/// Judges a page of tokens. What cannot be taken goes to the plan's report.
///
/// # Errors
/// The store failed.
pub async fn tokens(catalog: &Catalog, plan: &mut Plan, rows: Vec<Entity>) -> Result<Vec<NewToken>, Refusal> {
    let Some(schema) = catalog.registry.entity(TOKENS) else { return Ok(Vec::new()) };
    let given = |fields: Entity| {
        // They are computed there as here.
        let fields = fields.into_iter().filter(|(name, value)| name != "expires_at" && !is_empty(value)).collect();
        Given { place: place(TOKENS, &fields), entity: schema.name, fields, parent: None }
    };
    let mut input = Input { given: rows.into_iter().map(given).collect(), is_live: true, ..Input::default() };
    mend(&catalog.registry, &mut input);
    let mut found = Vec::with_capacity(input.given.len());
    for one in &input.given {
        let fields = match resolved(&plan.world, &catalog.registry, schema, one, &[]) {
            Ok(Some(fields)) => fields,
            Ok(None) => continue,
            Err(problems) => {
                problems.into_iter().for_each(|problem| input.untaken.push(problem.into()));
                continue;
            }
        };
        match catalog.judge(schema, Body::json(fields), None).await {
            Ok(entity) => match new_token(&entity).filter(|token| belongs(&plan.world, token)) {
                Some(token) => found.push(token),
                None => input.untaken.push(Problem::new(&one.place, "its credential is not there").into()),
            },
            Err(CatalogError::Violations(violations)) => {
                input.untaken.push(Problem::new(&one.place, violations.message()).into());
            }
            Err(other) => return Err(failed(other)),
        }
    }
    plan.untaken.append(&mut input.untaken);
    Ok(found)
}
