//! Scope sets (RFC 6749 §3.3).

use std::collections::BTreeSet;
use std::fmt;

/// A set of scope words. Order and repetition carry no meaning; [`fmt::Display`] gives them sorted, one space apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(BTreeSet<String>);

impl ScopeSet {
    /// Splits at any white space. Never fails: which words are allowed is the plugin's decision, not the grammar's.
    pub fn parse(text: &str) -> Self {
        text.split_whitespace().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<'w> FromIterator<&'w str> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = &'w str>>(words: I) -> Self {
        Self(words.into_iter().map(str::to_owned).collect())
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, word) in self.0.iter().enumerate() {
            if nth > 0 {
                out.write_str(" ")?;
            }
            out.write_str(word)?;
        }
        Ok(())
    }
}
