//! What a node knows of the bus, and until when that lets it answer from memory.

use std::collections::VecDeque;
use std::time::Duration;

use super::Moment;
use crate::cache::redis::epoch::{Epoch, Seq};

/// Answers of renewals that are waiting for their events; more are not needed, the older ones run out sooner.
const MOST_PENDING: usize = 16;

/// How long a node may go on without hearing.
#[derive(Clone, Copy, Debug)]
pub(in crate::cache::redis) struct Terms {
    /// Without an answer from Redis.
    pub lease: Duration,
    /// Without finding its row in the roster.
    pub roster: Duration,
}

impl Terms {
    /// How often the row is looked at: soon enough for a publisher that cannot reach Redis to be heard this way.
    fn confirmation(self) -> Duration {
        (self.lease / 2).min(self.roster / 4)
    }
}

/// How far a node has come into an epoch. It trusts its memory in the last stage only, and every way there leads
/// through all of them: the row is written, *then* the bus is read, *then* everything is forgotten, *then* something
/// may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// In none. The roster must learn that this node trusts nothing.
    Out,
    /// The roster must learn that this node goes by this epoch.
    Entering(Epoch),
    /// What the bus still holds must be read.
    Loading(Epoch),
    /// The caches must be emptied: waits for that delivery to be applied.
    Settling {
        epoch: Epoch,
        ticket: u64,
    },
    In(Epoch),
}

/// What the node has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cache::redis) enum Want {
    Nothing,
    /// Write the row, under a number higher than any before.
    Row {
        epoch: Option<Epoch>,
        turn: u64,
    },
    /// See whether the row is still as written, and its epoch still open.
    Confirm {
        turn: u64,
    },
    Load(Epoch),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cache::redis) enum Heard {
    /// The next one: it must be recorded and delivered.
    Next,
    /// Known already, or of a history that this node has not settled in.
    Ignored,
    /// Some are missing: the bus must be read anew.
    Gap,
    /// Of another epoch: ask Redis which one it is.
    Foreign,
}

#[derive(Debug)]
pub(in crate::cache::redis) struct Follower {
    terms: Terms,
    stage: Stage,
    /// Number of the row that is written or to be written.
    turn: u64,
    /// Whether the roster is known to say that this node trusts nothing.
    is_signed_off: bool,
    /// Only epochs of a higher generation may be entered: the roster knows this one.
    floor: u64,
    last_renewed: Moment,
    confirmed: Moment,
    received: Seq,
    applied: Seq,
    /// Deliveries under way: ticket, epoch, and how far the bus is known once it is applied.
    deliveries: VecDeque<(u64, Epoch, Seq)>,
    next_ticket: u64,
    /// Renewals whose answer named events that are not applied yet: when it was sent, and the last event then.
    pending: VecDeque<(Moment, Seq)>,
    fresh_until: Moment,
}

impl Follower {
    pub fn new(terms: Terms) -> Self {
        let zero = Moment::default();
        Self {
            terms,
            stage: Stage::Out,
            turn: 1,
            is_signed_off: false,
            floor: 0,
            last_renewed: zero,
            confirmed: zero,
            received: 0,
            applied: 0,
            deliveries: VecDeque::new(),
            next_ticket: 1,
            pending: VecDeque::new(),
            fresh_until: zero,
        }
    }

    /// Until when what the node remembers may be trusted; the past: not now.
    pub fn fresh_until(&self) -> Moment {
        match self.stage {
            Stage::In(_) => self.fresh_until.min(self.confirmed + self.terms.roster),
            Stage::Out | Stage::Entering(_) | Stage::Loading(_) | Stage::Settling { .. } => Moment::default(),
        }
    }

    /// The epoch the node goes by, and the last event it has heard of there.
    pub fn received(&self) -> Option<(Epoch, Seq)> {
        match self.stage {
            Stage::In(epoch) | Stage::Settling { epoch, .. } => Some((epoch, self.received)),
            Stage::Out | Stage::Entering(_) | Stage::Loading(_) => None,
        }
    }

    /// The epoch the node goes by, and the last event that all of it has obeyed.
    pub fn applied(&self) -> Option<(Epoch, Seq)> {
        match self.stage {
            Stage::In(epoch) => Some((epoch, self.applied)),
            Stage::Out | Stage::Entering(_) | Stage::Loading(_) | Stage::Settling { .. } => None,
        }
    }

