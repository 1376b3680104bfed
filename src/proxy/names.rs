//! Addresses of upstream hosts: what the name service said, for as long as it said, and which of them lately failed.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::net::lookup_host;
use tokio::time::Instant;

use super::failure::Failure;

/// How long an answer is good at least and at most, whatever its time to live says.
const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(300);
/// How long an answer of the system's resolver is good, which tells no time to live.
const UNTOLD: Duration = Duration::from_secs(5);
/// How long an answer is used beyond its time, while a new one is asked for or none comes.
const STALE: Duration = Duration::from_secs(300);
/// How long an address that did not take a connection comes after the others.
const ASIDE: Duration = Duration::from_secs(10);
/// Most names, and most addresses set aside.
const MOST_KEPT: usize = 4096;

struct Known {
    addresses: Vec<IpAddr>,
    until: Instant,
    /// A new answer is on its way.
    is_asked: Cell<bool>,
}

type Flight = Rc<tokio::sync::OnceCell<Result<Rc<Known>, Failure>>>;

/// What one worker knows of names.
#[derive(Default)]
pub(super) struct Names {
    /// Whom to ask; empty: those the system names.
    servers: Vec<SocketAddr>,
    resolver: OnceCell<Option<TokioResolver>>,
    known: RefCell<HashMap<String, Rc<Known>>>,
    /// What is being asked, so that calls that wait for the same name ask once, and fare alike.
    asking: RefCell<HashMap<String, Flight>>,
    aside: RefCell<HashMap<SocketAddr, Instant>>,
    turn: Cell<usize>,
}

impl Names {
    /// `servers`: name servers to ask instead of those the system names.
    pub fn of(servers: Vec<SocketAddr>) -> Self {
        Self { servers, ..Self::default() }
    }

    /// The addresses of a host, beginning with another one each time; those that failed lately come last. Waits for the
    /// name service only for a name that is not known.
    pub async fn resolve(self: &Rc<Self>, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let known = self.known.borrow().get(host).cloned();
        let now = Instant::now();
        let known = match known {
            Some(known) if now < known.until => known,
            Some(known) if now < known.until + STALE => {
                if !known.is_asked.replace(true) {
                    let (names, host, known) = (Rc::clone(self), host.to_owned(), Rc::clone(&known));
                    actix_rt::spawn(async move {
                        let _ = names.ask(&host).await;
                        known.is_asked.set(false);
                    });
                }
                known
            }
            _ => self.ask_together(host).await?,
        };
        Ok(self.in_turn(known.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()))
    }

    /// Remembers whether an address took a connection.
    pub fn note(&self, address: SocketAddr, is_well: bool) {
        let mut aside = self.aside.borrow_mut();
        if is_well {
            if !aside.is_empty() {
                aside.remove(&address);
            }
            return;
        }
        if aside.len() >= MOST_KEPT {
            aside.clear();
        }
        aside.insert(address, Instant::now() + ASIDE);
    }

    fn in_turn(&self, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        self.turn.set(self.turn.get().wrapping_add(1));
        let turn = self.turn.get() % addresses.len().max(1);
        addresses.rotate_left(turn);
        let aside = self.aside.borrow();
        if !aside.is_empty() {
            let now = Instant::now();
            addresses.sort_by_key(|address| aside.get(address).is_some_and(|until| now < *until));
        }
        addresses
    }

    async fn ask_together(&self, host: &str) -> Result<Rc<Known>, Failure> {
        let flight = Rc::clone(self.asking.borrow_mut().entry(host.to_owned()).or_default());
        // Should the client go that began it, another one asks on.
        let answer = flight.get_or_init(|| self.ask(host)).await.clone();
        let mut asking = self.asking.borrow_mut();
        if asking.get(host).is_some_and(|known| Rc::ptr_eq(known, &flight)) {
            asking.remove(host);
        }
        answer
    }

    async fn ask(&self, host: &str) -> Result<Rc<Known>, Failure> {
        let resolver = self.resolver.get_or_init(|| resolver(&self.servers));
        let (addresses, until) = match resolver {
            Some(resolver) => {
                let found = resolver.lookup_ip(host).await.map_err(|_| Failure::Resolve)?;
                (found.iter().collect(), Instant::from_std(found.valid_until()))
            }
            None => {
                let found = lookup_host((host, 0)).await.map_err(|_| Failure::Resolve)?;
                (found.map(|address| address.ip()).collect::<Vec<_>>(), Instant::now() + UNTOLD)
            }
        };
        if addresses.is_empty() {
            return Err(Failure::Resolve);
        }
        let now = Instant::now();
        let until = until.clamp(now + LEAST, now + MOST);
        let learnt = Rc::new(Known { addresses, until, is_asked: Cell::new(false) });
        self.keep(host, &learnt);
        Ok(learnt)
    }

    fn keep(&self, host: &str, learnt: &Rc<Known>) {
        let mut known = self.known.borrow_mut();
        if known.len() >= MOST_KEPT && !known.contains_key(host) {
            let oldest = known.iter().min_by_key(|(_, known)| known.until).map(|(host, _)| host.clone());
            oldest.map(|host| known.remove(&host));
        }
        known.insert(host.to_owned(), Rc::clone(learnt));
    }
}

/// One that asks these servers, or those of the system, and so learns times to live; `None` where neither names any.
fn resolver(servers: &[SocketAddr]) -> Option<TokioResolver> {
    let mut builder = match servers {
        [] => TokioResolver::builder_tokio().ok()?,
        _ => {
            let config = ResolverConfig::from_name_servers(servers.iter().map(name_server).collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4thenIpv6;
    // What is remembered is remembered here.
    options.cache_size = 0;
    builder.build().ok()
}

/// Asked over UDP, and over TCP for what UDP does not hold.
fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    connections.iter_mut().for_each(|connection| connection.port = address.port());
    NameServerConfig::new(address.ip(), true, connections)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(names: &Names) -> Vec<u16> {
        let all = (1..=3).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        names.in_turn(all).into_iter().map(|address| address.port()).collect()
    }

    #[test]
    fn addresses_take_turns_and_what_failed_comes_last() {
        let names = Names::default();
        let firsts: Vec<u16> = (0..3).map(|_| addresses(&names)[0]).collect();
        assert_eq!(firsts, [2, 3, 1]);
        names.note(SocketAddr::from(([127, 0, 0, 1], 2)), false);
        assert!((0..3).all(|_| addresses(&names)[2] == 2));
        names.note(SocketAddr::from(([127, 0, 0, 1], 2)), true);
        assert!((0..3).any(|_| addresses(&names)[0] == 2));
    }

    #[test]
    fn a_flood_of_names_displaces_what_ends_first() {
        let names = Names::default();
        let now = Instant::now();
        for number in 0..MOST_KEPT + 100 {
            let until = now + Duration::from_secs(number as u64);
            names.keep(&number.to_string(), &Rc::new(Known { addresses: vec![], until, is_asked: Cell::new(false) }));
        }
        let known = names.known.borrow();
        assert_eq!(known.len(), MOST_KEPT);
        assert!((100..MOST_KEPT + 100).all(|number| known.contains_key(&number.to_string())));
    }
}
