//! The redirect back to the client (RFC 6749 §4.1.2, §4.2.2).

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986; a space becomes `%20`, as Kong writes it.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where the parameters of the answer go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Into the query, beside what the registered URI has there.
    Query,
    /// Into the fragment, so that they never reach the client's server (implicit grant).
    Fragment,
}

/// The registered URI with these parameters: a new value replaces one of the same name, keys are sorted.
pub fn redirect(uri: &str, params: &[(&str, &str)], part: Part) -> String {
    match part {
        Part::Query => {
            let (base, query) = uri.split_once('?').unwrap_or((uri, ""));
            let mut merged: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                merged.entry(name.into_owned()).or_default().push(value.into_owned());
            }
            for (name, value) in params {
                merged.insert((*name).to_owned(), vec![(*value).to_owned()]);
            }
            format!("{base}?{}", encoded(&merged))
        }
        Part::Fragment => {
            let own = params.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]));
            format!("{uri}#{}", encoded(&own.collect()))
        }
    }
}

fn encoded(params: &BTreeMap<String, Vec<String>>) -> String {
    let pairs = params.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    let pairs: Vec<String> = pairs
        .map(|(name, value)| {
            format!("{}={}", utf8_percent_encode(name, RESERVED), utf8_percent_encode(value, RESERVED))
        })
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_join_the_uris_own_and_replace_their_namesakes() {
        let uri = redirect("https://a/b?x=1&state=old&c=d", &[("state", "a b"), ("code", "K")], Part::Query);
        assert_eq!(uri, "https://a/b?c=d&code=K&state=a%20b&x=1");
        assert_eq!(redirect("app://cb", &[("code", "K")], Part::Query), "app://cb?code=K");
    }

    #[test]
    fn a_fragment_leaves_the_query_alone() {
        let uri = redirect("https://a/b?x=1", &[("token_type", "bearer"), ("access_token", "T")], Part::Fragment);
        assert_eq!(uri, "https://a/b?x=1#access_token=T&token_type=bearer");
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(value in ".{0,30}") {
            let uri = redirect("https://a/b?q=1", &[("state", &value)], Part::Query);
            let query = uri.split_once('?').unwrap().1.to_owned();
            let read: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            prop_assert_eq!(&read["state"], &value);
            prop_assert_eq!(&read["q"], "1");
        }
    }
}
