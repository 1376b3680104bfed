//! Codes in Redis: found once, for as long as they live.

use tollgate::cache::redis::CodeTier;
use tollgate::domain::{Keyring, NewCode};
use uuid::Uuid;

use crate::node::{NOW, Node, digest, keyring};
use crate::server::{Server, until};

fn code(name: &str) -> NewCode {
    let id = Uuid::from_u128;
    NewCode {
        id: id(1),
        digest: digest(name),
        credential_id: id(2),
        service_id: Some(id(3)),
        plugin_id: id(4),
        scope: Some("read".to_owned()),
        authenticated_userid: Some("kim".to_owned()),
        challenge: Some("challenge".to_owned()),
        challenge_method: Some("S256".to_owned()),
        redirect_uri: Some("https://app.example/back".to_owned()),
        family_id: id(5),
        created_at: NOW,
        expires_at: NOW.plus_seconds(600),
    }
}

async fn take(tier: &CodeTier, name: &str) -> Option<NewCode> {
    let mut taken = None;
    until("Redis answers", async || {
        let before = tier.tallies().unanswered;
        taken = tier.take(digest(name)).await;
        tier.tallies().unanswered == before
    })
    .await;
    taken
}

async fn keep(tier: &CodeTier, code: &NewCode) {
    let before = tier.tallies().written;
    tier.keep(code, NOW);
    until("it is written", async || tier.tallies().written > before).await;
}

#[tokio::test]
async fn a_code_is_found_once_by_whoever_redeems_it() {
    let server = Server::start(&[]);
    let (one, other) = (Node::reach(&server.url()).await, Node::reach(&server.url()).await);
    let tier = |node: &Node| CodeTier::new(node.line.clone(), &keyring(), "tollgate");
    let (issuer, redeemer) = (tier(&one), tier(&other));
    keep(&issuer, &code("a")).await;
    let keys = server.keys("*");
    assert_eq!(keys, [[b"tollgate:c:", &digest("a").0[..]].concat()]);
    let life: i64 = redis::cmd("PTTL").arg(&keys[0]).query(&mut server.connection()).unwrap();
    assert!(life > 0 && life <= 600_000, "{life}");
    assert_eq!(take(&redeemer, "a").await, Some(code("a")));
    assert_eq!(take(&redeemer, "a").await, None);
    assert_eq!(take(&issuer, "a").await, None);
    // One that has expired is not kept at all.
    issuer.keep(&code("b"), NOW.plus_seconds(600));
    keep(&issuer, &code("c")).await;
    assert_eq!(server.keys("*").len(), 1);
}

#[tokio::test]
async fn nobody_else_can_say_what_a_code_stands_for() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    let tier = CodeTier::new(node.line.clone(), &keyring(), "tollgate");
    let stranger = CodeTier::new(node.line.clone(), &Keyring::new([9; 32], [2; 32]), "tollgate");
    let open = NewCode { challenge: None, challenge_method: None, ..code("a") };
    keep(&stranger, &open).await;
    assert_eq!(take(&tier, "a").await, None);
    // A good value under another key.
    keep(&tier, &code("b")).await;
    let mut connection = server.connection();
    let key = |name: &str| [b"tollgate:c:", &digest(name).0[..]].concat();
    redis::cmd("RENAME").arg(key("b")).arg(key("a")).exec(&mut connection).unwrap();
    assert_eq!(take(&tier, "a").await, None);
    assert_eq!(tier.tallies().disbelieved, 2);
}
