//! Cookies that hold a session or a visitor.

use actix_web::HttpRequest;

use crate::domain::Secret;

/// Longer values are not ours.
const LONGEST: usize = 128;

/// One cookie of ours: for our own pages only (`HttpOnly`, `SameSite=Strict`), and Secure unless the operator said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Cookie {
    pub name: &'static str,
    pub path: &'static str,
    pub secure: bool,
}

impl Cookie {
    /// Its value in a request. Sent twice it counts for nothing: one of them is somebody else's.
    pub fn read(&self, request: &HttpRequest) -> Option<Secret> {
        let headers = request.headers().get_all("cookie").filter_map(|header| header.to_str().ok());
        let pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.name).map(|(_, value)| value);
        let value = values.next().filter(|value| !value.is_empty() && value.len() <= LONGEST)?;
        values.next().is_none().then(|| Secret::new(value))
    }

    /// `Set-Cookie` that makes a browser keep it until it is closed.
    pub fn set(&self, value: &Secret) -> String {
        format!("{}={}; {}", self.name, value.reveal(), self.attributes())
    }

    /// `Set-Cookie` that makes a browser forget it.
    pub fn clear(&self) -> String {
        format!("{}=; {}; Max-Age=0", self.name, self.attributes())
    }

    fn attributes(&self) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("Path={}; HttpOnly; SameSite=Strict{secure}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const COOKIE: Cookie = Cookie { name: "portal_session", path: "/", secure: true };

    fn read(header: &str) -> Option<String> {
        let request = TestRequest::get().insert_header(("cookie", header)).to_http_request();
        COOKIE.read(&request).map(|value| value.reveal().to_owned())
    }

    #[test]
    fn one_value_counts_and_two_do_not() {
        assert_eq!(read("a=1; portal_session=x; b=2").as_deref(), Some("x"));
        assert_eq!(read("portal_session=x; portal_session=y"), None);
        assert_eq!(read("xportal_session=x"), None);
        assert_eq!(read("portal_session="), None);
        assert_eq!(read(&format!("portal_session={}", "x".repeat(200))), None);
    }

    #[test]
    fn attributes_keep_it_ours() {
        let set = COOKIE.set(&Secret::new("v"));
        assert_eq!(set, "portal_session=v; Path=/; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(COOKIE.clear(), "portal_session=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0");
    }
}
