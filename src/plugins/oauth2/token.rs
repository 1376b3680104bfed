//! Where an API call carries its token, and how it is hidden from the upstream (RFC 6750 §2).

use std::borrow::Cow;

use bytes::Bytes;

use super::Config;
use crate::oauth2::{Params, Profile, bearer};
use crate::plugins::{Call, carried};

const PARAMETER: &str = "access_token";

/// A token as the client sent it.
pub(super) struct Carried<'c> {
    pub token: Cow<'c, [u8]>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Header,
    Query,
    Body,
}

/// The token of a call: the header first; without that header a form or JSON body, then the query.
pub(super) async fn find<'c>(config: &Config, call: &mut Call<'c>) -> Option<Carried<'c>> {
    let head = call.head;
    if let Some(value) = head.headers.get(&config.auth_header_name) {
        let token = bearer(value);
        return (!token.is_empty()).then(|| Carried { token: token.into(), place: Place::Header });
    }
    if let Some(token) = in_body(call).await {
        return Some(Carried { token: Vec::from(token).into(), place: Place::Body });
    }
    if config.policy.profile == Profile::Rfc9700 {
        return None;
    }
    let token = first(head.query()?)?;
    Some(Carried { token: Vec::from(token).into(), place: Place::Query })
}

/// Whether the query carries a token; with profile rfc9700 it counts for nothing.
pub(super) fn is_in_query(call: &Call<'_>) -> bool {
    call.head.query().and_then(first).is_some()
}

/// The first non-empty `access_token` of a form or query.
fn first(form: &[u8]) -> Option<Bytes> {
    carried::all(form, PARAMETER).find(|value| !value.is_empty())
}

async fn in_body(call: &mut Call<'_>) -> Option<Bytes> {
    let kind = carried::kind(call)?;
    let body = call.body(carried::BODY_LIMIT).await.ok()?;
    match kind {
        carried::Kind::Json => Params::from_json(&body)?.filled(PARAMETER).map(|text| Bytes::from(text.to_owned())),
        carried::Kind::Form => first(&body),
    }
}

/// Removes the token from what the upstream will get, in every place that could carry it.
pub(super) async fn hide(config: &Config, carried: &Carried<'_>, call: &mut Call<'_>) {
    match carried.place {
        Place::Header => call.remove_header(config.auth_header_name.clone()),
        Place::Query => carried::hide_in_query(call, PARAMETER),
        Place::Body => {
            carried::hide_in_query(call, PARAMETER);
            // It was read whole to find the token, so it is there.
            carried::hide_in_body(call, PARAMETER).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_filled_parameter_counts() {
        assert_eq!(first(b"access_token=&access_token=a&access_token=b").unwrap(), "a");
        assert_eq!(first(b"x=1"), None);
    }
}
