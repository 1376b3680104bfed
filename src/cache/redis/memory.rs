//! What a node has heard on the bus, kept to judge by it what others have left in Redis.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use uuid::Uuid;

use super::epoch::{Epoch, Position, Seq};
use super::event::Event;
use crate::domain::{TokenDigest, TokenView};

/// What an event about tokens is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Token(TokenDigest),
    TokenRow(Uuid),
    Family(Uuid),
    Credential(Uuid),
    Consumer(Uuid),
    Service(Uuid),
    Grants(Uuid, Uuid),
    /// By a hash: what two users share by chance is believed less, never more.
    User(u64),
    Named(u64),
}

impl Subject {
    fn user(authenticated_userid: &str) -> Self {
        Self::User(hash(authenticated_userid))
    }

    fn named(name: &str) -> Self {
        Self::Named(hash(name))
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Which position of the bus a value shows the database at.
///
/// Its writer had heard of everything up to there *before* it asked the database. Every event is published after its commit, so a value can only be out of date by an event that
/// comes after its stamp.
pub type Stamp = Position;

/// The events since the horizon, by what they are about. Bounded: the oldest are given up, and the horizon moves on.
#[derive(Debug)]
pub struct Memory {
    position: Option<Position>,
    /// Events after this one are all known.
    horizon: Seq,
    subjects: HashMap<Subject, Seq>,
    order: VecDeque<(Seq, Subject)>,
    /// The last event that was about everything, and the last about everything unknown.
    everything: Seq,
    unknowns: Seq,
    capacity: usize,
}

impl Memory {
    pub fn new(capacity: usize) -> Self {
        let (subjects, order) = (HashMap::new(), VecDeque::new());
        Self { position: None, horizon: 0, subjects, order, everything: 0, unknowns: 0, capacity }
    }

    /// What was heard last; `None` while nothing can be relied on.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Knows nothing any more.
    pub fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    /// Begins anew in `epoch`, of which every event after `horizon` will be recorded.
    pub fn begin(&mut self, epoch: Epoch, horizon: Seq) {
        self.clear();
        self.horizon = horizon;
        self.position = Some(Position { epoch, seq: horizon });
    }

    /// Begins anew from what the bus still holds of `epoch`: its last event, and older ones in order, of which only
    /// those that lead up to the last without a gap are of use.
    pub fn restore(&mut self, epoch: Epoch, top: Seq, held: &[(Seq, Event)]) {
        let mut horizon = top;
        for (seq, _) in held.iter().rev().skip_while(|(seq, _)| *seq > top) {
            if *seq != horizon {
                break;
            }
            horizon -= 1;
        }
        self.begin(epoch, horizon);
        for (seq, event) in held.iter().filter(|(seq, _)| (horizon + 1..=top).contains(seq)) {
            self.record(*seq, event);
        }
    }

    /// Records the next event.
    pub fn record(&mut self, seq: Seq, event: &Event) {
        if let Some(position) = &mut self.position {
            position.seq = seq;
        }
        let subject = match event {
            Event::Token(digest) | Event::Learn(digest) => Subject::Token(*digest),
            Event::TokenRow(id) => Subject::TokenRow(*id),
            Event::Family(id) => Subject::Family(*id),
            Event::Credential(id) => Subject::Credential(*id),
            Event::Consumer(id) => Subject::Consumer(*id),
            Event::Service(id) => Subject::Service(*id),
            Event::Grants { consumer, service } => Subject::Grants(*consumer, *service),
            Event::User(user) => Subject::user(user),
            Event::Named(name) => Subject::named(name),
            Event::Everything => return self.everything = seq,
            Event::Unknowns => return self.unknowns = seq,
            // How consumers stand, and the configuration, are no part of what is kept in Redis.
            Event::Standing(_) | Event::Configuration => return,
        };
        self.subjects.insert(subject, seq);
        self.order.push_back((seq, subject));
        if self.order.len() > self.capacity
            && let Some((oldest, subject)) = self.order.pop_front()
        {
            if self.subjects.get(&subject) == Some(&oldest) {
                self.subjects.remove(&subject);
            }
            self.horizon = self.horizon.max(oldest);
        }
    }

    /// Whether a view with this stamp is what the database says, as far as this node has heard.
    pub fn believes(&self, digest: TokenDigest, view: &TokenView, stamp: Stamp) -> bool {
        let consumer = view.consumer.id;
        self.covers(stamp)
            && self.is_untouched(Subject::Token(digest), stamp)
            && self.is_untouched(Subject::TokenRow(view.id), stamp)
            && self.is_untouched(Subject::Family(view.family_id), stamp)
            && self.is_untouched(Subject::Credential(view.credential_id), stamp)
            && self.is_untouched(Subject::Consumer(consumer), stamp)
            && self.is_untouched(Subject::named(&view.client_id), stamp)
            && view.consumer.username.as_deref().is_none_or(|name| self.is_untouched(Subject::named(name), stamp))
            && view.service_id.is_none_or(|service| {
                self.is_untouched(Subject::Service(service), stamp)
                    && self.is_untouched(Subject::Grants(consumer, service), stamp)
            })
            && view.authenticated_userid.as_deref().is_none_or(|user| self.is_untouched(Subject::user(user), stamp))
    }

    /// Whether "there is no such token" with this stamp still holds, as far as this node has heard.
    pub fn believes_unknown(&self, digest: TokenDigest, stamp: Stamp) -> bool {
        self.covers(stamp) && stamp.seq >= self.unknowns && self.is_untouched(Subject::Token(digest), stamp)
    }

    fn covers(&self, stamp: Stamp) -> bool {
        let is_of_now = self.position.is_some_and(|position| position.epoch == stamp.epoch);
        is_of_now && stamp.seq >= self.horizon && stamp.seq >= self.everything
    }

    fn is_untouched(&self, subject: Subject, stamp: Stamp) -> bool {
        self.subjects.get(&subject).is_none_or(|touched| stamp.seq >= *touched)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Consumer, Timestamp};

    const EPOCH: Epoch = Epoch::new(1, 1);
    const DIGEST: TokenDigest = TokenDigest([1; 32]);

    pub fn view() -> TokenView {
        let id = Uuid::from_u128;
        TokenView {
            id: id(1),
            credential_id: id(2),
            family_id: id(5),
            client_id: "client".into(),
            consumer: Arc::new(Consumer { id: id(3), username: Some("ann".to_owned()), custom_id: None }),
            service_id: Some(id(4)),
            scope: Some("read write".into()),
            authenticated_userid: Some("kim".to_owned()),
            created_at: Timestamp::from_seconds(1_000),
            expires_in: 3600,
            expires_at: None,
        }
    }

    fn stamp(seq: Seq) -> Stamp {
        Stamp { epoch: EPOCH, seq }
    }

    fn memory() -> Memory {
        let mut memory = Memory::new(100);
        memory.begin(EPOCH, 0);
        memory
    }

    #[test]
    fn every_event_about_a_token_makes_older_views_of_it_unbelievable() {
        let id = Uuid::from_u128;
        let about_it = [
            Event::Token(DIGEST),
            Event::TokenRow(id(1)),
            Event::Family(id(5)),
            Event::Credential(id(2)),
            Event::Consumer(id(3)),
            Event::Service(id(4)),
            Event::Grants { consumer: id(3), service: id(4) },
            Event::User("kim".to_owned()),
            Event::Named("ann".to_owned()),
            Event::Named("client".to_owned()),
            Event::Everything,
        ];
        for event in about_it {
            let mut memory = memory();
            memory.record(1, &Event::Configuration);
            assert!(memory.believes(DIGEST, &view(), stamp(0)), "{event:?}");
            memory.record(2, &event);
            assert!(!memory.believes(DIGEST, &view(), stamp(1)), "{event:?}");
            assert!(memory.believes(DIGEST, &view(), stamp(2)), "{event:?}");
        }
    }

    #[test]
    fn events_about_others_change_nothing() {
        let id = Uuid::from_u128;
        let mut memory = memory();
        let others = [
            Event::Token(TokenDigest([2; 32])),
            Event::TokenRow(id(9)),
            Event::Family(id(1)),
            Event::Credential(id(1)),
            Event::Consumer(id(2)),
            Event::Service(id(3)),
            Event::Grants { consumer: id(4), service: id(3) },
            Event::Standing(id(3)),
            Event::User("ann".to_owned()),
            Event::Unknowns,
        ];
        for (seq, event) in (1..).zip(&others) {
            memory.record(seq, event);
        }
        assert!(memory.believes(DIGEST, &view(), stamp(0)));
        let global = TokenView { service_id: None, ..view() };
        memory.record(20, &Event::Service(id(4)));
        assert!(memory.believes(DIGEST, &global, stamp(0)));
    }

    #[test]
    fn what_was_unknown_is_believed_until_something_may_exist() {
        let mut memory = memory();
        assert!(memory.believes_unknown(DIGEST, stamp(0)));
        memory.record(1, &Event::Learn(TokenDigest([2; 32])));
        assert!(memory.believes_unknown(DIGEST, stamp(0)));
        memory.record(2, &Event::Learn(DIGEST));
        assert!(!memory.believes_unknown(DIGEST, stamp(1)));
        memory.record(3, &Event::Unknowns);
        assert!(!memory.believes_unknown(DIGEST, stamp(2)));
        assert!(memory.believes_unknown(DIGEST, stamp(3)));
    }

    #[test]
    fn nothing_of_another_epoch_and_nothing_beyond_the_horizon_is_believed() {
        let mut memory = Memory::new(2);
        assert!(!memory.believes(DIGEST, &view(), stamp(5)), "no epoch yet");
        memory.begin(EPOCH, 4);
        assert!(!memory.believes(DIGEST, &view(), stamp(3)));
        assert!(memory.believes(DIGEST, &view(), stamp(4)));
        assert!(!memory.believes(DIGEST, &view(), Stamp { epoch: Epoch::new(1, 2), seq: 4 }));
        for seq in 5..=7 {
            memory.record(seq, &Event::TokenRow(Uuid::from_u128(u128::from(seq) << 8)));
        }
        assert!(!memory.believes(DIGEST, &view(), stamp(4)), "event 5 was given up");
        assert!(memory.believes(DIGEST, &view(), stamp(5)));
        memory.clear();
        assert!(!memory.believes(DIGEST, &view(), stamp(7)));
    }

    #[test]
    fn what_is_restored_reaches_back_to_the_first_gap() {
        let held: Vec<(Seq, Event)> = [1, 2, 4, 5, 6].map(|seq| (seq, Event::Configuration)).to_vec();
        let reach = |top: Seq, held: &[(Seq, Event)]| {
            let mut memory = Memory::new(100);
            memory.restore(EPOCH, top, held);
            (memory.horizon, memory.position().unwrap().seq)
        };
        assert_eq!(reach(6, &held), (3, 6));
        assert_eq!(reach(5, &held), (3, 5), "what came after the head will be heard again");
        assert_eq!(reach(2, &held), (0, 2));
        assert_eq!(reach(7, &held), (7, 7), "the last event itself is missing");
        assert_eq!(reach(9, &[]), (9, 9));
        assert_eq!(reach(0, &[]), (0, 0));
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::new(3);
        memory.begin(EPOCH, 0);
        for seq in 1..=1000 {
            memory.record(seq, &Event::Token(DIGEST));
        }
        assert_eq!((memory.subjects.len(), memory.order.len()), (1, 3));
        assert!(!memory.believes(DIGEST, &view(), stamp(999)));
        assert!(memory.believes(DIGEST, &view(), stamp(1000)));
    }
}
