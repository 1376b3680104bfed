//! Pages: HTML files with `{{names}}` in them, filled with text that is escaped, always.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::{HttpResponse, ResponseError};
use reqwest::Url;

pub const HTML: &str = "text/html; charset=utf-8";

/// What a page may load and where its forms may lead. Browsers also hold the redirect that answers a form against
/// this, so the page with the question names the one place it may end in.
pub fn policy(redirect_uri: Option<&Url>) -> String {
    let place = redirect_uri.map(|uri| match uri.origin().is_tuple() {
        true => format!(" {}", uri.origin().ascii_serialization()),
        false => format!(" {}:", uri.scheme()),
    });
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'{}",
        place.unwrap_or_default()
    )
}

/// A whole page around `content`, which is HTML.
pub fn page(title: &str, content: &str) -> String {
    fill(include_str!("pages/layout.html"), &[("title", title)]).replace("<!-- content -->", content)
}

/// `template` with each `{{name}}` replaced, in one go: what a value holds is never read as a name.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("every {{ has its }}");
        let (_, value) = values.iter().find(|(known, _)| *known == name).expect("every name has its value");
        filled.push_str(before);
        filled.push_str(&escaped(value));
        rest = after;
    }
    filled + rest
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

/// Sends the browser on, with GET whatever it came with.
pub fn go(place: &str, cookie: Option<String>) -> HttpResponse {
    let mut answer = HttpResponse::SeeOther();
    answer.insert_header((LOCATION, place));
    if let Some(cookie) = cookie {
        answer.insert_header((SET_COOKIE, cookie));
    }
    answer.finish()
}

pub async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(include_str!("pages/style.css"))
}

pub async fn nothing_here() -> Result<HttpResponse, Trouble> {
    Err(Trouble { status: StatusCode::NOT_FOUND, title: "Nothing here", text: "This page does not exist.".to_owned() })
}

/// An error page.
#[derive(Debug)]
pub struct Trouble {
    status: StatusCode,
    title: &'static str,
    text: String,
}

impl Trouble {
    /// The request that brought the browser here is not to be followed.
    pub fn ask(title: &'static str, text: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, title, text: text.to_owned() }
    }

    /// A form that this session did not get from us.
    pub fn forged() -> Self {
        let text = "This form is not yours, or it waited too long. Go back to the application and begin again.";
        Self { status: StatusCode::FORBIDDEN, title: "Please begin again", text: text.to_owned() }
    }

    /// The gateway is away or refuses us. Why is for the owner's log, and never has a secret in it.
    pub fn gateway(why: impl fmt::Display) -> Self {
        eprintln!("the gateway cannot help: {why}");
        let text = "Something on our side does not work. Please try again in a moment.";
        Self { status: StatusCode::BAD_GATEWAY, title: "That did not work", text: text.to_owned() }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.title)
    }
}

impl ResponseError for Trouble {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let content = fill(include_str!("pages/trouble.html"), &[("title", self.title), ("text", &self.text)]);
        HttpResponse::build(self.status).content_type(HTML).body(page(self.title, &content))
    }
}
