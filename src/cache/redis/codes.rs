//! Authorization codes in Redis: what was stored of a code when it was issued, for the node that redeems it.
//!
//! What a code stands for never changes; whether it is still unused is decided by the exchange in the database alone.
//! So a value here is good as long as it exists, whatever happened since; and a redemption that finds it saves one
//! question.

use std::time::Duration;

use super::bytes::{Reader, Writer};
use super::line::Line;
use super::shelf::{Shelf, Tallies, WRITE_LIMIT};
use crate::domain::{Keyring, NewCode, Timestamp, TokenDigest};

const VERSION: u8 = 1;
/// Codes live for minutes; one that is said to live longer is kept for that long only.
const LONGEST: Duration = Duration::from_secs(3600);

/// One worker's way to the codes in Redis. Clones share everything.
#[derive(Clone)]
pub struct CodeTier {
    shelf: Shelf,
}

impl CodeTier {
    /// `line`: of [`Purpose::Hot`](super::Purpose::Hot).
    pub fn new(line: Line, keyring: &Keyring, prefix: &str) -> Self {
        Self { shelf: Shelf::new(line, keyring, prefix, "c") }
    }

    /// Lays down a code that the database has stored, until it expires. Nobody waits for it.
    pub fn keep(&self, code: &NewCode, now: Timestamp) {
        let left = u64::try_from(code.expires_at.millis().saturating_sub(now.millis())).unwrap_or(0);
        if left == 0 {
            return;
        }
        let life = LONGEST.min(Duration::from_millis(left)).as_millis();
        let key = self.shelf.key(code.digest);
        let mut command = redis::cmd("SET");
        command.arg(&key).arg(self.shelf.close(&key, encode(code))).arg("PX").arg(life.to_string());
        let shelf = self.shelf.clone();
        self.shelf.by_the_way(async move {
            let written = shelf.line.query::<()>(&command, WRITE_LIMIT).await;
            shelf.count_write(written.map(|()| 1));
        });
    }

    /// Takes what Redis holds of a code, so that the next to present it asks the database, which knows whether it was
    /// used. `None`: the database must be asked now. What was taken is to be treated as unused until the exchange says
    /// otherwise. It takes tens of milliseconds at most, and no time while Redis is known to be away.
    pub async fn take(&self, digest: TokenDigest) -> Option<NewCode> {
        let value = self.shelf.read("GETDEL", &self.shelf.key(digest)).await?;
        self.shelf.judged(decode(&value).filter(|code| code.digest == digest))
    }

    pub fn tallies(&self) -> Tallies {
        self.shelf.tallies()
    }
}

fn encode(code: &NewCode) -> Vec<u8> {
    let mut bytes = Writer::new();
    let text = |bytes: &mut Writer, text: &String| {
        bytes.text(text);
    };
    bytes.byte(VERSION).uuid(code.id).raw(&code.digest.0).uuid(code.credential_id);
    bytes.optional(code.service_id, |bytes, id| {
        bytes.uuid(id);
    });
    bytes.uuid(code.plugin_id).optional(code.scope.as_ref(), text);
    bytes.optional(code.authenticated_userid.as_ref(), text).optional(code.challenge.as_ref(), text);
    bytes.optional(code.challenge_method.as_ref(), text).optional(code.redirect_uri.as_ref(), text);
    bytes.uuid(code.family_id).i64(code.created_at.millis()).i64(code.expires_at.millis());
    bytes.into_bytes()
}

/// `None`: of another version, or not ours.
fn decode(bytes: &[u8]) -> Option<NewCode> {
    let mut rest = Reader(bytes);
    if rest.byte()? != VERSION {
        return None;
    }
    let text = |rest: &mut Reader<'_>| rest.text().map(str::to_owned);
    let code = NewCode {
        id: rest.uuid()?,
        digest: TokenDigest(rest.array()?),
        credential_id: rest.uuid()?,
        service_id: rest.optional(Reader::uuid)?,
        plugin_id: rest.uuid()?,
        scope: rest.optional(text)?,
        authenticated_userid: rest.optional(text)?,
        challenge: rest.optional(text)?,
        challenge_method: rest.optional(text)?,
        redirect_uri: rest.optional(text)?,
        family_id: rest.uuid()?,
        created_at: Timestamp::from_millis(rest.i64()?),
        expires_at: Timestamp::from_millis(rest.i64()?),
    };
    rest.end(code)
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn any_code() -> impl Strategy<Value = NewCode> {
        let id = || any::<u128>().prop_map(Uuid::from_u128);
        let ids = (id(), any::<[u8; 32]>(), id(), option::of(id()), id(), id());
        let text = || option::of(".*");
        (ids, (text(), text(), text(), text(), text()), any::<(i64, i64)>()).prop_map(|(ids, texts, times)| {
            let (id, digest, credential_id, service_id, plugin_id, family_id) = ids;
            let (scope, authenticated_userid, challenge, challenge_method, redirect_uri) = texts;
            NewCode {
                id,
                digest: TokenDigest(digest),
                credential_id,
                service_id,
                plugin_id,
                scope,
                authenticated_userid,
                challenge,
                challenge_method,
                redirect_uri,
                family_id,
                created_at: Timestamp::from_millis(times.0),
                expires_at: Timestamp::from_millis(times.1),
            }
        })
    }

    proptest! {
        #[test]
        fn a_code_is_read_as_it_was_written(code in any_code()) {
            let bytes = encode(&code);
            prop_assert_eq!(decode(&bytes), Some(code));
            for cut in 0..bytes.len() {
                prop_assert!(decode(&bytes[..cut]).is_none());
            }
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Some(code) = decode(&bytes) {
                prop_assert_eq!(encode(&code), bytes);
            }
        }
    }
}
