//! Who asks for a page.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use actix_web::dev;
use actix_web::http::header::{HeaderValue, SET_COOKIE};
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;
use rand::random;
use uuid::Uuid;

use super::desk::{Desk, SITE};
use super::said::{Refused, notice};
use crate::domain::Secret;
use crate::engine::accounts::{Developer, Visit};
use crate::engine::catalog::Key;
use crate::engine::registration::{Application, Scope};
use crate::pages::{self, Csrf, Form, Page, Visitor};
use crate::portal::client;

/// Bytes of a form: a description and a few lines.
const LONGEST_FORM: usize = 128 * 1024;

/// Someone with a browser: a developer who is logged in, or a visitor.
pub(super) struct Guest {
    pub desk: Data<Desk>,
    pub request: HttpRequest,
    pub visit: Option<Visit>,
    /// The cookie that forms are bound to: the session's, or the visitor's.
    cookie: Secret,
    csrf: Csrf,
    /// Whether the browser must be told of the visitor's cookie.
    is_new: bool,
    pub query: Form,
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Refused>>>>;

impl FromRequest for Guest {
    type Error = Refused;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(Self::of(request))
    }
}

impl Guest {
    async fn of(request: HttpRequest) -> Result<Self, Refused> {
        let Some(desk) = request.app_data::<Data<Desk>>().cloned() else { return Err(Refused::NotFound) };
        let session = desk.session_cookie().read(&request);
        let visit = match &session {
            Some(cookie) => desk.accounts.visit(cookie).await?,
            None => None,
        };
        let (cookie, is_new) = match session.filter(|_| visit.is_some()) {
            Some(cookie) => (cookie, false),
            None => {
                let visitor = Visitor::of(&desk.keyring, desk.visitor_cookie().read(&request), random());
                (visitor.value, visitor.is_new)
            }
        };
        let csrf = Csrf::new(&desk.keyring, &cookie);
        let query = Form::parse(request.query_string().as_bytes());
        Ok(Self { desk, request, visit, cookie, csrf, is_new, query })
    }

    /// Who is logged in.
    ///
    /// # Errors
    /// The way to the log-in, and back here.
    pub(super) fn developer(&self) -> Result<&Developer, Refused> {
        let next = match self.request.method().as_str() {
            "GET" | "HEAD" => self.request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            _ => "/apps".to_owned(),
        };
        self.visit.as_ref().map(|visit| &visit.developer).ok_or(Refused::LogIn(next))
    }

    pub(super) fn visit(&self) -> Result<&Visit, Refused> {
        self.developer()?;
        self.visit.as_ref().ok_or(Refused::NotFound)
    }

    /// The cookie of the session, if there is one.
    pub(super) fn session(&self) -> Option<&Secret> {
        self.visit.as_ref().map(|_| &self.cookie)
    }

    pub(super) fn client(&self) -> IpAddr {
        client::address(&self.request, &self.desk.face.trusted)
    }

    /// A part of the path that is an id.
    pub(super) fn id(&self, name: &str) -> Result<Uuid, Refused> {
        self.request.match_info().get(name).and_then(|text| text.parse().ok()).ok_or(Refused::NotFound)
    }

    /// One's own application in the path.
    pub(super) async fn application(&self) -> Result<Application, Refused> {
        let (developer, id) = (self.developer()?.id, self.id("application")?);
        Ok(self.desk.registration.application(Scope::Developer(developer), &Key::Id(id)).await?)
    }

    pub(super) fn page(&self, title: impl Into<String>) -> Page {
        let page = Page::new(&SITE, title, self.csrf.token()).notice(notice(&self.query.text("done")));
        match &self.visit {
            Some(visit) => page.of(&visit.developer.email),
            None => page,
        }
    }

    /// A page, with the visitor's cookie where it is new.
    pub(super) fn answer(&self, status: u16, page: &impl Template) -> HttpResponse {
        let mut answer = pages::answer(status, page);
        if self.is_new {
            set_cookie(&mut answer, &self.desk.visitor_cookie().set(&self.cookie));
        }
        answer
    }
}

/// Cookies are ASCII of our own making.
pub(super) fn set_cookie(answer: &mut HttpResponse, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}

/// A form of ours, sent by who it was made for. (Pages of other origins are refused before, by the guard.)
pub(super) struct Posted {
    pub guest: Guest,
    pub form: Form,
}

impl FromRequest for Posted {
    type Error = Refused;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, payload) = (request.clone(), Payload::from_request(request, payload));
        Box::pin(async move {
            let payload =
                payload.await.map_err(|_| Refused::Told { status: 400, text: "The form could not be read." })?;
            let guest = Guest::of(request).await?;
            let form = Form::read(&guest.request, payload, LONGEST_FORM).await;
            let form = form.map_err(|error| Refused::Told { status: error.status(), text: error.text() })?;
            if !guest.csrf.matches(&form.text("csrf_token")) {
                return Err(Refused::Forged);
            }
            Ok(Self { guest, form })
        })
    }
}

/// A path of ours that a query or form names; else `otherwise`. Never another site.
pub(super) fn own_path(text: &str, otherwise: &str) -> String {
    let own = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if own && plain && text.len() < 1000 { text.to_owned() } else { otherwise.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours_are_followed() {
        assert_eq!(own_path("/apps?x=1", "/"), "/apps?x=1");
        for foreign in
            ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "", "/a\r\nX: y", "/\0", "/ä"]
        {
            assert_eq!(own_path(foreign, "/"), "/", "{foreign}");
        }
    }
}
