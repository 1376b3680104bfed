//! A cluster that keeps the promise, in memory: clients act at the same time, nodes hear of things at different moments,
//! answers get lost, and all of it follows from one number.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::checker::{Rules, SECOND};
use crate::history::{Event, Id, Micros, Op, Outcome, Pair, Target};

pub const RULES: Rules = Rules { lease: 2 * SECOND, margin: SECOND, grace: 2 * SECOND, longest_revocation: 3 * SECOND };

const NODES: usize = 3;
const CLIENTS: usize = 6;
const SETTING: Id = 1;
const NEVER: Micros = Micros::MAX;

/// From when on each node goes by something.
type Heard = [Micros; NODES];

struct Rotated {
    at: Micros,
    pair: Pair,
}

#[derive(Default)]
struct Family {
    code_used: bool,
    /// Refresh tokens, each with its access token and what became of it.
    members: HashMap<Id, (Id, Option<Rotated>)>,
    ended: bool,
}

/// A moment of an operation of a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Begin,
    Effect,
    End,
}

#[derive(Clone)]
struct Flight {
    event: Event,
    /// The answer gets lost on its way.
    loses_answer: bool,
}

pub struct Model {
    rng: StdRng,
    next: Id,
    agenda: BinaryHeap<Reverse<(Micros, usize, Moment)>>,
    flights: Vec<Option<Flight>>,
    /// What the clients were told of, and may use.
    tokens: Vec<Id>,
    codes: Vec<Id>,
    refreshes: Vec<Id>,
    subjects: Vec<Id>,
    /// The truth.
    owners: HashMap<Id, Id>,
    ended: HashMap<Id, Heard>,
    families: HashMap<Id, Family>,
    family_of: HashMap<Id, Id>,
    version: u64,
    seen_from: Vec<Heard>,
    events: Vec<Event>,
}

/// A history of so many moments.
pub fn history(seed: u64, moments: usize) -> Vec<Event> {
    let mut model = Model {
        rng: StdRng::seed_from_u64(seed),
        next: 100,
        agenda: BinaryHeap::new(),
        flights: vec![None; CLIENTS],
        tokens: Vec::new(),
        codes: Vec::new(),
        refreshes: Vec::new(),
        subjects: vec![10, 11, 12],
        owners: HashMap::new(),
        ended: HashMap::new(),
        families: HashMap::new(),
        family_of: HashMap::new(),
        version: 0,
        seen_from: vec![[0; NODES]],
        events: Vec::new(),
    };
    for client in 0..CLIENTS {
        model.agenda.push(Reverse((client as Micros, client, Moment::Begin)));
    }
    for _ in 0..moments {
        let Reverse((now, client, moment)) = model.agenda.pop().expect("every client has a next moment");
        model.act(now, client, moment);
    }
    // What is under way is recorded too: it may have had its effect, and others have seen that.
    while let Some(Reverse((now, client, moment))) = model.agenda.pop() {
        if moment != Moment::Begin {
            model.act(now, client, moment);
        }
    }
    model.events
}

impl Model {
    fn act(&mut self, now: Micros, client: usize, moment: Moment) {
        let soon = |rng: &mut StdRng| now + 1 + rng.random_range(0..SECOND / 4);
        let next = match moment {
            Moment::Begin => {
                self.flights[client] = Some(self.choose(now, client));
                Moment::Effect
            }
            Moment::Effect => {
                let mut flight = self.flights[client].take().expect("it has begun");
                self.take_effect(now, &mut flight);
                self.flights[client] = Some(flight);
                Moment::End
            }
            Moment::End => {
                let flight = self.flights[client].take().expect("it has begun");
                self.answer(now, flight);
                Moment::Begin
            }
        };
        let at = soon(&mut self.rng);
        self.agenda.push(Reverse((at, client, next)));
    }

