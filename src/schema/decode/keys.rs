//! Keys of forms: `a.b`, `a[]`, `a[1]`, `a[word]`, repetition.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::Entity;
use super::DecodeError;

/// Pairs a form may have.
pub(super) const MAX_PAIRS: usize = 10_000;
const MAX_DEPTH: usize = 16;

/// Whether a key is more than a plain name.
pub(super) fn is_compound(key: &str) -> bool {
    key.contains('.') || key.ends_with(']')
}

/// One step of a key.
#[derive(Debug, PartialEq)]
enum Step<'k> {
    Name(&'k str),
    Index(u32),
    Append,
}

/// An object that grows by compound keys. Indices are kept sparse, so that a large one costs nothing.
#[derive(Default)]
pub(super) struct Tree {
    root: BTreeMap<String, Node>,
    /// Names in the order they came.
    order: Vec<String>,
}

enum Node {
    Leaf(Value),
    Names(BTreeMap<String, Node>),
    Indices(BTreeMap<u32, Node>),
    /// Repetitions and `[]`, in the order they came.
    Items(Vec<Value>),
}

impl Tree {
    pub(super) fn put(&mut self, key: &str, value: Value) -> Result<(), DecodeError> {
        let steps = steps(key)?;
        let (first, rest) = match steps.split_first() {
            Some((Step::Name(name), rest)) => (*name, rest),
            _ => (key, &[][..]),
        };
        match self.root.get_mut(first) {
            Some(node) => node.put(rest, value),
            None => {
                self.root.insert(first.to_owned(), Node::new(rest, value));
                self.order.push(first.to_owned());
            }
        }
        Ok(())
    }

    pub(super) fn into_object(mut self) -> Entity {
        let mut object = Map::new();
        for name in self.order {
            if let Some(node) = self.root.remove(&name) {
                object.insert(name, node.into_value());
            }
        }
        object
    }
}

/// Splits a key. A key that does not follow the grammar is one plain name.
fn steps(key: &str) -> Result<Vec<Step<'_>>, DecodeError> {
    let mut steps = Vec::new();
    for part in key.split('.') {
        if steps.len() > MAX_DEPTH {
            return Err(DecodeError::TooComplex);
        }
        let Some(open) = part.find('[').filter(|at| *at > 0 && part.ends_with(']')) else {
            if part.is_empty() {
                return if key.len() > 256 { Err(DecodeError::TooComplex) } else { Ok(vec![Step::Name(key)]) };
            }
            steps.push(Step::Name(part));
            continue;
        };
        steps.push(Step::Name(&part[..open]));
        for inner in part[open + 1..part.len() - 1].split("][") {
            if steps.len() > MAX_DEPTH {
                return Err(DecodeError::TooComplex);
            }
            steps.push(match inner.parse() {
                Ok(index) => Step::Index(index),
                Err(_) if inner.is_empty() => Step::Append,
                Err(_) => Step::Name(inner),
            });
        }
    }
    Ok(steps)
}

impl Node {
    fn new(steps: &[Step<'_>], value: Value) -> Self {
        match steps.split_first() {
            None => Self::Leaf(value),
            Some((Step::Append, _)) => Self::Items(vec![value]),
            Some((Step::Name(name), rest)) => {
                Self::Names(BTreeMap::from([((*name).to_owned(), Self::new(rest, value))]))
            }
            Some((Step::Index(index), rest)) => Self::Indices(BTreeMap::from([(*index, Self::new(rest, value))])),
        }
    }

    /// Adds at a key that was there before. Where the shapes differ the later one wins, as in Kong.
    fn put(&mut self, steps: &[Step<'_>], value: Value) {
        match (&mut *self, steps.split_first()) {
            (Self::Items(items), None | Some((Step::Append, _))) => items.push(value),
            (Self::Leaf(first), None | Some((Step::Append, []))) => {
                let first = std::mem::take(first);
                *self = Self::Items(vec![first, value]);
            }
            (Self::Names(names), Some((Step::Name(name), rest))) => match names.get_mut(*name) {
                Some(node) => node.put(rest, value),
                None => {
                    names.insert((*name).to_owned(), Self::new(rest, value));
                }
            },
            (Self::Leaf(Value::Object(object)), Some((Step::Name(name), []))) => {
                object.insert((*name).to_owned(), value);
            }
            (Self::Indices(indices), Some((Step::Index(index), rest))) => match indices.get_mut(index) {
                Some(node) => node.put(rest, value),
                None => {
                    indices.insert(*index, Self::new(rest, value));
                }
            },
            _ => *self = Self::new(steps, value),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Leaf(value) => value,
            Self::Items(items) => Value::Array(items),
            Self::Indices(indices) => indices.into_values().map(Self::into_value).collect(),
            Self::Names(names) => {
                Value::Object(names.into_iter().map(|(name, node)| (name, node.into_value())).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_split_into_steps() {
        assert_eq!(steps("a").unwrap(), [Step::Name("a")]);
        assert_eq!(steps("config.scopes[]").unwrap(), [Step::Name("config"), Step::Name("scopes"), Step::Append]);
        assert_eq!(steps("headers.x-a[2]").unwrap(), [Step::Name("headers"), Step::Name("x-a"), Step::Index(2)]);
        assert_eq!(steps("a[b][1]").unwrap(), [Step::Name("a"), Step::Name("b"), Step::Index(1)]);
    }

    #[test]
    fn a_key_outside_the_grammar_is_a_plain_name() {
        for key in ["a..b", ".a", "[1]", "a]", "", "a[", "[]"] {
            assert_eq!(steps(key).unwrap(), [Step::Name(key)], "{key}");
        }
    }
}
