//! The access token of an API call (RFC 6750 §2, oauth2.md section 6).

/// The token in a header value: `Bearer x` and `Token x` in any case; anything else is the token itself.
pub fn bearer(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let space = value.iter().position(u8::is_ascii_whitespace);
    if let Some((scheme, rest)) = space.map(|at| value.split_at(at))
        && (scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"token"))
        && !rest.trim_ascii().contains(&b' ')
    {
        return rest.trim_ascii();
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_words_are_known_in_any_case() {
        assert_eq!(bearer(b"Bearer abc"), b"abc");
        assert_eq!(bearer(b"tOKEN  abc "), b"abc");
        assert_eq!(bearer(b"abc"), b"abc");
        assert_eq!(bearer(b"Basic abc"), b"Basic abc");
        assert_eq!(bearer(b"Bearer"), b"Bearer");
        assert_eq!(bearer(b"Bearer a b"), b"Bearer a b");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(value in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(bearer(&value).len() <= value.len());
        }
    }
}
