//! From the bytes of a file to its values.

use serde_json::Value;

use super::Problem;

/// Larger files are refused: their values would take several times as much.
pub const LONGEST_FILE: usize = 64 << 20;
/// Values and keys of one file.
const MOST_NODES: usize = 8_000_000;
const OPENING: &str = "${{";
const CLOSING: &str = "}}";

/// Reads YAML or JSON. `variable` gives the values that the text asks for as decK's do: `${{ env "DECK_NAME" }}`.
///
/// # Errors
/// Too long, no text, a variable that is not set, or not YAML; with the line where that is known.
pub fn read(bytes: &[u8], variable: impl Fn(&str) -> Option<String>) -> Result<Value, Problem> {
    if bytes.len() > LONGEST_FILE {
        return Err(Problem::new("", format!("larger than {} MiB", LONGEST_FILE >> 20)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::new("", "is not UTF-8"))?;
    let text = filled(text, variable)?;
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(&text)
    {
        return Ok(value);
    }
    let budget = serde_saphyr::budget! { max_nodes: MOST_NODES, max_events: 4 * MOST_NODES };
    let options = serde_saphyr::options! { budget: budget, with_snippet: false, strict_booleans: true };
    serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        let why = error.to_string();
        Problem::new("", why.lines().next().unwrap_or_default())
    })
}

/// The text with every `${{ env "NAME" }}` replaced.
fn filled(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, Problem> {
    let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find(OPENING) {
        let place = || format!("line {}", text[..text.len() - rest.len() + start].lines().count().max(1));
        let inside = &rest[start + OPENING.len()..];
        let end = inside.find(CLOSING).ok_or_else(|| Problem::new(place(), "`${{` without `}}`"))?;
        let name = inside[..end].trim().strip_prefix("env").map(|name| name.trim().trim_matches(['"', '\'', '\\']));
        let name = name.filter(|name| name.starts_with("DECK_"));
        let name = name.ok_or_else(|| Problem::new(place(), "only `${{ env \"DECK_…\" }}` is understood"))?;
        let value = variable(name)
            .ok_or_else(|| Problem::new(place(), format!("the environment variable {name} is not set")))?;
        filled.push_str(&rest[..start]);
        filled.push_str(&value);
        rest = &inside[end + CLOSING.len()..];
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plain(text: &str) -> Result<Value, Problem> {
        read(text.as_bytes(), |name| (name == "DECK_HOST").then(|| "orders.example".to_owned()))
    }

    #[test]
    fn yaml_and_json_mean_the_same() {
        let wanted = json!({"_format_version": "3.0", "services": [{"name": "a", "port": 80}]});
        assert_eq!(plain(&wanted.to_string()).unwrap(), wanted);
        assert_eq!(plain("_format_version: \"3.0\"\nservices:\n- name: a\n  port: 80\n").unwrap(), wanted);
    }

    #[test]
    fn variables_are_filled_in_and_missing_ones_told_with_their_line() {
        assert_eq!(plain("a: ${{ env \"DECK_HOST\" }}").unwrap(), json!({"a": "orders.example"}));
        let missing = plain("a: 1\nb: ${{ env \"DECK_OTHER\" }}").unwrap_err();
        assert_eq!(missing.to_string(), "line 2: the environment variable DECK_OTHER is not set");
        assert!(plain("a: ${{ env \"HOME\" }}").is_err() && plain("a: ${{ x").is_err());
    }

    #[test]
    fn a_fault_has_its_line_and_one_line_of_text() {
        let fault = plain("services:\n- name: a\n  port: [1\n").unwrap_err().to_string();
        assert!(fault.contains("line") && !fault.contains('\n'), "{fault}");
        let twice = plain("services:\n- name: a\n  name: b\n").unwrap_err().to_string();
        assert!(twice.contains("duplicate") && twice.contains("line 3"), "{twice}");
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused() {
        assert!(read(&vec![b' '; LONGEST_FILE + 1], |_| None).unwrap_err().text.contains("64 MiB"));
        assert_eq!(
            plain("a: [y, no, true]").unwrap(),
            json!({"a": ["y", "no", true]}),
            "only these two words are truths"
        );
        assert!(read(&[0xff, 0xfe], |_| None).unwrap_err().text.contains("UTF-8"));
    }
}
