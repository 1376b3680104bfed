//! What stands in a path after a collection.

use std::fmt;

use uuid::Uuid;

/// A UUID is an id; anything else is the value of the entity's key (a name, a client id, an access token).
#[derive(Clone, PartialEq, Eq)]
pub enum Key {
    Id(Uuid),
    Name(String),
}

impl Key {
    pub fn parse(text: &str) -> Self {
        match Uuid::try_parse(text) {
            Ok(id) if text.len() == 36 => Self::Id(id),
            _ => Self::Name(text.to_owned()),
        }
    }
}

/// Access tokens are keys too, so a name is not printed.
impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(out, "Key({id})"),
            Self::Name(_) => out.write_str("Key(..)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = "0191c5a4-0000-7000-8000-000000000000";
        assert_eq!(Key::parse(id), Key::Id(id.parse().unwrap()));
        assert!(matches!(Key::parse(&id.replace('-', "")), Key::Name(_)));
        assert!(matches!(Key::parse("bob"), Key::Name(_)));
    }

    #[test]
    fn a_name_is_not_printed() {
        assert_eq!(format!("{:?}", Key::parse("hunter2")), "Key(..)");
    }
}
