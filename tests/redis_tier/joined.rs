//! Two nodes on one bus: what they leave each other in Redis, and what they hear that ends it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::LocalSet;
use tollgate::actors::StoreRoster;
use tollgate::cache::redis::{Bus, Event, Hot, Kept, NodeId, Obey, Obeyed, Order, Settings};
use tollgate::domain::{Clock, Secret, TokenView};
use tollgate::storage::{Location, Store};
use uuid::Uuid;

use crate::fleets::Cluster;
use crate::kinds::{denials, documented_rule};
use crate::node::{NOW, digest, keyring, view};
use crate::server::{Server, until};

/// One worker of a node that is on the bus.
struct Joined {
    bus: Bus,
    hot: Hot,
    obeyed: Arc<Mutex<Vec<Order>>>,
}

async fn store() -> Store {
    let store = Store::open(Location::memory(), Arc::new(keyring()), Clock::System).await.unwrap();
    store.migrate_up().await.unwrap();
    store
}

impl Joined {
    async fn join(url: &str, store: &Store) -> Self {
        Self::join_for(url, store, Duration::from_secs(10)).await
    }

    async fn join_for(url: &str, store: &Store, lease: Duration) -> Self {
        let obeyed = Arc::new(Mutex::new(Vec::new()));
        let orders = Arc::clone(&obeyed);
        let obey: Obey = Arc::new(move |portion| {
            orders.lock().unwrap().extend_from_slice(&portion);
            Box::pin(std::future::ready(Obeyed::All))
        });
        let settings = Settings {
            url: Secret::new(url),
            node: NodeId(Uuid::new_v4()),
            keyring: store.keyring(),
            lease,
            stale_limit: Duration::from_secs(60),
        };
        let bus = Bus::join(settings, Arc::new(StoreRoster(store.clone())), obey).unwrap();
        let hot = Hot::open(&bus, &keyring());
        let joined = Self { bus, hot, obeyed };
        until("the node may trust what it knows", async || joined.bus.lease().is_fresh()).await;
        joined
    }

    async fn keep(&self, name: &str, found: Option<&TokenView>) {
        let before = self.hot.tokens.tallies().written;
        until("it is written", async || {
            let stamp = self.hot.tokens.stamp().expect("it follows an epoch");
            self.hot.tokens.keep(digest(name), found, NOW, stamp);
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.hot.tokens.tallies().written > before
        })
        .await;
    }

    async fn find(&self, name: &str) -> Option<Kept> {
        let mut found = None;
        until("Redis answers", async || {
            let before = self.hot.tokens.tallies();
            found = self.hot.tokens.find(digest(name)).await;
            self.hot.tokens.tallies().unanswered == before.unanswered
        })
        .await;
        found
    }

    async fn announce(&self, event: Event) {
        until("every node knows", async || self.bus.announce(vec![event.clone()]).await.is_ok()).await;
    }
}

/// What one node keeps the other finds, until it hears that it is over.
async fn share(url: &str, before_the_revocation: impl Fn()) {
    let store = store().await;
    let (one, other) = (Joined::join(url, &store).await, Joined::join(url, &store).await);
    one.keep("a", Some(&view())).await;
    one.keep("b", None).await;
    assert!(matches!(other.find("a").await, Some(Kept::Known(_))));
    assert!(matches!(other.find("b").await, Some(Kept::Unknown)));
    before_the_revocation();
    one.announce(Event::Token(digest("a"))).await;
    assert!(other.obeyed.lock().unwrap().contains(&Order::Obey(Event::Token(digest("a")))));
    for node in [&one, &other] {
        assert!(!matches!(node.find("a").await, Some(Kept::Known(_))), "it was revoked");
        assert!(matches!(node.find("b").await, Some(Kept::Unknown)));
    }
    one.announce(Event::Learn(digest("b"))).await;
    assert!(other.find("b").await.is_none());
    one.bus.leave().await;
    other.bus.leave().await;
}

/// A node that has ended is silent to the others once its lease is over.
async fn count_each_other(url: &str) {
    let (store, lease) = (store().await, Duration::from_secs(2));
    let (one, other) = (Joined::join_for(url, &store, lease).await, Joined::join_for(url, &store, lease).await);
    until("both know both", async || one.bus.state().live == 2 && other.bus.state().live == 2).await;
    let state = one.bus.state();
    assert!(state.connections >= 3 && state.most_waiting > 0, "{state:?}");
    until("the lease is younger than its length", async || one.bus.state().lease_age < lease).await;
    other.bus.leave().await;
    until("one is left", async || one.bus.state().live == 1).await;
    until("the lease that is not renewed grows old", async || other.bus.state().lease_age > lease).await;
    one.bus.leave().await;
}

#[tokio::test]
async fn a_node_tells_how_many_there_are_and_how_old_its_lease_is() {
    let server = Server::start(&[]);
    LocalSet::new().run_until(Box::pin(count_each_other(&format!("redis://127.0.0.1:{}", server.port)))).await;
}

#[tokio::test]
async fn nodes_share_one_server_with_no_more_permissions_than_documented() {
    let server = Server::start_with(&[], &format!("user tollgate {}\n", documented_rule()), &[]);
    let url = format!("redis://tollgate:secret@127.0.0.1:{}", server.port);
    LocalSet::new().run_until(Box::pin(share(&url, || ()))).await;
    assert_eq!(denials(&server), Vec::<String>::new());
    for key in server.keys("*") {
        let key = String::from_utf8_lossy(&key);
        assert!(key.starts_with("tollgate:") || key.starts_with("{tollgate:bus}:"), "{key}");
    }
}

#[tokio::test]
async fn nodes_share_a_cluster_with_no_more_permissions_than_documented() {
    let cluster = Cluster::start(3, &[], &format!("user tollgate {}\n", documented_rule())).await;
    let url = format!("redis-cluster://tollgate:secret@{}", cluster.hosts());
    LocalSet::new().run_until(Box::pin(share(&url, || ()))).await;
    for master in &cluster.masters {
        assert_eq!(denials(master), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_full_redis_still_tells_every_node() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    LocalSet::new().run_until(Box::pin(share(&server.url(), || drop(server.run("CONFIG SET maxmemory 1"))))).await;
}
