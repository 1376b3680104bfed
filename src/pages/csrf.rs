//! CSRF tokens: a form of ours names the session (or the visitor) it was made for.
//!
//! A token is a keyed digest of the cookie's value, so nothing is stored, it cannot be made without the keyring, and it
//! ends with the session. Before log-in a visitor's cookie stands in for the session's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::{Keyring, Secret};

/// The token of one cookie's forms.
#[derive(Clone, Debug)]
pub struct Csrf(Secret);

impl Csrf {
    pub fn new(keyring: &Keyring, cookie: &Secret) -> Self {
        let digest = keyring.digest(format!("csrf token of {}", cookie.reveal()).as_bytes());
        Self(Secret::new(URL_SAFE_NO_PAD.encode(digest.0)))
    }

    /// As forms carry it, under `csrf_token`.
    pub fn token(&self) -> &str {
        self.0.reveal()
    }

    /// Whether a form was made for this cookie (constant time).
    pub fn matches(&self, given: &str) -> bool {
        self.0.matches(given)
    }
}

/// Someone who is not logged in: the value of their cookie, and whether the browser must be told of it.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub value: Secret,
    pub is_new: bool,
}

impl Visitor {
    /// The visitor that a browser says it is, when we gave it that value; else a new one made of `entropy`.
    pub fn of(keyring: &Keyring, cookie: Option<Secret>, entropy: [u8; 24]) -> Self {
        match cookie.filter(|value| keyring.is_minted(value.reveal())) {
            Some(value) => Self { value, is_new: false },
            None => Self { value: keyring.mint(entropy), is_new: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_cookie_only() {
        let keyring = Keyring::new([1; 32], [2; 32]);
        let csrf = Csrf::new(&keyring, &Secret::new("a"));
        assert!(csrf.matches(Csrf::new(&keyring, &Secret::new("a")).token()));
        for other in
            [Csrf::new(&keyring, &Secret::new("b")), Csrf::new(&Keyring::new([3; 32], [2; 32]), &Secret::new("a"))]
        {
            assert!(!csrf.matches(other.token()));
        }
        assert!(!csrf.matches(""));
    }

    #[test]
    fn a_visitor_is_only_who_we_made() {
        let keyring = Keyring::new([1; 32], [2; 32]);
        let first = Visitor::of(&keyring, None, [7; 24]);
        assert!(first.is_new);
        assert!(!Visitor::of(&keyring, Some(first.value.clone()), [8; 24]).is_new);
        assert!(Visitor::of(&keyring, Some(Secret::new("chosen")), [8; 24]).is_new);
    }
}
