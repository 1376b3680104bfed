//! What nodes tell each other.

use uuid::Uuid;

use super::bytes::{Reader, Writer};
use crate::domain::TokenDigest;

/// Something that nodes must know of before they answer from memory again. All but the last two say what no cache may
/// answer any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Token(TokenDigest),
    /// A token known by its row only.
    TokenRow(Uuid),
    /// All that came of one code or of one first refresh token.
    Family(Uuid),
    /// A credential of any kind, with its client and all its tokens.
    Credential(Uuid),
    /// A consumer, with its credentials and all their tokens.
    Consumer(Uuid),
    /// Tokens bound to a service, and how anyone stands to it.
    Service(Uuid),
    /// How a consumer stands to every service.
    Standing(Uuid),
    /// The tokens of a consumer for a service, and how it stands to it.
    Grants {
        consumer: Uuid,
        service: Uuid,
    },
    /// The tokens of a user: whose `authenticated_userid` is this.
    User(String),
    /// Everything of a consumer of this username, or of a client of this `client_id`, of which nothing else is known any
    /// more.
    Named(String),
    /// What was unknown may exist now.
    Unknowns,
    Everything,
    /// A secret that we did not mint exists from now on and is not to be refused as a guess.
    Learn(TokenDigest),
    /// The configuration has changed.
    Configuration,
}

/// Of the byte form: first this, then the kind, then the fields.
const VERSION: u8 = 1;

impl Event {
    /// The token it ends, if it is about one alone.
    pub(super) fn token(&self) -> Option<TokenDigest> {
        match self {
            Self::Token(digest) => Some(*digest),
            _ => None,
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Writer::new();
        bytes.byte(VERSION);
        match self {
            Self::Token(digest) => bytes.byte(1).raw(&digest.0),
            Self::TokenRow(id) => bytes.byte(2).uuid(*id),
            Self::Family(id) => bytes.byte(14).uuid(*id),
            Self::Credential(id) => bytes.byte(3).uuid(*id),
            Self::Consumer(id) => bytes.byte(4).uuid(*id),
            Self::Service(id) => bytes.byte(5).uuid(*id),
            Self::Standing(id) => bytes.byte(6).uuid(*id),
            Self::Grants { consumer, service } => bytes.byte(7).uuid(*consumer).uuid(*service),
            Self::User(user) => bytes.byte(12).text(user),
            Self::Named(name) => bytes.byte(13).text(name),
            Self::Unknowns => bytes.byte(8),
            Self::Everything => bytes.byte(9),
            Self::Learn(digest) => bytes.byte(10).raw(&digest.0),
            Self::Configuration => bytes.byte(11),
        };
        bytes.into_bytes()
    }

    /// `None`: written by a newer gateway, or not by a gateway at all. Whoever cannot read an event must act as if it
    /// had missed it.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = Reader(bytes);
        if rest.byte()? != VERSION {
            return None;
        }
        let event = match rest.byte()? {
            1 => Self::Token(TokenDigest(rest.array()?)),
            2 => Self::TokenRow(rest.uuid()?),
            3 => Self::Credential(rest.uuid()?),
            4 => Self::Consumer(rest.uuid()?),
            5 => Self::Service(rest.uuid()?),
            6 => Self::Standing(rest.uuid()?),
            7 => Self::Grants { consumer: rest.uuid()?, service: rest.uuid()? },
            8 => Self::Unknowns,
            9 => Self::Everything,
            10 => Self::Learn(TokenDigest(rest.array()?)),
            11 => Self::Configuration,
            12 => Self::User(rest.text()?.to_owned()),
            13 => Self::Named(rest.text()?.to_owned()),
            14 => Self::Family(rest.uuid()?),
            _ => return None,
        };
        rest.end(event)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub fn any_event() -> impl Strategy<Value = Event> {
        let id = || any::<u128>().prop_map(Uuid::from_u128);
        let digest = || any::<[u8; 32]>().prop_map(TokenDigest);
        prop_oneof![
            digest().prop_map(Event::Token),
            id().prop_map(Event::TokenRow),
            id().prop_map(Event::Family),
            id().prop_map(Event::Credential),
            id().prop_map(Event::Consumer),
            id().prop_map(Event::Service),
            id().prop_map(Event::Standing),
            (id(), id()).prop_map(|(consumer, service)| Event::Grants { consumer, service }),
            any::<String>().prop_map(Event::User),
            any::<String>().prop_map(Event::Named),
            Just(Event::Unknowns),
            Just(Event::Everything),
            digest().prop_map(Event::Learn),
            Just(Event::Configuration),
        ]
    }

    proptest! {
        #[test]
        fn an_event_is_read_as_it_was_written(event in any_event()) {
            prop_assert_eq!(Event::from_bytes(&event.to_bytes()), Some(event));
        }

        #[test]
        fn what_is_no_event_is_none(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(event) = Event::from_bytes(&bytes) {
                prop_assert_eq!(event.to_bytes(), bytes);
            }
        }

        #[test]
        fn a_cut_or_longer_event_is_none(event in any_event(), cut in 0_usize..66, more: u8) {
            let mut bytes = event.to_bytes();
            if cut < bytes.len() {
                prop_assert_eq!(Event::from_bytes(&bytes[..cut]), None);
            }
            bytes.push(more);
            prop_assert_eq!(Event::from_bytes(&bytes), None);
        }
    }

    #[test]
    fn a_newer_version_is_none() {
        assert_eq!(Event::from_bytes(&[VERSION + 1, 9]), None);
        assert_eq!(Event::from_bytes(&[VERSION, 200]), None);
    }
}
