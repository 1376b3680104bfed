//! The pieces of a token (RFC 7515 §7.1): nothing of them is believed here.

use serde_json::{Map, Value};

use crate::domain::{Algorithm, decode_base64};

/// Longer tokens are not read.
const LONGEST: usize = 16 * 1024;

/// A token taken apart.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    /// Header and claims as they were signed.
    pub signed: &'t [u8],
    pub signature: Vec<u8>,
}

impl<'t> Token<'t> {
    /// # Errors
    /// Kong's word for what is wrong.
    pub fn parse(text: &'t [u8]) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("too long");
        }
        let mut dots = memchr::memchr_iter(b'.', text);
        let (Some(first), Some(second)) = (dots.next(), dots.next()) else { return Err("invalid JSON") };
        let header = json(&text[..first]).ok_or("invalid JSON")?;
        let claims = json(&text[first + 1..second]).ok_or("invalid JSON")?;
        let Value::Object(header) = header else { return Err("invalid JSON") };
        let known = header.get("alg").and_then(Value::as_str).and_then(Algorithm::named);
        if known.is_none() {
            return Err("invalid alg");
        }
        let Value::Object(claims) = claims else { return Err("invalid claims") };
        let signature = decode_base64(&text[second + 1..]).ok_or("invalid signature")?;
        Ok(Self { header, claims, signed: &text[..second], signature })
    }
}

fn json(piece: &[u8]) -> Option<Value> {
    serde_json::from_slice(&decode_base64(piece)?).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    fn text(pieces: &[&str]) -> String {
        pieces.iter().map(|piece| URL_SAFE_NO_PAD.encode(piece)).collect::<Vec<_>>().join(".")
    }

    fn fault(pieces: &[&str]) -> &'static str {
        Token::parse(text(pieces).as_bytes()).unwrap_err()
    }

    const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    #[test]
    fn a_token_has_three_pieces() {
        let whole = text(&[HEADER, r#"{"iss":"a?>"}"#, "signature"]);
        let token = Token::parse(whole.as_bytes()).unwrap();
        assert_eq!((&token.claims["iss"], token.signature.as_slice()), (&"a?>".into(), &b"signature"[..]));
        assert_eq!(token.signed, whole.rsplit_once('.').unwrap().0.as_bytes());
        let padded = [HEADER, r#"{"iss":"a?>"}"#, "s"].map(|piece| STANDARD.encode(piece)).join(".");
        assert_eq!(Token::parse(padded.as_bytes()).unwrap().claims["iss"], "a?>");
    }

    #[test]
    fn what_is_wrong_is_told_in_kongs_words() {
        assert_eq!(fault(&[HEADER, "{}"]), "invalid JSON");
        assert_eq!(fault(&["{", "{}", ""]), "invalid JSON");
        assert_eq!(fault(&["[]", "{}", ""]), "invalid JSON");
        assert_eq!(fault(&[HEADER, "[]", ""]), "invalid claims");
        for header in [r#"{"alg":"none"}"#, r#"{"alg":["HS256"]}"#, "{}", r#"{"alg":"hs256"}"#] {
            assert_eq!(fault(&[header, "{}", ""]), "invalid alg", "{header}");
        }
        assert_eq!(Token::parse(format!("{}.?", text(&[HEADER, "{}"])).as_bytes()).unwrap_err(), "invalid signature");
        assert_eq!(Token::parse(&[b'.'; LONGEST + 1]).unwrap_err(), "too long");
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(fault(&[HEADER, &deep, ""]), "invalid JSON");
    }

    proptest! {
        #[test]
        fn no_text_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Token::parse(&bytes);
        }

        #[test]
        fn no_pieces_panic(header in "\\PC{0,40}", claims in "[\\[\\]{}\",:0-9a-z]{0,40}", signature in "\\PC{0,40}") {
            let _ = Token::parse(text(&[&header, &claims, &signature]).as_bytes());
            let _ = Token::parse(text(&[HEADER, &claims, &signature]).as_bytes());
            let _ = Token::parse(format!("{}.{signature}", text(&[HEADER, "{}"])).as_bytes());
        }
    }
}
