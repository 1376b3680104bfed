//! What goes wrong, as data: each fault has a name, the steps that bring it about, and the steps that end it.

use std::time::Duration;

use Fault::{Cut, Deaf, Delay, Hold, Narrow, Refuse, Reset};
use Nodes::{All, First, Second};
use Step::{Await, Fleet, Link, Node, Pause, Postgres, Redis};
use Ways::{Clients, Database, Primary};

use crate::checker::Serves;
use crate::cluster::{Shape, Store};
use crate::link::{Fault, Toward};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nodes {
    All,
    First,
    Second,
}

/// Links of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// To Redis.
    Store,
    /// To PostgreSQL, and to its standby where there is one.
    Database,
    /// To the first PostgreSQL of the list.
    Primary,
    /// From clients.
    Clients,
}

/// What happens to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// kill -9.
    Kill,
    /// A PostgreSQL stops at once; a node is asked to stop and does.
    Stop,
    Start,
    /// SIGSTOP.
    Freeze,
    Thaw,
    /// A Redis forgets everything (FLUSHALL).
    Flush,
    Save,
    /// A Redis goes back to what was saved.
    Restore,
    /// A Redis has no memory for writes (`OOM`); a PostgreSQL has no connection for anyone (`max_connections`).
    Fill,
    Empty,
    /// A Redis becomes a replica, and refuses writes.
    Demote,
    /// A Redis is a master again; the standby of PostgreSQL becomes the server; of several Redis, a replica takes over
    /// from its living master.
    Promote,
    /// A Redis master is out of the Sentinels' sight; everybody else it serves as before.
    Hide,
    Show,
}

/// Servers of a Redis that has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// The master that holds the bus.
    Bus,
    /// Another master, of a Redis Cluster.
    Other,
    Sentinels,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Another server is the master in place of the one that was hit.
    Replaced,
    /// Every server is up and has found its place.
    Whole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Link(Ways, Nodes, Fault),
    /// The one server.
    Redis(Act),
    Fleet(Member, Act),
    Await(Sight),
    Postgres(Act),
    Node(Nodes, Act),
    Pause(Duration),
}

/// One fault. It begins under load, holds for a while, and ends; what comes after is watched as closely.
#[derive(Clone, Copy, Debug)]
pub struct Nemesis {
    pub name: &'static str,
    pub begin: &'static [Step],
    pub holds: Duration,
    pub end: &'static [Step],
    pub is_quick: bool,
    pub shape: Shape,
    /// What each node owes its clients meanwhile. Where it is [`Serves::Known`], clients change no configuration from
    /// shortly before the fault to its end: a node that was told of a change and cannot read it stops.
    pub serves: [Serves; 3],
}

const ALL: [Serves; 3] = [Serves::All; 3];
const KNOWN: [Serves; 3] = [Serves::Known; 3];
const NOTHING: [Serves; 3] = [Serves::Nothing; 3];
const FIRST_KNOWN: [Serves; 3] = [Serves::Known, Serves::All, Serves::All];
const FIRST_NOTHING: [Serves; 3] = [Serves::Nothing, Serves::All, Serves::All];
const LAST_ALL: [Serves; 3] = [Serves::Nothing, Serves::Nothing, Serves::All];
/// The first cannot reach the second in any way, which goes on by what it knows.
const PARTED: [Serves; 3] = [Serves::Unconfirmed, Serves::Known, Serves::All];
/// The others wait for what the dead one may trust.
const DEAD_AND_ELSEWHERE: [Serves; 3] = [Serves::Nothing, Serves::Unconfirmed, Serves::Unconfirmed];

impl Nemesis {
    const fn new(name: &'static str, begin: &'static [Step], end: &'static [Step]) -> Self {
        // Longer than the lease: what a node may still believe at the beginning, it may not at the end.
        let holds = Duration::from_millis(3500);
        Self { name, begin, holds, end, is_quick: false, shape: Shape::THREE, serves: ALL }
    }

    const fn quick(self) -> Self {
        Self { is_quick: true, ..self }
    }

    const fn serving(self, serves: [Serves; 3]) -> Self {
        Self { serves, ..self }
    }

