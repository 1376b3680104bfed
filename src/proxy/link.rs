//! A connection to an upstream, and the idle ones kept for the next call.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::Instant;

use super::counts::{Counts, OneUpstream};
use super::io::{Io, rest};
use super::loads::Load;
use super::snapshot::Upstream;
use crate::domain::Hashed;
use crate::message::{ResponseHead, Scan};

/// A connection to an upstream with its buffers, which live as long as it does.
pub(super) struct Link {
    pub io: Io,
    pub input: BytesMut,
    pub out: BytesMut,
    pub scan: Scan,
    pub head: ResponseHead,
    /// It carried a request before: the upstream may close it just as we write.
    pub used: bool,
    /// The call that it carries beyond its exchange, as a tunnel.
    pub load: Option<Load>,
    _counted: OneUpstream,
}

impl Link {
    pub fn new(io: Io, counts: &Arc<Counts>) -> Self {
        let (input, out, scan) = (BytesMut::new(), BytesMut::with_capacity(1024), Scan::default());
        Self {
            io,
            input,
            out,
            scan,
            head: ResponseHead::default(),
            used: false,
            load: None,
            _counted: OneUpstream::new(counts),
        }
    }

    /// Whether it is silent and open, as an idle connection should be. Costs no system call while it is.
    fn is_quiet(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let something = self.io.poll_something(&mut context).is_ready();
        !something || self.io.poll_fill(&mut context, &mut self.input).is_pending()
    }
}

struct Idle {
    link: Box<Link>,
    upstream: Arc<Upstream>,
    since: Instant,
}

/// Idle connections of one worker, those used last first.
pub(super) struct Pool {
    idle: HashMap<u64, Vec<Idle>, Hashed>,
    per_upstream: usize,
    limit: Duration,
    counts: Arc<Counts>,
}

impl Pool {
    pub fn new(per_upstream: usize, limit: Duration, counts: Arc<Counts>) -> Self {
        Self { idle: HashMap::default(), per_upstream, limit, counts }
    }

    pub fn take(&mut self, upstream: &Upstream) -> Option<Box<Link>> {
        let stack = self.idle.get_mut(&upstream.key)?;
        while let Some(mut idle) = stack.pop() {
            self.counts.idle_upstreams.sub(1);
            let same = idle.upstream.spec.host == upstream.spec.host && idle.upstream.spec.port == upstream.spec.port;
            if same && idle.link.is_quiet() {
                return Some(idle.link);
            }
        }
        None
    }

    pub fn put(&mut self, upstream: &Arc<Upstream>, mut link: Box<Link>, now: Instant) {
        let stack = self.idle.entry(upstream.key).or_default();
        if stack.len() < self.per_upstream {
            link.used = true;
            link.head.headers.clear();
            rest(&mut link.input);
            rest(&mut link.out);
            self.counts.idle_upstreams.add(1);
            stack.push(Idle { link, upstream: Arc::clone(upstream), since: now });
        }
    }

    /// Closes what was idle too long or has been closed at the other end.
    pub fn sweep(&mut self, now: Instant) {
        for stack in self.idle.values_mut() {
            let before = stack.len();
            stack.retain_mut(|idle| now.duration_since(idle.since) < self.limit && idle.link.is_quiet());
            self.counts.idle_upstreams.sub((before - stack.len()) as u64);
        }
        self.idle.retain(|_, stack| !stack.is_empty());
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.counts.idle_upstreams.sub(self.idle.values().map(Vec::len).sum::<usize>() as u64);
    }
}
