//! The tracer: sends spans to the collector, in batches, on a thread of its own.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::telemetry::{Batch, Envelope, HandOver, Meter, Meters, Owner, Spares, Waiting};

/// Batches that may wait, in the mailbox or here: of some 32 KiB each.
const MOST_WAITING: usize = 64;
/// Batches of one request.
const MOST_SENT: usize = 16;
/// How long spans wait for more to come along.
const GATHERING: Duration = Duration::from_millis(500);
/// Pauses before the second, third… attempt; after the last of them the spans are dropped.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// Sends a request and gives the status of its answer, or why there is none.
pub type Post = Rc<dyn Fn(Vec<u8>) -> Pin<Box<dyn Future<Output = Result<u16, String>>>>>;

/// Sends a batch.
#[derive(Message)]
#[rtype(result = "()")]
struct Spans(Batch, Waiting);

/// Sends what there is, without another attempt at what fails; answered when nothing waits any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Finish;

/// The actor; one per node.
pub struct Tracer {
    envelope: Envelope,
    post: Post,
    meters: Arc<Meters>,
    spares: Spares,
    waiting: VecDeque<(Batch, Waiting)>,
    /// What is being sent, and how often that was tried.
    sending: Vec<(Batch, Waiting)>,
    attempts: usize,
    /// Until the next attempt.
    pause: Option<SpawnHandle>,
    is_scheduled: bool,
    /// The last request failed; that was told.
    is_failing: bool,
    finishing: Option<Vec<oneshot::Sender<()>>>,
}

/// What became of a request.
enum Fate {
    Taken,
    /// It may be taken later.
    PutOff(String),
    Refused(String),
}

/// By what OTLP says of statuses.
fn fate(answer: Result<u16, String>) -> Fate {
    match answer {
        Ok(200..=299) => Fate::Taken,
        Ok(status @ (429 | 502 | 503 | 504)) => Fate::PutOff(format!("it answered {status}")),
        Ok(status) => Fate::Refused(format!("it answered {status}")),
        Err(why) => Fate::PutOff(why),
    }
}

impl Tracer {
    /// Starts it on a thread of its own, where `make` is called.
    pub fn start_with(
        envelope: Envelope,
        make: impl FnOnce() -> Post + Send + 'static,
        meters: Arc<Meters>,
        spares: Spares,
    ) -> Addr<Self> {
        Self::start_in_arbiter(&Arbiter::new().handle(), move |context| {
            context.set_mailbox_capacity(MOST_WAITING);
            meters.set_capacity(Owner::Tracer, MOST_WAITING);
            Self {
                envelope,
                post: make(),
                meters,
                spares,
                waiting: VecDeque::new(),
                sending: Vec::new(),
                attempts: 0,
                pause: None,
                is_scheduled: false,
                is_failing: false,
                finishing: None,
            }
        })
    }

    /// How workers hand their batches over: when too many wait, they get theirs back. `meters`: of the tracer.
    pub fn hand_over(address: Addr<Self>, meters: Arc<Meters>) -> HandOver {
        Arc::new(move |batch| {
            let spans = Spans(batch, meters.waiting(Owner::Tracer));
            address.try_send(spans).map_err(|refused| match refused {
                SendError::Full(Spans(batch, _)) | SendError::Closed(Spans(batch, _)) => batch,
            })
        })
    }

    /// Sends soon, unless that is under way.
    fn schedule(&mut self, context: &mut Context<Self>) {
        if self.finishing.is_some() {
            return self.send_next(context);
        }
        if self.sending.is_empty() && !self.is_scheduled && !self.waiting.is_empty() {
            self.is_scheduled = true;
            context.run_later(GATHERING, |tracer, context| {
                tracer.is_scheduled = false;
                tracer.send_next(context);
            });
        }
    }

    fn send_next(&mut self, context: &mut Context<Self>) {
        if !self.sending.is_empty() {
            return;
        }
        let several = self.waiting.len().min(MOST_SENT);
        self.sending = self.waiting.drain(..several).collect();
        self.attempts = 0;
        if self.sending.is_empty() {
            for sender in self.finishing.iter_mut().flat_map(std::mem::take) {
                // Whoever waited may have gone.
                let _ = sender.send(());
            }
            return;
        }
        self.meters.count_batch_of(Owner::Tracer, usize::try_from(self.spans()).unwrap_or(usize::MAX));
        self.send(context);
    }

    fn spans(&self) -> u64 {
        self.sending.iter().map(|(batch, _)| batch.lines).sum()
    }

    fn send(&mut self, context: &mut Context<Self>) {
        let body = self.envelope.around(self.sending.iter().map(|(batch, _)| batch));
        self.attempts += 1;
        self.pause = None;
        let answer = (self.post)(body);
        context.spawn(answer.into_actor(self).map(|answer, tracer, context| tracer.answered(fate(answer), context)));
    }

