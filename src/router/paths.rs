//! Routes by the beginning of their paths.
//!
//! Prefixes are kept sorted; each knows the longest other one it begins with. Every prefix of a path is then found by
//! one binary search and a walk along these parents. Regular expressions stand under the text they must begin with.

use std::collections::BTreeMap;

use regex::bytes::Regex;

/// One way into a route.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Place of the route in the order of winning.
    pub rank: u32,
    /// Place of the path among the route's own: of several that match, the first counts.
    pub nth: u32,
    /// The port the host must name; `None` = any.
    pub port: Option<u16>,
    /// `None`: the prefix it stands under is all of it.
    pub regex: Option<Regex>,
    /// A route without paths stands under the empty prefix and matches none of the path.
    pub has_path: bool,
}

#[derive(Debug)]
struct Prefix {
    text: Box<[u8]>,
    parent: Option<usize>,
    /// In order of winning.
    entries: Vec<Entry>,
}

#[derive(Debug, Default)]
pub(super) struct PathIndex {
    prefixes: Vec<Prefix>,
}

/// Collects entries before they are sorted into a [`PathIndex`].
pub(super) type Collected = BTreeMap<Vec<u8>, Vec<Entry>>;

impl PathIndex {
    pub fn new(collected: Collected) -> Self {
        let mut prefixes: Vec<Prefix> = Vec::with_capacity(collected.len());
        for (text, mut entries) in collected {
            entries.sort_by_key(|entry| (entry.rank, entry.nth));
            // The one before it in the order, or one of that one's parents, is the longest it begins with.
            let mut parent = prefixes.len().checked_sub(1);
            while let Some(nth) = parent
                && !text.starts_with(&prefixes[nth].text)
            {
                parent = prefixes[nth].parent;
            }
            prefixes.push(Prefix { text: text.into(), parent, entries });
        }
        Self { prefixes }
    }

    /// Offers every entry whose path matches `path`, best first under each prefix, until `take` has no use for the
    /// rest of that prefix. `take` gets the entry and how much of the path it matched, and says whether to go on.
    pub fn visit(&self, path: &[u8], mut take: impl FnMut(&Entry, Option<usize>) -> Next) {
        let mut at = self.prefixes.partition_point(|prefix| *prefix.text <= *path).checked_sub(1);
        while let Some(nth) = at {
            let prefix = &self.prefixes[nth];
            at = prefix.parent;
            if path.starts_with(&prefix.text) {
                for entry in &prefix.entries {
                    match take(entry, entry.has_path.then_some(prefix.text.len())) {
                        Next::Entry => {}
                        Next::Prefix => break,
                    }
                }
            }
        }
    }
}

/// How a visit goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Entry,
    /// What follows under this prefix loses anyway.
    Prefix,
}

/// The text every match of an anchored pattern begins with; may be shorter than it could be.
pub(super) fn literal_start(pattern: &str) -> &str {
    let end = pattern.find(|letter: char| !is_literal(letter)).unwrap_or(pattern.len());
    if has_alternative(pattern) {
        return "";
    }
    // A repetition takes hold of the letter before it.
    match pattern[end..].chars().next() {
        Some('*' | '?' | '{' | '+') => {
            let last = pattern[..end].chars().next_back().map_or(0, char::len_utf8);
            &pattern[..end - last]
        }
        _ => &pattern[..end],
    }
}

fn is_literal(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '/' | '-' | '_' | '~' | '%' | ':' | '@' | '=' | ',' | ';' | '\'')
}

/// Whether a `|` stands outside every group: then the pattern may begin in more than one way.
fn has_alternative(pattern: &str) -> bool {
    let (mut depth, mut in_class, mut escaped) = (0i32, false, false);
    for letter in pattern.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' => in_class = false,
            _ if in_class => {}
            '[' => in_class = true,
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth <= 0 => return true,
            _ => {}
        }
    }
    // A class that never closed was read wrongly: be careful then.
    in_class
}

#[cfg(test)]
mod tests {
    use super::literal_start;

    #[test]
    fn a_pattern_begins_with_its_letters() {
        for (pattern, start) in [
            (r"/users/\d+", "/users/"),
            ("/a+", "/"),
            ("/ab?c", "/a"),
            ("/a|/b", ""),
            ("/(a|b)", "/"),
            ("/x[|]y", "/x"),
            (r"/x\|y", "/x"),
            ("(?i)/a", ""),
            ("/plain", "/plain"),
            ("/a.b", "/a"),
            ("/a{2}", "/"),
            ("/x[]|]y|/z", ""),
        ] {
            assert_eq!(literal_start(pattern), start, "{pattern}");
        }
    }
}
