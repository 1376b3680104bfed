//! Redis full, away, hanging, or not Redis at all: look-ups go to the database at once, and everything comes back by
//! itself.

use tollgate::cache::redis::{Purpose, RedisError};

use crate::impostors::{Impostor, Wire};
use crate::node::{Node, digest, line, refusal, stamp, view};
use crate::server::{PATIENCE, Server, until};

/// Looks until the line is found to be of no use.
async fn is_missed(node: &Node) {
    until("it is noticed", async || {
        let _ = node.tier.find(digest("a")).await;
        node.line.status().is_err()
    })
    .await;
    assert!(node.tier.find(digest("a")).await.is_none());
    node.tier.keep(digest("a"), Some(&view()), crate::node::NOW, stamp(0));
    node.tier.bury(&[digest("a")], Some(stamp(0))).await;
}

#[tokio::test]
async fn a_full_redis_is_read_and_nothing_waits_for_it() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let node = Node::reach(&server.url()).await;
    for name in ["a", "b", "c"] {
        node.keep(name, Some(&view()), 0).await;
    }
    server.run("CONFIG SET maxmemory 1");
    assert!(node.knows("a").await);
    node.keep("a", Some(&view()), 1).await;
    node.keep("d", Some(&view()), 1).await;
    node.tier.bury(&[digest("b")], Some(stamp(1))).await;
    let told = node.tier.tallies();
    assert_eq!((told.written, told.full, told.failed), (3, 3, 0));
    assert_eq!(server.keys("*").len(), 1, "what could not be replaced, for want of memory, is gone");
    assert!(node.knows("c").await && node.find("a").await.is_none() && node.find("b").await.is_none());
    assert!(node.line.status().is_ok());
    server.run("CONFIG SET maxmemory 0");
    node.keep("d", Some(&view()), 1).await;
    assert!(node.knows("d").await);
}

#[tokio::test]
async fn a_killed_redis_is_missed_and_found_again() {
    let mut server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    server.kill();
    is_missed(&node).await;
    server.start_again();
    node.line.ready(PATIENCE).await.unwrap();
    node.keep("a", Some(&view()), 0).await;
    assert!(node.knows("a").await, "the script is sent again to a server that does not know it");
}

#[tokio::test]
async fn a_hanging_redis_is_left_alone_until_it_answers() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    node.keep("a", Some(&view()), 0).await;
    server.pause();
    is_missed(&node).await;
    server.resume();
    node.line.ready(PATIENCE).await.unwrap();
    assert!(node.knows("a").await);
}

#[tokio::test]
async fn however_many_look_ups_there_are_none_waits_in_a_line() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    server.pause();
    let finds = (0..20_000).map(|number| {
        let tier = node.tier.clone();
        tokio::spawn(async move { tier.find(digest(&number.to_string())).await.is_none() })
    });
    for find in finds.collect::<Vec<_>>() {
        assert!(find.await.unwrap());
    }
    let told = node.tier.tallies();
    assert_eq!(told.crowded + told.unanswered, 20_000);
    assert!(told.crowded > 0, "{told:?}");
    for number in 0..20_000 {
        node.tier.keep(digest(&number.to_string()), Some(&view()), crate::node::NOW, stamp(0));
    }
    assert!(node.tier.tallies().dropped > 19_000, "{:?}", node.tier.tallies());
    server.resume();
    node.line.ready(PATIENCE).await.unwrap();
    until("look-ups are answered again", async || {
        let before = node.tier.tallies().missed;
        let _ = node.tier.find(digest("none")).await;
        node.tier.tallies().missed > before
    })
    .await;
}

#[tokio::test]
async fn a_cut_wire_is_found_out_though_nobody_tells() {
    let server = Server::start(&[]);
    let wire = Wire::to(server.port).await;
    let node = Node::reach(&format!("redis://127.0.0.1:{}", wire.port)).await;
    node.keep("a", Some(&view()), 0).await;
    wire.cut();
    until("another connection is made", async || node.knows("a").await).await;
    wire.cut_for_good();
    is_missed(&node).await;
    wire.mend();
    node.line.ready(PATIENCE).await.unwrap();
    assert!(node.knows("a").await);
}

#[tokio::test]
async fn a_master_that_is_made_a_replica_is_left() {
    let (server, other) = (Server::start(&[]), Server::start(&[]));
    let node = Node::reach(&server.url()).await;
    server.run(&format!("REPLICAOF 127.0.0.1 {}", other.port));
    until("it is noticed", async || {
        node.tier.keep(digest("a"), Some(&view()), crate::node::NOW, stamp(0));
        node.line.status() == Err(RedisError::Replica)
    })
    .await;
    server.run("REPLICAOF NO ONE");
    node.line.ready(PATIENCE).await.unwrap();
    node.keep("b", Some(&view()), 0).await;
    assert!(node.knows("b").await);
}

#[tokio::test]
async fn a_password_that_is_changed_and_changed_back() {
    let server = Server::start(&[]);
    let node = Node::reach(&server.url()).await;
    let mut connection = server.connection();
    let mut run = |command: &str, words: &[&str]| redis::cmd(command).arg(words).exec(&mut connection).unwrap();
    run("ACL", &["SETUSER", "default", "resetpass", ">other"]);
    run("CLIENT", &["KILL", "TYPE", "normal", "SKIPME", "yes"]);
    until("it is noticed", async || {
        let _ = node.tier.find(digest("a")).await;
        matches!(node.line.status(), Err(RedisError::Denied(_)))
    })
    .await;
    run("ACL", &["SETUSER", "default", "nopass"]);
    node.line.ready(PATIENCE).await.unwrap();
    node.keep("b", Some(&view()), 0).await;
    assert!(node.knows("b").await);
}

#[tokio::test]
async fn what_is_no_redis_is_refused_and_a_redis_in_its_place_is_taken() {
    let mut server = Server::start(&[]);
    let mut nests = b"*1\r\n".repeat(50_000);
    nests.extend_from_slice(b"$1\r\nx\r\n");
    let nests: &'static [u8] = nests.leak();
    let sayings: [&[u8]; 10] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"\0\xff\xfe\r\n\r\n\0",
        b"+OK\r\n",
        b"$99999999999\r\n",
        b"$-7\r\nx",
        b"*2147483647\r\n",
        b"-ERR no\r\n",
        nests,
    ];
    for saying in sayings {
        server.kill();
        let impostor = Impostor::who_says(server.port, saying).await;
        for (scheme, rest) in [("redis", ""), ("rediss", ""), ("redis-cluster", ""), ("redis+sentinel", "/main")] {
            let told = refusal(&format!("{scheme}://127.0.0.1:{}{rest}", impostor.port)).await;
            assert!(matches!(told, RedisError::Unreachable(_) | RedisError::TimedOut(_)), "{scheme}: {told:?}");
            assert_eq!(told.to_string().lines().count(), 1, "{told}");
        }
        let line = line(&server.url(), Purpose::Control);
        assert!(line.query::<String>(&redis::cmd("PING"), PATIENCE).await.is_err());
        impostor.leave().await;
        server.start_again();
        line.ready(PATIENCE).await.unwrap();
    }
}
