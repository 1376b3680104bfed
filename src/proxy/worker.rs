//! What belongs to one worker thread: its engine, its upstream connections, its view of the configuration.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, interval};

use super::counts::Counts;
use super::gateway::{Gateway, Stage};
use super::http2::{Channels, Crew};
use super::link::Pool;
use super::loads::Loads;
use super::names::Names;
use super::snapshot::Snapshot;
use crate::domain::Timestamp;
use crate::plugins::Plugin;

/// How often idle upstream connections are looked through.
const SWEEP: Duration = Duration::from_secs(2);

/// Idle connections that are closed at a time when no file descriptors are left.
const SPARED: usize = 16;

/// A connection's place, by which it is told that the worker drains, or that its time is over.
#[derive(Default)]
pub(super) struct Seat {
    waker: RefCell<Option<Waker>>,
}

impl Seat {
    pub fn note(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    pub fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A connection on its seat.
pub(super) struct Seated<'w, P: Plugin> {
    worker: &'w Worker<P>,
    number: u64,
    pub seat: Rc<Seat>,
}

impl<P: Plugin> Drop for Seated<'_, P> {
    fn drop(&mut self) {
        self.worker.seats.borrow_mut().remove(&self.number);
    }
}

/// The snapshot as one thread holds it: requests share it by this thread's count, not by one every thread touches.
pub(super) struct InForce<P>(Arc<Snapshot<P>>);

impl<P> std::ops::Deref for InForce<P> {
    type Target = Snapshot<P>;

    fn deref(&self) -> &Snapshot<P> {
        &self.0
    }
}

pub(super) struct Worker<P: Plugin> {
    pub gateway: Arc<Gateway<P>>,
    pub engine: P::Engine,
    pub counts: Arc<Counts>,
    pub pool: RefCell<Pool>,
    pub names: Rc<Names>,
    /// Who serves streams of HTTP/2.
    pub crew: Rc<Crew<P>>,
    /// To upstreams that speak HTTP/2.
    pub channels: Channels,
    snapshot: RefCell<Rc<InForce<P>>>,
    /// How far the gateway is on its way to its end.
    pub stage: Cell<Stage>,
    /// Others wait for a connection.
    asks_for_room: Cell<bool>,
    /// Idle connections that are to close because no file descriptors are left.
    spared: Cell<usize>,
    /// Calls under way.
    pub loads: Rc<Loads>,
    seats: RefCell<HashMap<u64, Rc<Seat>>>,
    next_seat: Cell<u64>,
    /// Second, and the text of `Date` for it.
    date: Cell<(i64, [u8; 29])>,
}

thread_local! {
    /// The workers of this thread by their gateway: listeners of one gateway share one worker per thread.
    static WORKERS: RefCell<Vec<(usize, Weak<dyn Any>)>> = const { RefCell::new(Vec::new()) };
}

impl<P: Plugin> Worker<P> {
    /// The worker of this thread, made when the first listener asks.
    pub fn of_thread(gateway: &Arc<Gateway<P>>) -> Rc<Self> {
        let name = Arc::as_ptr(gateway) as usize;
        let known = WORKERS.with_borrow_mut(|workers| {
            workers.retain(|(_, worker)| worker.strong_count() > 0);
            workers.iter().find(|(known, _)| *known == name).and_then(|(_, worker)| worker.upgrade())
        });
        if let Some(worker) = known.and_then(|worker| worker.downcast::<Self>().ok()) {
            return worker;
        }
        let worker = Rc::new(Self::new(gateway));
        let any: Rc<dyn Any> = worker.clone();
        WORKERS.with_borrow_mut(|workers| workers.push((name, Rc::downgrade(&any))));
        actix_rt::spawn(sweep(Rc::downgrade(&worker)));
        actix_rt::spawn(follow(Rc::downgrade(&worker), gateway.watch_stage()));
        worker
    }

    fn new(gateway: &Arc<Gateway<P>>) -> Self {
        let settings = &gateway.settings;
        let counts = gateway.counts();
        Self {
            engine: gateway.engine(),
            pool: RefCell::new(Pool::new(settings.idle_upstreams, settings.upstream_idle_timeout, Arc::clone(&counts))),
            names: Rc::new(Names::of(settings.dns_servers.clone())),
            crew: Rc::default(),
            channels: Channels::new(Arc::clone(&counts)),
            counts,
            snapshot: RefCell::new(Rc::new(InForce(gateway.snapshot.load_full()))),
            stage: Cell::new(gateway.stage()),
            asks_for_room: Cell::new(false),
            spared: Cell::new(0),
            loads: Rc::new(Loads::new(settings.most_upstream_calls)),
            seats: RefCell::default(),
            next_seat: Cell::new(0),
            date: Cell::new((i64::MIN, [b' '; 29])),
            gateway: Arc::clone(gateway),
        }
    }

