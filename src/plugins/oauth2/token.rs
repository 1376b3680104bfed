//! Where an API call carries its token, and how it is hidden from the upstream (RFC 6750 §2).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::Config;
use crate::oauth2::{Params, Profile, bearer};
use crate::plugins::Call;

const PARAMETER: &str = "access_token";
/// Bodies longer than this are not searched for a token.
const BODY_LIMIT: usize = 256 * 1024;

/// A token as the client sent it.
pub(super) struct Carried {
    pub token: Bytes,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Header,
    Query,
    Form,
    Json,
}

/// The token of a call: the header first; without that header the query, then a form or JSON body.
pub(super) async fn find(config: &Config, call: &mut Call<'_>) -> Option<Carried> {
    if let Some(value) = call.head.headers.get(config.auth_header_name()) {
        let token = bearer(value);
        return (!token.is_empty()).then(|| Carried { token: value.slice_ref(token), place: Place::Header });
    }
    if let Some((token, place)) = in_body(call).await {
        return Some(Carried { token, place });
    }
    if config.policy.profile == Profile::Rfc9700 {
        return None;
    }
    let query = call.head.query.as_deref()?;
    let token = first(query)?;
    Some(Carried { token, place: Place::Query })
}

/// Whether the query carries a token; with profile rfc9700 it counts for nothing.
pub(super) fn is_in_query(call: &Call<'_>) -> bool {
    call.head.query.as_deref().and_then(first).is_some()
}

/// The first non-empty `access_token` of a form or query.
fn first(form: &[u8]) -> Option<Bytes> {
    let found = form_urlencoded::parse(form).find(|(name, value)| name == PARAMETER && !value.is_empty());
    found.map(|(_, value)| Bytes::from(value.into_owned()))
}

async fn in_body(call: &mut Call<'_>) -> Option<(Bytes, Place)> {
    let place = match kind(call)? {
        Kind::Form => Place::Form,
        Kind::Json => Place::Json,
    };
    let body = call.body(BODY_LIMIT).await.ok()?;
    let token = match place {
        Place::Json => Params::from_json(&body)?.filled(PARAMETER).map(|text| Bytes::from(text.to_owned())),
        Place::Form | Place::Header | Place::Query => first(&body),
    };
    token.map(|token| (token, place))
}

enum Kind {
    Form,
    Json,
}

fn kind(call: &Call<'_>) -> Option<Kind> {
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

/// Removes the token from what the upstream will get, in every place that could carry it.
pub(super) async fn hide(config: &Config, carried: &Carried, call: &mut Call<'_>) {
    match carried.place {
        Place::Header => call.remove_header(config.auth_header_name.clone()),
        Place::Query => hide_in_query(call),
        Place::Form | Place::Json => {
            hide_in_query(call);
            // It was read whole to find the token, so it is there.
            let Ok(body) = call.body(BODY_LIMIT).await else { return };
            let rest = if carried.place == Place::Form { without(&body) } else { json_without(&body) };
            if let Some(rest) = rest {
                call.replace_body(rest);
            }
        }
    }
}

fn hide_in_query(call: &mut Call<'_>) {
    if let Some(rest) = call.head.query.as_deref().and_then(without) {
        call.replace_query((!rest.is_empty()).then(|| rest.into()));
    }
}

/// The form without its token, every other pair byte for byte; `None` when it carries none.
fn without(form: &[u8]) -> Option<Vec<u8>> {
    let carries = |pair: &&[u8]| form_urlencoded::parse(pair).any(|(name, _)| name == PARAMETER);
    let pairs = || form.split(|byte| *byte == b'&');
    pairs().any(|pair| carries(&pair)).then(|| {
        let kept: Vec<&[u8]> = pairs().filter(|pair| !carries(pair)).collect();
        kept.join(&b'&')
    })
}

/// The JSON object without its token, every other value as it was written.
fn json_without(body: &[u8]) -> Option<Vec<u8>> {
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body).ok()?;
    members.remove(PARAMETER)?;
    serde_json::to_vec(&members).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_form_stays_as_it_was() {
        assert_eq!(without(b"a=%20x&access_token=t&b=1").unwrap(), b"a=%20x&b=1");
        assert_eq!(without(b"access%5Ftoken=t").unwrap(), b"");
        assert_eq!(without(b"a=1"), None);
    }

    #[test]
    fn the_rest_of_a_json_body_stays_as_it_was() {
        let rest = json_without(br#"{"access_token":"t","n":1.50,"big":123456789012345678901234567890}"#).unwrap();
        assert_eq!(rest, br#"{"big":123456789012345678901234567890,"n":1.50}"#);
    }

    #[test]
    fn the_first_filled_parameter_counts() {
        assert_eq!(first(b"access_token=&access_token=a&access_token=b").unwrap(), "a");
        assert_eq!(first(b"x=1"), None);
    }
}
