//! Upstreams by name, with a name server that answers what the test tells it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use serde_json::json;
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::sleep;
use tollgate::proxy::Settings;

use crate::house::{Client, House, Reply, configured, run};

/// What is said of a name.
#[derive(Clone)]
enum Said {
    /// These addresses, for so many seconds.
    Addresses(Vec<IpAddr>, u32),
    Alias(&'static str),
    Code(ResponseCode),
    Silence,
}

/// What a name server says, and how often it was asked for addresses of IPv4.
#[derive(Default)]
struct Zone {
    said: RefCell<HashMap<String, Said>>,
    asked: RefCell<HashMap<String, usize>>,
    /// It answers later.
    is_holding: Cell<bool>,
}

impl Zone {
    fn say(&self, name: &str, said: Said) {
        self.said.borrow_mut().insert(format!("{name}."), said);
    }

    fn addresses(&self, name: &str, addresses: &[&str], seconds: u32) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.say(name, Said::Addresses(addresses, seconds));
    }

    fn asked(&self, name: &str) -> usize {
        self.asked.borrow().get(&format!("{name}.")).copied().unwrap_or(0)
    }

    fn answer(&self, asked: &[u8]) -> Option<Vec<u8>> {
        let mut message = Message::from_vec(asked).unwrap().into_response();
        let query = message.queries[0].clone();
        let (name, kind) = (query.name().clone(), query.query_type());
        let text = name.to_ascii().to_ascii_lowercase();
        if kind == RecordType::A {
            *self.asked.borrow_mut().entry(text.clone()).or_default() += 1;
        }
        match self.said.borrow().get(&text).cloned().unwrap_or(Said::Code(ResponseCode::NXDomain)) {
            Said::Silence => return None,
            Said::Code(code) => message.metadata.response_code = code,
            Said::Alias(target) => {
                let target = RData::CNAME(hickory_resolver::proto::rr::rdata::CNAME(Name::from_ascii(target).unwrap()));
                message.add_answer(Record::from_rdata(name, 1, target));
            }
            Said::Addresses(addresses, seconds) => {
                let data = addresses.into_iter().filter_map(|address| match (address, kind) {
                    (IpAddr::V4(address), RecordType::A) => Some(RData::A(address.into())),
                    (IpAddr::V6(address), RecordType::AAAA) => Some(RData::AAAA(address.into())),
                    _ => None,
                });
                message.add_answers(data.map(|data| Record::from_rdata(name.clone(), seconds, data)));
            }
        }
        Some(message.to_vec().unwrap())
    }
}

/// A name server on a free port.
async fn name_server() -> (Rc<Zone>, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let zone = Rc::new(Zone::default());
    let serving = Rc::clone(&zone);
    tokio::task::spawn_local(async move {
        let mut buffer = vec![0; 4096];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            while serving.is_holding.get() {
                sleep(Duration::from_millis(5)).await;
            }
            if let Some(answer) = serving.answer(&buffer[..length]) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    (zone, address)
}

/// An upstream that tells its own address and closes, so that each call makes a connection.
struct Upstream(tokio::task::JoinHandle<()>);

impl Upstream {
    fn new(listener: TcpListener) -> Self {
        Self(tokio::task::spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let text = stream.local_addr().unwrap().ip().to_string();
                let mut client = Client::new(stream);
                if client.request().await.is_some() {
                    let head =
                        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", text.len());
                    client.send(format!("{head}{text}").as_bytes()).await;
                }
            }
        }))
    }

    async fn at(address: &str, port: u16) -> Self {
        Self::new(TcpListener::bind((address, port)).await.unwrap())
    }

    /// Refuses connections from now on.
    async fn end(self) {
        self.0.abort();
        assert!(self.0.await.is_err());
    }
}

/// A gateway whose service is at `name`, its name server, and a port that is free on 127.0.0.1 to 127.0.0.3.
async fn house(name: &str) -> (House, Rc<Zone>, u16) {
    let (zone, server) = name_server().await;
    let port = loop {
        let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = first.local_addr().unwrap().port();
        let others = [TcpListener::bind(("127.0.0.2", port)).await, TcpListener::bind(("127.0.0.3", port)).await];
        if others.iter().all(Result::is_ok) {
            break port;
        }
    };
    let configuration = configured(SocketAddr::from(([127, 0, 0, 1], port)), json!({"host": name}), json!({}));
    let settings = Settings { dns_servers: vec![server], ..Settings::default() };
    (House::with(settings, configuration), zone, port)
}

async fn ask(house: &House) -> Reply {
    house.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await
}

/// Who answers a call; every call must be answered.
async fn who(house: &House) -> String {
    let reply = ask(house).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text()
}

