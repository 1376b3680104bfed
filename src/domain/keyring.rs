//! The keyring: what makes tokens at rest unreadable, findable, and recognisable.
//!
//! One *lookup* key that never changes digests tokens (`HMAC-SHA256`), so that a digest found today is found tomorrow.
//! Numbered *sealing* keys (AES-256-GCM) are rotated: one seals (the highest, unless it is held back), all open. From the lookup key
//! a third one is derived that stamps the tokens we mint, so that a guess is refused without asking the store.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{PlainToken, Secret, Timestamp, minted};

/// Number of a sealing key.
pub type KeyId = u32;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// `HMAC-SHA256(lookup key, token)`: what is stored, cached and compared in place of a token. Of a token we minted the
/// first three bytes are its minute, and of the MAC the first 29 follow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenDigest(pub [u8; 32]);

/// Eight bytes of the MAC, which nobody without the key can aim.
impl Hash for TokenDigest {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let mut number = [0; 8];
        number.copy_from_slice(&self.0[8..16]);
        hasher.write_u64(u64::from_ne_bytes(number));
    }
}

/// `HMAC-SHA256(lookup key, token)`, whole.
#[derive(Clone, Copy)]
pub struct TokenMac([u8; 32]);

impl TokenMac {
    /// The digest of this token, should it be one that we minted: `None` where its form says no. Whatever is found
    /// under it is of this token, whether or not it bears our stamp, for 29 bytes of its MAC are the same.
    pub fn digest_if_minted(self, token: &[u8]) -> Option<TokenDigest> {
        minted::is_formed(token).then(|| self.with_minute(token))
    }

