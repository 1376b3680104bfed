//! The versions of the format, and what was written otherwise before 3.0.

use serde_json::Value;

use super::{Input, Problem};

/// What a file says of its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 1.1 and 2.1: a path with characters of a pattern is one.
    PathsGuessed,
    /// 3.0: a pattern begins with `~`.
    Three,
}

impl Version {
    /// # Errors
    /// Missing, or none that is known.
    pub fn read(value: Option<&Value>) -> Result<Self, Problem> {
        let fault = |text: String| Problem::new("_format_version", text);
        let text = match value {
            None | Some(Value::Null) => {
                return Err(fault("required field missing; is this a declarative file?".into()));
            }
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        match text.as_str() {
            "1.1" | "2.1" => Ok(Self::PathsGuessed),
            "3.0" => Ok(Self::Three),
            other => Err(fault(format!("`{other}` is not known: expected one of: 1.1, 2.1, 3.0"))),
        }
    }
}

/// Marks as patterns the paths that a Kong before 3.0 took for such.
pub(super) fn mark_patterns(input: &mut Input) {
    let Input { given, notes, .. } = input;
    for route in given.iter_mut().filter(|given| given.entity == "routes") {
        let Some(Value::Array(paths)) = route.fields.get_mut("paths") else { continue };
        for (nth, path) in paths.iter_mut().enumerate() {
            let Value::String(text) = path else { continue };
            if is_pattern(text) {
                notes.push(format!("{}.paths[{nth}]: a pattern before 3.0: `{text}` is now `~{text}`", route.place));
                text.insert(0, '~');
            }
        }
    }
}

/// Before 3.0 a path was taken for a pattern when it held anything but these characters.
fn is_pattern(path: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "./-_~%".contains(letter);
    !path.starts_with('~') && !path.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn known_versions_are_read_as_text_and_as_number() {
        for (value, wanted) in [
            (json!("1.1"), Version::PathsGuessed),
            (json!(2.1), Version::PathsGuessed),
            (json!("3.0"), Version::Three),
            (json!(3.0), Version::Three),
        ] {
            assert_eq!(Version::read(Some(&value)).unwrap(), wanted, "{value}");
        }
        for bad in [None, Some(&json!("4.0")), Some(&json!(3)), Some(&json!([]))] {
            assert!(Version::read(bad).unwrap_err().to_string().starts_with("_format_version: "), "{bad:?}");
        }
    }

    #[test]
    fn a_path_is_a_pattern_by_its_characters() {
        for pattern in ["/orders/(\\d+)", "/a$", "/[a-z]", "/a b", "/\u{fc}", "/a.*", "/a:b"] {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for plain in ["/", "/orders/v1.2/a-b_c~d%20", "~/already"] {
            assert!(!is_pattern(plain), "{plain}");
        }
    }
}
