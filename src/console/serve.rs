//! One request, from the first check to the audit log.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::frame::{HOME, LOGIN};
use super::refusal::{Refusal, plain, told};
use super::session::{self, Session};
use super::state::ConsoleState;
use super::visit::Visit;
use super::{acts, login, read};
use crate::admin::{AuditEntry, Foreign, foreign};
use crate::pages::{Csrf, Form, Page, Way, assets, message, redirect};

/// Bytes a form may have.
const FORM: usize = 1024 * 1024;
/// Bytes a form with an OpenAPI document may have: the document's letters, escaped.
const DOCUMENT_FORM: usize = 24 * 1024 * 1024;
/// Bytes a log-in may have.
const LOGIN_FORM: usize = 16 * 1024;

/// Serves `/console` and everything below it.
pub fn configure(config: &mut ServiceConfig, state: Data<ConsoleState>) {
    let paths = web::resource([HOME.to_owned(), format!("{HOME}/{{path:.*}}")]);
    config.service(paths.app_data(state).default_service(web::to(serve)));
}

async fn serve(request: HttpRequest, payload: Payload, state: Data<ConsoleState>) -> HttpResponse {
    let id = state.admin.surroundings.request_id();
    let mut response = answer(&request, payload, &state, &id).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

async fn answer(request: &HttpRequest, payload: Payload, state: &Data<ConsoleState>, id: &str) -> HttpResponse {
    if let Some(foreign) = foreign(request, state.admin.exposure) {
        return elsewhere(request, foreign);
    }
    let Some(path) = segments(request.uri().path()) else {
        return plain(404, "Not found", "There is nothing here.");
    };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let (reads, writes) = (is_read(request), request.method() == "POST");
    if !reads && !writes {
        return plain(405, "Not allowed", "Pages are read and forms are sent; nothing else is done here.");
    }
    if let (["assets", digest, name], true) = (path.as_slice(), reads) {
        return assets::serve(digest, name);
    }
    let session = match session::find(state, request).await {
        Ok(session) => session,
        Err(error) => return told(error),
    };
    match (path.as_slice(), session, reads) {
        (["login"], Some(_), true) => redirect(HOME),
        (["login"], None, true) => login::page(state, request),
        (["login"], session, false) => match Form::read(request, payload, LOGIN_FORM).await {
            Ok(form) => login::log_in(state, request, &form, session, id).await,
            Err(error) => plain(error.status(), "This cannot be read", error.text()),
        },
        (_, None, true) => redirect(&login::before(request.uri().path())),
        (_, None, false) => redirect(LOGIN),
        (path, Some(session), true) => get(state, request, path, session).await,
        (path, Some(session), false) => post(state, request, payload, path, session, id).await,
    }
}

fn is_read(request: &HttpRequest) -> bool {
    request.method() == "GET" || request.method() == "HEAD"
}

/// A page of another origin reaches nothing. Who merely followed a link from there gets a button, and is themselves
/// again: until they press it the browser keeps their cookie to itself.
fn elsewhere(request: &HttpRequest, foreign: Foreign) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let followed = header("sec-fetch-mode") == "navigate" && header("sec-fetch-dest") == "document";
    if foreign == Foreign::Page && followed && request.method() == "GET" && !request.headers().contains_key("origin") {
        let page = Page::new(&super::frame::SITE, "You come from another site", "");
        let way = Way { path: request.uri().path().to_owned(), text: "Go on to the console" };
        return message(200, page, "A link there leads to this console.", Some(way));
    }
    plain(403, "Refused", foreign.text())
}

/// The decoded segments after `/console`; one slash at the end means nothing.
fn segments(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix(HOME)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let decoded = |text: &str| {
        let text = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
        (!text.is_empty()).then(|| text.into_owned())
    };
    rest.split('/').skip(1).map(decoded).collect()
}

fn visit(state: &Data<ConsoleState>, request: &HttpRequest, session: &Session) -> Visit {
    Visit {
        state: state.clone(),
        who: session.who.clone(),
        csrf: Csrf::new(&state.node.keyring, &session.cookie),
        query: Form::parse(request.uri().query().unwrap_or_default().as_bytes()),
    }
}

async fn get(state: &Data<ConsoleState>, request: &HttpRequest, path: &[&str], session: Session) -> HttpResponse {
    let visit = visit(state, request, &session);
    read::read(&visit, path).await.unwrap_or_else(|refusal| refusal.page(&visit))
}

async fn post(
    state: &Data<ConsoleState>,
    request: &HttpRequest,
    payload: Payload,
    path: &[&str],
    session: Session,
    id: &str,
) -> HttpResponse {
    let visit = visit(state, request, &session);
    let limit = if matches!(path, ["services", _, "document"]) { DOCUMENT_FORM } else { FORM };
    let refused = |status, title, text: &str| message(status, visit.page(title, ""), text, None);
    let form = match Form::read(request, payload, limit).await {
        Ok(form) => form,
        Err(error) => return refused(error.status(), "This cannot be read", error.text()),
    };
    if !visit.csrf.matches(&form.text("csrf_token")) {
        let text = "The form was not made for this session. Please go back, load the page again, and send it again.";
        return refused(403, "Nothing was done", text);
    }
    if path == ["logout"] {
        return login::log_out(state, session).await;
    }
    if !visit.writes() {
        return refused(403, "Nothing was done", "This token may only read.");
    }
    let path = path.iter().map(|segment| (*segment).to_owned()).collect();
    // A task of its own, so that a browser that goes away does not leave behind a change that is stored and not in
    // force, or is missing in the audit log.
    let done = actix_web::rt::spawn(act(visit, path, form, entry(request, &session, id))).await;
    done.unwrap_or_else(|_| plain(500, "Something went wrong", "An unexpected error occurred."))
}

/// An act, told to the audit log.
async fn act(visit: Visit, path: Vec<String>, form: Form, mut entry: AuditEntry) -> HttpResponse {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let acted = acts::act(&visit, &path, &form).await;
    let known = !matches!(acted, Err(Refusal::NoSuchPath));
    let response = acted.unwrap_or_else(|refusal| refusal.page(&visit));
    if known {
        entry.status = response.status().as_u16();
        visit.state.admin.surroundings.record(entry).await;
    }
    response
}

/// The record of a POST; its status follows. Known paths hold words and ids only.
pub(super) fn entry(request: &HttpRequest, session: &Session, id: &str) -> AuditEntry {
    AuditEntry {
        request_id: id.to_owned(),
        actor: session.who.name.clone(),
        source: request.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default(),
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        status: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_and_decoded() {
        assert_eq!(segments("/console"), Some(vec![]));
        assert_eq!(segments("/console/"), Some(vec![]));
        assert_eq!(segments("/console/entities/a%20b/"), Some(vec!["entities".to_owned(), "a b".to_owned()]));
        assert_eq!(segments("/console//a"), None);
        assert_eq!(segments("/console/%ff"), None);
    }
}
