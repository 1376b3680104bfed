//! Whether a page holds only what we wrote: read as a browser's tokenizer does, and judged tag by tag.

/// The name of an element that only a text of a user's can have brought into a page.
pub const EVIL: &str = "x-evil";

/// Leaves attributes of both quotes, elements, comments and scripts; a template engine's and a CSS writer's too.
pub const HOSTILE: &str =
    "\"'`><x-evil onload=alert(1)></textarea></title></option></script><script>alert(1)</script>&lt;&#60;{{7*7}}--!>";

#[derive(Debug)]
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Nothing inline, nothing of others, no element of a user's.
#[track_caller]
pub fn assert_clean(page: &str) {
    for tag in tags(page) {
        assert_ne!(tag.name, EVIL, "an element of a user's: {tag:?}");
        assert_ne!(tag.name, "style", "a style is inline");
        if tag.name == "script" {
            assert!(tag.get("src").is_some_and(|path| path.starts_with("/")), "a script is inline: {tag:?}");
        }
        for (name, value) in &tag.attributes {
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "odd: {tag:?}");
            assert!(!name.starts_with("on") && name != "style", "inline: {tag:?}");
            let ours = value.starts_with(['/', '#']) && !value.starts_with("//");
            let link = tag.name == "a" && (value.starts_with("http://") || value.starts_with("https://"));
            if matches!(name.as_str(), "src" | "href" | "action" | "formaction") {
                assert!(ours || link, "leads to somebody else: {tag:?}");
            }
        }
    }
}

/// The tags that open elements, with attributes as written.
pub fn tags(page: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if after.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            let (tag, after) = tag(after);
            rest = after;
            found.push(tag);
        }
    }
    found
}

fn tag(text: &str) -> (Tag, &str) {
    let end = text.find([' ', '>', '/', '\n', '\t']).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\n', '\t', '/']);
        if let Some(after) = rest.strip_prefix('>') {
            return (Tag { name: name.to_lowercase(), attributes }, after);
        }
        assert!(!rest.is_empty(), "a tag that does not end: {text:.80}");
        let end = rest.find([' ', '>', '/', '=', '\n', '\t']).unwrap_or(rest.len());
        let (attribute, after) = rest.split_at(end);
        let value;
        (value, rest) = match after.strip_prefix('=') {
            Some(after) => {
                let quoted = after.strip_prefix('"').and_then(|after| after.split_once('"'));
                quoted.unwrap_or_else(|| panic!("a value without quotes: {after:.80}"))
            }
            None => ("", after),
        };
        attributes.push((attribute.to_lowercase(), value.to_owned()));
    }
}

#[test]
fn what_is_not_clean_is_seen() {
    assert_clean("<p class=\"a\">a &lt; b <a href=\"/x\">x</a><script src=\"/a.js\" defer></script></p>");
    for bad in [
        "<x-evil>",
        "<p onclick=\"x\">",
        "<p style=\"x\">",
        "<style>",
        "<script>",
        "<script src=\"//e.test\">",
        "<a href=\"javascript:x\">",
        "<a href=\"//e.test\">",
        "<form action=\"https://e.test\">",
        "<p title=\"a\"\"b\">",
    ] {
        assert!(std::panic::catch_unwind(|| assert_clean(bad)).is_err(), "{bad}");
    }
    assert!(std::panic::catch_unwind(|| assert_clean(HOSTILE)).is_err());
}
