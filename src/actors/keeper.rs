//! The snapshot keeper: rebuilds the configuration after a change; changes that come meanwhile share the next rebuild.

use std::rc::Rc;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::schema::{Entity, Schema};
use crate::storage::{StorageError, Store};

const MAILBOX: usize = 4096;

/// Why a configuration could not be put in force.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the rebuild was given up")]
    GivenUp,
}

/// Puts the stored configuration in force; answered when every request from now on sees it.
#[derive(Message)]
#[rtype(result = "Result<(), PublishError>")]
pub struct Rebuild;

/// Takes the rows of every configuration table, compiles them, and swaps the snapshot.
type Publish = Rc<dyn Fn(Vec<Vec<Entity>>)>;

/// The actor; one per node.
pub struct Keeper {
    store: Store,
    schemas: Rc<Vec<Schema>>,
    publish: Publish,
    waiting: Vec<oneshot::Sender<Result<(), PublishError>>>,
    rebuilding: bool,
}

impl Keeper {
    /// `schemas`: the configuration tables, in the order in which `publish` gets their rows.
    pub fn start_with(store: Store, schemas: Vec<Schema>, publish: impl Fn(Vec<Vec<Entity>>) + 'static) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(MAILBOX);
            let (schemas, publish) = (Rc::new(schemas), Rc::new(publish));
            Self { store, schemas, publish, waiting: Vec::new(), rebuilding: false }
        })
    }

    fn rebuild(&mut self, context: &mut Context<Self>) {
        if self.rebuilding || self.waiting.is_empty() {
            return;
        }
        self.rebuilding = true;
        let waiting = std::mem::take(&mut self.waiting);
        let (store, schemas) = (self.store.clone(), Rc::clone(&self.schemas));
        let loaded = async move {
            let tables: Vec<&Schema> = schemas.iter().collect();
            store.load_configuration(&tables).await
        };
        context.spawn(loaded.into_actor(self).map(move |rows, actor, context| {
            let result = rows.map(|(_, rows)| (actor.publish)(rows)).map_err(PublishError::from);
            for sender in waiting {
                let _ = sender.send(result.clone());
            }
            actor.rebuilding = false;
            actor.rebuild(context);
        }));
    }
}

impl Actor for Keeper {
    type Context = Context<Self>;
}

impl Handler<Rebuild> for Keeper {
    type Result = ResponseFuture<Result<(), PublishError>>;

    fn handle(&mut self, _: Rebuild, context: &mut Self::Context) -> Self::Result {
        let (sender, receiver) = oneshot::channel();
        self.waiting.push(sender);
        self.rebuild(context);
        Box::pin(async move { receiver.await.unwrap_or(Err(PublishError::GivenUp)) })
    }
}