    /// What the generation of the bus's epoch must exceed, or Redis must begin another.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    pub fn want(&self, now: Moment) -> Want {
        match self.stage {
            Stage::Out if self.is_signed_off => Want::Nothing,
            Stage::Out => Want::Row { epoch: None, turn: self.turn },
            Stage::Entering(epoch) => Want::Row { epoch: Some(epoch), turn: self.turn },
            Stage::Loading(epoch) => Want::Load(epoch),
            Stage::Settling { .. } => Want::Nothing,
            Stage::In(_) if now >= self.confirmed + self.terms.confirmation() => Want::Confirm { turn: self.turn },
            Stage::In(_) => Want::Nothing,
        }
    }

    /// A renewal that was sent at `sent` was answered: the epoch of the bus, and its last event.
    pub fn renewed(&mut self, sent: Moment, epoch: Epoch, head: Seq) {
        self.last_renewed = self.last_renewed.max(sent);
        match self.stage {
            Stage::In(known) if known == epoch => {
                self.pending.push_back((sent, head));
                if self.pending.len() > MOST_PENDING {
                    self.pending.pop_front();
                }
                self.settle();
                self.resume_if_stuck();
            }
            Stage::Entering(known) | Stage::Loading(known) if known == epoch => {}
            Stage::Settling { epoch: known, .. } if known == epoch => {}
            _ if epoch.generation() > self.floor => self.enter(epoch),
            _ => {}
        }
    }

    /// An event arrived.
    pub fn heard(&mut self, epoch: Epoch, seq: Seq) -> Heard {
        let known = match self.stage {
            Stage::In(known) | Stage::Settling { epoch: known, .. } => known,
            Stage::Entering(known) | Stage::Loading(known) if known == epoch => return Heard::Ignored,
            Stage::Out | Stage::Entering(_) | Stage::Loading(_) => return Heard::Foreign,
        };
        if epoch != known {
            return Heard::Foreign;
        }
        if seq <= self.received {
            return Heard::Ignored;
        }
        if seq == self.received + 1 {
            self.received = seq;
            return Heard::Next;
        }
        self.reload(known);
        Heard::Gap
    }

    /// What was heard up to now is handed over to be obeyed, under this ticket. `None`: the node settles in no epoch.
    pub fn deliver(&mut self) -> Option<u64> {
        let (epoch, seq) = self.received()?;
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.deliveries.push_back((ticket, epoch, seq));
        Some(ticket)
    }

    /// Everything handed over up to this ticket has been obeyed by all of the node.
    pub fn obeyed(&mut self, ticket: u64) {
        while let Some((of, epoch, seq)) = self.deliveries.front().copied()
            && of <= ticket
        {
            self.deliveries.pop_front();
            match self.stage {
                Stage::In(known) if known == epoch => self.applied = self.applied.max(seq),
                Stage::Settling { epoch: known, ticket } if known == epoch && ticket == of => {
                    (self.stage, self.applied) = (Stage::In(epoch), seq);
                }
                _ => {}
            }
        }
        self.settle();
    }

    /// The row with this number was written; `sent`: before that was asked for.
    pub fn row_written(&mut self, epoch: Option<Epoch>, turn: u64, sent: Moment) {
        match (self.stage, epoch) {
            (Stage::Entering(wanted), Some(written)) if wanted == written && turn == self.turn => {
                self.confirmed = sent;
                self.stage = Stage::Loading(wanted);
            }
            (Stage::Out, None) if turn == self.turn => self.is_signed_off = true,
            _ => {}
        }
    }

    /// The row with this number was not written: its epoch is over, and so is every one up to this generation.
    pub fn row_refused(&mut self, turn: u64, generation: u64) {
        if let Stage::Entering(_) = self.stage
            && turn == self.turn
        {
            self.floor = self.floor.max(generation);
            self.leave();
        }
    }

    /// The roster was asked at `sent` whether the row with this number stands and its epoch is open.
    pub fn row_confirmed(&mut self, turn: u64, stands: bool, sent: Moment) {
        if turn != self.turn {
            return;
        }
        match self.stage {
            Stage::Out => {}
            _ if stands => self.confirmed = self.confirmed.max(sent),
            // Somebody thought this node dead, or its epoch over, and may have gone on without it.
            _ => self.leave(),
        }
    }

    /// What the bus holds was read up to event `top`. True: everything must be forgotten now; the ticket that
    /// [`Follower::deliver`] gives next stands for that.
    pub fn loaded(&mut self, epoch: Epoch, top: Seq) -> bool {
        if self.stage != Stage::Loading(epoch) {
            return false;
        }
        self.received = top;
        self.stage = Stage::Settling { epoch, ticket: self.next_ticket };
        true
    }

    /// Time has passed. A node that has not heard from Redis for a lease leaves its epoch, so that publishers need not
    /// wait for it.
    pub fn tick(&mut self, now: Moment) {
        if self.stage != Stage::Out && now > self.last_renewed + self.terms.lease {
            self.leave();
        }
    }

    /// The bus is of no use as it is: an event that should be there does not come.
    fn resume_if_stuck(&mut self) {
        let Stage::In(epoch) = self.stage else { return };
        let is_stuck = self
            .pending
            .front()
            .is_some_and(|(sent, head)| *head > self.received && self.last_renewed > *sent + self.terms.lease);
        if is_stuck {
            self.reload(epoch);
        }
    }

    /// What was known when a renewal was sent is obeyed: from then on counts the lease.
    fn settle(&mut self) {
        let Stage::In(_) = self.stage else { return };
        while let Some((sent, head)) = self.pending.front().copied()
            && head <= self.applied
        {
            self.pending.pop_front();
            self.fresh_until = self.fresh_until.max(sent + self.terms.lease);
        }
    }

    fn enter(&mut self, epoch: Epoch) {
        self.stop_trusting();
        self.turn += 1;
        self.stage = Stage::Entering(epoch);
    }

    fn leave(&mut self) {
        self.stop_trusting();
        self.turn += 1;
        self.is_signed_off = false;
        self.stage = Stage::Out;
    }

    fn reload(&mut self, epoch: Epoch) {
        self.stop_trusting();
        self.stage = Stage::Loading(epoch);
    }

    fn stop_trusting(&mut self) {
        self.pending.clear();
        self.fresh_until = Moment::default();
    }
}
