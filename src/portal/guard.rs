//! Around every request: pages of other origins, and the headers of every answer.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, Responder};
use uuid::Uuid;

use super::reply::Reply;
use super::state::{Face, PortalState};
use crate::domain::is_loopback_host;

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/// Seconds a browser may remember the answer to a preflight.
const PREFLIGHT_SECONDS: &str = "600";
/// Answers that are no pages load and embed nothing. A page brings a policy of its own.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Which page sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sender {
    /// One of ours, or no page at all.
    Own,
    /// One of another origin that may call us.
    Listed(String),
    Foreign,
}

/// Wraps the portal's App.
///
/// # Errors
/// What the App itself fails with.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<Data<PortalState>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let sender = sender(request.request(), &state.face);
    let mut response = match rebound(&request, &state.face).or_else(|| early(&request, &sender)) {
        Some(reply) => {
            let answer = reply.respond_to(request.request());
            request.into_response(answer)
        }
        None => next.call(request).await?.map_into_boxed_body(),
    };
    complete(response.headers_mut(), &sender, !state.face.cors_origins.is_empty());
    Ok(response)
}

/// The answer to a name that was rebound to this machine.
fn rebound(request: &ServiceRequest, face: &Face) -> Option<Reply> {
    let host = host(request.request())?;
    let own = face.own_origin.as_deref().is_some_and(|origin| is_same(origin, host));
    let known = !face.loopback_names_only || own || is_loopback_host(host);
    (!known).then(|| Reply::message(403, "Host is not a loopback name; set portal.url to use another"))
}

/// The answer to what goes no further: preflights, and writes of pages of other origins.
fn early(request: &ServiceRequest, sender: &Sender) -> Option<Reply> {
    let refusal = || Reply::message(403, "Cross-origin requests are not allowed");
    let method = request.method();
    if method == Method::OPTIONS {
        return Some(match sender {
            Sender::Foreign => refusal(),
            Sender::Own | Sender::Listed(_) => Reply::empty(204).header("Allow", METHODS),
        });
    }
    // Logging in is a GET, and changes something.
    let reads = (method == Method::GET || method == Method::HEAD) && !request.path().ends_with("/auth");
    (!reads && *sender == Sender::Foreign).then(refusal)
}

/// Judges by what browsers say and pages cannot change: `Origin` and `Sec-Fetch-Site`. Who is no browser says neither.
fn sender(request: &HttpRequest, face: &Face) -> Sender {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let elsewhere = header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let Some(origin) = header("origin") else {
        return if elsewhere { Sender::Foreign } else { Sender::Own };
    };
    if face.cors_origins.iter().any(|listed| listed == origin) {
        return Sender::Listed(origin.to_owned());
    }
    let own = face.own_origin.as_deref() == Some(origin) || host(request).is_some_and(|host| is_same(origin, host));
    if own && !elsewhere { Sender::Own } else { Sender::Foreign }
}

/// Where a request was sent to.
fn host(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get("host").map(|value| value.to_str().unwrap_or("?"));
    header.or_else(|| request.uri().authority().map(|authority| authority.as_str()))
}

/// `Origin: http://x:8003` is the origin of `Host: x:8003`, whichever the scheme: a proxy may have ended TLS.
fn is_same(origin: &str, host: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// Adds what an answer does not say itself.
fn complete(headers: &mut HeaderMap, sender: &Sender, varies: bool) {
    let mut add = |name: &'static str, value: &str| {
        let name = HeaderName::from_static(name);
        if let (false, Ok(value)) = (headers.contains_key(&name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    };
    add("server", concat!("tollgate/", env!("CARGO_PKG_VERSION")));
    add("x-request-id", &Uuid::new_v4().simple().to_string());
    add("x-content-type-options", "nosniff");
    // Pages send it to ourselves: without it browsers would say `Origin: null` of our own forms.
    add("referrer-policy", "same-origin");
    add("content-security-policy", POLICY);
    // Answers are one person's, and nobody else's to keep.
    add("cache-control", "no-store");
    if varies {
        add("vary", "Origin");
    }
    if let Sender::Listed(origin) = sender {
        add("access-control-allow-origin", origin);
        add("access-control-allow-credentials", "true");
        add("access-control-allow-methods", METHODS);
        add("access-control-allow-headers", "Authorization, Content-Type, apikey");
        add("access-control-expose-headers", "Retry-After, X-Request-Id");
        add("access-control-max-age", PREFLIGHT_SECONDS);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn judged(headers: &[(&'static str, &'static str)]) -> Sender {
        let face = Face {
            own_origin: Some("https://portal.example".into()),
            cors_origins: vec!["https://spa.example".into()],
            secure_cookies: true,
            loopback_names_only: false,
            trusted: Vec::new(),
            app_auth: "kong-oauth2",
        };
        let mut request = TestRequest::post().insert_header(("host", "10.0.0.1:8003"));
        for header in headers {
            request = request.insert_header(*header);
        }
        sender(&request.to_http_request(), &face)
    }

    #[test]
    fn our_own_pages_and_no_pages_pass() {
        assert_eq!(judged(&[]), Sender::Own);
        assert_eq!(judged(&[("sec-fetch-site", "none")]), Sender::Own);
        for origin in ["https://portal.example", "http://10.0.0.1:8003", "https://10.0.0.1:8003"] {
            assert_eq!(judged(&[("origin", origin), ("sec-fetch-site", "same-origin")]), Sender::Own, "{origin}");
        }
    }

    #[test]
    fn listed_origins_pass_exactly() {
        let listed = Sender::Listed("https://spa.example".into());
        assert_eq!(judged(&[("origin", "https://spa.example"), ("sec-fetch-site", "cross-site")]), listed);
        for origin in
            ["http://spa.example", "https://spa.example:8443", "https://spa.example.evil.example", "null", "?"]
        {
            assert_eq!(judged(&[("origin", origin)]), Sender::Foreign, "{origin}");
        }
    }

    #[test]
    fn other_pages_are_foreign() {
        for origin in ["https://evil.example", "null", "http://10.0.0.1:8004", "http://10.0.0.1:8003.evil.example"] {
            assert_eq!(judged(&[("origin", origin)]), Sender::Foreign, "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert_eq!(judged(&[("sec-fetch-site", site)]), Sender::Foreign, "{site}");
            let both = judged(&[("origin", "https://portal.example"), ("sec-fetch-site", site)]);
            assert_eq!(both, Sender::Foreign, "{site}");
        }
    }
}
