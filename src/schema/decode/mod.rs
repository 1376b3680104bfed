//! From body bytes to a JSON object of raw values, one key normaliser for three content types.
//!
//! **Invariants:** never panics, never allocates more than a small multiple of the body; what it refuses it names.
//!
//! **Absent on purpose:** the fields' types: reading form texts by type is [`super::coerce`].

mod keys;
mod multipart;

pub use multipart::pairs as multipart_pairs;

use serde_json::Value;

use super::Entity;

/// A body as it came: an object of raw values, and whether they are texts of a form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    pub fields: Entity,
    /// Form values are texts and are read by the field's type; JSON values are not.
    pub form: bool,
}

impl Body {
    pub fn json(fields: Entity) -> Self {
        Self { fields, form: false }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("body is not JSON, or not an object")]
    Json,
    #[error("body is not valid UTF-8")]
    Utf8,
    #[error("content type is not JSON, a form or multipart")]
    UnsupportedMediaType,
    #[error("multipart body is broken")]
    Multipart,
    #[error("body has too many fields, or fields nested too deep")]
    TooComplex,
}

/// Reads a body. No body at all is an empty object.
///
/// # Errors
/// Each way a body can be unreadable has its own variant.
pub fn decode(content_type: Option<&str>, body: &[u8]) -> Result<Body, DecodeError> {
    let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or("").trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => json(body),
        "application/x-www-form-urlencoded" => form(body),
        "multipart/form-data" => multipart::pairs(content_type.unwrap_or(""), body).and_then(from_pairs),
        _ if body.is_empty() => Ok(Body::default()),
        _ => Err(DecodeError::UnsupportedMediaType),
    }
}

fn json(body: &[u8]) -> Result<Body, DecodeError> {
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else { return Err(DecodeError::Json) };
    if !object.keys().any(|key| keys::is_compound(key)) {
        return Ok(Body::json(object));
    }
    let mut tree = keys::Tree::default();
    for (key, value) in object {
        tree.put(&key, value)?;
    }
    Ok(Body::json(tree.into_object()))
}

fn form(body: &[u8]) -> Result<Body, DecodeError> {
    let mut pairs = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &b""[..]),
        };
        if pairs.len() >= keys::MAX_PAIRS {
            return Err(DecodeError::TooComplex);
        }
        pairs.push((unescape(name)?, unescape(value)?));
    }
    from_pairs(pairs)
}

/// `%XX` and `+` decoded; unlike `form_urlencoded`, bytes that are no UTF-8 are an error and not replaced.
fn unescape(text: &[u8]) -> Result<String, DecodeError> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    String::from_utf8(bytes).map_err(|_| DecodeError::Utf8)
}

/// Nests pairs that were split elsewhere (a query string, a form).
///
/// # Errors
/// More or deeper fields than a body may have.
pub fn from_pairs(pairs: Vec<(String, String)>) -> Result<Body, DecodeError> {
    if pairs.len() > keys::MAX_PAIRS {
        return Err(DecodeError::TooComplex);
    }
    let mut tree = keys::Tree::default();
    for (key, value) in pairs {
        tree.put(&key, Value::String(value))?;
    }
    Ok(Body { fields: tree.into_object(), form: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    fn fields(content_type: Option<&str>, body: &[u8]) -> Value {
        Value::Object(decode(content_type, body).unwrap().fields)
    }

    #[test]
    fn dotted_keys_nest_in_every_content_type() {
        let wanted = json!({"service": {"id": "1"}, "config": {"limits": {"x": "2"}}});
        assert_eq!(fields(FORM, b"service.id=1&config.limits.x=2"), wanted);
        assert_eq!(fields(Some("application/json"), br#"{"service.id":"1","config.limits.x":"2"}"#), wanted);
        let multipart = b"--B\r\nContent-Disposition: form-data; name=\"service.id\"\r\n\r\n1\r\n\
            --B\r\nContent-Disposition: form-data; name=\"config.limits.x\"\r\n\r\n2\r\n--B--\r\n";
        assert_eq!(fields(Some("multipart/form-data; boundary=B"), multipart), wanted);
    }

    #[test]
    fn three_spellings_of_an_array_mean_the_same() {
        let wanted = json!({"hosts": ["a", "b"]});
        for body in ["hosts=a&hosts=b", "hosts[]=a&hosts[]=b", "hosts[1]=a&hosts[2]=b", "hosts%5B2%5D=b&hosts%5B1%5D=a"]
        {
            assert_eq!(fields(FORM, body.as_bytes()), wanted, "{body}");
        }
    }

    #[test]
    fn a_huge_index_costs_nothing() {
        assert_eq!(fields(FORM, b"a[4294967295]=x"), json!({"a": ["x"]}));
        assert_eq!(fields(FORM, b"a[99999999999999999999]=x"), json!({"a": {"99999999999999999999": "x"}}));
    }

    #[test]
    fn every_fault_has_its_own_name() {
        assert_eq!(decode(Some("application/json"), b"{"), Err(DecodeError::Json));
        assert_eq!(decode(Some("application/json"), b"[1]"), Err(DecodeError::Json));
        assert_eq!(decode(Some("application/json; charset=utf-8"), b"{\"a\":\"\xff\"}"), Err(DecodeError::Json));
        assert_eq!(decode(FORM, b"a=%ff"), Err(DecodeError::Utf8));
        assert_eq!(decode(Some("text/xml"), b"<a/>"), Err(DecodeError::UnsupportedMediaType));
        assert_eq!(decode(None, b"x"), Err(DecodeError::UnsupportedMediaType));
        assert_eq!(decode(Some("multipart/form-data"), b"x"), Err(DecodeError::Multipart));
        assert_eq!(decode(None, b""), Ok(Body::default()));
    }

    #[test]
    fn depth_and_number_are_bounded() {
        assert_eq!(decode(FORM, "a.".repeat(5000).as_bytes()), Err(DecodeError::TooComplex));
        assert_eq!(decode(FORM, "a=&".repeat(20_000).as_bytes()), Err(DecodeError::TooComplex));
        assert_eq!(decode(Some("application/json"), "{\"a\":".repeat(5000).as_bytes()), Err(DecodeError::Json));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200), kind in 0usize..4) {
            let kinds = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=B", ""];
            let _ = decode(Some(kinds[kind]), &body);
        }

        #[test]
        fn keys_of_any_shape_never_panic(body in "([a-c.\\[\\]0-9=&%-]{0,60})", prefix in "(--B\r\n)?") {
            let _ = decode(FORM, body.as_bytes());
            let _ = decode(Some("multipart/form-data; boundary=B"), format!("{prefix}{body}").as_bytes());
        }
    }
}