#[test]
fn addresses_take_turns_and_one_that_refuses_waits_until_it_is_back() {
    run(async {
        let (house, zone, port) = house("many.test").await;
        zone.addresses("many.test", &["127.0.0.1", "127.0.0.2", "127.0.0.3"], 300);
        let (_first, _second) = (Upstream::at("127.0.0.1", port).await, Upstream::at("127.0.0.2", port).await);
        let mut counts = HashMap::<String, usize>::new();
        for _ in 0..12 {
            *counts.entry(who(&house).await).or_default() += 1;
        }
        assert!(counts.len() == 2 && counts.values().all(|count| *count >= 3), "{counts:?}");
        let _third = Upstream::at("127.0.0.3", port).await;
        while who(&house).await != "127.0.0.3" {
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(zone.asked("many.test"), 1, "good for 300 s");
        let three = [who(&house).await, who(&house).await, who(&house).await];
        assert!(
            ["127.0.0.1", "127.0.0.2", "127.0.0.3"].iter().all(|one| three.iter().any(|two| one == two)),
            "{three:?}"
        );
    });
}

#[test]
fn new_addresses_are_used_once_the_time_to_live_is_over_without_a_failed_call() {
    run(async {
        let (house, zone, port) = house("moving.test").await;
        zone.addresses("moving.test", &["127.0.0.1"], 1);
        let old = Upstream::at("127.0.0.1", port).await;
        let _new = Upstream::at("127.0.0.2", port).await;
        assert_eq!(who(&house).await, "127.0.0.1");
        zone.addresses("moving.test", &["127.0.0.2"], 1);
        assert_eq!(who(&house).await, "127.0.0.1", "as long as it was said");
        while who(&house).await != "127.0.0.2" {}
        old.end().await;
        for _ in 0..20 {
            assert_eq!(who(&house).await, "127.0.0.2");
        }
    });
}

#[test]
fn while_the_name_server_fails_the_old_addresses_serve() {
    run(async {
        for failing in [Said::Code(ResponseCode::ServFail), Said::Silence] {
            let (house, zone, port) = house("kept.test").await;
            zone.addresses("kept.test", &["127.0.0.1"], 1);
            let old = Upstream::at("127.0.0.1", port).await;
            let _new = Upstream::at("127.0.0.2", port).await;
            assert_eq!(who(&house).await, "127.0.0.1");
            zone.say("kept.test", failing);
            let asked = zone.asked("kept.test");
            while zone.asked("kept.test") == asked {
                assert_eq!(who(&house).await, "127.0.0.1");
            }
            for _ in 0..20 {
                assert_eq!(who(&house).await, "127.0.0.1", "asked again, and not answered");
            }
            zone.addresses("kept.test", &["127.0.0.2"], 300);
            while who(&house).await != "127.0.0.2" {
                sleep(Duration::from_millis(20)).await;
            }
            old.end().await;
        }
    });
}

#[test]
fn a_name_that_is_not_known_is_a_503_until_it_is() {
    run(async {
        let (house, zone, port) = house("late.test").await;
        let _upstream = Upstream::at("127.0.0.1", port).await;
        let reply = ask(&house).await;
        assert_eq!(reply.status, 503);
        assert!(reply.text().contains("name resolution failed"), "{}", reply.text());
        zone.say("late.test", Said::Code(ResponseCode::ServFail));
        assert_eq!(ask(&house).await.status, 503);
        zone.addresses("late.test", &[], 300);
        assert_eq!(ask(&house).await.status, 503, "a name without addresses");
        zone.addresses("late.test", &["127.0.0.1"], 300);
        assert_eq!(who(&house).await, "127.0.0.1");
    });
}

#[test]
fn calls_that_wait_for_one_name_ask_once_and_fare_alike() {
    run(async {
        let (house, zone, port) = house("busy.test").await;
        let _upstream = Upstream::at("127.0.0.1", port).await;
        for (said, status) in [(None, 503), (Some("127.0.0.1"), 200)] {
            if let Some(address) = said {
                zone.addresses("busy.test", &[address], 300);
            }
            let before = zone.asked("busy.test");
            zone.is_holding.set(true);
            let calls = join_all((0..20).map(|_| ask(&house)));
            let release = async {
                sleep(Duration::from_millis(200)).await;
                zone.is_holding.set(false);
            };
            let (replies, ()) = tokio::join!(calls, release);
            assert!(replies.iter().all(|reply| reply.status == status), "{}", replies[0].text());
            assert_eq!(zone.asked("busy.test") - before, 1);
        }
    });
}

#[test]
fn an_alias_leads_to_the_addresses_of_what_it_names() {
    run(async {
        let (house, zone, port) = house("alias.test").await;
        let _upstream = Upstream::at("127.0.0.2", port).await;
        zone.say("alias.test", Said::Alias("true.test."));
        zone.addresses("true.test", &["127.0.0.2"], 300);
        assert_eq!(who(&house).await, "127.0.0.2");
    });
}

#[test]
fn an_alias_of_itself_is_a_503() {
    run(async {
        let (house, zone, _) = house("loop.test").await;
        zone.say("loop.test", Said::Alias("loop.test."));
        assert_eq!(ask(&house).await.status, 503);
    });
}

#[test]
fn a_name_may_have_an_address_of_ipv6_only() {
    run(async {
        let (house, zone, port) = house("six.test").await;
        let _upstream = Upstream::at("::1", port).await;
        zone.addresses("six.test", &["::1"], 300);
        assert_eq!(who(&house).await, "::1");
    });
}
