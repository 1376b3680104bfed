//! What Redis holds of tokens: believed only when nothing was heard since, replaced only by what was read later.

use tollgate::cache::redis::TokenTier;
use tollgate::cache::redis::{Epoch, Event, Kept, Stamp};
use tollgate::domain::{Keyring, TokenView};

use crate::node::{EPOCH, NOW, Node, digest, stamp, view};
use crate::server::Server;

#[tokio::test]
async fn what_one_node_keeps_another_finds() {
    let server = Server::start(&[]);
    let (one, other) = (Node::reach(&server.url()).await, Node::reach(&server.url()).await);
    assert!(one.find("a").await.is_none());
    one.keep("a", Some(&view()), 0).await;
    let Some(Kept::Known(found)) = other.find("a").await else { panic!("not found") };
    assert_eq!(format!("{found:?}"), format!("{:?}", view()));
    one.keep("b", None, 0).await;
    assert!(other.knows_nothing("b").await);
    let keys = server.keys("*");
    assert_eq!(keys.len(), 2);
    for key in keys {
        assert!(key.starts_with(b"tollgate:t:") && key.len() == 11 + 32);
        let life: i64 = redis::cmd("PTTL").arg(&key).query(&mut server.connection()).unwrap();
        let longest = if key.ends_with(&digest("b").0) { 5_000 } else { 3_600_000 };
        assert!(life > 0 && life <= longest, "{life}");
    }
    let told = other.tier.tallies();
    assert_eq!((told.found, told.missed, told.disbelieved, told.unanswered), (2, 0, 0, told.unanswered));
}

#[tokio::test]
async fn what_was_heard_since_makes_a_value_unbelievable_until_it_is_read_anew() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    node.keep("a", Some(&view()), 0).await;
    node.keep("b", None, 0).await;
    node.hear(1, &Event::Credential(view().credential_id));
    assert!(node.find("a").await.is_none() && node.knows_nothing("b").await);
    node.hear(2, &Event::Learn(digest("b")));
    assert!(node.find("b").await.is_none());
    node.keep("a", Some(&view()), 2).await;
    node.keep("b", Some(&view()), 2).await;
    assert!(node.knows("a").await && node.knows("b").await);
    node.memory.lock().unwrap().begin(Epoch::new(2_000, 1), 0);
    assert!(node.find("a").await.is_none() && node.find("b").await.is_none(), "of another epoch");
    node.memory.lock().unwrap().clear();
    assert!(node.find("a").await.is_none() && node.tier.stamp().is_none(), "nothing was heard");
}

#[tokio::test]
async fn only_what_was_read_later_replaces_a_value() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    let renamed = TokenView { client_id: "renamed".into(), ..view() };
    // Sequence numbers that differ in any byte, and ones that texts would put in another order.
    let rising: [u64; 9] = [0, 1, 9, 10, 127, 128, 255, 256, u64::MAX - 1];
    for pair in rising.windows(2) {
        let name = format!("{pair:?}");
        node.memory.lock().unwrap().begin(EPOCH, 0);
        node.keep(&name, Some(&renamed), pair[1]).await;
        node.keep(&name, Some(&view()), pair[0]).await;
        assert_eq!(client(&node, &name).await, "renamed", "{name}");
        node.keep(&name, Some(&view()), pair[1]).await;
        assert_eq!(client(&node, &name).await, "client", "{name}: as late, as good");
        node.keep(&name, Some(&renamed), pair[1] + 1).await;
        assert_eq!(client(&node, &name).await, "renamed", "{name}");
    }
    assert_eq!(node.tier.tallies().outdated, rising.len() as u64 - 1);
}

