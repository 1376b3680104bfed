//! Who may call: tokens, and pages of other origins.

use actix_web::HttpRequest;

use super::errors;
use super::reply::Reply;
use super::state::{AdminIdentity, AdminRole, AdminState, Exposure};
use crate::domain::{Secret, is_loopback_host};
use crate::schema::Verb;

/// Why a browser's request is not its user's own act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A name rebound to loopback.
    Host,
    /// A page of another origin.
    Page,
}

impl Foreign {
    pub fn text(self) -> &'static str {
        match self {
            Self::Host => "Host is not a loopback name",
            Self::Page => "Cross-origin requests are not allowed",
        }
    }
}

/// Whether a browser acts for a page of another origin, or by a name rebound to loopback.
pub fn foreign(request: &HttpRequest, exposure: Exposure) -> Option<Foreign> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = header("host").or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    if exposure == Exposure::Loopback && !host.is_none_or(is_loopback_host) {
        return Some(Foreign::Host);
    }
    let elsewhere = header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign = header("origin").is_some_and(|origin| !host.is_some_and(|host| is_same(origin, host)));
    (elsewhere || foreign).then_some(Foreign::Page)
}

/// Refuses what is [`foreign`].
pub(super) fn refuse_foreign_pages(request: &HttpRequest, exposure: Exposure) -> Result<(), Reply> {
    foreign(request, exposure).map_or(Ok(()), |foreign| Err(Reply::message(403, foreign.text())))
}

/// `Origin: http://x:8001` is the origin of `Host: x:8001`, whichever the scheme: a proxy may have ended TLS.
fn is_same(origin: &str, host: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// Whose request it is.
pub(super) async fn identify(request: &HttpRequest, state: &AdminState) -> Result<AdminIdentity, Reply> {
    let open = |name: &str| AdminIdentity { name: name.to_owned(), role: AdminRole::Admin };
    match state.exposure {
        Exposure::Loopback => return Ok(open("loopback")),
        Exposure::Insecure => return Ok(open("anonymous")),
        Exposure::Tokens => {}
    }
    let challenge =
        || Reply::message(401, "Unauthorized").header("WWW-Authenticate", "Bearer realm=\"tollgate admin\"");
    let token = token(request).ok_or_else(challenge)?;
    match state.surroundings.find_admin_token(token).await {
        Ok(Some(identity)) => Ok(identity),
        Ok(None) => Err(challenge()),
        Err(error) => Err(errors::reply(&error.into())),
    }
}

fn token(request: &HttpRequest) -> Option<Secret> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    if let Some(token) = header("kong-admin-token") {
        return Some(Secret::new(token));
    }
    let (scheme, token) = header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(token.trim()))
}

/// A read-only token reads, and judges without storing.
pub(super) fn permit(identity: &AdminIdentity, verb: Verb, stores: bool) -> Result<(), Reply> {
    let reads = verb == Verb::Get || !stores;
    match identity.role {
        AdminRole::ReadOnly if !reads => Err(Reply::message(403, "This token may only read")),
        AdminRole::Admin | AdminRole::ReadOnly => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn judged(exposure: Exposure, headers: &[(&'static str, &'static str)]) -> bool {
        let mut request = TestRequest::get().uri("/services");
        for header in headers {
            request = request.insert_header(*header);
        }
        refuse_foreign_pages(&request.to_http_request(), exposure).is_ok()
    }

    #[test]
    fn loopback_answers_to_loopback_names_only() {
        for host in ["localhost:8001", "127.0.0.1:8001", "[::1]:8001", "LOCALHOST", "a.localhost:1", "127.9.9.9"] {
            assert!(judged(Exposure::Loopback, &[("host", host)]), "{host}");
        }
        for host in ["evil.example:8001", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1:8001"] {
            assert!(!judged(Exposure::Loopback, &[("host", host)]), "{host}");
            assert!(judged(Exposure::Insecure, &[("host", host)]), "{host}");
        }
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let host = ("host", "localhost:8001");
        assert!(judged(Exposure::Loopback, &[host, ("origin", "http://localhost:8001")]));
        for origin in ["http://localhost:3000", "https://evil.example", "null", "http://localhost:8001.evil.example"] {
            assert!(!judged(Exposure::Loopback, &[host, ("origin", origin)]), "{origin}");
        }
        assert!(!judged(Exposure::Insecure, &[host, ("sec-fetch-site", "cross-site")]));
        assert!(!judged(Exposure::Insecure, &[host, ("sec-fetch-site", "same-site")]));
        assert!(judged(Exposure::Insecure, &[host, ("sec-fetch-site", "none")]));
    }
}
