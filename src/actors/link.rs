//! The link: passes every event to every worker of this node and to the bus, and waits until each has obeyed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use futures_util::future::{join, join_all};
use uuid::Uuid;

use super::credentials::{Caches, Credentials};
use crate::cache::redis::{Bus, Event, Unconfirmed};
use crate::domain::Consumer;
use crate::telemetry::{Owner, Registry};

/// A worker that does not obey in this time is stuck; the change is then answered as failed, never as done.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes caches forget what an event is about.
pub(super) fn apply(event: &Event, caches: &mut Caches) {
    match event {
        // By far the most frequent, so it walks nothing.
        Event::Token(gone) => {
            caches.tokens.remove(gone);
            caches.keys.remove(gone);
            return caches.jwt_secrets.remove(gone);
        }
        Event::Learn(learnt) => {
            caches.tokens.remove(learnt);
            caches.keys.remove(learnt);
            caches.jwt_secrets.remove(learnt);
            return caches.clients.forget_unknown();
        }
        Event::Unknowns => return forget_unknown(caches),
        Event::Configuration => return,
        _ => {}
    }
    caches.tokens.forget(|_, view| match event {
        Event::TokenRow(id) => view.id == *id,
        Event::Family(id) => view.family_id == *id,
        Event::Credential(id) => view.credential_id == *id,
        Event::Consumer(id) => view.consumer.id == *id,
        Event::Service(id) => view.service_id == Some(*id),
        Event::Grants { consumer, service } => view.consumer.id == *consumer && view.service_id == Some(*service),
        Event::User(user) => view.authenticated_userid.as_ref() == Some(user),
        Event::Named(name) => *view.client_id == **name || is_named(&view.consumer, name),
        Event::Everything => true,
        Event::Token(_) | Event::Standing(_) | Event::Unknowns | Event::Learn(_) | Event::Configuration => false,
    });
    let means = |credential: Uuid, consumer: &Consumer| match event {
        Event::Credential(id) => credential == *id,
        Event::Consumer(id) => consumer.id == *id,
        Event::Named(name) => is_named(consumer, name),
        _ => *event == Event::Everything,
    };
    caches.clients.forget(|client_id, view| {
        *event == Event::Named(client_id.clone()) || means(view.credential_id, &view.consumer)
    });
    caches.keys.forget(|_, view| means(view.credential_id, &view.consumer));
    caches.jwt_secrets.forget(|_, view| means(view.credential_id, &view.consumer));
    caches.consumers.forget(|_, consumer| match event {
        Event::Consumer(id) => consumer.id == *id,
        Event::Named(name) => is_named(consumer, name),
        _ => *event == Event::Everything,
    });
    caches.standings.forget(|(who, at), _| match event {
        Event::Consumer(id) | Event::Standing(id) => who == id,
        Event::Service(id) => at == id,
        Event::Grants { consumer, service } => who == consumer && at == service,
        _ => *event == Event::Everything,
    });
}

fn is_named(consumer: &Consumer, name: &str) -> bool {
    consumer.username.as_deref() == Some(name)
}

fn forget_unknown(caches: &mut Caches) {
    caches.tokens.forget_unknown();
    caches.clients.forget_unknown();
    caches.consumers.forget_unknown();
    caches.keys.forget_unknown();
    caches.jwt_secrets.forget_unknown();
}

/// A worker's actor is ready to obey.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Join(pub Addr<Credentials>);

/// From now on other nodes are told, too.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Attach(pub Bus);

/// Makes every worker of this node obey. The answer comes when all have: true, or false when one did not in time.
#[derive(Clone, Message)]
#[rtype(result = "bool")]
pub struct Obey(pub Arc<[Event]>);

/// Makes every worker of every node obey, of a change that is stored. The answer comes when all have, or when who has
/// not trusts nothing any more.
#[derive(Message)]
#[rtype(result = "Result<(), Unconfirmed>")]
pub struct Announce(pub Vec<Event>);

/// The actor; one per node.
pub struct Link {
    workers: Vec<Addr<Credentials>>,
    bus: Option<Bus>,
    meters: Arc<Registry>,
}

impl Link {
    /// Events that may wait.
    pub const MAILBOX: usize = 4096;

    pub fn start_with(meters: Arc<Registry>) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(Self::MAILBOX);
            Self { workers: Vec::new(), bus: None, meters }
        })
    }

    fn obey(&mut self, events: &Arc<[Event]>) -> impl Future<Output = bool> + 'static {
        self.workers.retain(Addr::connected);
        let send = |worker: &Addr<Credentials>| worker.send(Obey(Arc::clone(events))).timeout(PATIENCE);
        let sent: Vec<_> = self.workers.iter().map(send).collect();
        async move {
            // A worker that has stopped answers nobody any more: its mailbox being closed is as good as an answer.
            let answers = join_all(sent).await;
            answers.iter().all(|answer| !matches!(answer, Err(MailboxError::Timeout) | Ok(false)))
        }
    }
}

