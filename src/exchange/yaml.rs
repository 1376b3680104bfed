//! Values as YAML, always in the same way: two runs over the same values are the same bytes.

use serde_json::Value;

use crate::schema::Entity;

/// Words that YAML takes for something else than a text.
const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];

/// An entity with what stands inside it, ready to be written.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub fields: Entity,
    /// Names of fields that were left out.
    pub omitted: Vec<&'static str>,
    /// Lists of entities inside it.
    pub inner: Vec<(&'static str, Vec<Block>)>,
}

/// Writes a list of entities under a name; nothing for an empty one.
pub(super) fn list(out: &mut String, depth: usize, name: &str, blocks: &[Block]) {
    if blocks.is_empty() {
        return;
    }
    indent(out, depth);
    out.push_str(name);
    out.push_str(":\n");
    for block in blocks {
        let start = out.len();
        for omitted in &block.omitted {
            indent(out, depth + 1);
            out.push_str(&format!("# {omitted}: left out, a secret (--with-secrets)\n"));
        }
        for (name, value) in &block.fields {
            indent(out, depth + 1);
            field(out, depth + 1, name, value);
        }
        for (name, inner) in &block.inner {
            list(out, depth + 1, name, inner);
        }
        mark_element(out, start, depth);
    }
}

/// Puts the dash of a list's element before its first line.
fn mark_element(out: &mut String, start: usize, depth: usize) {
    let at = start + 2 * depth;
    if out.len() > at + 1 {
        out.replace_range(at..=at, "-");
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn field(out: &mut String, depth: usize, name: &str, value: &Value) {
    out.push_str(&scalar(name));
    out.push(':');
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push('\n');
            for (name, value) in fields {
                indent(out, depth + 1);
                field(out, depth + 1, name, value);
            }
        }
        Value::Array(elements) if !elements.is_empty() && elements.iter().all(is_scalar) => {
            out.push('\n');
            for element in elements {
                indent(out, depth);
                out.push_str("- ");
                out.push_str(&flow(element));
                out.push('\n');
            }
        }
        value => {
            out.push(' ');
            out.push_str(&flow(value));
            out.push('\n');
        }
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

/// JSON is YAML.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(elements) => {
            let inner: Vec<String> = elements.iter().map(flow).collect();
            format!("[{}]", inner.join(", "))
        }
        Value::Object(fields) => {
            let inner = fields.iter().map(|(name, value)| format!("{}: {}", quoted(name), flow(value)));
            format!("{{{}}}", inner.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A text that needs no quotes stands without.
fn scalar(text: &str) -> String {
    let mut letters = text.chars();
    let begins = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_');
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./".contains(letter);
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    if begins && letters.all(plain) && !is_word { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut quoted = Value::from(text).to_string();
    // JSON lets these stand, YAML does not.
    for letter in ['\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}', '\u{fffe}', '\u{ffff}'] {
        if quoted.contains(letter) {
            quoted = quoted.replace(letter, &format!("\\u{:04x}", u32::from(letter)));
        }
    }
    // A file is also read for variables, and a secret is none.
    quoted.replace("${{", "$\\u007b{")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::exchange::text;

    fn written(fields: Value) -> String {
        let block = Block { fields: fields.as_object().unwrap().clone(), ..Block::default() };
        let mut out = String::new();
        list(&mut out, 0, "things", &[block]);
        out
    }

    #[test]
    fn entities_are_elements_and_what_is_left_out_is_told() {
        let inner = Block { fields: Entity::from_iter([("name".to_owned(), json!("x"))]), ..Block::default() };
        let fields = json!({"id": 1, "tags": ["a", "b"], "config": {"deep": {"n": null}}, "empty": {}});
        let fields = fields.as_object().unwrap().clone();
        let block = Block { fields, omitted: vec!["key"], inner: vec![("parts", vec![inner])] };
        let mut out = String::new();
        list(&mut out, 0, "things", &[block]);
        let wanted = "things:\n- # key: left out, a secret (--with-secrets)\n  id: 1\n  tags:\n  - a\n  - b\n  config:\n    \
                      deep:\n      \"n\": null\n  empty: {}\n  parts:\n  - name: x\n";
        assert_eq!(out, wanted);
        let read = text::read(out.as_bytes(), |_| None).unwrap();
        assert_eq!(read["things"][0]["parts"][0]["name"], "x");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(texts in prop::collection::vec(any::<String>(), 1..4), number in any::<i64>()) {
            let fields = json!({"text": texts[0], "list": texts, "record": {&texts[0]: number, "b": [{"c": texts[0]}]}});
            let read = text::read(written(fields.clone()).as_bytes(), |_| None).unwrap();
            prop_assert_eq!(&read["things"][0], &fields);
        }
    }
}
