//! Pages as HTTP answers.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;
use tracing::error;

use super::Page;

/// Our own files and nothing else: no inline script or style, no frames, forms to ourselves only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page with what every page has. A template cannot fail but for a bug, which is logged and told as one.
pub fn answer(status: u16, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(html) => begun(status).content_type("text/html; charset=utf-8").body(html),
        Err(failure) => {
            error!(error = %failure, "a page could not be made");
            begun(500).content_type("text/plain; charset=utf-8").body("An unexpected error occurred")
        }
    }
}

/// Sends the browser elsewhere on this site after a form was taken (303: by GET).
pub fn redirect(path: &str) -> HttpResponse {
    begun(303).insert_header(("Location", path)).finish()
}

/// Where a page that is only a sentence leads on to.
#[derive(Clone, Debug)]
pub struct Way {
    pub path: String,
    pub text: &'static str,
}

#[derive(Template)]
#[template(path = "message.html", config = "src/pages/askama.toml")]
struct Message<'m> {
    page: Page,
    text: &'m str,
    way: Option<Way>,
}

/// A page that is a heading, a sentence, and perhaps a button.
pub fn message(status: u16, page: Page, text: &str, way: Option<Way>) -> HttpResponse {
    answer(status, &Message { page: page.narrow(), text, way })
}

/// An answer with the headers of every page.
fn begun(status: u16) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    answer.insert_header(("Server", concat!("tollgate/", env!("CARGO_PKG_VERSION"))));
    answer.insert_header(("Content-Security-Policy", POLICY));
    answer.insert_header(("X-Content-Type-Options", "nosniff"));
    answer.insert_header(("Referrer-Policy", "same-origin"));
    answer.insert_header(("X-Frame-Options", "DENY"));
    answer.insert_header(("Cross-Origin-Opener-Policy", "same-origin"));
    answer.insert_header(("Permissions-Policy", "camera=(), geolocation=(), microphone=()"));
    // Pages show what is one person's.
    answer.insert_header(("Cache-Control", "no-store"));
    answer
}