    fn with_minute(self, token: &[u8]) -> TokenDigest {
        let mut digest = [0; 32];
        digest[..3].copy_from_slice(&minted::minute(token).to_be_bytes()[1..]);
        digest[3..].copy_from_slice(&self.0[..29]);
        TokenDigest(digest)
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TokenDigest({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

/// A token sealed for the Admin API: key number (4 bytes, big endian), nonce (12), ciphertext with tag.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedToken(pub Vec<u8>);

impl SealedToken {
    /// The key it was sealed with; `None` when it is too short to be one of ours.
    pub fn key_id(&self) -> Option<KeyId> {
        let (id, _) = self.0.split_first_chunk::<4>()?;
        Some(KeyId::from_be_bytes(*id))
    }
}

impl fmt::Debug for SealedToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SealedToken(key {:?})", self.key_id())
    }
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyringError {
    #[error("keyring entry {0} is not `lookup:BASE64` or `NUMBER:BASE64` with 32 bytes of key")]
    BadEntry(usize),
    #[error("keyring has no `lookup` key")]
    NoLookupKey,
    #[error("keyring has no sealing key")]
    NoSealingKey,
    #[error("keyring has no key {0}, which is to seal")]
    NoSuchSealingKey(KeyId),
    #[error("keyring names `{0}` twice")]
    Repeated(String),
    #[error("keyring has no key {0}, which sealed this value: put that key back")]
    MissingKey(KeyId),
    #[error("sealed value does not open with key {0}: wrong key, or the value was altered")]
    DoesNotOpen(KeyId),
    #[error("sealed value is too short")]
    TooShort,
}

/// Keys are never printed. Text form: entries `lookup:BASE64` and `NUMBER:BASE64`, by line or comma.
///
/// The highest key seals, or the one that an entry `seals:NUMBER` names: a new key is held back until every gateway has it.
#[derive(Clone)]
pub struct Keyring {
    lookup: [u8; KEY_BYTES],
    lookup_mac: Hmac<Sha256>,
    pub(super) stamp_mac: Hmac<Sha256>,
    sealing: BTreeMap<KeyId, ([u8; KEY_BYTES], Aes256Gcm)>,
    seals: KeyId,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Keyring({:?})", self.key_ids())
    }
}

impl Keyring {
    /// A first keyring from fresh random bytes.
    pub fn new(lookup: [u8; KEY_BYTES], first: [u8; KEY_BYTES]) -> Self {
        Self::assemble(lookup, BTreeMap::from([(1, first)]), 1)
    }

    /// This keyring with one more key, which seals from now on.
    #[must_use]
    pub fn rotated(&self, key: [u8; KEY_BYTES]) -> Self {
        self.with_another(key).with_newest_sealing()
    }

    /// This keyring with one more key, which is held back: what sealed before does so still.
    #[must_use]
    pub fn with_another(&self, key: [u8; KEY_BYTES]) -> Self {
        let mut keys: BTreeMap<_, _> = self.sealing.iter().map(|(id, (key, _))| (*id, *key)).collect();
        keys.insert(self.newest() + 1, key);
        Self::assemble(self.lookup, keys, self.seals)
    }

    /// This keyring with no key held back.
    #[must_use]
    pub fn with_newest_sealing(&self) -> Self {
        Self { seals: self.newest(), ..self.clone() }
    }

    fn newest(&self) -> KeyId {
        self.sealing.keys().next_back().copied().unwrap_or(self.seals)
    }

    fn assemble(lookup: [u8; KEY_BYTES], keys: BTreeMap<KeyId, [u8; KEY_BYTES]>, seals: KeyId) -> Self {
        let lookup_mac = keyed(&lookup);
        let stamp_key = lookup_mac.clone().chain_update(b"tollgate minted token stamp").finalize().into_bytes();
        let sealing = keys.into_iter().map(|(id, key)| (id, (key, Aes256Gcm::new(&key.into())))).collect();
        Self { lookup, lookup_mac, stamp_mac: keyed(&stamp_key), sealing, seals }
    }

    /// Reads the text form. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// Names the faulty entry by its place; never prints key material.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let (mut lookup, mut seals) = (None, None);
        let mut keys = BTreeMap::new();
        let entries = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(|line| line.split(','));
        for (nth, entry) in entries.map(str::trim).filter(|entry| !entry.is_empty()).enumerate() {
            let bad = KeyringError::BadEntry(nth + 1);
            let (name, value) = entry.split_once(':').ok_or(bad.clone())?;
            if name.trim() == "seals" {
                let number = value.trim().parse::<KeyId>().map_err(|_| bad)?;
                if seals.replace(number).is_some() {
                    return Err(KeyringError::Repeated("seals".to_owned()));
                }
                continue;
            }
            let key = STANDARD.decode(value.trim()).ok().and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
            let key = key.ok_or(bad.clone())?;
            let repeated = match name.trim() {
                "lookup" => lookup.replace(key).is_some(),
                number => keys.insert(number.parse::<KeyId>().map_err(|_| bad)?, key).is_some(),
            };
            if repeated {
                return Err(KeyringError::Repeated(name.trim().to_owned()));
            }
        }
        let lookup = lookup.ok_or(KeyringError::NoLookupKey)?;
        let newest = *keys.keys().next_back().ok_or(KeyringError::NoSealingKey)?;
        let seals = seals.unwrap_or(newest);
        if !keys.contains_key(&seals) {
            return Err(KeyringError::NoSuchSealingKey(seals));
        }
        Ok(Self::assemble(lookup, keys, seals))
    }

    /// The text form, for the keyring file.
    pub fn to_text(&self) -> Secret {
        let mut text = format!("lookup:{}\n", STANDARD.encode(self.lookup));
        for (id, (key, _)) in &self.sealing {
            text.push_str(&format!("{id}:{}\n", STANDARD.encode(key)));
        }
        if self.seals != self.newest() {
            text.push_str(&format!("seals:{}\n", self.seals));
        }
        Secret::new(text)
    }

    /// Numbers of the sealing keys, ascending.
    pub fn key_ids(&self) -> Vec<KeyId> {
        self.sealing.keys().copied().collect()
    }

    /// The key that seals.
    pub fn primary(&self) -> KeyId {
        self.seals
    }

    pub fn digest(&self, token: &[u8]) -> TokenDigest {
        self.digest_from(token, self.mac(token))
    }

    pub fn mac(&self, token: &[u8]) -> TokenMac {
        TokenMac(self.lookup_mac.clone().chain_update(token).finalize().into_bytes().into())
    }

    /// The digest of a token, from its MAC.
    pub fn digest_from(&self, token: &[u8], mac: TokenMac) -> TokenDigest {
        // Of a secret that came from elsewhere nothing but the MAC is kept.
        if self.bears_stamp(token) { mac.with_minute(token) } else { TokenDigest(mac.0) }
    }

    /// Seals `plain` with the primary key. `context` names the column and must be given again to open; `nonce` must be
    /// fresh random bytes.
    pub fn seal(&self, plain: &[u8], context: &str, nonce: [u8; NONCE_BYTES]) -> SealedToken {
        let id = &self.seals;
        let (_, cipher) = self.sealing.get(id).expect("what seals is a key of the keyring, or it is not made");
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload).expect("texts are far below the cipher's limit");
        let mut bytes = Vec::with_capacity(4 + NONCE_BYTES + sealed.len());
        bytes.extend_from_slice(&id.to_be_bytes());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        SealedToken(bytes)
    }

