//! What Redis holds under a token's digest: bytes that are small, carry their version, and hold no secret.

use std::sync::Arc;

use super::bytes::{Reader, Writer};
use super::epoch::Epoch;
use super::memory::Stamp;
use crate::domain::{Consumer, Timestamp, TokenView};

/// The head, which the scripts read too: version, generation, nonce, sequence number; then the kind.
const VERSION: u8 = 1;
const KNOWN: u8 = 1;
const UNKNOWN: u8 = 2;
const REVOKED: u8 = 3;

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// The view, and when the database was asked for it (by the clock of the node that asked).
    Known(TokenView, Timestamp),
    /// The database has no such token.
    Unknown,
    /// Left by a revocation. It says the same, and is not replaced by what was read before it.
    Revoked,
}

pub(super) fn encode(content: &Content, stamp: Stamp) -> Vec<u8> {
    let mut bytes = Writer::new();
    bytes.byte(VERSION).u64(stamp.epoch.generation()).u64(stamp.epoch.nonce()).u64(stamp.seq);
    match content {
        Content::Unknown => bytes.byte(UNKNOWN),
        Content::Revoked => bytes.byte(REVOKED),
        Content::Known(view, asked_at) => {
            bytes.byte(KNOWN).i64(asked_at.millis());
            write_view(&mut bytes, view)
        }
    };
    bytes.into_bytes()
}

fn write_view<'w>(bytes: &'w mut Writer, view: &TokenView) -> &'w mut Writer {
    let text = |bytes: &mut Writer, text: &str| {
        bytes.text(text);
    };
    bytes.uuid(view.id).uuid(view.credential_id).uuid(view.family_id).text(&view.client_id).uuid(view.consumer.id);
    bytes.optional(view.consumer.username.as_deref(), text).optional(view.consumer.custom_id.as_deref(), text);
    bytes.optional(view.service_id, |bytes, id| {
        bytes.uuid(id);
    });
    bytes.optional(view.scope.as_deref(), text).optional(view.authenticated_userid.as_deref(), text);
    bytes.i64(view.created_at.millis()).i64(view.expires_in).optional(view.expires_at, |bytes, end| {
        bytes.i64(end.millis());
    })
}

/// `None`: of another version, or not ours. Such a value is as good as none.
pub(super) fn decode(bytes: &[u8]) -> Option<(Content, Stamp)> {
    let mut rest = Reader(bytes);
    if rest.byte()? != VERSION {
        return None;
    }
    let epoch = Epoch::new(rest.u64()?, rest.u64()?);
    let stamp = Stamp { epoch, seq: rest.u64()? };
    let content = match rest.byte()? {
        UNKNOWN => Content::Unknown,
        REVOKED => Content::Revoked,
        KNOWN => {
            let asked_at = Timestamp::from_millis(rest.i64()?);
            Content::Known(read_view(&mut rest)?, asked_at)
        }
        _ => return None,
    };
    rest.end((content, stamp))
}

fn read_view(rest: &mut Reader<'_>) -> Option<TokenView> {
    let text = |rest: &mut Reader<'_>| rest.text().map(str::to_owned);
    Some(TokenView {
        id: rest.uuid()?,
        credential_id: rest.uuid()?,
        family_id: rest.uuid()?,
        client_id: text(rest)?.into(),
        consumer: Arc::new(Consumer {
            id: rest.uuid()?,
            username: rest.optional(text)?,
            custom_id: rest.optional(text)?,
        }),
        service_id: rest.optional(Reader::uuid)?,
        scope: rest.optional(text)?.map(Arc::from),
        authenticated_userid: rest.optional(text)?,
        created_at: Timestamp::from_millis(rest.i64()?),
        expires_in: rest.i64()?,
        expires_at: rest.optional(Reader::i64)?.map(Timestamp::from_millis),
    })
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn any_view() -> impl Strategy<Value = TokenView> {
        let id = || any::<u128>().prop_map(Uuid::from_u128);
        let ids = (id(), id(), id(), id(), option::of(id()));
        let texts = (any::<String>(), option::of(".*"), option::of(".*"), option::of(".*"), option::of(".*"));
        let times = (any::<i64>(), any::<i64>(), option::of(any::<i64>()));
        (ids, texts, times).prop_map(|((id, credential_id, family_id, consumer, service_id), texts, times)| {
            let (client_id, username, custom_id, scope, authenticated_userid) = texts;
            let (created_at, expires_in, expires_at) = times;
            TokenView {
                id,
                credential_id,
                family_id,
                client_id: client_id.into(),
                consumer: Arc::new(Consumer { id: consumer, username, custom_id }),
                service_id,
                scope: scope.map(Arc::from),
                authenticated_userid,
                created_at: Timestamp::from_millis(created_at),
                expires_in,
                expires_at: expires_at.map(Timestamp::from_millis),
            }
        })
    }

    fn any_stamp() -> impl Strategy<Value = Stamp> {
        (any::<u64>(), any::<u64>(), any::<u64>())
            .prop_map(|(generation, nonce, seq)| Stamp { epoch: Epoch::new(generation, nonce), seq })
    }

    proptest! {
        #[test]
        fn a_view_is_read_as_it_was_written(view in any_view(), stamp in any_stamp(), asked_at: i64) {
            let asked_at = Timestamp::from_millis(asked_at);
            let bytes = encode(&Content::Known(view.clone(), asked_at), stamp);
            let Some((Content::Known(read, at), of)) = decode(&bytes) else { panic!("not read") };
            prop_assert_eq!(format!("{view:?}"), format!("{read:?}"));
            prop_assert_eq!((at, of), (asked_at, stamp));
            for cut in 0..bytes.len() {
                prop_assert!(decode(&bytes[..cut]).is_none());
            }
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            // What passes for a value is one, byte for byte.
            if let Some((content, stamp)) = decode(&bytes) {
                prop_assert_eq!(encode(&content, stamp), bytes);
            }
        }

        #[test]
        fn one_byte_changed_never_panics(view in any_view(), stamp in any_stamp(), at: prop::sample::Index, byte: u8) {
            let mut bytes = encode(&Content::Known(view, Timestamp::from_millis(0)), stamp);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn the_other_kinds_and_versions() {
        let stamp = Stamp { epoch: Epoch::new(1, 2), seq: 3 };
        assert!(matches!(decode(&encode(&Content::Unknown, stamp)), Some((Content::Unknown, of)) if of == stamp));
        let mut bytes = encode(&Content::Revoked, stamp);
        assert!(matches!(decode(&bytes), Some((Content::Revoked, _))));
        assert_eq!(bytes.len(), 26);
        bytes[0] = VERSION + 1;
        assert!(decode(&bytes).is_none());
    }
}
