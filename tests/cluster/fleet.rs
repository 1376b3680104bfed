//! A Redis of several servers, with a hand on the switch of each.

use std::time::{Duration, Instant};

use ::redis::{Client, Cmd, Connection, FromRedisValue};

use crate::fleets::{Cluster, Watched, hosts};
use crate::nemesis::{Act, Member, Sight};
use crate::process::eventually;
use crate::server::Server;

/// For one question of ours: whoever is stopped must not stop us.
const LIMIT: Duration = Duration::from_millis(500);
/// A key of the bus: all of them lie in one slot.
const BUS: &str = "{tollgate:bus}:epoch";
/// A Sentinel takes a master for dead after half a second without an answer.
const SENTINELS_SAY: &str = "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n";

pub struct Fleet {
    /// Masters and replicas.
    servers: Vec<Server>,
    /// None: it is a Redis Cluster.
    sentinels: Vec<Server>,
    /// Killed or stopped, by their places.
    down: Vec<usize>,
    frozen: Vec<usize>,
    are_sentinels_down: bool,
    /// The last one that was hit: the place of the master, and the slot by which its successor is known.
    hit: Option<(usize, u16)>,
}

/// What a Redis Cluster's server says of one.
struct Line {
    port: u16,
    is_master: bool,
    is_well: bool,
    slots: Vec<(u16, u16)>,
}

impl Fleet {
    pub async fn watched() -> Self {
        let Watched { master, replica, sentinels } =
            Watched::start("user tollgate on >secret ~* &* +@all\n", SENTINELS_SAY).await;
        Self::of(vec![master, replica], sentinels)
    }

    pub async fn cluster() -> Self {
        let Cluster { mut masters, replicas } = Cluster::with_replicas(3, &["--cluster-node-timeout", "1000"]).await;
        masters.extend(replicas);
        Self::of(masters, Vec::new())
    }

    fn of(servers: Vec<Server>, sentinels: Vec<Server>) -> Self {
        let (down, frozen) = (Vec::new(), Vec::new());
        Self { servers, sentinels, down, frozen, are_sentinels_down: false, hit: None }
    }

    /// What nodes are told.
    pub fn url(&self) -> String {
        match &self.sentinels[..] {
            [] => format!("redis-cluster://{}", hosts(&self.servers)),
            sentinels => format!("redis+sentinel://tollgate:secret@{}/main", hosts(sentinels)),
        }
    }

    pub fn take(&mut self, member: Member, act: Act) {
        match (member, act) {
            (Member::Sentinels, Act::Kill) => {
                self.sentinels.iter_mut().for_each(Server::kill);
                self.are_sentinels_down = true;
            }
            (Member::Sentinels, Act::Start) => {
                self.sentinels.iter_mut().for_each(Server::start_again);
                self.are_sentinels_down = false;
            }
            (_, Act::Kill) => {
                let at = self.aim(member);
                self.servers[at].kill();
                self.down.push(at);
            }
            (_, Act::Start) => self.down.drain(..).for_each(|at| self.servers[at].start_again()),
            (_, Act::Freeze) => {
                let at = self.aim(member);
                self.servers[at].pause();
                self.frozen.push(at);
            }
            (_, Act::Thaw) => self.frozen.drain(..).for_each(|at| self.servers[at].resume()),
            (_, Act::Promote) => self.promote(member),
            (_, Act::Hide) => {
                let at = self.aim(member);
                self.show_to_sentinels(at, "-ping");
            }
            (_, Act::Show) => (0..self.servers.len()).for_each(|at| self.show_to_sentinels(at, "+ping")),
            (_, other) => panic!("a Redis of several servers knows no {other:?}"),
        }
    }

    pub fn wait_for(&self, sight: Sight) {
        match sight {
            Sight::Replaced => {
                let (before, slot) = self.hit.expect("a master was hit");
                eventually("another server is the master", || self.master(slot).is_some_and(|now| now != before));
            }
            Sight::Whole => eventually("every server has found its place", || self.is_whole()),
        }
    }

    /// The place of a master that is to be hit.
    fn aim(&mut self, member: Member) -> usize {
        let bus: u16 = self.servers.iter().find_map(|server| ask(server, "CLUSTER KEYSLOT", &[BUS])).unwrap_or(0);
        let slot = match member {
            Member::Bus | Member::Sentinels => bus,
            // Any slot of a master that has not this one.
            Member::Other => (bus + 16_384 / 2) % 16_384,
        };
        let begun = Instant::now();
        eventually("the master is known", || self.master(slot).is_some());
        assert!(begun.elapsed() < Duration::from_secs(5), "nothing was wrong, and yet there was no master for long");
        let at = self.master(slot).expect("a master");
        self.hit = Some((at, slot));
        at
    }

    fn promote(&mut self, member: Member) {
        let at = self.aim(member);
        let told: Option<String> = match self.sentinels.first() {
            Some(sentinel) => ask(sentinel, "SENTINEL FAILOVER", &["main"]),
            None => ask(self.replica_of(at), "CLUSTER FAILOVER", &[]),
        };
        assert_eq!(told.as_deref(), Some("OK"));
    }

    fn replica_of(&self, master: usize) -> &Server {
        let port = self.servers[master].port.to_string();
        let follows = |server: &&Server| of_replication(server, "master_port").is_some_and(|of| of == port);
        self.servers.iter().find(follows).expect("every master has a replica")
    }