    /// Opens what [`Keyring::seal`] sealed under the same `context`.
    ///
    /// # Errors
    /// A key that is not in the keyring, an altered value, a value of another column.
    pub fn open(&self, sealed: &SealedToken, context: &str) -> Result<Vec<u8>, KeyringError> {
        let (id, rest) = sealed.0.split_first_chunk::<4>().ok_or(KeyringError::TooShort)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(KeyringError::TooShort)?;
        let id = KeyId::from_be_bytes(*id);
        let (_, cipher) = self.sealing.get(&id).ok_or(KeyringError::MissingKey(id))?;
        let payload = Payload { msg: text, aad: context.as_bytes() };
        cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| KeyringError::DoesNotOpen(id))
    }

    /// Makes a token of 32 characters `[A-Za-z0-9]` from random bytes.
    pub fn mint(&self, entropy: [u8; 24]) -> PlainToken {
        self.stamped(minted::body(entropy, None))
    }

    /// Makes a token that is stored beside others of its minute. For those that are stored by the million.
    pub fn mint_at(&self, entropy: [u8; 24], at: Timestamp) -> PlainToken {
        self.stamped(minted::body(entropy, Some(at)))
    }

    fn stamped(&self, mut token: String) -> PlainToken {
        let stamp = self.stamp(token.as_bytes());
        token.push_str(&stamp);
        PlainToken::new(token)
    }

    /// Whether a token carries our stamp. One that does not was either imported or guessed.
    pub fn is_minted(&self, token: &str) -> bool {
        self.bears_stamp(token.as_bytes())
    }

    fn bears_stamp(&self, token: &[u8]) -> bool {
        if !minted::is_formed(token) {
            return false;
        }
        let (body, stamp) = token.split_at(minted::STAMPED);
        self.stamp(body).as_bytes().ct_eq(stamp).into()
    }

    fn stamp(&self, body: &[u8]) -> String {
        let mac = self.stamp_mac.clone().chain_update(body).finalize().into_bytes();
        minted::stamp(u64::from_le_bytes(mac[..8].try_into().expect("a MAC has 32 bytes")))
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring() -> Keyring {
        Keyring::new([1; 32], [2; 32])
    }

    #[test]
    fn what_is_sealed_opens_after_a_rotation() {
        let sealed = keyring().seal(b"token", "oauth2_tokens.access_token", [7; 12]);
        let rotated = keyring().rotated([3; 32]);
        assert_eq!(rotated.open(&sealed, "oauth2_tokens.access_token").unwrap(), b"token");
        assert_eq!(rotated.seal(b"x", "c", [0; 12]).key_id(), Some(2));
    }

    #[test]
    fn a_key_that_is_held_back_opens_and_does_not_seal() {
        let with_another = keyring().with_another([3; 32]);
        assert_eq!(with_another.seal(b"x", "c", [0; 12]).key_id(), Some(1));
        let sealed = with_another.with_newest_sealing().seal(b"x", "c", [0; 12]);
        assert_eq!(sealed.key_id(), Some(2));
        assert_eq!(with_another.open(&sealed, "c").unwrap(), b"x");
        let read = Keyring::parse(with_another.to_text().reveal()).unwrap();
        assert_eq!((read.key_ids(), read.primary()), (vec![1, 2], 1));
        let text = keyring().to_text().reveal().to_owned();
        assert!(!text.contains("seals"));
        assert_eq!(Keyring::parse(&(text.clone() + "seals:2")).unwrap_err(), KeyringError::NoSuchSealingKey(2));
        assert!(Keyring::parse(&(text.clone() + "seals:x")).is_err());
        assert!(Keyring::parse(&(text + "seals:1,seals:1")).is_err());
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_column() {
        let sealed = keyring().seal(b"token", "a", [7; 12]);
        assert_eq!(keyring().open(&sealed, "b"), Err(KeyringError::DoesNotOpen(1)));
    }

    #[test]
    fn a_missing_key_is_named() {
        let sealed = keyring().rotated([3; 32]).seal(b"token", "a", [7; 12]);
        assert_eq!(keyring().open(&sealed, "a"), Err(KeyringError::MissingKey(2)));
    }

    #[test]
    fn the_text_form_round_trips() {
        let rotated = keyring().rotated([3; 32]);
        let read = Keyring::parse(rotated.to_text().reveal()).unwrap();
        assert_eq!(read.key_ids(), vec![1, 2]);
        assert_eq!(read.digest(b"t"), rotated.digest(b"t"));
    }

    #[test]
    fn faults_of_the_text_form_are_named() {
        assert_eq!(Keyring::parse("").err(), Some(KeyringError::NoLookupKey));
        assert_eq!(Keyring::parse("lookup:AA==").err(), Some(KeyringError::BadEntry(1)));
        let lookup = format!("lookup:{}", STANDARD.encode([1; 32]));
        assert_eq!(Keyring::parse(&lookup).err(), Some(KeyringError::NoSealingKey));
        let twice = format!("{lookup},{lookup}");
        assert_eq!(Keyring::parse(&twice).err(), Some(KeyringError::Repeated("lookup".into())));
    }

    #[test]
    fn a_minted_token_is_recognised_and_a_changed_one_is_not() {
        let token = keyring().mint(*b"0123456789abcdef01234567");
        assert_eq!(token.reveal().len(), 32);
        assert!(keyring().is_minted(token.reveal()));
        let mut changed = token.reveal().to_owned();
        changed.replace_range(0..1, if changed.starts_with('a') { "b" } else { "a" });
        assert!(!keyring().is_minted(&changed));
        assert!(!keyring().is_minted("short"));
        assert!(!Keyring::new([9; 32], [2; 32]).is_minted(token.reveal()));
    }

    #[test]
    fn digests_of_one_minute_stand_together_and_those_of_strangers_tell_nothing() {
        let (keyring, at) = (keyring(), |minute: i64| Timestamp::from_seconds(minute * 60 + 7));
        let digest =
            |entropy: u8, minute: i64| keyring.digest(keyring.mint_at([entropy; 24], at(minute)).reveal().as_bytes());
        let (one, other, later) = (digest(1, 1000), digest(2, 1000), digest(1, 1001));
        assert!(one.0[..3] == other.0[..3] && one.0[3..] != other.0[3..]);
        assert!(one.0[..3] < later.0[..3] && one.0[3..] != later.0[3..]);
        let token = keyring.mint_at([1; 24], at(1000));
        let if_minted = |token: &[u8]| keyring.mac(token).digest_if_minted(token);
        assert_eq!(if_minted(token.reveal().as_bytes()), Some(keyring.digest(token.reveal().as_bytes())));
        assert_eq!(if_minted(b"a token of 32 characters, not ours"), None);
        let forged = format!("{}0000000", &token.reveal()[..minted::STAMPED]);
        for stranger in [forged.as_str(), "a token of 32 characters, not ours"] {
            let mac: [u8; 32] = keyring.lookup_mac.clone().chain_update(stranger).finalize().into_bytes().into();
            assert_eq!(keyring.digest(stranger.as_bytes()).0, mac);
        }
    }
}
