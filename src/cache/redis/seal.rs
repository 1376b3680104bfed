//! What is laid down in Redis bears a mark that only holders of the keyring can make, so that whoever else can write to
//! Redis can remove what we hold, or give it back late, but cannot say anything in our name.

use subtle::ConstantTimeEq;

use crate::domain::Keyring;

/// Tokens are texts in UTF-8. This is none, so that no token's digest, which may be read in Redis, is ever this key.
const PURPOSE: &[u8] = b"\xfftollgate: the mark of values in Redis";
const MARK: usize = 16;

/// Makes marks and knows them again. The key comes from the lookup key, which never changes.
#[derive(Clone, Debug)]
pub(super) struct Seal {
    keyring: Keyring,
}

impl Seal {
    pub fn new(keyring: &Keyring) -> Self {
        let key = keyring.digest(PURPOSE).0;
        Self { keyring: Keyring::new(key, key) }
    }

    /// `value` with its mark behind it: good under this key of Redis only.
    pub fn close(&self, key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
        let mark = self.mark(key, &value);
        value.extend_from_slice(&mark);
        value
    }

    /// The value, if the mark behind it is ours.
    pub fn open<'v>(&self, key: &[u8], closed: &'v [u8]) -> Option<&'v [u8]> {
        let (value, mark) = closed.split_last_chunk::<MARK>()?;
        bool::from(self.mark(key, value).ct_eq(mark)).then_some(value)
    }

    /// A name for something that must not be readable in Redis.
    pub fn hide(&self, name: &[u8]) -> [u8; 32] {
        self.digest(b"", name)
    }

    fn mark(&self, key: &[u8], value: &[u8]) -> [u8; MARK] {
        *self.digest(key, value).first_chunk().expect("a digest has 32 bytes")
    }

    /// The length keeps ("a", "bc") and ("ab", "c") apart.
    fn digest(&self, first: &[u8], second: &[u8]) -> [u8; 32] {
        let length = u64::try_from(first.len()).expect("a length fits into 64 bits");
        self.keyring.digest(&[&length.to_be_bytes(), first, second].concat()).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(lookup: u8) -> Seal {
        Seal::new(&Keyring::new([lookup; 32], [2; 32]))
    }

    #[test]
    fn a_mark_is_good_for_one_value_under_one_key() {
        let closed = seal(1).close(b"key", b"value".to_vec());
        assert_eq!(seal(1).open(b"key", &closed), Some(&b"value"[..]));
        assert_eq!(seal(1).open(b"kez", &closed), None);
        assert_eq!(seal(1).open(b"ke", &[b"y", &closed[..]].concat()), None);
        assert_eq!(seal(9).open(b"key", &closed), None, "another keyring");
        for at in 0..closed.len() {
            let mut altered = closed.clone();
            altered[at] ^= 1;
            assert_eq!(seal(1).open(b"key", &altered), None, "byte {at}");
            assert_eq!(seal(1).open(b"key", &closed[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_rotation_of_the_sealing_keys_changes_no_mark() {
        let keyring = Keyring::new([1; 32], [2; 32]);
        let closed = Seal::new(&keyring).close(b"key", b"value".to_vec());
        assert!(Seal::new(&keyring.rotated([3; 32])).open(b"key", &closed).is_some());
    }
}