impl Actor for Link {
    type Context = Context<Self>;
}

impl Handler<Join> for Link {
    type Result = ();

    fn handle(&mut self, Join(worker): Join, _: &mut Self::Context) {
        self.workers.push(worker);
    }
}

impl Handler<Attach> for Link {
    type Result = ();

    fn handle(&mut self, Attach(bus): Attach, _: &mut Self::Context) {
        self.bus = Some(bus);
    }
}

impl Handler<Obey> for Link {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, Obey(events): Obey, _: &mut Self::Context) -> Self::Result {
        let (waiting, obeyed) = (self.meters.node.waiting(Owner::Link), self.obey(&events));
        Box::pin(async move {
            let _waiting = waiting;
            obeyed.await
        })
    }
}

impl Handler<Announce> for Link {
    type Result = ResponseFuture<Result<(), Unconfirmed>>;

    fn handle(&mut self, Announce(events): Announce, _: &mut Self::Context) -> Self::Result {
        // At once, and not only when the bus says so: this node must go by it also while it hears nothing.
        let obeyed = self.obey(&events.clone().into());
        let (bus, meters, began) = (self.bus.clone(), Arc::clone(&self.meters), Instant::now());
        let waiting = self.meters.node.waiting(Owner::Link);
        Box::pin(async move {
            let _waiting = waiting;
            let told = async move {
                match bus {
                    Some(bus) => bus.announce(events).await,
                    None => Ok(()),
                }
            };
            match join(obeyed, told).await {
                (true, Ok(())) => {
                    meters.time_revocation(began.elapsed());
                    Ok(())
                }
                (true, unconfirmed) => unconfirmed,
                (false, _) => Err(Unconfirmed),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Standing, Timestamp, TokenDigest, TokenView};

    const NOW: Timestamp = Timestamp::from_seconds(10);
    const ALICE: Uuid = Uuid::from_u128(1);
    const BOB: Uuid = Uuid::from_u128(2);
    const A: Uuid = Uuid::from_u128(3);
    const B: Uuid = Uuid::from_u128(4);

    /// Caches that know how both consumers stand to both services, and a token of each for each.
    fn caches() -> Caches {
        let mut caches = Caches::new(60_000);
        for (number, (consumer, service)) in [(ALICE, A), (ALICE, B), (BOB, A), (BOB, B)].into_iter().enumerate() {
            caches.standings.remember((consumer, service), Some(Arc::new(Standing::Stranger)), NOW);
            let token = TokenView {
                id: Uuid::nil(),
                credential_id: Uuid::nil(),
                family_id: Uuid::from_u128(u128::from(number as u8)),
                client_id: "".into(),
                consumer: Arc::new(Consumer { id: consumer, username: None, custom_id: None }),
                service_id: Some(service),
                scope: None,
                authenticated_userid: (consumer == ALICE).then(|| "kim".to_owned()),
                created_at: NOW,
                expires_in: 0,
                expires_at: None,
            };
            caches.tokens.remember(TokenDigest([number as u8; 32]), Some(Arc::new(token)), NOW);
        }
        caches
    }

    fn left(event: &Event) -> (usize, usize) {
        let mut caches = caches();
        apply(event, &mut caches);
        (caches.standings.len(), caches.tokens.len())
    }

    #[test]
    fn what_is_forgotten_is_what_was_named() {
        assert_eq!(left(&Event::Unknowns), (4, 4));
        assert_eq!(left(&Event::Credential(Uuid::from_u128(9))), (4, 4));
        assert_eq!(left(&Event::Family(Uuid::from_u128(3))), (4, 3));
        assert_eq!(left(&Event::Standing(ALICE)), (2, 4), "tokens stay, the gate asks anew");
        assert_eq!(left(&Event::Grants { consumer: ALICE, service: A }), (3, 3));
        assert_eq!(left(&Event::Consumer(ALICE)), (2, 2));
        assert_eq!(left(&Event::Service(A)), (2, 2));
        assert_eq!(left(&Event::User("kim".to_owned())), (4, 2));
        assert_eq!(left(&Event::Named("nobody".to_owned())), (4, 4));
        assert_eq!(left(&Event::Configuration), (4, 4));
        assert_eq!(left(&Event::Everything), (0, 0));
    }
}