    const fn with_standby(self) -> Self {
        Self { shape: Shape::WITH_STANDBY, ..self }
    }

    const fn with(self, store: Store) -> Self {
        Self { shape: Shape { store, ..self.shape }, ..self }
    }

    /// Whether nodes must be able to rely on what they know.
    pub fn is_quiet(&self) -> bool {
        self.serves.contains(&Serves::Known)
    }

    /// Whether a database that is asked keeps silent.
    pub fn is_database_silent(&self) -> bool {
        self.begin.iter().any(|step| match step {
            Postgres(act) => *act == Act::Freeze,
            Link(Database | Primary, _, fault) => matches!(fault, Cut | Deaf(_) | Hold(_)),
            _ => false,
        })
    }

    /// The fault of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        NEMESES.iter().find(|nemesis| nemesis.name == name)
    }
}

const fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

const fn late(base: u64, jitter: u64) -> Fault {
    Delay { base: ms(base), jitter: ms(jitter) }
}

/// Every fault there is, from the mildest to the worst.
pub const NEMESES: &[Nemesis] = &[
    Nemesis::new("nothing", &[], &[]),
    // Redis itself.
    Nemesis::new("redis: kill -9", &[Redis(Act::Kill)], &[Redis(Act::Start)]).quick(),
    Nemesis::new("redis: SIGSTOP", &[Redis(Act::Freeze)], &[Redis(Act::Thaw)]),
    Nemesis::new("redis: FLUSHALL", FLUSHES, &[Redis(Act::Flush)]),
    Nemesis::new("redis: an old snapshot restored", RESTORES, &[Redis(Act::Restore)]).quick(),
    Nemesis::new("redis: full (OOM)", &[Redis(Act::Fill)], &[Redis(Act::Empty)]),
    Nemesis::new("redis: a replica (READONLY)", &[Redis(Act::Demote)], &[Redis(Act::Promote)]),
    // A Redis of several servers.
    watched("sentinel: master killed", MASTER_KILLED, BACK),
    watched("sentinel: master frozen", MASTER_FROZEN, WHOLE),
    watched("sentinel: failover by hand", BY_HAND, WHOLE),
    watched("sentinel: two masters", TWO_MASTERS, SEEN_AGAIN).serving(FIRST_NOTHING),
    watched("sentinel: master and a node killed", BOTH_LOST, BOTH_BACK).serving(DEAD_AND_ELSEWHERE),
    watched("sentinel: all sentinels killed", &[Fleet(Member::Sentinels, Act::Kill)], SENTINELS_BACK),
    spread("cluster: the bus's master killed", MASTER_KILLED, BACK),
    spread("cluster: another master killed", OTHER_KILLED, OTHER_BACK),
    spread("cluster: the bus's master frozen", MASTER_FROZEN, WHOLE),
    spread("cluster: failover by hand", BY_HAND, WHOLE),
    // The way to Redis.
    link("all to redis: 20 ms and jitter", &[Link(Ways::Store, All, late(20, 20))]),
    link("one to redis: 500 ms", &[Link(Ways::Store, First, late(500, 100))]),
    link("one to redis: 2 KB/s", &[Link(Ways::Store, First, Narrow { bytes_per_second: 2000 })]),
    link("one to redis: cut", &[Link(Ways::Store, First, Cut)]).quick(),
    link("all to redis: cut", &[Link(Ways::Store, All, Cut)]),
    link("one to redis: hears nothing", &[Link(Ways::Store, First, Deaf(Toward::Client))]),
    link("one to redis: is not heard", &[Link(Ways::Store, First, Deaf(Toward::Server))]),
    link("one to redis: hears late", &[Link(Ways::Store, First, Hold(Toward::Client))]),
    link("one to redis: resets", RESETS_TO_REDIS),
    link("all to redis: refused", &[Link(Ways::Store, All, Refuse)]),
    // PostgreSQL itself.
    Nemesis::new("postgres: immediate stop", &[Postgres(Act::Stop)], &[Postgres(Act::Start)]).serving(KNOWN).quick(),
    Nemesis::new("postgres: kill -9", &[Postgres(Act::Kill)], &[Postgres(Act::Start)]).serving(KNOWN),
    Nemesis::new("postgres: SIGSTOP", &[Postgres(Act::Freeze)], &[Postgres(Act::Thaw)]).serving(KNOWN),
    Nemesis::new("postgres: max_connections", &[Postgres(Act::Fill)], &[Postgres(Act::Empty)]).serving(KNOWN),
    Nemesis::new("postgres: standby promoted", &[Postgres(Act::Stop)], &[Postgres(Act::Promote)])
        .serving(KNOWN)
        .with_standby(),
    link("all to postgres: only the standby", STANDBY_ONLY).serving(KNOWN).with_standby(),
    // The same while the configuration changes.
    Nemesis::new("postgres: immediate stop amid changes", &[Postgres(Act::Stop)], &[Postgres(Act::Start)])
        .serving(NOTHING),
    Nemesis::new("postgres: standby promoted amid changes", &[Postgres(Act::Stop)], &[Postgres(Act::Promote)])
        .serving(NOTHING)
        .with_standby(),
    link("all to postgres: resets amid changes", RESETS_TO_POSTGRES).serving(NOTHING),
    link("one to postgres: cut amid changes", &[Link(Database, First, Cut)]).serving(FIRST_NOTHING),
    // The way to PostgreSQL.
    link("all to postgres: 20 ms and jitter", &[Link(Database, All, late(20, 20))]),
    link("one to postgres: cut", &[Link(Database, First, Cut)]).serving(FIRST_KNOWN),
    link("all to postgres: cut", &[Link(Database, All, Cut)]).serving(KNOWN),
    link("one to postgres: hears late", &[Link(Database, First, Hold(Toward::Client))]).serving(FIRST_KNOWN),
    link("all to postgres: resets", RESETS_TO_POSTGRES).serving(KNOWN),
    link("one to postgres: refused", &[Link(Database, First, Refuse)]).serving(FIRST_KNOWN),
    // Nodes, and the way to them.
    Nemesis::new("a node: kill -9", &[Node(First, Act::Kill)], &[Node(First, Act::Start)])
        .serving(FIRST_NOTHING)
        .quick(),
    Nemesis::new("a node: SIGSTOP", &[Node(First, Act::Freeze)], &[Node(First, Act::Thaw)])
        .serving(FIRST_NOTHING)
        .quick(),
    Nemesis::new("a node: SIGSTOP within its lease", STUMBLES, &[]).serving(FIRST_NOTHING),
    Nemesis::new("nodes: restarted in turn", RESTARTS, &[]).serving(LAST_ALL),
    link("clients to one: cut", &[Link(Clients, First, Cut)]).serving(FIRST_NOTHING),
    link("clients to all: resets", RESETS_TO_CLIENTS).serving(NOTHING),
    // Several at once.
    link("one without redis, another without postgres", APART).serving(PARTED),
    link("one without either", &[Link(Ways::Store, First, Cut), Link(Database, First, Cut)]).serving(FIRST_NOTHING),
    Nemesis::new("redis killed while a node is stopped", BOTH, &[Node(First, Act::Thaw), Redis(Act::Start)])
        .serving(DEAD_AND_ELSEWHERE),
    Nemesis::new("redis and postgres killed", NEITHER, &[Postgres(Act::Start), Redis(Act::Start)]).serving(NOTHING),
];

