//! The one order in which routes win, whatever the request.
//!
//! Kong sorts matching routes by how many categories they name, then which, then finer facts. All of these are facts of
//! the route and none of the request, so the whole order is settled when routes are compiled.

use std::cmp::Reverse;

use super::spec::RouteSpec;

const HOSTS: u8 = 1 << 4;
const HEADERS: u8 = 1 << 3;
const PATHS: u8 = 1 << 2;
const METHODS: u8 = 1 << 1;
const SNIS: u8 = 1;

const WILDCARD_HOST_WITH_PORT: u8 = 1 << 2;
const PLAIN_HOSTS_ONLY: u8 = 1 << 1;
const REGEX_PATH: u8 = 1;

/// Sorts first what wins.
pub(super) fn key(route: &RouteSpec) -> impl Ord + use<> {
    let categories = [
        (HOSTS, !route.hosts.is_empty()),
        (HEADERS, !route.headers.is_empty()),
        (PATHS, !route.paths.is_empty()),
        (METHODS, !route.methods.is_empty()),
        (SNIS, !route.snis.is_empty()),
    ];
    let named: u8 = categories.iter().filter(|(_, named)| *named).map(|(bit, _)| bit).sum();
    let has_regex = route.paths.iter().any(|path| path.starts_with('~'));
    let longest = route.paths.iter().map(|path| path.trim_start_matches('~').len()).max();
    (
        (Reverse(named.count_ones()), Reverse(named), Reverse(finer(route, has_regex))),
        Reverse(route.headers.len()),
        Reverse(if has_regex { route.regex_priority } else { 0 }),
        Reverse(longest),
        route.created_at,
        // Two routes of one second: any order will do, as long as it is the same on every node.
        route.id,
    )
}

fn finer(route: &RouteSpec, has_regex: bool) -> u8 {
    let wildcards = || route.hosts.iter().filter(|host| host.contains('*'));
    let plain_only = !route.hosts.is_empty() && wildcards().next().is_none();
    let wildcard_with_port = wildcards().any(|host| host.contains(':'));
    u8::from(wildcard_with_port) * WILDCARD_HOST_WITH_PORT
        + u8::from(plain_only) * PLAIN_HOSTS_ONLY
        + u8::from(has_regex) * REGEX_PATH
}