    fn new_id(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    fn any(&mut self, of: fn(&Self) -> &Vec<Id>) -> Option<Id> {
        let count = of(self).len();
        (count > 0).then(|| self.rng.random_range(0..count)).map(|at| of(self)[at])
    }

    fn choose(&mut self, now: Micros, client: usize) -> Flight {
        let op = loop {
            let chosen = match self.rng.random_range(0..20) {
                // One writer, as in a run.
                0 | 1 if client == 0 => Some(Op::Change { item: SETTING, version: self.version + 1 }),
                0..4 => Some(Op::See { item: SETTING, version: None }),
                4..6 => {
                    self.any(|model| &model.subjects).map(|of| Op::Issue { token: None, of: vec![of], lives: NEVER })
                }
                6 => {
                    let code = self.new_id();
                    self.codes.push(code);
                    None
                }
                7 | 8 => self.any(|model| &model.codes).map(|code| Op::Redeem { code, pair: None }),
                9 | 10 => self.any(|model| &model.refreshes).map(|refresh| Op::Rotate { refresh, pair: None }),
                11 if self.rng.random_bool(0.1) => {
                    self.any(|model| &model.subjects).map(|subject| Op::Revoke { of: Target::Token, subject })
                }
                11 | 12 => self.any(|model| &model.tokens).map(|subject| Op::Revoke { of: Target::Token, subject }),
                _ => self.any(|model| &model.tokens).map(|token| Op::Call { token }),
            };
            if let Some(op) = chosen {
                break op;
            }
        };
        let node = self.rng.random_range(0..NODES);
        let event = Event { node, op, begin: now, end: now, outcome: Outcome::Done };
        Flight { event, loses_answer: self.rng.random_bool(0.1) }
    }

    fn take_effect(&mut self, now: Micros, flight: &mut Flight) {
        if flight.loses_answer && self.rng.random_bool(0.5) {
            flight.event.outcome = Outcome::Unsent;
            return;
        }
        let node = flight.event.node;
        let good = match flight.event.op.clone() {
            Op::Issue { of, .. } => {
                let is_good = !self.ended.contains_key(&of[0]);
                let token = self.new_id();
                self.owners.insert(token, of[0]);
                flight.event.op = Op::Issue { token: is_good.then_some(token), of, lives: NEVER };
                is_good
            }
            Op::Call { token } => !self.is_over(token, node, now),
            Op::Revoke { subject, .. } => {
                self.end(subject, now, flight.loses_answer);
                true
            }
            Op::Redeem { code, .. } => {
                let pair = self.redeem(code);
                flight.event.op = Op::Redeem { code, pair };
                pair.is_some()
            }
            Op::Rotate { refresh, .. } => {
                let pair = self.rotate(refresh, now, flight.loses_answer);
                flight.event.op = Op::Rotate { refresh, pair };
                pair.is_some()
            }
            Op::Change { version, .. } => {
                self.version = version;
                // Nodes hear of it one after the other, but never of a newer version before an older one.
                let before = self.seen_from.last().copied().unwrap_or_default();
                let lag = std::array::from_fn(|node| before[node].max(now + self.rng.random_range(0..RULES.lease)));
                self.seen_from.push(lag);
                true
            }
            Op::See { item, .. } => {
                let version = self.seen_from.iter().rposition(|heard| heard[node] <= now).unwrap_or(0) as u64;
                flight.event.op = Op::See { item, version: Some(version) };
                true
            }
            Op::Ready => true,
        };
        flight.event.outcome = if good { Outcome::Done } else { Outcome::Refused };
    }

    /// An answered end holds everywhere at once; of one that nobody was told of, nodes hear within the lease.
    fn end(&mut self, subject: Id, now: Micros, loses_answer: bool) {
        let lag: Heard = std::array::from_fn(|_| match loses_answer {
            true => now + self.rng.random_range(0..RULES.lease),
            false => now,
        });
        let known = self.ended.entry(subject).or_insert([NEVER; NODES]);
        *known = std::array::from_fn(|node| known[node].min(lag[node]));
    }

    fn is_over(&self, token: Id, node: usize, now: Micros) -> bool {
        let heard = |name: &Id| self.ended.get(name).is_some_and(|heard| heard[node] <= now);
        let family = self.family_of.get(&token);
        let has_ended = family.is_some_and(|family| self.families[family].ended);
        has_ended || heard(&token) || self.owners.get(&token).is_some_and(heard)
    }

    fn new_pair(&mut self, family: Id) -> Pair {
        let pair = Pair { access: self.new_id(), refresh: self.new_id() };
        self.family_of.insert(pair.access, family);
        self.family_of.insert(pair.refresh, family);
        self.families.get_mut(&family).expect("it was begun").members.insert(pair.refresh, (pair.access, None));
        pair
    }

    fn redeem(&mut self, code: Id) -> Option<Pair> {
        let family = self.families.entry(code).or_default();
        if family.code_used {
            family.ended = true;
            return None;
        }
        family.code_used = true;
        Some(self.new_pair(code))
    }

    fn rotate(&mut self, refresh: Id, now: Micros, loses_answer: bool) -> Option<Pair> {
        let root = self.family_of[&refresh];
        let family = self.families.get_mut(&root).expect("it was begun");
        let (access, rotated) = family.members.get(&refresh).expect("it is a member");
        let access = *access;
        match rotated {
            _ if family.ended => None,
            Some(rotated) if now <= rotated.at + RULES.grace => {
                let pair = rotated.pair;
                // The answer says that the old pair is replaced, so it also completes what an earlier try began.
                self.end(access, now, loses_answer);
                let is_live = !self.ended.contains_key(&pair.access);
                is_live.then_some(pair)
            }
            Some(_) => {
                family.ended = true;
                None
            }
            None if self.ended.contains_key(&access) => None,
            None => {
                let pair = self.new_pair(root);
                let members = &mut self.families.get_mut(&root).expect("it was begun").members;
                members.insert(refresh, (access, Some(Rotated { at: now, pair })));
                self.end(access, now, loses_answer);
                Some(pair)
            }
        }
    }

    fn answer(&mut self, now: Micros, Flight { mut event, loses_answer }: Flight) {
        event.end = now;
        if loses_answer && event.outcome != Outcome::Unsent {
            event.outcome = if self.rng.random_bool(0.5) { Outcome::Unknown } else { Outcome::Failed };
            match &mut event.op {
                Op::Issue { token, .. } => *token = None,
                Op::Redeem { pair, .. } | Op::Rotate { pair, .. } => *pair = None,
                Op::See { version, .. } => *version = None,
                _ => {}
            }
        }
        match event.op {
            Op::Issue { token: Some(token), .. } => self.tokens.push(token),
            Op::Redeem { pair: Some(pair), .. } | Op::Rotate { pair: Some(pair), .. } => {
                self.tokens.push(pair.access);
                self.refreshes.push(pair.refresh);
            }
            // A client that is gone gets no more tokens asked for.
            Op::Revoke { subject, .. } if self.subjects.len() > 1 => self.subjects.retain(|known| *known != subject),
            _ => {}
        }
        self.events.push(event);
    }
}
