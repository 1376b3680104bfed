//! This node as one of several: what it does when the bus tells it something.

use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::node::PATIENCE;
use crate::actors::{Attach, Bus, Event, Obey, PublishError, Refresh, StoreRoster};
use crate::cache::redis::{NodeId, Obey as ObeyOrders, Obeyed, Order, RedisError, Settings};
use crate::domain::Secret;
use crate::telemetry::Owner;

/// How a node takes part in a cluster.
#[derive(Clone, Debug)]
pub struct Membership {
    pub redis_url: Secret,
    /// `cluster.lease`
    pub lease: Duration,
    /// `cluster.stale_limit`
    pub stale_limit: Duration,
}

impl Node {
    /// Joins the bus; before the first worker starts. Redis may still be away.
    ///
    /// # Errors
    /// `redis.url` cannot be read, or a file that it names.
    pub fn join(&self, membership: Membership) -> Result<(), RedisError> {
        let Membership { redis_url: url, lease, stale_limit } = membership;
        let keyring = Arc::clone(&self.keyring);
        let settings = Settings { url, node: NodeId(self.id), keyring, lease, stale_limit };
        let (node, roster) = (self.clone(), Arc::new(StoreRoster(self.store.clone())));
        let obey: ObeyOrders = Arc::new(move |orders| {
            let node = node.clone();
            Box::pin(async move { node.obey(&orders).await })
        });
        let bus = Bus::join(settings, roster, obey)?;
        self.link.try_send(Attach(bus.clone())).expect("the link was started, and nothing else was sent yet");
        // A second call would change nothing: a node joins once.
        let _ = self.bus.set(bus);
        Ok(())
    }

    /// Makes all of this node go by what it was told.
    async fn obey(&self, orders: &[Order]) -> Obeyed {
        let is_restart = orders.contains(&Order::Restart);
        let mut events = Vec::with_capacity(orders.len());
        for order in orders {
            match order {
                Order::Restart => events = vec![Event::Everything],
                Order::Obey(event) => events.push(event.clone()),
            }
        }
        if is_restart || events.contains(&Event::Everything) {
            self.doubt_custom_tokens();
        }
        for event in &events {
            if let Event::Learn(digest) = event {
                self.know_custom_token(*digest);
            }
        }
        let is_reconfigured = is_restart || events.contains(&Event::Configuration);
        if !self.link.send(Obey(events.into())).timeout(PATIENCE).await.unwrap_or(false) {
            return Obeyed::No;
        }
        if !is_reconfigured {
            return Obeyed::All;
        }
        let _waiting = self.meters.node.waiting(Owner::Keeper);
        match self.keeper.send(Refresh).timeout(PATIENCE).await {
            Ok(Ok(())) => Obeyed::All,
            Ok(Err(PublishError::Storage(error))) if error.is_transient() => Obeyed::AllButConfiguration,
            _ => Obeyed::No,
        }
    }
}
