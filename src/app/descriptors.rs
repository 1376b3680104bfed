//! File descriptors: how many the process may open, and how many connections they have room for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use crate::config::Settings;

/// Kept for listeners, the database, Redis, files, logs, the Admin API and the portal, beside the database's connections.
const OWN: usize = 128;
/// More connections than anybody has.
const MOST: usize = 1 << 20;
/// Calls at once to one upstream, of each worker, unless it is set.
const MOST_CALLS: usize = 4096;

/// Raises the limit of open files as far as the process may; how many it may open then.
pub(super) fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    if let Err(error) = &raised {
        warn!(%error, "the limit of open files cannot be raised");
    }
    let limit = if raised.is_ok() { maximum } else { current };
    limit.map_or(MOST * 4, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// What the proxy may take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub connections: usize,
    pub upstream_calls: usize,
}

/// Shares out `open_files`: a client's connection needs another one to an upstream.
pub(super) fn room(settings: &Settings, open_files: usize) -> Room {
    let fitting = (open_files.saturating_sub(OWN + settings.database_pool) / 2).clamp(16, MOST);
    let connections = settings.proxy_max_connections.unwrap_or(fitting);
    if connections > fitting {
        warn!(open_files, fitting, "proxy.max_connections is more than the limit of open files has room for");
    }
    let share = (connections / 2 / settings.proxy_workers).clamp(8, MOST_CALLS);
    Room { connections, upstream_calls: settings.proxy_max_upstream_calls.unwrap_or(share) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layers, Mode};

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let always = [("TOLLGATE_DATABASE_URL", "sqlite:x"), ("TOLLGATE_PROXY_WORKERS", "2")];
        let pairs = always.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&Layers::defaults(Mode::Serve).with_environment(pairs)).unwrap()
    }

    #[test]
    fn descriptors_are_left_for_upstreams_and_the_database() {
        let of = |connections, upstream_calls| Room { connections, upstream_calls };
        assert_eq!(room(&settings(&[]), 1024), of(440, 110));
        assert_eq!(room(&settings(&[]), 1 << 20), of(524_216, 4096));
        assert_eq!(room(&settings(&[]), 0), of(16, 8));
        let set = [("TOLLGATE_PROXY_MAX_CONNECTIONS", "100"), ("TOLLGATE_PROXY_MAX_UPSTREAM_CALLS", "7")];
        assert_eq!(room(&settings(&set), 1024), of(100, 7));
    }
}
