//! Logging in with an admin token, and out.

use std::sync::PoisonError;

use actix_web::http::header::{HeaderValue, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse};
use rand::random;

use super::frame::{HOME, LOGIN, SITE};
use super::notices::{self, Done};
use super::refusal::told;
use super::serve::entry;
use super::session::{self, Session};
use super::state::ConsoleState;
use super::views::LoginPage;
use crate::admin::AdminIdentity;
use crate::domain::Secret;
use crate::engine::accounts::{AccountError, SessionHolder};
use crate::pages::{Csrf, Form, Notice, Page, Visitor, answer, redirect};

/// The log-in, to go on to a page.
pub(super) fn before(path: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", path);
    format!("{LOGIN}?{}", query.finish())
}

pub(super) fn page(state: &ConsoleState, request: &HttpRequest) -> HttpResponse {
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    form(state, request, &query.text("next"), notices::of(&query.text("done")), 200)
}

fn form(state: &ConsoleState, request: &HttpRequest, next: &str, notice: Option<Notice>, status: u16) -> HttpResponse {
    let (cookie, keyring) = (state.visitor_cookie(), &state.node.keyring);
    let visitor = Visitor::of(keyring, cookie.read(request), random());
    let csrf = Csrf::new(keyring, &visitor.value);
    let page = Page::new(&SITE, "Log in", csrf.token()).narrow().notice(notice);
    let mut response = answer(status, &LoginPage { page, next: own_path(next).to_owned() });
    if visitor.is_new {
        set_cookie(&mut response, &cookie.set(&visitor.value));
    }
    response
}

/// A path of the console; anything else is its first page.
fn own_path(next: &str) -> &str {
    let rest = next.strip_prefix(HOME).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let plain = next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.%".contains(&byte));
    if rest.is_some() && plain && !next.contains("//") && !next.contains("..") { next } else { HOME }
}

/// Takes a log-in. Whoever was logged in before is no more.
pub(super) async fn log_in(
    state: &ConsoleState,
    request: &HttpRequest,
    given: &Form,
    before: Option<Session>,
    id: &str,
) -> HttpResponse {
    let again = |notice: &str, status| form(state, request, &given.text("next"), Some(Notice::bad(notice)), status);
    let (cookie, keyring) = (state.visitor_cookie(), &state.node.keyring);
    let visitor = Visitor::of(keyring, cookie.read(request), random());
    if visitor.is_new || !Csrf::new(keyring, &visitor.value).matches(&given.text("csrf_token")) {
        return again("This form had expired. Please log in again.", 403);
    }
    if let Some(seconds) = attempt(state, request) {
        let mut response = again("Too many attempts. Please wait a little.", 429);
        response.headers_mut().insert(actix_web::http::header::RETRY_AFTER, HeaderValue::from(seconds));
        return response;
    }
    let token = Secret::new(given.text("token").trim());
    let admitted = match admit(state, &token).await {
        Ok(Some(admitted)) => admitted,
        Ok(None) => return again("No admin token is like this one.", 401),
        Err(error) => return told(error),
    };
    let Admitted { who, cookie: value } = admitted;
    state.attempts.lock().unwrap_or_else(PoisonError::into_inner).forget(&session::origin(request));
    if let Some(before) = before
        && let Err(error) = state.accounts.log_out(&before.cookie).await
    {
        return told(error);
    }
    let session = Session { cookie: value, who };
    let mut record = entry(request, &session, id);
    record.status = 303;
    state.admin.surroundings.record(record).await;
    let mut response = redirect(own_path(&given.text("next")));
    set_cookie(&mut response, &state.session_cookie().set(&session.cookie));
    set_cookie(&mut response, &cookie.clear());
    response
}

/// Counts an attempt; the seconds to wait when there were too many.
fn attempt(state: &ConsoleState, request: &HttpRequest) -> Option<i64> {
    let (origin, now) = (session::origin(request), state.node.clock.now());
    let mut attempts = state.attempts.lock().unwrap_or_else(PoisonError::into_inner);
    let locked = attempts.locked(&origin, now);
    if locked.is_none() {
        attempts.count(origin, now);
    }
    locked
}

struct Admitted {
    who: AdminIdentity,
    cookie: Secret,
}

async fn admit(state: &ConsoleState, token: &Secret) -> Result<Option<Admitted>, AccountError> {
    let digest = state.node.keyring.digest(token.reveal().as_bytes());
    let Some(who) = state.admin.surroundings.find_admin_digest(digest).await? else { return Ok(None) };
    let begun = state.accounts.begin_session(SessionHolder::Admin(digest)).await?;
    Ok(Some(Admitted { who, cookie: begun.cookie }))
}

pub(super) async fn log_out(state: &ConsoleState, session: Session) -> HttpResponse {
    if let Err(error) = state.accounts.log_out(&session.cookie).await {
        return told(error);
    }
    let mut response = redirect(&Done::LoggedOut.at(LOGIN));
    set_cookie(&mut response, &state.session_cookie().clear());
    response
}

fn set_cookie(response: &mut HttpResponse, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_leads_on_to_the_console_only() {
        for own in ["/console", "/console/developers/0191c5a4-0000-7000-8000-000000000000"] {
            assert_eq!(own_path(own), own);
        }
        for other in
            ["", "//evil.example", "https://evil.example/console", "/consolex", "/console//evil", "/console/../x"]
        {
            assert_eq!(own_path(other), HOME, "{other}");
        }
        for other in ["/console\\evil", "/console/\r\nSet-Cookie: a=b", "/console?x=1", "/console/<b>"] {
            assert_eq!(own_path(other), HOME, "{other}");
        }
    }
}