async fn client(node: &Node, name: &str) -> String {
    match node.find(name).await {
        Some(Kept::Known(view)) => view.client_id.to_string(),
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn a_value_of_a_later_epoch_wins_however_small_its_number() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    let later = [Epoch::new(1_000, 8), Epoch::new(1_001, 0), Epoch::new(1_256, 0), Epoch::new(1 << 40, 0)];
    node.keep("a", Some(&view()), 900).await;
    for epoch in later {
        node.memory.lock().unwrap().begin(epoch, 0);
        assert!(node.find("a").await.is_none());
        let before = node.writes();
        node.tier.keep(digest("a"), Some(&view()), NOW, Stamp { epoch, seq: 0 });
        crate::server::until("it is written", async || node.writes() > before).await;
        assert!(node.knows("a").await, "{epoch}");
    }
    node.keep("a", Some(&view()), 901).await;
    assert!(node.knows("a").await, "the old epoch does not come back");
    assert_eq!(node.tier.tallies().outdated, 1);
}

#[tokio::test]
async fn a_tombstone_stays_until_something_later_is_read() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    node.keep("a", Some(&view()), 4).await;
    node.hear(5, &Event::Token(digest("a")));
    node.tier.bury(&[digest("a"), digest("b")], Some(stamp(5))).await;
    assert!(node.knows_nothing("a").await && node.knows_nothing("b").await);
    for seq in [4, 5] {
        node.keep("a", Some(&view()), seq).await;
        assert!(node.knows_nothing("a").await, "{seq}");
    }
    // The same token is imported again.
    node.hear(6, &Event::Learn(digest("a")));
    assert!(node.find("a").await.is_none());
    node.keep("a", Some(&view()), 6).await;
    assert!(node.knows("a").await);
    node.tier.bury(&[digest("a")], Some(stamp(6))).await;
    assert!(node.knows_nothing("a").await);
    node.tier.bury(&[digest("a")], Some(stamp(5))).await;
    node.tier.bury(&[digest("a"), digest("c")], None).await;
    assert_eq!(server.keys("*").len(), 1, "without a position all that can be done is to remove");
}

#[tokio::test]
async fn many_tokens_are_buried_at_once() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    let digests: Vec<_> = (0..500).map(|number| digest(&number.to_string())).collect();
    node.tier.bury(&digests, Some(stamp(1))).await;
    crate::server::until("all are buried", async || {
        if server.keys("*").len() == digests.len() {
            return true;
        }
        node.tier.bury(&digests, Some(stamp(1))).await;
        false
    })
    .await;
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_kept() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    node.tier.keep(digest("a"), Some(&view()), NOW.plus_seconds(3600), stamp(0));
    node.keep("b", Some(&TokenView { expires_in: 10, ..view() }), 0).await;
    let keys = server.keys("*");
    assert_eq!(keys, [[b"tollgate:t:", &digest("b").0[..]].concat()]);
    let life: i64 = redis::cmd("PTTL").arg(&keys[0]).query(&mut server.connection()).unwrap();
    assert!(life > 0 && life <= 10_000, "{life}");
}

#[tokio::test]
async fn what_others_write_is_never_believed_and_never_harms() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    node.keep("a", Some(&view()), 3).await;
    let key = |name: &str| [b"tollgate:t:", &digest(name).0[..]].concat();
    let mut connection = server.connection();
    let good: Vec<u8> = redis::cmd("GET").arg(key("a")).query(&mut connection).unwrap();
    let mut altered = good.clone();
    altered[60] ^= 1;
    for (name, value) in [("moved", &good[..]), ("a", &altered), ("a", &good[..40]), ("a", b""), ("a", &[1; 5000])] {
        redis::cmd("SET").arg(key(name)).arg(value).exec(&mut connection).unwrap();
        assert!(node.find(name).await.is_none(), "{name}");
    }
    // Of another keyring, under the same key.
    let stranger = Keyring::new([9; 32], [2; 32]);
    let foreign = TokenTier::new(node.line.clone(), node.memory.clone(), &stranger, "tollgate");
    redis::cmd("SET").arg(key("a")).arg(&good).exec(&mut connection).unwrap();
    assert!(foreign.find(digest("a")).await.is_none() && node.knows("a").await);
    // Not even a string.
    redis::cmd("DEL").arg(key("a")).exec(&mut connection).unwrap();
    redis::cmd("LPUSH").arg(key("a")).arg("x").exec(&mut connection).unwrap();
    assert!(node.tier.find(digest("a")).await.is_none());
    node.keep("a", Some(&view()), 3).await;
    assert!(node.line.status().is_ok() && node.tier.tallies().failed == 1);
    node.tier.bury(&[digest("a")], None).await;
    node.keep("a", Some(&view()), 3).await;
    assert!(node.knows("a").await);
}