    /// The configuration in force.
    pub fn snapshot(&self) -> Rc<InForce<P>> {
        let newest = self.gateway.snapshot.load();
        let mut known = self.snapshot.borrow_mut();
        if !Arc::ptr_eq(&known.0, &newest) {
            *known = Rc::new(InForce(Arc::clone(&newest)));
        }
        Rc::clone(&known)
    }

    pub fn is_draining(&self) -> bool {
        self.stage.get() >= Stage::Draining
    }

    /// Whether what is under way has to end now.
    pub fn is_cut(&self) -> bool {
        self.stage.get() == Stage::Cut
    }

    /// What `act` comes to; `None` when the worker's time is over first.
    pub async fn unless_cut<T>(&self, seat: &Seat, mut act: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        poll_fn(|context| {
            if let Poll::Ready(done) = act.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            seat.note(context.waker());
            if self.is_cut() { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    /// A place for a connection, given up when it is dropped.
    pub fn sit_down(&self) -> Seated<'_, P> {
        let number = self.next_seat.get();
        self.next_seat.set(number + 1);
        let seat = Rc::new(Seat::default());
        self.seats.borrow_mut().insert(number, Rc::clone(&seat));
        Seated { worker: self, number, seat }
    }

    /// `now` as the Date field writes it (RFC 9110 §5.6.7).
    pub fn date(&self, now: Timestamp) -> [u8; 29] {
        let (second, text) = self.date.get();
        if second == now.seconds() {
            return text;
        }
        let text = http_date(now);
        self.date.set((now.seconds(), text));
        text
    }

    fn enter(&self, stage: Stage) {
        self.stage.set(stage);
        self.wake_all();
    }

    /// Has connections that are idle close while there are too many. Those that have not asked anything yet are left
    /// their time to.
    pub fn make_room(&self) {
        if self.gateway.is_full() {
            self.asks_for_room.set(true);
            self.wake_all();
        }
    }

    /// Has some connections that are idle close, for nothing can be opened any more.
    pub fn spare_descriptors(&self) {
        self.spared.set(SPARED);
        self.wake_all();
    }

    /// It can be opened again.
    pub fn spare_no_more(&self) {
        self.spared.set(0);
    }

    /// Whether an idle connection should close. Who is told so does.
    pub fn lacks_room(&self) -> bool {
        if let Some(left) = self.spared.get().checked_sub(1) {
            self.spared.set(left);
            return true;
        }
        if self.asks_for_room.get() && !self.gateway.lacks_room() {
            self.asks_for_room.set(false);
        }
        self.asks_for_room.get()
    }

    fn wake_all(&self) {
        let seats: Vec<_> = self.seats.borrow().values().cloned().collect();
        seats.into_iter().for_each(|seat| seat.wake());
    }
}

/// Sweeps the pool for as long as the worker lives.
async fn sweep<P: Plugin>(worker: Weak<Worker<P>>) {
    let mut ticks = interval(SWEEP);
    loop {
        ticks.tick().await;
        let Some(worker) = worker.upgrade() else { return };
        worker.pool.borrow_mut().sweep(Instant::now());
        worker.loads.sweep();
        worker.channels.sweep(worker.gateway.settings.upstream_idle_timeout);
    }
}

/// Tells the worker how far the gateway is.
async fn follow<P: Plugin>(worker: Weak<Worker<P>>, mut stages: watch::Receiver<Stage>) {
    loop {
        let stage = *stages.borrow_and_update();
        let Some(worker) = worker.upgrade() else { return };
        if worker.stage.get() != stage {
            worker.enter(stage);
        }
        drop(worker);
        if stages.changed().await.is_err() {
            return;
        }
    }
}

fn http_date(now: Timestamp) -> [u8; 29] {
    use std::io::Write;
    let mut text = [b' '; 29];
    let Ok(at) = time::OffsetDateTime::from_unix_timestamp(now.seconds()) else { return text };
    let (weekday, month) = (at.weekday().to_string(), at.month().to_string());
    let (weekday, month) = (&weekday[..3], &month[..3]);
    let (hour, minute, second) = at.to_hms();
    // A year of five digits does not fit and is cut off.
    let _ = write!(
        &mut text[..],
        "{weekday}, {:02} {month} {:04} {hour:02}:{minute:02}:{second:02} GMT",
        at.day(),
        at.year()
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_http_wants_them() {
        assert_eq!(&http_date(Timestamp::from_seconds(784_111_777)), b"Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
