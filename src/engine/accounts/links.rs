//! Where mailed links lead: paths of the portal's pages.

use form_urlencoded::byte_serialize;
use uuid::Uuid;

use crate::domain::{PlainToken, Secret};

/// The portal's address, without a slash at the end.
#[derive(Clone, Debug)]
pub(super) struct Links(String);

impl Links {
    pub(super) fn new(portal_url: &str) -> Self {
        Self(portal_url.trim_end_matches('/').to_owned())
    }

    /// The page asks whether it was them, and takes no for an answer too.
    pub(super) fn verify(&self, token: &PlainToken) -> Secret {
        self.with_token("verify", token)
    }

    pub(super) fn reset_password(&self, token: &PlainToken) -> Secret {
        self.with_token("reset", token)
    }

    fn with_token(&self, page: &str, token: &PlainToken) -> Secret {
        // Tokens are letters and digits.
        Secret::new(format!("{}/account/{page}?token={}", self.0, token.reveal()))
    }

    pub(super) fn log_in(&self) -> String {
        format!("{}/account/login", self.0)
    }

    pub(super) fn register(&self, email: &str) -> String {
        let email: String = byte_serialize(email.as_bytes()).collect();
        format!("{}/account/register?email={email}", self.0)
    }

    pub(super) fn application(&self, id: Uuid) -> String {
        format!("{}/apps/{id}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_leave_its_parameter() {
        let links = Links::new("https://p.example/x/");
        assert_eq!(links.register("a+b&c@d"), "https://p.example/x/account/register?email=a%2Bb%26c%40d");
        assert_eq!(links.verify(&Secret::new("t")).reveal(), "https://p.example/x/account/verify?token=t");
    }
}
