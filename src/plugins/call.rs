//! A call in flight, as plugins see it.

use std::future::poll_fn;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use crate::domain::{Consumer, Gate, Timestamp};
use crate::engine::{AskedGrant, TraceId};
use crate::message::{BodyError, Headers, RequestHead, Source};
use crate::router::{Protocol, RouteSpec, ServiceSpec};

/// Facts about who is at the other end of the connection. The same for every call of it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address of the connection itself, not one a header tells of.
    pub address: IpAddr,
    pub port: u16,
    /// The port of ours it connected to.
    pub local_port: u16,
    pub tls: bool,
    /// Lower-cased server name of the TLS handshake.
    pub sni: Option<Arc<str>>,
    /// Whether its `X-Forwarded-*` headers are believed (`proxy.trusted_ips`).
    pub trusted: bool,
}

/// Who a call is made for, once a plugin found out.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    pub consumer: Option<Arc<Consumer>>,
    /// The credential that proved it; `None` for an anonymous consumer.
    pub credential: Option<Uuid>,
    /// Whether it is the consumer of a developer's application that the service has let in.
    pub is_application: bool,
}

/// The `X-Forwarded-Proto` of a request, as sent and whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedProto<'h> {
    None,
    One(&'h [u8]),
    Several,
}

impl<'h> ForwardedProto<'h> {
    pub fn of(headers: &'h Headers) -> Self {
        let mut values = headers.all("x-forwarded-proto");
        match (values.next(), values.next()) {
            (None, _) => Self::None,
            (Some(value), None) if value.contains(&b',') => Self::Several,
            (Some(value), None) => Self::One(value),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// What plugins changed. Emptied, not dropped, between the calls of a connection.
#[derive(Debug, Default)]
pub struct Changes {
    /// Fields removed from what the upstream gets; applied before `set`.
    pub removed: Vec<Bytes>,
    /// Fields the upstream gets, names and ends of values in `text`; each replaces every field of its name.
    set: Vec<(Bytes, Range<usize>)>,
    /// `Some(None)`: the query is removed.
    pub query: Option<Option<Bytes>>,
    /// Takes the place of the body the client sent.
    pub body: Option<Bytes>,
    /// Fields added to the answer, proxied or our own.
    pub response: Vec<(Bytes, Bytes)>,
    /// Every value of `set`, one after the other.
    text: Vec<u8>,
}

/// Bytes of values for which room is made at first, and for which it is kept.
const USUAL_TEXT: usize = 256;
const MOST_TEXT: usize = 4 * 1024;

impl Changes {
    /// Fields the upstream gets; each replaces every field of its name.
    pub fn set(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.set.iter().map(|(name, value)| (&name[..], &self.text[value.clone()]))
    }

    /// Whether a field of that name is removed, or set.
    pub fn concern(&self, name: &[u8]) -> bool {
        self.removed.iter().any(|removed| removed.eq_ignore_ascii_case(name))
            || self.set.iter().any(|(set, _)| set.eq_ignore_ascii_case(name))
    }

    /// The query as the upstream gets it.
    pub fn query<'q>(&'q self, head: &'q RequestHead) -> Option<&'q [u8]> {
        match &self.query {
            Some(replaced) => replaced.as_deref(),
            None => head.query(),
        }
    }

    fn set_field(&mut self, name: Bytes, value: &[u8]) {
        self.set.retain(|(field, _)| !field.eq_ignore_ascii_case(&name));
        if self.text.capacity() == 0 {
            self.text.reserve(USUAL_TEXT);
        }
        let start = self.text.len();
        self.text.extend_from_slice(value);
        self.set.push((name, start..self.text.len()));
    }

    pub fn clear(&mut self) {
        self.removed.clear();
        self.set.clear();
        self.text.clear();
        self.text.shrink_to(MOST_TEXT);
        self.query = None;
        self.body = None;
        self.response.clear();
    }
}

/// A call between its route and its upstream.
pub struct Call<'c> {
    pub head: &'c RequestHead,
    /// The path as routes are matched against it: decoded where that changes nothing, `..` and `//` resolved.
    pub path: &'c [u8],
    pub peer: &'c Peer,
    /// The address of the client: the peer's, or what a trusted peer says (`X-Real-IP`, `X-Forwarded-For`).
    pub client_ip: IpAddr,
    /// What the client speaks, as routes and plugins name it. Behind a trusted proxy that ends TLS: `https`.
    pub protocol: Protocol,
    pub now: Timestamp,
    pub route: &'c Arc<RouteSpec>,
    pub service: Option<&'c Arc<ServiceSpec>>,
    pub request_id: &'c str,
    /// `None`: traces are not kept.
    pub trace_id: Option<TraceId>,
    /// What an OAuth 2.0 endpoint was asked, and what came of it: `issued` or an error.
    pub asked: Option<(AskedGrant, &'static str)>,
    pub identity: Option<Identity>,
    /// What its chain has standing before the service.
    pub gate: Option<Gate>,
    changes: &'c mut Changes,
    source: &'c mut dyn Source,
    /// What was read while the end had not come.
    arrived: BytesMut,
    /// The body, once all of it was read.
    whole: Option<Bytes>,
}

/// What a [`Call`] is made of: the facts, before any plugin ran.
pub struct Facts<'c> {
    pub head: &'c RequestHead,
    /// The path as routes are matched against it: decoded where that changes nothing, `..` and `//` resolved.
    pub path: &'c [u8],
    pub peer: &'c Peer,
    pub client_ip: IpAddr,
    pub protocol: Protocol,
    pub now: Timestamp,
    pub route: &'c Arc<RouteSpec>,
    pub service: Option<&'c Arc<ServiceSpec>>,
    pub request_id: &'c str,
    pub trace_id: Option<TraceId>,
}

/// What is left of a call when its plugins are done.
pub struct Rest {
    pub identity: Option<Identity>,
    /// As [`Call::asked`].
    pub asked: Option<(AskedGrant, &'static str)>,
    /// What plugins read of the body; the upstream gets it first.
    pub arrived: Bytes,
    /// Whether that was all of it.
    pub ended: bool,
}

impl<'c> Call<'c> {
    pub fn new(facts: Facts<'c>, changes: &'c mut Changes, source: &'c mut dyn Source) -> Self {
        let Facts { head, path, peer, client_ip, protocol, now, route, service, request_id, trace_id } = facts;
        Self {
            head,
            path,
            peer,
            client_ip,
            protocol,
            now,
            route,
            service,
            request_id,
            trace_id,
            asked: None,
            identity: None,
            gate: None,
            changes,
            source,
            arrived: BytesMut::new(),
            whole: None,
        }
    }

    pub fn finish(self) -> Rest {
        let ended = self.whole.is_some();
        let arrived = self.whole.unwrap_or_else(|| self.arrived.freeze());
        Rest { identity: self.identity, asked: self.asked, arrived, ended }
    }

    /// The whole body, when it has at most `limit` bytes. What was read is replayed to the upstream, also after an
    /// error, unless [`Call::replace_body`] puts another in its place. May be called again. A body the client holds
    /// back until it is asked to go on (`Expect: 100-continue`) is asked for.
    ///
    /// # Errors
    /// [`BodyError::TooLong`], after which the rest is still there for the upstream; or what went wrong in reading.
    pub async fn body(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        while self.whole.is_none() && self.arrived.len() <= limit {
            match poll_fn(|context| self.source.poll_chunk(context)).await? {
                Some(chunk) => self.arrived.extend_from_slice(&chunk),
                None => self.whole = Some(std::mem::take(&mut self.arrived).freeze()),
            }
        }
        match &self.whole {
            Some(whole) if whole.len() <= limit => Ok(whole.clone()),
            _ => Err(BodyError::TooLong(limit)),
        }
    }

    /// The `X-Forwarded-Proto` field. Whether to believe it is told by [`Peer::trusted`].
    pub fn forwarded_proto(&self) -> ForwardedProto<'_> {
        ForwardedProto::of(&self.head.headers)
    }

    /// Sets a field of the upstream request in place of every one of that name.
    pub fn set_header(&mut self, name: impl Into<Bytes>, value: &[u8]) {
        self.changes.set_field(name.into(), value);
    }

    /// Removes every field of that name from the upstream request, also one set before.
    pub fn remove_header(&mut self, name: impl Into<Bytes>) {
        let name = name.into();
        self.changes.set.retain(|(field, _)| !field.eq_ignore_ascii_case(&name));
        self.changes.removed.push(name);
    }

    /// The query as the upstream gets it so far.
    pub fn query(&self) -> Option<&[u8]> {
        self.changes.query(self.head)
    }

    /// What took the place of the body, if anything did.
    pub fn replaced_body(&self) -> Option<&Bytes> {
        self.changes.body.as_ref()
    }

    /// Replaces the query of the upstream request; `None` removes it.
    pub fn replace_query(&mut self, query: Option<Bytes>) {
        self.changes.query = Some(query);
    }

    /// Replaces the body of the upstream request. Call it only after [`Call::body`] gave the whole of the old one.
    pub fn replace_body(&mut self, body: impl Into<Bytes>) {
        self.changes.body = Some(body.into());
    }

    /// Adds a field to the answer the client gets.
    pub fn add_response_header(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.changes.response.push((name.into(), value.into()));
    }
}
