//! What belongs to one worker thread: its engine, its upstream connections, its view of the configuration.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, interval};

use super::gateway::Gateway;
use super::http2::Channels;
use super::kit::Kits;
use super::link::Pool;
use super::names::Names;
use super::snapshot::Snapshot;
use crate::domain::Timestamp;
use crate::plugins::Plugin;

/// How often idle upstream connections are looked through.
const SWEEP: Duration = Duration::from_secs(2);

/// A waiting connection's place, by which it is told that the worker drains.
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
    pub pool: RefCell<Pool>,
    pub names: Rc<Names>,
    pub kits: Kits,
    /// To upstreams that speak HTTP/2.
    pub channels: Channels,
    snapshot: RefCell<Rc<InForce<P>>>,
    draining: Cell<bool>,
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
        actix_rt::spawn(await_drain(Rc::downgrade(&worker), gateway.watch_drain()));
        worker
    }

    fn new(gateway: &Arc<Gateway<P>>) -> Self {
        let settings = &gateway.settings;
        Self {
            engine: gateway.engine(),
            pool: RefCell::new(Pool::new(settings.idle_upstreams, settings.upstream_idle_timeout)),
            names: Rc::new(Names::of(settings.dns_servers.clone())),
            kits: Kits::default(),
            channels: Channels::default(),
            snapshot: RefCell::new(Rc::new(InForce(gateway.snapshot.load_full()))),
            draining: Cell::new(gateway.is_draining()),
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
        self.draining.get()
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

    fn drain(&self) {
        self.draining.set(true);
        let seats: Vec<_> = self.seats.borrow().values().cloned().collect();
        seats.into_iter().filter_map(|seat| seat.waker.take()).for_each(Waker::wake);
    }
}

/// Sweeps the pool for as long as the worker lives.
async fn sweep<P: Plugin>(worker: Weak<Worker<P>>) {
    let mut ticks = interval(SWEEP);
    loop {
        ticks.tick().await;
        let Some(worker) = worker.upgrade() else { return };
        worker.pool.borrow_mut().sweep(Instant::now());
        worker.channels.sweep(worker.gateway.settings.upstream_idle_timeout);
    }
}

/// Tells the worker when the gateway drains.
async fn await_drain<P: Plugin>(worker: Weak<Worker<P>>, mut drained: watch::Receiver<bool>) {
    let drains = drained.wait_for(|draining| *draining).await.is_ok();
    if let Some(worker) = worker.upgrade().filter(|_| drains) {
        worker.drain();
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
