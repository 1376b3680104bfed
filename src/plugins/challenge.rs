//! `WWW-Authenticate` (RFC 9110 §11.6.1): what a refused caller is asked for.

/// A challenge of this scheme, with a realm where there is one, and further parameters.
pub(super) fn challenge(scheme: &str, realm: Option<&str>, parameters: &[(&str, &str)]) -> String {
    let realm = realm.map(|realm| ("realm", realm));
    let parameter = |(name, value): (&str, &str)| format!("{name}=\"{}\"", quoted(value));
    let parts: Vec<String> = realm.into_iter().chain(parameters.iter().copied()).map(parameter).collect();
    if parts.is_empty() { scheme.to_owned() } else { format!("{scheme} {}", parts.join(", ")) }
}

/// The inside of a quoted-string (RFC 9110 §5.6.4), without anything that could end the header field.
fn quoted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, '"' | '\\') {
            safe.push('\\');
        }
        safe.push(letter);
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_challenge_says_what_there_is_to_say() {
        assert_eq!(challenge("Key", None, &[]), "Key");
        assert_eq!(challenge("Key", Some("a\"b\r\n"), &[]), "Key realm=\"a\\\"b\"");
        assert_eq!(
            challenge("Bearer", Some("x"), &[("error", "invalid_token")]),
            "Bearer realm=\"x\", error=\"invalid_token\""
        );
    }

    proptest! {
        #[test]
        fn whatever_is_quoted_comes_back_and_ends_nothing(text in any::<String>()) {
            let said = challenge("Bearer", Some(&text), &[("error", &text)]);
            prop_assert!(!said.chars().any(char::is_control));
            let inside = said.strip_prefix("Bearer realm=\"").unwrap().strip_suffix('"').unwrap();
            let (realm, _) = inside.split_once("\", error=\"").unwrap();
            let read = realm.replace("\\\\", "\0").replace("\\\"", "\"").replace('\0', "\\");
            let clean: String = text.chars().filter(|letter| !letter.is_control()).collect();
            prop_assert_eq!(read, clean);
        }
    }
}
