//! The link: passes every invalidation to every worker, and waits until each has obeyed.

use std::time::Duration;

use actix::prelude::*;
use futures_util::future::join_all;
use uuid::Uuid;

use super::credentials::{Caches, Credentials};
use crate::domain::TokenDigest;

const MAILBOX: usize = 4096;
/// A worker that does not obey in this time is stuck; the change is then answered as failed, never as done.
const PATIENCE: Duration = Duration::from_secs(5);

/// What no cache may answer any more.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum Forget {
    Token(TokenDigest),
    /// A token known by its row only.
    TokenRow(Uuid),
    /// A credential of any kind, with its client and all its tokens.
    Credential(Uuid),
    /// A consumer, with its credentials and all their tokens.
    Consumer(Uuid),
    /// Tokens bound to a service, and how anyone stands to it.
    Service(Uuid),
    /// How a consumer stands to every service: its application, the developer of that, or a contract has changed.
    Standing(Uuid),
    /// What a contract had given: the tokens of a consumer for a service, and how it stands to it.
    Grants {
        consumer: Uuid,
        service: Uuid,
    },
    /// What was unknown may exist now.
    Unknowns,
    Everything,
}

impl Forget {
    pub(super) fn apply(&self, caches: &mut Caches) {
        if let Self::Token(gone) = self {
            // By far the most frequent, so it walks nothing.
            return caches.tokens.remove(gone);
        }
        caches.tokens.forget(|_, view| match self {
            Self::Token(_) => false,
            Self::TokenRow(id) => view.id == *id,
            Self::Credential(id) => view.credential_id == *id,
            Self::Consumer(id) => view.consumer.id == *id,
            Self::Service(id) => view.service_id == Some(*id),
            Self::Grants { consumer, service } => view.consumer.id == *consumer && view.service_id == Some(*service),
            Self::Standing(_) | Self::Unknowns => false,
            Self::Everything => true,
        });
        caches.clients.forget(|_, view| self.means(view.credential_id, view.consumer.id));
        caches.keys.forget(|_, view| self.means(view.credential_id, view.consumer.id));
        caches.jwt_secrets.forget(|_, view| self.means(view.credential_id, view.consumer.id));
        caches.consumers.forget(|_, consumer| match self {
            Self::Consumer(id) => consumer.id == *id,
            Self::Everything => true,
            Self::Token(_) | Self::TokenRow(_) | Self::Credential(_) | Self::Service(_) => false,
            Self::Standing(_) | Self::Grants { .. } | Self::Unknowns => false,
        });
        caches.standings.forget(|(who, at), _| match self {
            Self::Consumer(id) | Self::Standing(id) => who == id,
            Self::Service(id) => at == id,
            Self::Grants { consumer, service } => who == consumer && at == service,
            Self::Everything => true,
            Self::Token(_) | Self::TokenRow(_) | Self::Credential(_) | Self::Unknowns => false,
        });
    }

    /// Whether it is about this credential of this consumer.
    fn means(&self, credential: Uuid, consumer: Uuid) -> bool {
        match self {
            Self::Credential(id) => credential == *id,
            Self::Consumer(id) => consumer == *id,
            Self::Everything => true,
            Self::Token(_) | Self::TokenRow(_) | Self::Service(_) => false,
            Self::Standing(_) | Self::Grants { .. } | Self::Unknowns => false,
        }
    }
}

/// A worker's actor is ready to obey.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Join(pub Addr<Credentials>);

/// Makes every worker forget. The answer comes when all have: true, or false when one did not obey in time.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct Announce(pub Forget);

/// The actor; one per node.
#[derive(Default)]
pub struct Link {
    workers: Vec<Addr<Credentials>>,
}

impl Link {
    pub fn start_link() -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(MAILBOX);
            Self::default()
        })
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

impl Handler<Announce> for Link {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, Announce(forget): Announce, _: &mut Self::Context) -> Self::Result {
        self.workers.retain(Addr::connected);
        let sent: Vec<_> = self.workers.iter().map(|worker| worker.send(forget.clone()).timeout(PATIENCE)).collect();
        Box::pin(async move {
            // A worker that has stopped answers nobody any more: its mailbox being closed is as good as an answer.
            let answers = join_all(sent).await;
            answers.iter().all(|answer| !matches!(answer, Err(MailboxError::Timeout)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Consumer, Standing, Timestamp, TokenView};

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
                client_id: String::new(),
                consumer: Arc::new(Consumer { id: consumer, username: None, custom_id: None }),
                service_id: Some(service),
                scope: None,
                authenticated_userid: None,
                created_at: NOW,
                expires_in: 0,
                expires_at: None,
            };
            caches.tokens.remember(TokenDigest([number as u8; 32]), Some(Arc::new(token)), NOW);
        }
        caches
    }

    fn left(forget: &Forget) -> (usize, usize) {
        let mut caches = caches();
        forget.apply(&mut caches);
        (caches.standings.len(), caches.tokens.len())
    }

    #[test]
    fn what_is_forgotten_is_what_was_named() {
        assert_eq!(left(&Forget::Unknowns), (4, 4));
        assert_eq!(left(&Forget::Credential(Uuid::from_u128(9))), (4, 4));
        assert_eq!(left(&Forget::Standing(ALICE)), (2, 4), "tokens stay, the gate asks anew");
        assert_eq!(left(&Forget::Grants { consumer: ALICE, service: A }), (3, 3));
        assert_eq!(left(&Forget::Consumer(ALICE)), (2, 2));
        assert_eq!(left(&Forget::Service(A)), (2, 2));
        assert_eq!(left(&Forget::Everything), (0, 0));
    }
}