/// A fault of links, which all of them are rid of at its end.
const fn link(name: &'static str, begin: &'static [Step]) -> Nemesis {
    const CLEAR: &[Step] =
        &[Link(Ways::Store, All, Fault::None), Link(Database, All, Fault::None), Link(Clients, All, Fault::None)];
    Nemesis::new(name, begin, CLEAR)
}

/// A fault of a master, its replica, and their Sentinels.
const fn watched(name: &'static str, begin: &'static [Step], end: &'static [Step]) -> Nemesis {
    Nemesis::new(name, begin, end).with(Store::Sentinel)
}

/// A fault of a Redis Cluster.
const fn spread(name: &'static str, begin: &'static [Step], end: &'static [Step]) -> Nemesis {
    Nemesis::new(name, begin, end).with(Store::Cluster)
}

const MASTER_KILLED: &[Step] = &[Fleet(Member::Bus, Act::Kill), Await(Sight::Replaced)];
const BACK: &[Step] = &[Fleet(Member::Bus, Act::Start), Await(Sight::Whole)];
const OTHER_KILLED: &[Step] = &[Fleet(Member::Other, Act::Kill), Await(Sight::Replaced)];
const OTHER_BACK: &[Step] = &[Fleet(Member::Other, Act::Start), Await(Sight::Whole)];
/// It comes back while it still believes to be the master.
const MASTER_FROZEN: &[Step] =
    &[Fleet(Member::Bus, Act::Freeze), Await(Sight::Replaced), Fleet(Member::Bus, Act::Thaw)];
