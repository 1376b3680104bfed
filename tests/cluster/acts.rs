//! A cluster under a nemesis: takes its steps.

use tokio::task::block_in_place;

use crate::cluster::Cluster;
use crate::fleet::Fleet;
use crate::link::Link;
use crate::nemesis::{Act, Nodes, Step, Ways};
use crate::node::Node;
use crate::postgres::Postgres;
use crate::redis::Redis;

impl Cluster {
    /// Takes one step, and returns when it is taken.
    pub async fn take(&mut self, step: Step) {
        match step {
            Step::Pause(time) => tokio::time::sleep(time).await,
            Step::Link(ways, nodes, fault) => {
                let nodes = chosen(&mut self.nodes, nodes);
                nodes.iter().flat_map(|node| links(node, ways)).for_each(|link| link.set(fault));
            }
            Step::Node(nodes, act) => {
                let nodes = chosen(&mut self.nodes, nodes);
                block_in_place(|| nodes.iter_mut().for_each(|node| on_node(node, act)));
            }
            Step::Redis(act) => block_in_place(|| self.on_redis(act)),
            Step::Fleet(member, act) => block_in_place(|| self.fleet().take(member, act)),
            Step::Await(sight) => block_in_place(|| self.fleet().wait_for(sight)),
            Step::Postgres(act) => self.on_postgres(act).await,
        }
    }

    fn redis(&mut self) -> &mut Redis {
        self.redis.as_mut().expect("the cluster has a Redis")
    }

    fn fleet(&mut self) -> &mut Fleet {
        self.fleet.as_mut().expect("the cluster has a Redis of several servers")
    }

    fn on_redis(&mut self, act: Act) {
        match act {
            Act::Kill | Act::Stop => self.redis().kill(),
            Act::Start => self.redis().restart(),
            Act::Freeze => self.redis().freeze(),
            Act::Thaw => self.redis().thaw(),
            Act::Flush => self.redis().flush(),
            Act::Save => self.snapshot = Some(self.redis().save()),
            Act::Restore => {
                let snapshot = self.snapshot.take().expect("something was saved");
                self.redis().restore(&snapshot);
                self.snapshot = Some(snapshot);
            }
            Act::Fill => self.redis().fill(),
            Act::Empty => self.redis().empty(),
            Act::Demote => self.redis().demote(),
            Act::Promote => self.redis().promote(),
            Act::Hide | Act::Show => panic!("no Sentinel watches the one Redis"),
        }
    }

    async fn on_postgres(&mut self, act: Act) {
        match act {
            Act::Kill => block_in_place(|| self.postgres.kill()),
            Act::Stop => block_in_place(|| self.postgres.stop_immediately()),
            Act::Start => block_in_place(|| self.postgres.restart()),
            Act::Freeze => self.postgres.freeze(),
            Act::Thaw => self.postgres.thaw(),
            Act::Fill => self.squatters = self.postgres.occupied().await,
            Act::Empty => self.squatters.clear(),
            Act::Promote => standby(&self.standby).promote().await,
            Act::Flush | Act::Save | Act::Restore | Act::Demote | Act::Hide | Act::Show => {
                panic!("PostgreSQL knows no {act:?}")
            }
        }
    }
}

fn standby(standby: &Option<Postgres>) -> &Postgres {
    standby.as_ref().expect("the cluster has a standby")
}

fn on_node(node: &mut Node, act: Act) {
    match act {
        Act::Kill => node.kill(),
        Act::Stop => assert_eq!(node.stop(), Some(0), "a node stops cleanly"),
        Act::Start => node.start(),
        Act::Freeze => node.freeze(),
        Act::Thaw => node.thaw(),
        other => panic!("a node knows no {other:?}"),
    }
}

fn chosen(nodes: &mut [Node], which: Nodes) -> &mut [Node] {
    match which {
        Nodes::All => nodes,
        Nodes::First => &mut nodes[..1],
        Nodes::Second => &mut nodes[1..2],
    }
}

fn links(node: &Node, ways: Ways) -> Vec<&Link> {
    match ways {
        Ways::Store => node.redis.iter().collect(),
        Ways::Database => node.databases.iter().collect(),
        Ways::Primary => node.databases.iter().take(1).collect(),
        Ways::Clients => vec![&node.proxy, &node.admin],
    }
}
