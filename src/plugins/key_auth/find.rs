//! Where a call carries its key, and how it is hidden from the upstream.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use super::config::{Config, KeyName};
use crate::message::Headers;
use crate::plugins::{Call, carried};

/// What was found under the names of a configuration.
#[derive(Debug, PartialEq)]
pub(super) enum Found<N> {
    None,
    One {
        name: N,
        key: Bytes,
    },
    /// A name came twice: which one the upstream would believe is not ours to guess.
    Several,
}

/// Looks under each name in header, query and body; the first name that something stands under settles it.
pub(super) async fn find<'c>(config: &'c Config, call: &mut Call<'_>) -> Found<&'c KeyName> {
    for name in &config.key_names {
        let mut found = Found::None;
        if config.key_in_header {
            found = in_headers(name, &call.head.headers);
        }
        if config.key_in_query && found == Found::None {
            found = in_form(name, call.head.query().unwrap_or_default());
        }
        if config.key_in_body && found == Found::None {
            found = in_body(name, call).await;
        }
        match found {
            Found::None => {}
            Found::Several => return Found::Several,
            Found::One { key, .. } => return Found::One { name, key },
        }
    }
    Found::None
}

/// One value is a key unless it is empty; two are too many, even where one of them is.
fn single(mut values: impl Iterator<Item = Bytes>) -> Found<()> {
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Found::Several,
        (Some(key), None) if !key.is_empty() => Found::One { name: (), key },
        (Some(_), None) | (None, _) => Found::None,
    }
}

fn in_headers(name: &KeyName, headers: &Headers) -> Found<()> {
    let under = |(field, value): (&[u8], &[u8])| {
        name.headers.iter().any(|known| known.eq_ignore_ascii_case(field)).then(|| Bytes::copy_from_slice(value))
    };
    single(headers.iter().filter_map(under))
}

fn in_form(name: &KeyName, form: &[u8]) -> Found<()> {
    single(carried::all(form, &name.parameter))
}

fn in_json(name: &KeyName, body: &[u8]) -> Found<()> {
    let members: Option<BTreeMap<String, Box<RawValue>>> = serde_json::from_slice(body).ok();
    let member = members.and_then(|mut members| members.remove(&name.parameter));
    match member.and_then(|raw| serde_json::from_str(raw.get()).ok()) {
        Some(Value::String(key)) => single(std::iter::once(key.into())),
        Some(Value::Array(_) | Value::Object(_)) => Found::Several,
        Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => Found::None,
    }
}

async fn in_body(name: &KeyName, call: &mut Call<'_>) -> Found<()> {
    let Some(kind) = carried::kind(call) else { return Found::None };
    let Ok(body) = call.body(carried::BODY_LIMIT).await else { return Found::None };
    match kind {
        carried::Kind::Form => in_form(name, &body),
        carried::Kind::Json => in_json(name, &body),
    }
}

/// Removes what stands under the name from what the upstream will get.
pub(super) async fn hide(config: &Config, name: &KeyName, call: &mut Call<'_>) {
    for header in &name.headers {
        call.remove_header(header.clone());
    }
    carried::hide_in_query(call, &name.parameter);
    if config.key_in_body {
        carried::hide_in_body(call, &name.parameter).await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> KeyName {
        Config::read(&json!({ "key_names": [text] })).unwrap().key_names.remove(0)
    }

    fn headers(fields: &[(&'static str, &'static str)]) -> Headers {
        let mut headers = Headers::default();
        fields.iter().for_each(|(name, value)| headers.push(name.as_bytes(), value.as_bytes()));
        headers
    }

    fn one(key: &str) -> Found<()> {
        Found::One { name: (), key: key.to_owned().into() }
    }

    #[test]
    fn a_header_is_found_in_any_case_and_with_hyphens() {
        assert_eq!(in_headers(&name("apikey"), &headers(&[("ApiKey", "k")])), one("k"));
        assert_eq!(in_headers(&name("api_key"), &headers(&[("Api-Key", "k")])), one("k"));
        assert_eq!(in_headers(&name("api-key"), &headers(&[("api_key", "k")])), Found::None);
        assert_eq!(in_headers(&name("apikey"), &headers(&[("apikey", "")])), Found::None);
    }

    #[test]
    fn what_comes_twice_is_no_key() {
        assert_eq!(in_headers(&name("k"), &headers(&[("k", "a"), ("K", "a")])), Found::Several);
        assert_eq!(in_form(&name("k"), b"k=a&x=1&k="), Found::Several);
        assert_eq!(in_form(&name("k"), b"k=a&K=b"), one("a"));
        assert_eq!(in_json(&name("k"), br#"{"k":["a"]}"#), Found::Several);
    }

    #[test]
    fn a_json_key_is_a_text() {
        assert_eq!(in_json(&name("k"), br#"{"k":"a"}"#), one("a"));
        for other in [&br#"{"k":1}"#[..], br#"{"k":null}"#, br#"{"k":""}"#, br#"["k"]"#, b"", b"\xff"] {
            assert_eq!(in_json(&name("k"), other), Found::None);
        }
    }

    proptest! {
        #[test]
        fn nothing_sent_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), key in "[a-z_]{1,3}") {
            let _ = in_form(&name(&key), &bytes);
            let _ = in_json(&name(&key), &bytes);
        }

        #[test]
        fn a_key_is_found_wherever_it_stands(key in "[A-Za-z0-9 +%&=]{1,20}", before in "[a-c=&]{0,10}") {
            let pair = form_urlencoded::Serializer::new(String::new()).append_pair("apikey", &key).finish();
            prop_assert_eq!(in_form(&name("apikey"), format!("{before}&{pair}&z=1").as_bytes()), one(&key));
        }
    }
}
