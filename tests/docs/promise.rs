//! Whether what a command printed is what its page promises.
//!
//! `…` stands for what may differ: in a text for any part of a line, alone on its line for any number of lines; in JSON
//! inside a string for any part of it, as a whole value for any value, as a key (`"…": "…"`) for more fields, and as the
//! last element for more elements.

use serde_json::{Deserializer, Value};

use super::markdown::Fence;

const ANY: &str = "…";

/// # Errors
/// What was printed instead.
pub fn kept(fence: &Fence, printed: &str) -> Result<(), String> {
    let is_kept = match fence.info.as_str() {
        "json" => {
            let promised: Value = serde_json::from_str(&fence.text).map_err(|error| format!("no JSON: {error}"))?;
            // Of several answers the page shows the last one.
            let last = Deserializer::from_str(printed).into_iter::<Value>().last();
            matches!(last, Some(Ok(value)) if value_fits(&promised, &value))
        }
        _ => text_fits(&fence.text, printed),
    };
    if is_kept { Ok(()) } else { Err(format!("promised:\n{}\nprinted:\n{printed}", fence.text)) }
}

/// The blocks that are promises: what stands right behind a command's block.
pub fn is_promise(fence: &Fence) -> bool {
    fence.adjoins && ["json", "text"].contains(&fence.info.as_str())
}

fn text_fits(promised: &str, printed: &str) -> bool {
    let lines =
        |text: &str| -> Vec<String> { text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect() };
    lines_fit(&lines(promised), &lines(printed))
}

fn lines_fit(promised: &[String], printed: &[String]) -> bool {
    match promised {
        [] => printed.is_empty(),
        [first, rest @ ..] if first.trim() == ANY => (0..=printed.len()).any(|gone| lines_fit(rest, &printed[gone..])),
        [first, rest @ ..] => {
            printed.first().is_some_and(|line| line_fits(first, line)) && lines_fit(rest, &printed[1..])
        }
    }
}

fn line_fits(promised: &str, printed: &str) -> bool {
    let Some((head, rest)) = promised.split_once(ANY) else { return promised == printed };
    let Some(printed) = printed.strip_prefix(head) else { return false };
    printed.char_indices().map(|(at, _)| at).chain([printed.len()]).any(|at| line_fits(rest, &printed[at..]))
}

fn value_fits(promised: &Value, printed: &Value) -> bool {
    match (promised, printed) {
        (Value::String(promised), _) if promised == ANY => true,
        (Value::String(promised), Value::String(printed)) => line_fits(promised, printed),
        (Value::Array(promised), Value::Array(printed)) => match promised.split_last() {
            Some((last, wanted)) if last == ANY => {
                wanted.len() <= printed.len() && wanted.iter().zip(printed).all(|(one, other)| value_fits(one, other))
            }
            _ => {
                promised.len() == printed.len()
                    && promised.iter().zip(printed).all(|(one, other)| value_fits(one, other))
            }
        },
        (Value::Object(promised), Value::Object(printed)) => {
            let wanted = promised.iter().filter(|(name, _)| *name != ANY);
            let all_there =
                wanted.clone().all(|(name, value)| printed.get(name).is_some_and(|found| value_fits(value, found)));
            all_there && (promised.contains_key(ANY) || promised.len() == printed.len())
        }
        _ => promised == printed,
    }
}

#[test]
fn promises_are_told_from_what_was_not_promised() {
    let fence = |info: &str, text: &str| Fence { info: info.into(), text: text.into(), line: 1, adjoins: true };
    for (info, promised, printed, fits) in [
        ("text", "a … c\n…\nend\n", "a b c\r\nx\ny\nend\n", true),
        ("text", "a … c\n", "a b\n", false),
        ("text", "a\n", "a\nb\n", false),
        ("text", "a\nb\n", "a\n", false),
        ("json", r#"{"a":"…","b":[1,"…"],"…":"…"}"#, r#"{"x":1}{"a":2,"b":[1,2,3],"c":4}"#, true),
        ("json", r#"{"a":"x…"}"#, r#"{"a":"xyz"}"#, true),
        ("json", r#"{"a":"x…"}"#, r#"{"a":"yz"}"#, false),
        ("json", r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
        ("json", r#"{"a":1,"b":2}"#, r#"{"a":1}"#, false),
        ("json", r#"{"a":1}"#, "", false),
        ("json", r#"[1]"#, "[1,2]", false),
    ] {
        assert_eq!(kept(&fence(info, promised), printed).is_ok(), fits, "{promised} beside {printed}");
    }
}