/// Nodes stay with the old master, but for one that finds the new one.
const TWO_MASTERS: &[Step] =
    &[Fleet(Member::Bus, Act::Hide), Await(Sight::Replaced), Node(First, Act::Stop), Node(First, Act::Start)];
/// Nobody can know that the node did not stay with a master that lives on elsewhere.
const BOTH_LOST: &[Step] = &[Node(First, Act::Kill), Fleet(Member::Bus, Act::Kill), Await(Sight::Replaced)];
const BOTH_BACK: &[Step] = &[Node(First, Act::Start), Fleet(Member::Bus, Act::Start), Await(Sight::Whole)];
const SEEN_AGAIN: &[Step] = &[Fleet(Member::Bus, Act::Show), Await(Sight::Whole)];
const BY_HAND: &[Step] = &[Fleet(Member::Bus, Act::Promote), Await(Sight::Replaced)];
const WHOLE: &[Step] = &[Await(Sight::Whole)];
const SENTINELS_BACK: &[Step] = &[Fleet(Member::Sentinels, Act::Start), Await(Sight::Whole)];
const FLUSHES: &[Step] = &[Redis(Act::Flush), Pause(ms(700)), Redis(Act::Flush), Pause(ms(700)), Redis(Act::Flush)];
const RESTORES: &[Step] = &[Redis(Act::Save), Pause(ms(2000)), Redis(Act::Restore)];
const RESETS_TO_REDIS: &[Step] = &[
    Link(Ways::Store, First, Reset),
    Link(Ways::Store, First, Fault::None),
    Pause(ms(600)),
    Link(Ways::Store, First, Reset),
    Link(Ways::Store, First, Fault::None),
    Pause(ms(600)),
    Link(Ways::Store, First, Reset),
];
const RESETS_TO_POSTGRES: &[Step] = &[
    Link(Database, All, Reset),
    Link(Database, All, Fault::None),
    Pause(ms(600)),
    Link(Database, All, Reset),
    Link(Database, All, Fault::None),
    Pause(ms(600)),
    Link(Database, All, Reset),
];
const RESETS_TO_CLIENTS: &[Step] =
    &[Link(Clients, All, Reset), Link(Clients, All, Fault::None), Pause(ms(600)), Link(Clients, All, Reset)];
/// Nobody has promoted the standby.
const STANDBY_ONLY: &[Step] = &[Link(Primary, All, Refuse)];
const STUMBLES: &[Step] = &[
    Node(First, Act::Freeze),
    Pause(ms(1500)),
    Node(First, Act::Thaw),
    Pause(ms(500)),
    Node(First, Act::Freeze),
    Pause(ms(1500)),
    Node(First, Act::Thaw),
];
const RESTARTS: &[Step] = &[
    Node(First, Act::Stop),
    Node(First, Act::Start),
    Pause(ms(500)),
    Node(Second, Act::Stop),
    Node(Second, Act::Start),
];
const APART: &[Step] = &[Link(Ways::Store, First, Cut), Link(Database, Second, Cut)];
const BOTH: &[Step] = &[Node(First, Act::Freeze), Redis(Act::Kill)];
const NEITHER: &[Step] = &[Redis(Act::Kill), Postgres(Act::Kill)];
