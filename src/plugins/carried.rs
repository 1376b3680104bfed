//! Credentials that stand under a name in the query or the body of a call, and how they are taken out again.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::Call;

/// Bodies longer than this are not searched.
pub(super) const BODY_LIMIT: usize = 256 * 1024;

/// The bodies that are searched. Multipart ones are left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Form,
    Json,
}

/// What the body of a call says it is.
pub(super) fn kind(call: &Call<'_>) -> Option<Kind> {
    let value = call.head.headers.get("content-type")?;
    let kind = value.split(|byte| *byte == b';').next()?.trim_ascii();
    if kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        Some(Kind::Form)
    } else if kind.eq_ignore_ascii_case(b"application/json") {
        Some(Kind::Json)
    } else {
        None
    }
}

/// Every value under `name` in a form or query, decoded.
pub(super) fn all<'f>(form: &'f [u8], name: &'f str) -> impl Iterator<Item = Bytes> + 'f {
    form_urlencoded::parse(form).filter(move |(known, _)| known == name).map(|(_, value)| value.into_owned().into())
}

/// Takes everything under `name` out of the query that the upstream gets.
pub(super) fn hide_in_query(call: &mut Call<'_>, name: &str) {
    if let Some(rest) = call.query().and_then(|query| without(query, name)) {
        call.replace_query((!rest.is_empty()).then(|| rest.into()));
    }
}

/// Takes everything under `name` out of the body that the upstream gets, where it is one that is searched.
pub(super) async fn hide_in_body(call: &mut Call<'_>, name: &str) {
    let Some(kind) = kind(call) else { return };
    let Ok(sent) = call.body(BODY_LIMIT).await else { return };
    let body = call.replaced_body().cloned().unwrap_or(sent);
    let rest = match kind {
        Kind::Form => without(&body, name),
        Kind::Json => json_without(&body, name),
    };
    if let Some(rest) = rest {
        call.replace_body(rest);
    }
}

/// The form without what stands under `name`, every other pair byte for byte; `None` when nothing does.
fn without(form: &[u8], name: &str) -> Option<Vec<u8>> {
    let carries = |pair: &&[u8]| form_urlencoded::parse(pair).any(|(known, _)| known == name);
    let pairs = || form.split(|byte| *byte == b'&');
    pairs().any(|pair| carries(&pair)).then(|| {
        let kept: Vec<&[u8]> = pairs().filter(|pair| !carries(pair)).collect();
        kept.join(&b'&')
    })
}

/// The JSON object without what stands under `name`, every other value as it was written.
fn json_without(body: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body).ok()?;
    members.remove(name)?;
    serde_json::to_vec(&members).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rest_of_a_form_stays_as_it_was() {
        assert_eq!(without(b"a=%20x&access_token=t&b=1", "access_token").unwrap(), b"a=%20x&b=1");
        assert_eq!(without(b"access%5Ftoken=t", "access_token").unwrap(), b"");
        assert_eq!(without(b"a=1", "access_token"), None);
    }

    #[test]
    fn the_rest_of_a_json_body_stays_as_it_was() {
        let rest = json_without(br#"{"key":"t","n":1.50,"big":123456789012345678901234567890}"#, "key").unwrap();
        assert_eq!(rest, br#"{"big":123456789012345678901234567890,"n":1.50}"#);
    }

    proptest! {
        #[test]
        fn what_is_hidden_is_gone_and_the_rest_is_there(form in "[a-c%=&+\\PC]{0,60}", name in "[a-c]{1,2}") {
            let form = form.as_bytes();
            let rest = without(form, &name).unwrap_or_else(|| form.to_vec());
            prop_assert_eq!(all(&rest, &name).count(), 0);
            let others = |form: &[u8]| form_urlencoded::parse(form)
                .filter(|(known, _)| *known != name)
                .map(|(known, value)| (known.into_owned(), value.into_owned()))
                .collect::<Vec<_>>();
            prop_assert_eq!(others(&rest), others(form));
        }

        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = json_without(&body, "key");
            let _ = without(&body, "key");
        }
    }
}
