//! The recorder: gathers audit records and stores them in batches.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tracing::error;

use crate::storage::{AuditRecord, StorageError, Store};
use crate::telemetry::{Meter, Meters, Owner};

const MAILBOX: usize = 4096;

/// Stores an audit record; answered when it is durable.
#[derive(Message)]
#[rtype(result = "Result<(), StorageError>")]
pub struct Record(pub AuditRecord);

/// The actor; one per node.
pub struct Recorder {
    store: Store,
    meters: Arc<Meters>,
    waiting: Vec<(AuditRecord, tokio::sync::oneshot::Sender<Result<(), StorageError>>)>,
    writing: bool,
}

impl Recorder {
    /// How long the Admin API waits for a record before it answers all the same.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    pub fn start_with(store: Store, meters: Arc<Meters>) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(MAILBOX);
            meters.set_capacity(Owner::Recorder, MAILBOX);
            Self { store, meters, waiting: Vec::new(), writing: false }
        })
    }

    fn write(&mut self, context: &mut Context<Self>) {
        if self.writing || self.waiting.is_empty() {
            return;
        }
        self.writing = true;
        let (records, senders): (Vec<_>, Vec<_>) = self.waiting.drain(..).unzip();
        self.meters.count_batch_of(Owner::Recorder, records.len());
        let store = self.store.clone();
        let written = async move { store.append_audit(records).await };
        context.spawn(written.into_actor(self).map(move |result, actor, context| {
            if let Err(failure) = &result {
                actor.meters.add(Meter::AuditDropped, senders.len() as u64);
                error!(error = %failure, records = senders.len(), "audit records could not be stored");
            }
            for sender in senders {
                let _ = sender.send(result.clone());
            }
            actor.writing = false;
            actor.write(context);
        }));
    }
}

impl Actor for Recorder {
    type Context = Context<Self>;
}

impl Handler<Record> for Recorder {
    type Result = ResponseFuture<Result<(), StorageError>>;

    fn handle(&mut self, Record(record): Record, context: &mut Self::Context) -> Self::Result {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.waiting.push((record, sender));
        self.write(context);
        Box::pin(async move {
            receiver.await.unwrap_or_else(|_| Err(StorageError::Unavailable("the recorder stopped".to_owned())))
        })
    }
}
