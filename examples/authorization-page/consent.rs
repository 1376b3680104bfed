//! The question itself: may this application do these things in your name?

use actix_web::{HttpRequest, HttpResponse, web};
use reqwest::Url;
use serde::Deserialize;

use crate::ask::Ask;
use crate::gateway::Gateway;
use crate::people::Person;
use crate::sessions::Sessions;
use crate::sign_in::Visitor;
use crate::view::{self, Trouble};

/// What the scopes mean, in words for people.
const SCOPES: [(&str, &str, &str); 2] = [
    ("email", "Your e-mail address", "To read it, not to write to you in your name."),
    ("profile", "Your profile", "Your name, your picture and the language you read."),
];

#[derive(Deserialize)]
pub struct Decision {
    #[serde(default)]
    csrf: String,
    decision: String,
}

pub async fn show(
    request: HttpRequest,
    gateway: web::Data<Gateway>,
    visitors: web::Data<Sessions<Visitor>>,
) -> Result<HttpResponse, Trouble> {
    let ask = Ask::read(request.query_string(), &gateway).await?;
    let Some((visitor, person)) = visitors.find(request.headers()).and_then(logged_in) else {
        return Ok(view::go(&format!("/sign-in?{}", ask.query()), None));
    };
    Ok(HttpResponse::Ok()
        .insert_header(("content-security-policy", view::policy(Some(&ask.redirect_uri))))
        .content_type(view::HTML)
        .body(question(&ask, &visitor, person)))
}

fn logged_in(visitor: Visitor) -> Option<(Visitor, Person)> {
    let person = visitor.person?;
    Some((visitor, person))
}

fn question(ask: &Ask, visitor: &Visitor, person: Person) -> String {
    let scopes: String = ask.scopes().map(scope).collect();
    let scopes = match scopes.as_str() {
        "" => view::fill(include_str!("pages/scope.html"), &[("title", "Call the API in your name"), ("text", "")]),
        _ => scopes,
    };
    let content = view::fill(
        include_str!("pages/consent.html"),
        &[
            ("application", &ask.application),
            ("place", &place(&ask.redirect_uri)),
            ("person", person.name),
            ("query", &ask.query()),
            ("csrf", &visitor.csrf),
        ],
    );
    view::page("Allow access", &content.replace("<!-- scopes -->", &scopes))
}

fn scope(word: &str) -> String {
    let known = SCOPES.iter().find(|(name, ..)| *name == word);
    let (title, text) = known.map_or((word, ""), |(_, title, text)| (*title, *text));
    view::fill(include_str!("pages/scope.html"), &[("title", title), ("text", text)])
}

/// Where the person will find themselves, as short as it can be and still be checked.
fn place(uri: &Url) -> String {
    match (uri.host_str(), uri.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => format!("{}:", uri.scheme()),
    }
}

pub async fn decide(
    request: HttpRequest,
    form: web::Form<Decision>,
    gateway: web::Data<Gateway>,
    visitors: web::Data<Sessions<Visitor>>,
) -> Result<HttpResponse, Trouble> {
    let visitor = Visitor::behind(&visitors, request.headers(), &form.csrf)?;
    let ask = Ask::read(request.query_string(), &gateway).await?;
    let Some(person) = visitor.person else { return Err(Trouble::forged()) };
    match form.decision.as_str() {
        "allow" => Ok(view::go(&gateway.authorize(&ask, person.id).await?, None)),
        _ => Ok(view::go(ask.denied(gateway.issuer.as_deref()).as_str(), None)),
    }
}
