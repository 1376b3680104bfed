//! Connections to upstreams that speak HTTP/2, each carrying many calls, and where a call finds one.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::client::{Builder, Connection, SendRequest};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::kit::StreamFields;
use crate::domain::Hashed;
use crate::message::ResponseHead;
use crate::proxy::counts::{Count, Counts, OneUpstream};
use crate::proxy::dial::{Asker, connect};
use crate::proxy::failure::Failure;
use crate::proxy::io::Io;
use crate::proxy::names::Names;
use crate::proxy::snapshot::Upstream;

/// What an upstream may send of one stream, and of all, before it is taken.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
const SEND_BUFFER: usize = 64 * 1024;
/// Most head of an answer.
const MOST_HEAD: u32 = 64 * 1024;
/// Streams at once until the upstream has said how many it takes.
const STREAMS_AT_FIRST: usize = 100;

/// A connection to an upstream.
pub(super) struct Channel {
    request: RefCell<SendRequest<Bytes>>,
    upstream: Arc<Upstream>,
    calls: Cell<usize>,
    /// It takes no more calls: closed, about to close (GOAWAY), or silent.
    is_over: Cell<bool>,
    idle_since: Cell<Instant>,
    counted: OneUpstream,
}

/// A call's share of a channel.
pub(super) struct Share(Rc<Channel>);

impl Share {
    fn of(channel: &Rc<Channel>) -> Self {
        if channel.calls.get() == 0 {
            channel.idle().sub(1);
        }
        channel.calls.set(channel.calls.get() + 1);
        Self(Rc::clone(channel))
    }

    pub fn request(&self) -> SendRequest<Bytes> {
        self.0.request.borrow().clone()
    }

    /// No further call is to come this way.
    pub fn give_up(&self) {
        self.0.is_over.set(true);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.calls.set(self.0.calls.get() - 1);
        if self.0.calls.get() == 0 {
            self.0.idle().add(1);
        }
        self.0.idle_since.set(Instant::now());
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // Whoever has a share of it holds it: it carries nothing any more.
        self.idle().sub(1);
    }
}

impl Channel {
    fn idle(&self) -> &Count {
        &self.counted.0.idle_upstreams
    }

    fn has_room(&self) -> bool {
        !self.is_over.get() && self.calls.get() < self.request.borrow().current_max_send_streams()
    }

    fn leads_to(&self, upstream: &Upstream) -> bool {
        self.upstream.spec.host == upstream.spec.host && self.upstream.spec.port == upstream.spec.port
    }
}

#[derive(Default)]
struct Lane {
    channels: Vec<Rc<Channel>>,
    /// Held while a connection is made, so that calls that come together make one.
    dialing: Rc<Mutex<()>>,
}

/// What heads are made in on their way to an upstream and back; empty in between.
#[derive(Default)]
pub(super) struct Drafts {
    pub request: RefCell<RequestDraft>,
    pub answer: RefCell<ResponseHead>,
}

#[derive(Default)]
pub(super) struct RequestDraft {
    pub uri: BytesMut,
    pub fields: StreamFields,
}

/// Channels of one worker, by the key of their upstream.
pub(in crate::proxy) struct Channels {
    lanes: RefCell<HashMap<u64, Lane, Hashed>>,
    pub(super) drafts: Drafts,
    counts: Arc<Counts>,
}

impl Channels {
    pub fn new(counts: Arc<Counts>) -> Self {
        Self { lanes: RefCell::default(), drafts: Drafts::default(), counts }
    }

    /// A share of a channel with room, made if there is none. Second: whether it carried calls before.
    pub(super) async fn share(
        &self,
        upstream: &Arc<Upstream>,
        names: &Rc<Names>,
        asker: Asker<'_>,
    ) -> Result<(Share, bool), Failure> {
        if let Some(share) = self.find(upstream) {
            return Ok((share, true));
        }
        // Boxed, for most calls find one.
        Box::pin(self.make(upstream, names, asker)).await
    }

    /// A share of a new channel, or of one that somebody else makes at this moment.
    async fn make(
        &self,
        upstream: &Arc<Upstream>,
        names: &Rc<Names>,
        asker: Asker<'_>,
    ) -> Result<(Share, bool), Failure> {
        let limit = upstream.spec.connect_timeout;
        let dialing = Rc::clone(&self.lanes.borrow_mut().entry(upstream.key).or_default().dialing);
        let made = timeout(limit, async {
            let _turn = dialing.lock().await;
            if let Some(share) = self.find(upstream) {
                return Ok((share, true));
            }
            let (request, connection) = open(connect(upstream, names, Some(asker)).await?).await?;
            self.counts.idle_upstreams.add(1);
            let channel = Rc::new(Channel {
                counted: OneUpstream::new(&self.counts),
                request: RefCell::new(request),
                upstream: Arc::clone(upstream),
                calls: Cell::new(0),
                is_over: Cell::new(false),
                idle_since: Cell::new(Instant::now()),
            });
            actix_rt::spawn(drive(connection, Rc::downgrade(&channel)));
            self.lanes.borrow_mut().entry(upstream.key).or_default().channels.push(Rc::clone(&channel));
            Ok((Share::of(&channel), false))
        });
        made.await.unwrap_or(Err(Failure::TimedOut))
    }

    fn find(&self, upstream: &Upstream) -> Option<Share> {
        let mut lanes = self.lanes.borrow_mut();
        let lane = lanes.get_mut(&upstream.key)?;
        lane.channels.retain(|channel| !channel.is_over.get());
        let found = lane.channels.iter().find(|channel| channel.has_room() && channel.leads_to(upstream))?;
        Some(Share::of(found))
    }

    /// Lets go of what was idle too long.
    pub fn sweep(&self, limit: Duration) {
        let mut lanes = self.lanes.borrow_mut();
        for lane in lanes.values_mut() {
            lane.channels.retain(|channel| {
                !channel.is_over.get() && (channel.calls.get() > 0 || channel.idle_since.get().elapsed() < limit)
            });
        }
        lanes.retain(|_, lane| !lane.channels.is_empty() || Rc::strong_count(&lane.dialing) > 1);
    }
}

async fn open(io: Io) -> Result<(SendRequest<Bytes>, Connection<Io, Bytes>), Failure> {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_max_send_streams(STREAMS_AT_FIRST)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MOST_HEAD)
        .max_send_buffer_size(SEND_BUFFER);
    builder.handshake(io).await.map_err(|_| Failure::Broken)
}

/// Moves everything of a connection, to its end.
async fn drive(connection: Connection<Io, Bytes>, channel: std::rc::Weak<Channel>) {
    let _ = connection.await;
    if let Some(channel) = channel.upgrade() {
        channel.is_over.set(true);
    }
}
