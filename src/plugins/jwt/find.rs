//! Where a call carries its token: parameters of the query, cookies, header fields. All of them are looked at, and must
//! agree.

use bytes::Bytes;

use super::config::Config;
use crate::message::Headers;
use crate::plugins::carried;

#[derive(Debug, PartialEq)]
pub(super) enum Found {
    None,
    One(Bytes),
    /// Different tokens: which one the upstream would believe is not ours to guess.
    Several,
}

impl Found {
    fn and(self, token: Bytes) -> Self {
        match self {
            same if token.is_empty() => same,
            Self::None => Self::One(token),
            Self::One(known) if known == token => Self::One(known),
            Self::One(_) | Self::Several => Self::Several,
        }
    }
}

pub(super) fn find(config: &Config, query: &[u8], headers: &Headers) -> Found {
    let in_query = config.uri_param_names.iter().flat_map(|name| carried::all(query, name));
    let in_cookies = config.cookie_names.iter().filter_map(|name| cookie(headers, name));
    let in_headers = config.header_names.iter().filter_map(|name| bearer(headers.get(name)?));
    let in_headers = in_headers.map(Bytes::copy_from_slice);
    in_query.chain(in_cookies).chain(in_headers).fold(Found::None, Found::and)
}

/// What follows the word `Bearer`, in any case. A field without it carries no token.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (word, rest) = value.trim_ascii().split_at_checked(b"bearer".len())?;
    let token = rest.trim_ascii();
    let separate = rest.first().is_some_and(u8::is_ascii_whitespace);
    (word.eq_ignore_ascii_case(b"bearer") && separate).then_some(token)
}

/// The first cookie of that name (RFC 6265 §5.4).
fn cookie(headers: &Headers, name: &str) -> Option<Bytes> {
    headers.all("cookie").find_map(|field| {
        field.split(|byte| *byte == b';').find_map(|pair| {
            let equals = memchr::memchr(b'=', pair)?;
            let value = pair[equals + 1..].trim_ascii();
            (pair[..equals].trim_ascii() == name.as_bytes()).then(|| Bytes::copy_from_slice(value))
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(query: &str, fields: &[(&str, &str)]) -> Found {
        let config = json!({ "cookie_names": ["crumble"], "header_names": ["authorization", "x-token"] });
        let mut headers = Headers::default();
        fields.iter().for_each(|(name, value)| headers.push(name.as_bytes(), value.as_bytes()));
        find(&Config::read(&config).unwrap(), query.as_bytes(), &headers)
    }

    fn one(token: &'static str) -> Found {
        Found::One(token.into())
    }

    #[test]
    fn a_token_is_found_in_each_place() {
        assert_eq!(found("a=1&jwt=t%2Ex", &[]), one("t.x"));
        assert_eq!(found("", &[("Cookie", "a=b; crumble=t ;c=d")]), one("t"));
        assert_eq!(found("", &[("cookie", "a=b"), ("cookie", "crumble=a=b")]), one("a=b"));
        assert_eq!(found("", &[("Authorization", "bEARER  t")]), one("t"));
        assert_eq!(found("", &[("X-Token", "Bearer t")]), one("t"));
    }

    #[test]
    fn what_is_no_bearer_token_is_none() {
        for value in ["Basic t", "Bearer", "Bearer ", "Bearert", "", "t"] {
            assert_eq!(found("jwt=&crumble=x", &[("authorization", value), ("cookie", "crumble")]), Found::None);
        }
    }

    #[test]
    fn the_same_token_twice_is_one_and_different_ones_are_several() {
        assert_eq!(found("jwt=t&jwt=t", &[("authorization", "Bearer t")]), one("t"));
        assert_eq!(found("jwt=t", &[("authorization", "Bearer u")]), Found::Several);
        assert_eq!(found("jwt=t&jwt=u&jwt=u", &[]), Found::Several);
    }

    proptest! {
        #[test]
        fn nothing_sent_panics(query in "\\PC{0,60}", value in "\\PC{0,60}") {
            for name in ["authorization", "cookie", "x-token"] {
                let _ = found(&query, &[(name, &value)]);
            }
        }

        #[test]
        fn a_cookie_is_found_among_others(token in "[A-Za-z0-9._-]{1,40}", others in "([a-b]=[a-z]{0,3}; ?){0,4}") {
            let expected = Found::One(token.clone().into());
            prop_assert_eq!(found("", &[("cookie", &format!("{others}crumble={token}; z=1"))]), expected);
        }
    }
}
