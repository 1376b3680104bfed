//! The tasks that serve streams, each with its kit, and kept for the streams that come next: a task and buffers made for
//! every stream would cost more than the stream's fields.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::kit::Kit;
use super::stream::{self, Work};
use crate::plugins::Plugin;
use crate::proxy::worker::Seat;

/// Tasks that a worker keeps without work.
const MOST: usize = 64;

/// Those that wait for work, the last one that had some first.
pub(in crate::proxy) struct Crew<P: Plugin>(RefCell<Vec<Rc<Hand<P>>>>);

impl<P: Plugin> Default for Crew<P> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

/// Where a task of the crew is given work.
struct Hand<P: Plugin> {
    given: Cell<Option<Work<P>>>,
    seat: Seat,
}

impl<P: Plugin> Crew<P> {
    /// Has a stream served, by whoever is free.
    pub(super) fn take_on(self: Rc<Self>, work: Work<P>) {
        let free = self.0.borrow_mut().pop();
        match free {
            Some(hand) => {
                hand.given.set(Some(work));
                hand.seat.wake();
            }
            // Boxed, for the runtime moves a task some times before and after it runs.
            None => drop(actix_rt::spawn(Box::pin(self.serve(work)))),
        }
    }

    /// Serves one stream after the other.
    async fn serve(self: Rc<Self>, mut work: Work<P>) {
        let hand = Rc::new(Hand { given: Cell::default(), seat: Seat::default() });
        let mut kit = Kit::new();
        loop {
            stream::serve(work, &mut kit).await;
            kit.clear();
            if self.0.borrow().len() >= MOST {
                return;
            }
            self.0.borrow_mut().push(Rc::clone(&hand));
            work = hand.work().await;
        }
    }
}

impl<P: Plugin> Hand<P> {
    async fn work(&self) -> Work<P> {
        poll_fn(|context| match self.given.take() {
            Some(work) => Poll::Ready(work),
            None => {
                self.seat.note(context.waker());
                Poll::Pending
            }
        })
        .await
    }
}
