//! The snapshot keeper: rebuilds the configuration after a change; changes that come meanwhile share the next rebuild.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use actix_rt::time::timeout;
use tokio::sync::oneshot;
use tracing::debug;

use super::contact::Contact;
use crate::cache::redis::Lease;
use crate::domain::Clock;
use crate::schema::{Entity, Schema};
use crate::storage::{StorageError, Store};
use crate::telemetry::Registry;

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

/// As [`Rebuild`], unless what is in force is what is stored.
#[derive(Message)]
#[rtype(result = "Result<(), PublishError>")]
pub struct Refresh;

/// What the keeper says of the store as it finds it.
pub struct Watch {
    /// Renewed whenever what is in force was found to be what is stored.
    pub configuration: Lease,
    /// For how long. It looks twice in that time.
    pub lease: Duration,
    pub contact: Arc<Contact>,
    pub clock: Clock,
    /// Told which version is in force since when, and of loads that failed.
    pub meters: Arc<Registry>,
    /// Called when the store has another version than the one in force, and nobody here said so.
    pub unannounced: Rc<dyn Fn()>,
}

/// Takes the rows of every configuration table, compiles them, and swaps the snapshot.
type Publish = Rc<dyn Fn(Vec<Vec<Entity>>)>;

/// The actor; one per node.
pub struct Keeper {
    store: Store,
    schemas: Rc<Vec<Schema>>,
    publish: Publish,
    watch: Watch,
    /// The version in force.
    version: Option<i64>,
    waiting: Vec<oneshot::Sender<Result<(), PublishError>>>,
    rebuilding: bool,
}

impl Keeper {
    /// Questions that may wait.
    pub const MAILBOX: usize = 4096;

    /// `schemas`: the configuration tables, in the order in which `publish` gets their rows.
    pub fn start_with(
        store: Store,
        schemas: Vec<Schema>,
        watch: Watch,
        publish: impl Fn(Vec<Vec<Entity>>) + 'static,
    ) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(Self::MAILBOX);
            let (schemas, publish) = (Rc::new(schemas), Rc::new(publish));
            Self { store, schemas, publish, watch, version: None, waiting: Vec::new(), rebuilding: false }
        })
    }

    fn rebuild(&mut self, context: &mut Context<Self>) {
        if self.rebuilding || self.waiting.is_empty() {
            return;
        }
        self.rebuilding = true;
        let waiting = std::mem::take(&mut self.waiting);
        let (store, schemas, asked) = (self.store.clone(), Rc::clone(&self.schemas), self.watch.configuration.ask());
        let loaded = async move {
            let tables: Vec<&Schema> = schemas.iter().collect();
            store.load_configuration(&tables).await
        };
        context.spawn(loaded.into_actor(self).map(move |loaded, actor, context| {
            let result = loaded.map_err(PublishError::from).map(|(version, rows)| {
                (actor.publish)(rows);
                actor.version = Some(version);
                actor.watch.meters.configuration.loaded(version, actor.watch.clock.now().millis());
                actor.watch.configuration.renew(asked, actor.watch.lease);
            });
            if result.is_err() {
                actor.watch.meters.configuration.failed();
            }
            for sender in waiting {
                let _ = sender.send(result.clone());
            }
            actor.rebuilding = false;
            actor.rebuild(context);
        }));
    }

    /// Waits for a rebuild that begins from now on.
    fn next(&mut self, context: &mut Context<Self>) -> ResponseFuture<Result<(), PublishError>> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.push(sender);
        self.rebuild(context);
        Box::pin(async move { receiver.await.unwrap_or(Err(PublishError::GivenUp)) })
    }

    fn refresh(&mut self) -> ResponseActFuture<Self, Result<(), PublishError>> {
        let (store, limit) = (self.store.clone(), self.watch.lease / 2);
        let (asked, of_contact) = (self.watch.configuration.ask(), self.watch.contact.ask());
        // A database that hangs is away.
        let late = || StorageError::Unavailable("the database does not answer".to_owned());
        let looked = async move { timeout(limit, store.configuration_version()).await.unwrap_or_else(|_| Err(late())) };
        Box::pin(looked.into_actor(self).then(move |version, actor: &mut Self, context| {
            match &version {
                Ok(_) => actor.watch.contact.answered(of_contact),
                Err(_) => actor.watch.contact.silent(),
            }
            let refreshed: ResponseFuture<_> = match version {
                Ok(version) if actor.version == Some(version) => {
                    actor.watch.configuration.renew(asked, actor.watch.lease);
                    Box::pin(std::future::ready(Ok(())))
                }
                Ok(_) => {
                    if !actor.rebuilding {
                        (actor.watch.unannounced)();
                    }
                    actor.next(context)
                }
                Err(error) => Box::pin(std::future::ready(Err(error.into()))),
            };
            refreshed.into_actor(actor)
        }))
    }

    fn look(&mut self, context: &mut Context<Self>) {
        context.spawn(self.refresh().map(|outcome, actor, context: &mut Context<Self>| {
            if let Err(error) = outcome {
                debug!(%error, "the configuration could not be looked at");
            }
            context.run_later(actor.watch.lease / 2, Self::look);
        }));
    }
}

impl Actor for Keeper {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_later(self.watch.lease / 2, Self::look);
    }
}

impl Handler<Rebuild> for Keeper {
    type Result = ResponseFuture<Result<(), PublishError>>;

    fn handle(&mut self, _: Rebuild, context: &mut Self::Context) -> Self::Result {
        self.next(context)
    }
}

impl Handler<Refresh> for Keeper {
    type Result = ResponseActFuture<Self, Result<(), PublishError>>;

    fn handle(&mut self, _: Refresh, _: &mut Self::Context) -> Self::Result {
        self.refresh()
    }
}
