//! Token issuance: what arrives while one write runs is written together by the next, in one statement and one commit.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::domain::NewToken;
use crate::storage::{StorageError, Store};
use crate::telemetry::{Meter, Meters, Owner};

/// Requests that may wait; beyond it a client is told to come back.
const MAILBOX: usize = 4096;
/// Rows per statement.
const LARGEST_BATCH: usize = 1000;

/// Stores a token; the answer comes when it is durable.
#[derive(Message)]
#[rtype(result = "Result<(), IssueError>")]
pub struct Issue(pub NewToken);

#[derive(Clone, Debug, thiserror::Error)]
pub enum IssueError {
    #[error("too many tokens are waiting to be written")]
    Full,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

type Waiting = (NewToken, oneshot::Sender<Result<(), StorageError>>);

/// The actor; one per worker, so that no token crosses threads on its way to the batch. No timer: a lone token is written at once, a crowd gathers by itself.
pub struct Issuer {
    store: Store,
    meters: Arc<Meters>,
    waiting: Vec<Waiting>,
    writing: bool,
}

impl Issuer {
    pub fn start_with(store: Store, meters: Arc<Meters>) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(MAILBOX);
            meters.set_capacity(Owner::Issuer, MAILBOX);
            Self { store, meters, waiting: Vec::new(), writing: false }
        })
    }

    fn write(&mut self, context: &mut Context<Self>) {
        if self.writing || self.waiting.is_empty() {
            return;
        }
        self.writing = true;
        let size = self.waiting.len().min(LARGEST_BATCH);
        let (tokens, senders): (Vec<_>, Vec<_>) = self.waiting.drain(..size).unzip();
        self.meters.count_batch(size);
        self.meters.set_depth(Owner::Issuer, self.waiting.len());
        let store = self.store.clone();
        let written = async move { store.insert_tokens(tokens).await };
        context.spawn(written.into_actor(self).map(move |results, actor, context| {
            for (sender, result) in senders.into_iter().zip(results) {
                if result.is_ok() {
                    actor.meters.count(Meter::TokensIssued);
                }
                // A client that went away leaves a token nobody knows; it expires.
                let _ = sender.send(result);
            }
            actor.writing = false;
            actor.write(context);
        }));
    }
}

impl Actor for Issuer {
    type Context = Context<Self>;
}

impl Handler<Issue> for Issuer {
    type Result = ResponseFuture<Result<(), IssueError>>;

    fn handle(&mut self, Issue(token): Issue, context: &mut Self::Context) -> Self::Result {
        if self.waiting.len() >= MAILBOX {
            return Box::pin(std::future::ready(Err(IssueError::Full)));
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.push((token, sender));
        self.meters.set_depth(Owner::Issuer, self.waiting.len());
        if !self.writing && self.waiting.len() == 1 {
            // One turn of the loop first: what is already in the mailbox joins this write.
            context.spawn(
                actix::fut::wrap_future(tokio::task::yield_now())
                    .map(|(), actor: &mut Self, context| actor.write(context)),
            );
        }
        Box::pin(async move {
            let lost = || StorageError::Unavailable("the write was given up".to_owned());
            Ok(receiver.await.unwrap_or_else(|_| Err(lost()))?)
        })
    }
}
