//! Rules of the bus that only its scripts keep, called as nodes call them.

use redis::Connection;

use crate::server::Server;

const RENEW: &str = concat!(
    include_str!("../../src/cache/redis/scripts/epoch.lua"),
    include_str!("../../src/cache/redis/scripts/renew.lua")
);
const KEYS: [&str; 4] = ["{t:bus}:epoch", "{t:bus}:nodes", "{t:bus}:events", "{t:bus}:acks"];

/// The epoch, and the nodes in it.
struct Answer {
    epoch: String,
    nodes: Vec<String>,
}

/// A node renews in an epoch later than `floor`, and says which nodes went silent in which epoch after which renewal.
fn renew(redis: &mut Connection, node: &str, floor: u64, silent_in: &str, silent: &[(&str, u64)]) -> Answer {
    let script = redis::Script::new(RENEW);
    let mut call = script.prepare_invoke();
    KEYS.iter().for_each(|key| {
        call.key(key);
    });
    call.arg(floor).arg("").arg(0).arg("0123456789abcdef").arg(node).arg("").arg(0).arg(0).arg(silent_in);
    for (node, last) in silent {
        call.arg(node).arg(last);
    }
    let (epoch, _head, lines): (String, u64, Vec<(String, String)>) = call.invoke(redis).unwrap();
    let mut nodes: Vec<String> = lines.into_iter().map(|(node, _)| node).collect();
    nodes.sort();
    Answer { epoch, nodes }
}

#[test]
fn who_went_silent_in_an_earlier_epoch_is_not_struck_from_a_later_one() {
    let server = Server::start(&[]);
    let redis = &mut server.connection();
    let old = renew(redis, "a", 0, "", &[]).epoch;
    let generation: u64 = old.split('-').next().unwrap().parse().unwrap();
    // In the next epoch renewals are numbered from one again, and `a` has the number it had before.
    let new = renew(redis, "a", generation, "", &[]);
    assert!(new.epoch != old && new.nodes == ["a"]);
    let told = renew(redis, "b", generation, &old, &[("a", 1)]);
    assert_eq!(told.nodes, ["a", "b"]);
    let told = renew(redis, "b", generation, &new.epoch, &[("a", 2)]);
    assert_eq!(told.nodes, ["a", "b"], "it has renewed since");
    assert_eq!(renew(redis, "b", generation, &new.epoch, &[("a", 1)]).nodes, ["b"]);
}
