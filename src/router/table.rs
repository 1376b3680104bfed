//! Routes compiled, and the search for the one that wins.

use std::collections::HashMap;
use std::sync::Arc;

use regex::bytes::Regex;
use uuid::Uuid;

use super::hosts::{HostIndex, HostKey, split_port};
use super::paths::{Entry, Next, literal_start};
use super::rank;
use super::spec::{Pattern, RouteSpec};
use crate::message::Headers;

/// What of a request routes look at.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'r> {
    pub method: &'r [u8],
    /// The authority as sent; empty when there was none.
    pub host: &'r [u8],
    /// Normalised.
    pub path: &'r [u8],
    pub headers: &'r Headers,
    pub secure: bool,
    /// Lower-cased.
    pub sni: Option<&'r str>,
}

/// The route that won, by its place in what [`Router::compile`] was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub route: usize,
    /// Bytes of the path its own path matched; `None` when it has no paths.
    pub matched: Option<usize>,
}

/// A path of a route that is no regular expression here. The route's other paths stay in force.
#[derive(Clone, Debug, thiserror::Error)]
#[error("route {route}: path `{path}` is not a usable regular expression: {reason}")]
pub struct BadPath {
    pub route: Uuid,
    pub path: String,
    pub reason: String,
}

/// An immutable set of routes.
#[derive(Debug, Default)]
pub struct Router {
    /// In order of winning, each with its place in the input.
    ranked: Vec<(usize, Arc<RouteSpec>)>,
    hosts: HostIndex,
}

/// Longest host name compared; DNS allows 255.
const MAX_HOST: usize = 256;
/// Bytes of memory one path's automaton may take.
const MAX_REGEX: usize = 1 << 20;

impl Router {
    /// Compiles routes. What does not compile is left out and told.
    pub fn compile(routes: &[Arc<RouteSpec>]) -> (Self, Vec<BadPath>) {
        let mut ranked: Vec<_> = routes.iter().cloned().enumerate().collect();
        ranked.sort_by_cached_key(|(_, route)| rank::key(route));
        let mut collected: HashMap<HostKey, super::paths::Collected> = HashMap::new();
        let mut bad = Vec::new();
        for (rank, (_, route)) in ranked.iter().enumerate() {
            let ways = ways_in(route, u32::try_from(rank).unwrap_or(u32::MAX), &mut bad);
            let mut hosts: Vec<_> = route.hosts.iter().map(|host| HostKey::parse(host)).collect();
            if hosts.is_empty() {
                hosts.push((HostKey::Any, None));
            }
            for (key, port) in hosts {
                let paths = collected.entry(key).or_default();
                for (start, entry) in &ways {
                    paths.entry(start.clone()).or_default().push(Entry { port, ..entry.clone() });
                }
            }
        }
        (Self { ranked, hosts: HostIndex::new(collected) }, bad)
    }

    /// The route that wins this request.
    pub fn find(&self, ask: &Ask<'_>) -> Option<Match> {
        let (name, port) = split_port(ask.host);
        let mut lowered = [0; MAX_HOST];
        let name = lower(name, &mut lowered)?;
        let port = port.unwrap_or(if ask.secure { 443 } else { 80 });
        // (rank, place of the path, matched length)
        let mut best: Option<(u32, u32, Option<usize>)> = None;
        self.hosts.visit(name, |paths| {
            paths.visit(ask.path, |entry, length| {
                if best.is_some_and(|(rank, nth, _)| (rank, nth) <= (entry.rank, entry.nth)) {
                    return Next::Prefix;
                }
                if entry.port.is_some_and(|asked| asked != port) || !self.admits(entry.rank, ask) {
                    return Next::Entry;
                }
                let matched = match &entry.regex {
                    None => length,
                    Some(regex) => match regex.find(ask.path) {
                        Some(found) => Some(found.end()),
                        None => return Next::Entry,
                    },
                };
                best = Some((entry.rank, entry.nth, matched));
                Next::Prefix
            });
        });
        best.map(|(rank, _, matched)| Match { route: self.ranked[rank as usize].0, matched })
    }

    /// The conditions of a route that no index stands for.
    fn admits(&self, rank: u32, ask: &Ask<'_>) -> bool {
        let route = &self.ranked[rank as usize].1;
        let method = route.methods.is_empty() || route.methods.iter().any(|method| method.as_bytes() == ask.method);
        // A plain request cannot show a server name; it is let in, to be told to come back with TLS.
        let sni = route.snis.is_empty()
            || !ask.secure
            || ask.sni.is_some_and(|asked| route.snis.iter().any(|sni| sni == asked.trim_end_matches('.')));
        method && sni && route.headers.iter().all(|(name, pattern)| carries(ask.headers, name, pattern))
    }
}

fn carries(headers: &Headers, name: &str, pattern: &Pattern) -> bool {
    headers.all(name).any(|value| match pattern {
        Pattern::Values(values) => values.iter().any(|wanted| wanted.as_bytes().eq_ignore_ascii_case(value)),
        Pattern::Regex(regex) => std::str::from_utf8(value).is_ok_and(|value| regex.is_match(value)),
    })
}

/// Lower-cases into `space` only what needs it. `None` when longer than a host can be.
fn lower<'h>(name: &'h [u8], space: &'h mut [u8; MAX_HOST]) -> Option<&'h [u8]> {
    if !name.iter().any(u8::is_ascii_uppercase) {
        return (name.len() <= MAX_HOST).then_some(name);
    }
    let copy = space.get_mut(..name.len())?;
    copy.copy_from_slice(name);
    copy.make_ascii_lowercase();
    Some(copy)
}

/// The ways into a route by path: what a path begins with, and the rest of the test.
fn ways_in(route: &RouteSpec, rank: u32, bad: &mut Vec<BadPath>) -> Vec<(Vec<u8>, Entry)> {
    if route.paths.is_empty() {
        return vec![(Vec::new(), Entry { rank, nth: 0, port: None, regex: None, has_path: false })];
    }
    let mut paths: Vec<&str> = route.paths.iter().map(String::as_str).collect();
    paths.sort_by_key(|path| (!path.starts_with('~'), std::cmp::Reverse(path.len())));
    let mut ways = Vec::with_capacity(paths.len());
    for (nth, path) in paths.into_iter().enumerate() {
        let entry = Entry { rank, nth: nth as u32, port: None, regex: None, has_path: true };
        let Some(pattern) = path.strip_prefix('~') else {
            ways.push((super::normalize(path.as_bytes()).into_owned(), entry));
            continue;
        };
        let anchored = format!("^(?:{pattern})");
        match regex::bytes::RegexBuilder::new(&anchored).size_limit(MAX_REGEX).build() {
            Ok(regex) => ways.push((literal_start(pattern).into(), Entry { regex: Some(regex), ..entry })),
            Err(error) => bad.push(BadPath { route: route.id, path: path.to_owned(), reason: reason(&error) }),
        }
    }
    ways
}

/// The last line of a regex error says what is wrong; those before it draw the pattern.
fn reason(error: &regex::Error) -> String {
    error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// A regular expression as [`Router::compile`] reads route paths, for checks ahead of time.
///
/// # Errors
/// What is wrong with the pattern.
pub fn check_path_regex(pattern: &str) -> Result<(), String> {
    let anchored = format!("^(?:{pattern})");
    regex::bytes::RegexBuilder::new(&anchored).size_limit(MAX_REGEX).build().map(|_: Regex| ()).map_err(|e| reason(&e))
}
