//! Tokens of the Admin API that stand in the settings.

use crate::domain::Secret;

/// Shorter ones could be guessed.
const SHORTEST: usize = 16;

/// A named token.
#[derive(Clone, Debug)]
pub struct SetToken {
    pub name: String,
    pub read_only: bool,
    pub token: Secret,
}

impl SetToken {
    /// Reads `NAME:ROLE:TOKEN`.
    ///
    /// # Errors
    /// What is wrong, without showing the token.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':').map(str::trim);
        let (Some(name), Some(role), Some(token)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("each token is NAME:ROLE:TOKEN".to_owned());
        };
        let read_only = match role {
            "admin" => false,
            "read-only" => true,
            _ => return Err(format!("the role of token `{name}` must be admin or read-only")),
        };
        if name.is_empty() {
            return Err("a token has no name".to_owned());
        }
        if token.len() < SHORTEST {
            return Err(format!("token `{name}` must have at least {SHORTEST} characters"));
        }
        Ok(Self { name: name.to_owned(), read_only, token: Secret::new(token) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_name_role_and_enough_characters() {
        let read = SetToken::parse("ci:read-only:abcdefghij:klmnop").unwrap();
        assert_eq!((read.name.as_str(), read.read_only, read.token.reveal()), ("ci", true, "abcdefghij:klmnop"));
        for faulty in ["", "ci", "ci:admin", "ci:root:abcdefghijklmnop", ":admin:abcdefghijklmnop", "ci:admin:hunter2"]
        {
            let why = SetToken::parse(faulty).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