    /// Sentinels log in as nobody, and go by the answers to `PING`; nodes have a user of their own.
    fn show_to_sentinels(&self, at: usize, rule: &str) {
        let told: Option<String> = ask(&self.servers[at], "ACL SETUSER", &["default", rule]);
        assert_eq!(told.as_deref(), Some("OK"));
    }

    /// Those that can answer.
    fn awake(&self) -> impl Iterator<Item = &Server> {
        let is_awake = |at: &usize| !self.down.contains(at) && !self.frozen.contains(at);
        self.servers.iter().enumerate().filter(move |(at, _)| is_awake(at)).map(|(_, server)| server)
    }

    fn place(&self, port: u16) -> Option<usize> {
        self.servers.iter().position(|server| server.port == port)
    }

    /// The master of a slot; of the whole, under Sentinels. `None`: not everybody asked names the same, or it does not
    /// see itself as a master.
    fn master(&self, slot: u16) -> Option<usize> {
        let named: Vec<Option<usize>> = match &self.sentinels[..] {
            [] => self.awake().map(|server| self.owner(server, slot)).collect(),
            sentinels => sentinels.iter().map(|sentinel| self.named_by(sentinel)).collect(),
        };
        let first = (*named.first()?)?;
        let is_agreed = named.iter().all(|at| *at == Some(first));
        (is_agreed && role(&self.servers[first]).as_deref() == Some("master")).then_some(first)
    }

    fn named_by(&self, sentinel: &Server) -> Option<usize> {
        let (_, port): (String, u16) = ask(sentinel, "SENTINEL GET-MASTER-ADDR-BY-NAME", &["main"])?;
        self.place(port)
    }

    /// The master of a slot, as this server of a Redis Cluster sees it.
    fn owner(&self, server: &Server, slot: u16) -> Option<usize> {
        let has_it = |line: &&Line| line.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot));
        let lines = lines(server)?;
        self.place(lines.iter().filter(|line| line.is_master && line.is_well).find(has_it)?.port)
    }

    /// How many take themselves for masters.
    pub fn masters(&self) -> usize {
        self.awake().filter(|server| role(server).as_deref() == Some("master")).count()
    }

    fn is_whole(&self) -> bool {
        assert!(self.down.is_empty() && self.frozen.is_empty() && !self.are_sentinels_down);
        let masters = self.masters();
        let replicas = self.servers.iter().filter(|server| ask_link(server).as_deref() == Some("up")).count();
        if masters + replicas != self.servers.len() || masters != replicas {
            return false;
        }
        if self.sentinels.is_empty() {
            let is_well = |server: &Server| lines(server).is_some_and(|lines| lines.iter().all(|line| line.is_well));
            let is_ok = |server| ask::<String>(server, "CLUSTER INFO", &[]).is_some_and(|t| t.contains("state:ok"));
            return self.servers.iter().all(|server| is_well(server) && is_ok(server));
        }
        let number = Server::number;
        let knows = |sentinel| number(sentinel, "num-other-sentinels") == 2 && number(sentinel, "num-slaves") == 1;
        self.sentinels.iter().all(knows) && self.master(0).is_some()
    }

    /// What every server has said, each under its name.
    pub fn logs(&self) -> Vec<(String, String)> {
        let named = |kind: &'static str| {
            move |(at, server): (usize, &Server)| (format!("{kind}-{at}-{}.log", server.port), server.log_text())
        };
        let servers = self.servers.iter().enumerate().map(named("redis"));
        servers.chain(self.sentinels.iter().enumerate().map(named("sentinel"))).collect()
    }
}

fn connection(server: &Server) -> Option<Connection> {
    let connection = Client::open(server.url()).ok()?.get_connection_with_timeout(LIMIT).ok()?;
    connection.set_read_timeout(Some(LIMIT)).ok()?;
    Some(connection)
}

/// `None`: no answer, or none of this kind.
fn ask<T: FromRedisValue>(server: &Server, words: &str, arguments: &[&str]) -> Option<T> {
    let mut command = Cmd::new();
    words.split(' ').chain(arguments.iter().copied()).for_each(|word| {
        command.arg(word);
    });
    command.query(&mut connection(server)?).ok()
}

fn of_replication(server: &Server, field: &str) -> Option<String> {
    let text: String = ask(server, "INFO", &["replication"])?;
    text.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(':')?.to_owned()))
}

fn role(server: &Server) -> Option<String> {
    of_replication(server, "role")
}

fn ask_link(server: &Server) -> Option<String> {
    of_replication(server, "master_link_status")
}

fn lines(server: &Server) -> Option<Vec<Line>> {
    let text: String = ask(server, "CLUSTER NODES", &[])?;
    text.lines().map(line).collect()
}

/// `ID HOST:PORT@BUS FLAGS MASTER PING PONG EPOCH LINK SLOTS..`
fn line(text: &str) -> Option<Line> {
    let words: Vec<&str> = text.split(' ').collect();
    let port = words.get(1)?.split('@').next()?.rsplit(':').next()?.parse().ok()?;
    let flags: Vec<&str> = words.get(2)?.split(',').collect();
    let is_well = !flags.iter().any(|flag| ["fail", "fail?", "handshake", "noaddr"].contains(flag));
    let slots = words[8.min(words.len())..].iter().filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some((first.parse().ok()?, last.parse().ok()?))
    });
    Some(Line { port, is_master: flags.contains(&"master"), is_well, slots: slots.collect() })
}