    fn answered(&mut self, fate: Fate, context: &mut Context<Self>) {
        let failure = match fate {
            Fate::Taken => None,
            Fate::PutOff(why) => Some((why, true)),
            Fate::Refused(why) => Some((why, false)),
        };
        let Some((why, may_repeat)) = failure else {
            if std::mem::take(&mut self.is_failing) {
                info!("the collector takes spans again");
            }
            self.meters.add(Meter::SpansSent, self.spans());
            return self.settle(context);
        };
        if !std::mem::replace(&mut self.is_failing, true) {
            warn!(reason = why, "the collector takes no spans; they are dropped until it does");
        }
        match PAUSES.get(self.attempts - 1).filter(|_| may_repeat && self.finishing.is_none()) {
            Some(pause) => {
                self.pause = Some(context.run_later(*pause, Self::send));
            }
            None => {
                self.meters.add(Meter::SpansDropped, self.spans());
                self.settle(context);
            }
        }
    }

    /// What was being sent is no longer.
    fn settle(&mut self, context: &mut Context<Self>) {
        for (batch, _) in self.sending.drain(..) {
            self.spares.give(batch.bytes);
        }
        self.send_next(context);
    }
}

impl Actor for Tracer {
    type Context = Context<Self>;
}

impl Handler<Spans> for Tracer {
    type Result = ();

    fn handle(&mut self, Spans(batch, waiting): Spans, context: &mut Self::Context) {
        if self.waiting.len() >= MOST_WAITING {
            self.meters.add(Meter::SpansDropped, batch.lines);
            return self.spares.give(batch.bytes);
        }
        self.waiting.push_back((batch, waiting));
        self.schedule(context);
    }
}

impl Handler<Finish> for Tracer {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Finish, context: &mut Self::Context) -> Self::Result {
        let (sender, receiver) = oneshot::channel();
        self.finishing.get_or_insert_default().push(sender);
        match self.pause.take() {
            Some(pause) => {
                context.cancel_future(pause);
                self.send(context);
            }
            None => self.send_next(context),
        }
        Box::pin(async move { receiver.await.unwrap_or(()) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::telemetry::Registry;

    /// A collector that answers by what it is given, and keeps what it is sent.
    fn started(
        answers: Vec<Result<u16, String>>,
        registry: &Registry,
    ) -> (Addr<Tracer>, HandOver, Arc<Mutex<Vec<String>>>) {
        let taken: Arc<Mutex<Vec<String>>> = Arc::default();
        let (kept, meters) = (Arc::clone(&taken), registry.worker());
        let make = move || -> Post {
            let answers = Mutex::new(VecDeque::from(answers));
            Rc::new(move |body| {
                kept.lock().unwrap().push(String::from_utf8(body).unwrap());
                let answer = answers.lock().unwrap().pop_front().unwrap_or(Ok(200));
                Box::pin(std::future::ready(answer))
            })
        };
        let tracer = Tracer::start_with(Envelope::new("1", "n"), make, Arc::clone(&meters), Spares::default());
        (tracer.clone(), Tracer::hand_over(tracer, meters), taken)
    }

    fn batch(spans: &[&str]) -> Batch {
        let bytes = spans.iter().flat_map(|span| format!("\"{span}\",").into_bytes()).collect();
        Batch { bytes, lines: spans.len() as u64 }
    }

    #[actix::test]
    async fn batches_are_sent_together_and_the_last_ones_at_the_end() {
        let registry = Registry::default();
        let (tracer, hand_over, taken) = started(Vec::new(), &registry);
        hand_over(batch(&["a", "b"])).unwrap();
        hand_over(batch(&["c"])).unwrap();
        tracer.send(Finish).await.unwrap();
        let taken = taken.lock().unwrap().concat();
        for span in ["\"a\"", "\"b\"", "\"c\""] {
            assert!(taken.contains(span), "{taken}");
        }
        assert_eq!((registry.total(Meter::SpansSent), registry.total(Meter::SpansDropped)), (3, 0));
        assert_eq!(registry.depth(Owner::Tracer), 0);
    }

    #[actix::test]
    async fn what_is_put_off_is_sent_again_and_what_is_refused_is_dropped() {
        let registry = Registry::default();
        let (tracer, hand_over, taken) = started(vec![Ok(503), Ok(200), Ok(400)], &registry);
        hand_over(batch(&["a"])).unwrap();
        while registry.total(Meter::SpansSent) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        hand_over(batch(&["b", "c"])).unwrap();
        tracer.send(Finish).await.unwrap();
        assert_eq!(taken.lock().unwrap().len(), 3);
        assert_eq!((registry.total(Meter::SpansSent), registry.total(Meter::SpansDropped)), (1, 2));
    }

    #[actix::test]
    async fn what_would_be_too_much_is_given_back_or_dropped_and_counted() {
        let registry = Registry::default();
        let away = vec![Err("away".to_owned()); 100];
        let (tracer, hand_over, _) = started(away, &registry);
        let refused = (0..4 * MOST_WAITING).filter(|_| hand_over(batch(&["a"])).is_err()).count();
        assert!(registry.depth(Owner::Tracer) <= 2 * MOST_WAITING as u64 + 1);
        tracer.send(Finish).await.unwrap();
        assert_eq!(registry.total(Meter::SpansDropped) as usize + refused, 4 * MOST_WAITING);
    }
}
