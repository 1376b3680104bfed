//! Logging in and out.

use actix_web::http::header::{HeaderMap, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::ask::Ask;
use crate::gateway::Gateway;
use crate::people::{self, Person};
use crate::sessions::{Sessions, secret};
use crate::view::{self, Trouble};

/// A browser that was here before, logged in or not.
#[derive(Clone)]
pub struct Visitor {
    pub person: Option<Person>,
    /// In every form of this session: a form of another site cannot know it.
    pub csrf: String,
}

#[derive(Deserialize)]
pub struct Credentials {
    #[serde(default)]
    csrf: String,
    username: String,
    password: String,
}

#[derive(Deserialize)]
pub struct Leaving {
    #[serde(default)]
    csrf: String,
}

impl Visitor {
    fn new(person: Option<Person>) -> Self {
        Self { person, csrf: secret() }
    }

    /// The visitor whose form this is.
    pub fn behind(visitors: &Sessions<Self>, headers: &HeaderMap, csrf: &str) -> Result<Self, Trouble> {
        let visitor = visitors.find(headers).ok_or_else(Trouble::forged)?;
        match bool::from(visitor.csrf.as_bytes().ct_eq(csrf.as_bytes())) {
            true => Ok(visitor),
            false => Err(Trouble::forged()),
        }
    }
}

pub async fn show(
    request: HttpRequest,
    gateway: web::Data<Gateway>,
    visitors: web::Data<Sessions<Visitor>>,
) -> Result<HttpResponse, Trouble> {
    let ask = Ask::read(request.query_string(), &gateway).await?;
    if let Some(visitor) = visitors.find(request.headers()) {
        return Ok(HttpResponse::Ok().content_type(view::HTML).body(form(&ask, &visitor, "", "")));
    }
    let visitor = Visitor::new(None);
    let page = form(&ask, &visitor, "", "");
    let cookie = (SET_COOKIE, visitors.begin(visitor));
    Ok(HttpResponse::Ok().insert_header(cookie).content_type(view::HTML).body(page))
}

fn form(ask: &Ask, visitor: &Visitor, username: &str, complaint: &str) -> String {
    let content = view::fill(
        include_str!("pages/sign_in.html"),
        &[
            ("application", &ask.application),
            ("query", &ask.query()),
            ("csrf", &visitor.csrf),
            ("username", username),
            ("complaint", complaint),
        ],
    );
    view::page("Log in", &content)
}

pub async fn check(
    request: HttpRequest,
    form_sent: web::Form<Credentials>,
    gateway: web::Data<Gateway>,
    visitors: web::Data<Sessions<Visitor>>,
) -> Result<HttpResponse, Trouble> {
    let visitor = Visitor::behind(&visitors, request.headers(), &form_sent.csrf)?;
    let ask = Ask::read(request.query_string(), &gateway).await?;
    let Some(person) = people::find(&form_sent.username, &form_sent.password) else {
        let page = form(&ask, &visitor, &form_sent.username, "That user name and password do not belong together.");
        return Ok(HttpResponse::Unauthorized().content_type(view::HTML).body(page));
    };
    // A new name for the session, so that one planted before the log-in is worth nothing after it.
    visitors.end(request.headers());
    let cookie = visitors.begin(Visitor::new(Some(person)));
    Ok(view::go(&format!("/authorize?{}", ask.query()), Some(cookie)))
}

pub async fn leave(
    request: HttpRequest,
    form: web::Form<Leaving>,
    gateway: web::Data<Gateway>,
    visitors: web::Data<Sessions<Visitor>>,
) -> Result<HttpResponse, Trouble> {
    Visitor::behind(&visitors, request.headers(), &form.csrf)?;
    visitors.end(request.headers());
    let ask = Ask::read(request.query_string(), &gateway).await?;
    Ok(view::go(&format!("/sign-in?{}", ask.query()), None))
}
