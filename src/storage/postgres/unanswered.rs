//! Connections whose statement was not waited for to its end.
//!
//! They are not used again. One that reads is closed: the server gives up at its own limit. One that writes may wait there
//! for a synchronous standby that is away, without a limit, and goes on waiting when it is closed; cancelled, it would
//! have written what the standby lacks. So it is kept until the server answers, and when there are many no more begin:
//! otherwise they would take every connection the server has, and nobody could read any more.

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::Object;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;

use super::connect::Lent;
use super::session::{Access, Session};

/// By then the server, or the way to it, is broken.
const LONGEST: Duration = Duration::from_secs(600);

pub(super) struct Unanswered {
    places: Arc<Semaphore>,
    /// Another server is the primary: what the old one says does not matter any more.
    moved: Arc<Notify>,
}

/// A connection at work. Dropped before [`Used::give_back`], it is unanswered.
pub(super) struct Used<'a> {
    lent: Option<Lent>,
    access: Access,
    unanswered: &'a Unanswered,
}

impl Unanswered {
    pub fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), moved: Arc::default() }
    }

    /// Whether a write may begin.
    pub fn has_room(&self) -> bool {
        self.places.available_permits() > 0
    }

    /// Lets go of all that wait for an earlier primary.
    pub fn forget(&self) {
        self.moved.notify_waiters();
    }

    fn keep(&self, session: Session) {
        let (Ok(runtime), Ok(place)) = (Handle::try_current(), Arc::clone(&self.places).try_acquire_owned()) else {
            return;
        };
        let moved = Arc::clone(&self.moved);
        runtime.spawn(async move {
            // It is answered after everything that was asked before.
            tokio::select! {
                _ = session.client.simple_query("") => {}
                () = moved.notified() => {}
                () = sleep(LONGEST) => {}
            }
            drop(place);
        });
    }
}

impl<'a> Used<'a> {
    pub fn new(lent: Lent, access: Access, unanswered: &'a Unanswered) -> Self {
        Self { lent: Some(lent), access, unanswered }
    }

    pub fn session(&mut self) -> &mut Session {
        self.lent.as_deref_mut().expect("it is given back last")
    }

    /// It has answered, and may be used again.
    pub fn give_back(mut self) {
        drop(self.lent.take());
    }

    /// It is gone.
    pub fn throw_away(mut self) {
        drop(self.lent.take().map(Object::take));
    }
}

impl Drop for Used<'_> {
    fn drop(&mut self) {
        let session = self.lent.take().map(Object::take);
        if let (Some(session), Access::Write) = (session, self.access) {
            self.unanswered.keep(session);
        }
    }
}
