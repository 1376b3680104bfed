//! What people tell of themselves.

use serde_json::Value;

/// Octets of an address (RFC 5321 section 4.5.3.1.3, less the brackets).
const LONGEST_EMAIL: usize = 254;
const LONGEST_LOCAL_PART: usize = 64;

/// An address that a mail can be sent to, without comments and quoted parts. Whether it is somebody's is for a mail to
/// find out.
pub fn email(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let sound = text.rsplit_once('@').is_some_and(|(local, domain)| {
        let spaced = text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
        let strange = |text: &str| text.chars().any(|letter| "\"(),:;<>[\\]@".contains(letter));
        let dotted = |text: &str| text.starts_with('.') || text.ends_with('.') || text.contains("..");
        let odd = [local, domain].into_iter().any(|part| part.is_empty() || strange(part) || dotted(part));
        !spaced && !odd && local.len() <= LONGEST_LOCAL_PART && !domain.starts_with('-') && !domain.ends_with('-')
    });
    (!sound || text.len() > LONGEST_EMAIL).then(|| format!("invalid email '{text}'"))
}

/// A text that holds a JSON object.
pub fn json_object(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let object = serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
    (!object).then(|| "expected a JSON object in a string".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["a@b", "bob+x@example.com", "ана@пример.бг", "o'neil@example.com", "a.b@c-d.e"] {
            assert_eq!(email(&good.into()), None, "{good}");
        }
        for bad in
            ["", "a", "@b", "a@", "a b@c", "a@b c", "a@b\r\nBcc: c@d", "<a@b>", "a@b@c", ".a@b", "a..b@c", "a@-b"]
        {
            assert!(email(&bad.into()).is_some(), "{bad}");
        }
        assert!(email(&format!("{}@b", "a".repeat(65)).into()).is_some());
    }

    #[test]
    fn objects_in_texts() {
        assert_eq!(json_object(&r#"{"full_name":"Bob"}"#.into()), None);
        for bad in ["", "[]", "bob", "{"] {
            assert!(json_object(&bad.into()).is_some(), "{bad}");
        }
    }
}
