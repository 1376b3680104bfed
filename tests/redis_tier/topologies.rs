//! A Redis of several servers: keys are spread, and a lost master is replaced without anybody's help.

use tollgate::cache::redis::{Purpose, RedisError};

use crate::certificates::Authority;
use crate::fleets::{Cluster, Watched};
use crate::kinds::{PURPOSES, denials, documented_rule, works};
use crate::node::{Node, digest, line, refusal, stamp, view};
use crate::server::{Folder, PATIENCE, until};

#[tokio::test]
async fn in_a_cluster_tokens_are_spread_over_all_masters() {
    let cluster = Cluster::start(3, &[], "").await;
    let all = format!("redis-cluster://{}", cluster.hosts());
    works(&all).await;
    // One host is enough to find the others.
    let node = Node::reach(&format!("redis-cluster://127.0.0.1:{}", cluster.masters[2].port)).await;
    let names: Vec<String> = (0..60).map(|number| format!("token {number}")).collect();
    for name in &names {
        node.keep(name, Some(&view()), 0).await;
    }
    for name in &names {
        assert!(node.knows(name).await, "{name}");
    }
    let digests: Vec<_> = names.iter().map(|name| digest(name)).collect();
    until("all are buried", async || {
        node.tier.bury(&digests, Some(stamp(0))).await;
        node.knows_nothing(&names[0]).await && node.knows_nothing(&names[59]).await
    })
    .await;
    let held = cluster.held();
    assert!(held.iter().sum::<usize>() == 61 && held.iter().all(|held| *held > 5), "{held:?}");
}

#[tokio::test]
async fn a_cluster_that_lost_a_master_is_left_alone_and_found_again() {
    let mut cluster = Cluster::start(3, &["--cluster-require-full-coverage", "yes"], "").await;
    let node = Node::reach(&format!("redis-cluster://{}", cluster.hosts())).await;
    node.keep("a", Some(&view()), 0).await;
    cluster.masters[1].kill();
    until("the loss is noticed", async || {
        for number in 0..50 {
            let _ = node.tier.find(digest(&number.to_string())).await;
        }
        node.line.status().is_err()
    })
    .await;
    cluster.masters[1].start_again();
    until("the Cluster is found again", async || {
        let mut found = 0;
        for number in 0..50 {
            let before = node.tier.tallies().unanswered;
            let _ = node.tier.find(digest(&number.to_string())).await;
            found += u64::from(node.tier.tallies().unanswered == before);
        }
        found == 50
    })
    .await;
}

#[tokio::test]
async fn in_a_cluster_a_replica_takes_over_and_is_found() {
    let mut cluster = Cluster::with_replicas(3, &["--cluster-node-timeout", "1000"]).await;
    let node = Node::reach(&format!("redis-cluster://{}", cluster.hosts())).await;
    cluster.masters[1].kill();
    until("the replica is a master", async || cluster.replicas[1].info("role") == "master").await;
    until("tokens are spread over all masters again", async || {
        for number in 0..50 {
            node.keep(&number.to_string(), Some(&view()), 0).await;
        }
        !cluster.replicas[1].keys("*").is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_cluster_with_a_user_and_over_tls() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let settings = authority.settings(&folder);
    let mut settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    settings.extend(["--tls-auth-clients", "no", "--tls-cluster", "yes"]);
    let cluster = Cluster::start(3, &settings, &format!("user tollgate {}\n", documented_rule())).await;
    let hosts: Vec<String> = cluster.masters.iter().map(|master| format!("127.0.0.1:{}", master.tls_port)).collect();
    let ca = folder.join("ca.pem").display().to_string();
    works(&format!("redis-cluster://tollgate:secret@{}", cluster.hosts())).await;
    works(&format!("rediss-cluster://tollgate:secret@{}?ca={ca}", hosts.join(","))).await;
    for master in &cluster.masters {
        assert_eq!(denials(master), Vec::<String>::new());
    }
    let told = refusal(&format!("redis-cluster://tollgate:hunter2@{}", cluster.hosts())).await;
    assert!(matches!(told, RedisError::Denied(_)), "{told:?}");
    let told = refusal(&format!("rediss-cluster://tollgate:secret@{}", hosts.join(","))).await;
    assert!(told.to_string().contains("certificate"), "{told:?}");
}

#[tokio::test]
async fn after_a_failover_every_line_finds_the_new_master() {
    let rule = documented_rule();
    let mut watched = Watched::start(&format!("user tollgate {rule}\n"), "").await;
    let url = watched.url("tollgate:secret@", "/1");
    works(&url).await;
    let node = Node::reach(&url).await;
    let lines = PURPOSES.map(|purpose| line(&url, purpose));
    for line in &lines {
        line.ready(PATIENCE).await.unwrap();
    }
    watched.master.kill();
    until("the master is missed", async || {
        let _ = node.tier.find(digest("a")).await;
        node.line.status().is_err()
    })
    .await;
    assert!(node.tier.find(digest("a")).await.is_none());
    until("the replica is the master", async || watched.replica.info("role") == "master").await;
    until("every line is up", async || {
        for line in &lines {
            let _ = line.query::<String>(&redis::cmd("PING"), PATIENCE).await;
        }
        lines.iter().all(|line| line.status().is_ok()) && node.line.status().is_ok()
    })
    .await;
    node.keep("b", Some(&view()), 0).await;
    assert!(node.knows("b").await);
    assert_eq!(denials(&watched.replica), Vec::<String>::new());
    // The old master comes back as a replica, and nobody goes there.
    watched.master.start_again();
    until("the old master follows", async || watched.master.info("role") == "slave").await;
    assert!(Node::reach(&url).await.knows("b").await);
}

#[tokio::test]
async fn sentinels_that_want_a_password_of_their_own() {
    let mut watched = Watched::start("", "").await;
    for sentinel in &watched.sentinels {
        sentinel.run("ACL SETUSER gate on >look +sentinel|master");
        sentinel.run("ACL SETUSER default >watch");
    }
    let told = refusal(&watched.url("", "")).await;
    assert!(matches!(told, RedisError::Denied(_)), "{told:?}");
    let node = Node::reach(&watched.url("", "?sentinel_password=watch")).await;
    node.keep("a", Some(&view()), 0).await;
    Node::reach(&watched.url("", "?sentinel_user=gate&sentinel_password=look")).await;
    // One Sentinel is enough.
    watched.sentinels.drain(..2);
    let url = format!(
        "redis+sentinel://127.0.0.1:1,{}/main?sentinel_password=watch",
        crate::fleets::hosts(&watched.sentinels)
    );
    let line = line(&url, Purpose::Control);
    line.ready(PATIENCE).await.unwrap();
    watched.sentinels.clear();
    let told = refusal(&url).await;
    assert!(matches!(told, RedisError::Unreachable(_)), "{told:?}");
}
