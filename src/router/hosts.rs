//! Routes by host: plain names, and names with one wildcard at either end.

use std::collections::HashMap;

use super::paths::{Collected, PathIndex};

/// A host as a route names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum HostKey {
    Any,
    Plain(Vec<u8>),
    /// `*.x.org`, kept as `.x.org`.
    Ending(Vec<u8>),
    /// `x.*`, kept as `x.`.
    Beginning(Vec<u8>),
}

impl HostKey {
    /// Takes `host` or `host:port` apart.
    pub fn parse(host: &str) -> (Self, Option<u16>) {
        let (name, port) = split_port(host.as_bytes());
        let key = match name {
            [b'*', ending @ ..] => Self::Ending(ending.to_vec()),
            [beginning @ .., b'*'] => Self::Beginning(beginning.to_vec()),
            name => Self::Plain(name.to_vec()),
        };
        (key, port)
    }
}

/// The name of an authority, and its port where it has one.
pub(super) fn split_port(authority: &[u8]) -> (&[u8], Option<u16>) {
    let colon = match memchr::memrchr(b':', authority) {
        Some(colon) if !authority.ends_with(b"]") => colon,
        _ => return (authority, None),
    };
    let port = std::str::from_utf8(&authority[colon + 1..]).ok().and_then(|digits| digits.parse().ok());
    (&authority[..colon], port)
}

#[derive(Debug, Default)]
pub(super) struct HostIndex {
    any: PathIndex,
    plain: HashMap<Vec<u8>, PathIndex>,
    ending: HashMap<Vec<u8>, PathIndex>,
    beginning: HashMap<Vec<u8>, PathIndex>,
}

impl HostIndex {
    pub fn new(collected: HashMap<HostKey, Collected>) -> Self {
        let mut index = Self::default();
        for (key, paths) in collected {
            let paths = PathIndex::new(paths);
            match key {
                HostKey::Any => index.any = paths,
                HostKey::Plain(name) => drop(index.plain.insert(name, paths)),
                HostKey::Ending(name) => drop(index.ending.insert(name, paths)),
                HostKey::Beginning(name) => drop(index.beginning.insert(name, paths)),
            }
        }
        index
    }

    /// Visits the path index of every host pattern that `name` (lower-cased, without port) matches.
    pub fn visit(&self, name: &[u8], mut take: impl FnMut(&PathIndex)) {
        if let Some(paths) = self.plain.get(name) {
            take(paths);
        }
        if !self.ending.is_empty() {
            let dots = memchr::memchr_iter(b'.', name).filter(|dot| *dot > 0);
            dots.filter_map(|dot| self.ending.get(&name[dot..])).for_each(&mut take);
        }
        if !self.beginning.is_empty() {
            let dots = memchr::memchr_iter(b'.', name).filter(|dot| dot + 1 < name.len());
            dots.filter_map(|dot| self.beginning.get(&name[..=dot])).for_each(&mut take);
        }
        take(&self.any);
    }
}
