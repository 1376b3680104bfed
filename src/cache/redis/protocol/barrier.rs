//! When a change is known everywhere: which nodes must still be waited for.

use std::collections::HashMap;
use std::time::Duration;

use super::Moment;
use super::seen::{NodeLine, Seen};
use crate::cache::redis::epoch::{Epoch, NodeId, Position};

/// A node's row in the roster (in the database).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub node: NodeId,
    /// The epoch it goes by; `None`: it trusts nothing that it remembers, and will write its row before it does.
    pub epoch: Option<Epoch>,
}

/// The roster, as one statement reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// The only epoch that nodes may enter as it is; every later one may be entered in its place. `None`: it was
    /// closed, so that no epoch of before may be entered again.
    pub open: Option<Epoch>,
    pub members: Vec<Member>,
}

/// An event that Redis has taken: where, and until when each node that had renewed before may be trusting without it.
#[derive(Debug)]
struct Publication {
    position: Position,
    /// When Redis had answered.
    replied: Moment,
    /// With the renewal that each counts from.
    deadlines: HashMap<NodeId, (u64, Moment)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cache::redis) enum Verdict {
    /// No node trusts anything from before the change, nor ever will.
    Known,
    /// Not yet. Time alone settles it at `until`, if it can.
    Waiting { until: Option<Moment>, nodes: Vec<NodeId> },
}

/// What one publisher knows of one change that is committed in the database.
#[derive(Debug)]
pub(in crate::cache::redis) struct Barrier {
    /// The lease of all nodes, with a margin for clocks that run at different speeds.
    lease: Duration,
    publications: Vec<Publication>,
    /// The latest roll, and how many publications had been answered before it was asked for.
    roll: Option<(usize, Roll)>,
    /// The highest generation in the first roll. Whoever is in a later epoch entered it after the change, and forgot
    /// everything once more after that.
    highest: u64,
}

/// How many publications there were when a roll was asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::cache::redis) struct Mark(usize);

impl Barrier {
    /// To be made after the commit.
    pub fn new(lease: Duration) -> Self {
        Self { lease, publications: Vec::new(), roll: None, highest: 0 }
    }

    /// Redis has taken the event, and answered at `replied` with the nodes it knew at that time.
    pub fn published(
        &mut self,
        position: Position,
        lines: &[NodeLine],
        seen: &mut Seen,
        asked: Moment,
        replied: Moment,
    ) {
        seen.lines(position.epoch, lines, asked, replied);
        let deadlines = seen.renewals().map(|(node, renewal, since)| (node, (renewal, since + self.lease))).collect();
        self.publications.push(Publication { position, replied, deadlines });
    }

    pub fn has_published(&self) -> bool {
        !self.publications.is_empty()
    }

    /// To be taken before the roster is asked for the roll.
    pub fn mark(&self) -> Mark {
        Mark(self.publications.len())
    }

    pub fn called(&mut self, Mark(mark): Mark, roll: Roll) {
        if self.roll.is_none() {
            let epochs = roll.open.into_iter().chain(roll.members.iter().filter_map(|member| member.epoch));
            self.highest = epochs.map(Epoch::generation).max().unwrap_or(0);
        }
        self.roll = Some((mark, roll));
    }

    /// The epoch that is open although the event was not published in it: it must be, or that epoch be closed.
    pub fn missed(&self) -> Option<Epoch> {
        let (mark, roll) = self.roll.as_ref()?;
        roll.open.filter(|open| !self.is_later(*open) && self.of_epoch(*mark, *open).next().is_none())
    }

    /// Whether nodes can have entered it only after the change.
    fn is_later(&self, epoch: Epoch) -> bool {
        self.roll.is_some() && epoch.generation() > self.highest
    }

    /// Whether the roll may have changed in a way that helps.
    pub fn wants_roll(&self) -> bool {
        let Some((mark, roll)) = &self.roll else { return true };
        let is_elsewhere = |epoch: Epoch| self.of_epoch(*mark, epoch).next().is_none();
        // Nobody stays in an epoch that is not open: who leaves it acknowledges nothing there any more.
        let may_leave = |epoch: Epoch| !self.is_later(epoch) && (roll.open != Some(epoch) || is_elsewhere(epoch));
        *mark < self.publications.len()
            || self.missed().is_some()
            || roll.members.iter().any(|member| member.epoch.is_some_and(may_leave))
    }

    pub fn verdict(&self, seen: &Seen, now: Moment) -> Verdict {
        let Some((mark, roll)) = &self.roll else { return Verdict::Waiting { until: None, nodes: Vec::new() } };
        let (mut until, mut nodes) = (Some(Moment::default()), Vec::new());
        for member in &roll.members {
            match self.stands(*mark, member, seen) {
                Standing::Knows => continue,
                Standing::KnowsAt(deadline) if now > deadline => continue,
                Standing::KnowsAt(deadline) => until = until.map(|latest| latest.max(deadline)),
                Standing::MayNot => until = None,
            }
            nodes.push(member.node);
        }
        match self.missed() {
            None if nodes.is_empty() => Verdict::Known,
            None => Verdict::Waiting { until, nodes },
            Some(_) => Verdict::Waiting { until: None, nodes },
        }
    }

    /// Whether every node goes by the configuration of this change, or lets no call through until it does. `began`: when
    /// the change was committed, or later.
    ///
    /// A node that was told and could not read it, for the database is away, goes on by the old one as long as its lease
    /// never ends in between: it must say that it has read it. One that was not told looks for itself, and stops when it
    /// could not for a lease.
    pub fn is_configured(&self, seen: &Seen, began: Moment, now: Moment) -> bool {
        let Some((mark, roll)) = &self.roll else { return false };
        let has_looked = now > began + self.lease;
        roll.members.iter().all(|member| {
            let Some(epoch) = member.epoch else { return has_looked };
            let is_over = |publication: &Publication| {
                publication.position.epoch.follows(epoch) && now > publication.replied + self.lease
            };
            // Whoever has entered since will read the configuration, but until it has it goes by when it last looked.
            (self.is_later(epoch) && has_looked)
                || self.publications[..*mark].iter().any(is_over)
                || self.of_epoch(*mark, epoch).any(|publication| {
                    let told = publication.deadlines.get(&member.node);
                    let (renewal, deadline) = (told.map(|told| told.0), told.map_or(began, |told| told.1));
                    let is_over = has_looked && seen.is_silent_since(member.node, renewal, deadline);
                    is_over || seen.is_configured(member.node, publication.position)
                })
        })
    }

    fn stands(&self, mark: usize, member: &Member, seen: &Seen) -> Standing {
        // Whoever trusts nothing forgets everything once more before it trusts; and the epoch it then enters is one
        // in which the event was published before, or one that began after the change.
        let Some(epoch) = member.epoch.filter(|epoch| !self.is_later(*epoch)) else { return Standing::Knows };
        // Where a later epoch of the same process has begun, nobody can have renewed in this one since.
        let is_over = |publication: &&Publication| publication.position.epoch.follows(epoch);
        let over = self.publications[..mark].iter().find(is_over).map(|publication| publication.replied + self.lease);
        let mut standing = over.map_or(Standing::MayNot, Standing::KnowsAt);
        for publication in self.of_epoch(mark, epoch) {
            if seen.has_obeyed(member.node, publication.position) {
                return Standing::Knows;
            }
            // A node that had not renewed cannot trust before it does, and by then it must have obeyed the event.
            let Some((_, deadline)) = publication.deadlines.get(&member.node) else { return Standing::Knows };
            standing = match standing {
                Standing::KnowsAt(sooner) if sooner < *deadline => standing,
                _ => Standing::KnowsAt(*deadline),
            };
        }
        standing
    }

    fn of_epoch(&self, mark: usize, epoch: Epoch) -> impl Iterator<Item = &Publication> {
        self.publications[..mark].iter().filter(move |publication| publication.position.epoch == epoch)
    }
}

/// Whether a member can no longer trust anything from before the change.
#[derive(Clone, Copy)]
enum Standing {
    Knows,
    KnowsAt(Moment),
    MayNot,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::cache::redis::epoch::Seq;
    use crate::cache::redis::protocol::Applied;

    const NODE: NodeId = NodeId(Uuid::from_u128(2));
    const EPOCH: Epoch = Epoch::new(1, 1);
    const LATER: Epoch = Epoch::new(2, 2 << 32);
    const LEASE: Duration = Duration::from_secs(2);
    const AT: Position = Position { epoch: EPOCH, seq: 7 };

    fn at(seconds: u64) -> Moment {
        Moment(seconds * 1_000_000_000)
    }

    fn line(renewal: u64) -> NodeLine {
        NodeLine { node: NODE, renewal, obeyed: 0, configured: 0 }
    }

    fn roll(open: Option<Epoch>, epoch: Option<Epoch>) -> Roll {
        Roll { open, members: vec![Member { node: NODE, epoch }] }
    }

    fn obeyed(seen: &mut Seen, epoch: Epoch, seq: Seq, configured: Seq) {
        seen.obeyed(NODE, Applied { epoch, seq, configured });
    }

    /// A change published at second 10.
    fn published(lines: &[NodeLine], seen: &mut Seen) -> Barrier {
        let mut barrier = Barrier::new(LEASE);
        barrier.published(AT, lines, seen, at(10), at(10));
        barrier
    }

    #[test]
    fn an_acknowledgement_settles_it_and_so_does_the_end_of_the_lease() {
        let mut seen = Seen::default();
        let mut barrier = published(&[line(1)], &mut seen);
        assert!(barrier.wants_roll());
        assert_ne!(barrier.verdict(&seen, at(99)), Verdict::Known, "the roll was not called");
        barrier.called(barrier.mark(), roll(Some(EPOCH), Some(EPOCH)));
        assert!(!barrier.wants_roll());
        assert_eq!(barrier.verdict(&seen, at(11)), Verdict::Waiting { until: Some(at(12)), nodes: vec![NODE] });
        assert_eq!(barrier.verdict(&seen, at(13)), Verdict::Known);
        obeyed(&mut seen, EPOCH, 6, 6);
        assert_ne!(barrier.verdict(&seen, at(11)), Verdict::Known);
        obeyed(&mut seen, EPOCH, 7, 6);
        assert_eq!(barrier.verdict(&seen, at(11)), Verdict::Known);
    }

    #[test]
    fn a_node_that_was_silent_before_is_waited_for_only_as_long_as_its_lease_lasts() {
        let mut seen = Seen::default();
        seen.lines(EPOCH, &[line(1)], at(3), at(3));
        let verdict_on = |lines: &[NodeLine], seen: &mut Seen| {
            let mut barrier = published(lines, seen);
            barrier.called(barrier.mark(), roll(Some(EPOCH), Some(EPOCH)));
            barrier.verdict(seen, at(10))
        };
        assert_eq!(verdict_on(&[line(1)], &mut seen), Verdict::Known);
        assert_ne!(verdict_on(&[line(2)], &mut seen), Verdict::Known, "it has renewed since");
        assert_eq!(verdict_on(&[], &mut Seen::default()), Verdict::Known, "it never renewed");
    }

    #[test]
    fn a_node_of_another_epoch_is_waited_for_until_it_leaves() {
        let mut seen = Seen::default();
        let mut barrier = published(&[line(1)], &mut seen);
        barrier.called(barrier.mark(), roll(Some(EPOCH), Some(LATER)));
        assert!(barrier.wants_roll());
        let forever = Verdict::Waiting { until: None, nodes: vec![NODE] };
        assert_eq!(barrier.verdict(&seen, at(1_000)), forever);
        obeyed(&mut seen, LATER, 100, 100);
        assert_eq!(barrier.verdict(&seen, at(1_000)), forever, "another history's numbers say nothing");
        barrier.called(barrier.mark(), roll(Some(EPOCH), None));
        assert_eq!(barrier.verdict(&seen, at(10)), Verdict::Known);
        barrier.called(barrier.mark(), Roll { open: Some(EPOCH), members: vec![] });
        assert_eq!(barrier.verdict(&seen, at(10)), Verdict::Known);
    }

    #[test]
    fn a_node_that_is_told_in_an_epoch_that_is_closed_is_looked_for_in_the_roll() {
        let mut seen = Seen::default();
        let mut barrier = published(&[line(1)], &mut seen);
        barrier.called(barrier.mark(), roll(None, Some(EPOCH)));
        assert!(barrier.wants_roll(), "it will not acknowledge: it leaves");
        assert_eq!(barrier.verdict(&seen, at(11)), Verdict::Waiting { until: Some(at(12)), nodes: vec![NODE] });
        barrier.called(barrier.mark(), roll(Some(LATER), Some(LATER)));
        assert_eq!((barrier.wants_roll(), barrier.verdict(&seen, at(11))), (false, Verdict::Known));
    }

    #[test]
    fn an_epoch_that_was_entered_after_the_change_needs_no_telling() {
        let mut barrier = Barrier::new(LEASE);
        let seen = Seen::default();
        barrier.called(barrier.mark(), roll(Some(EPOCH), Some(EPOCH)));
        assert_eq!(barrier.missed(), Some(EPOCH));
        barrier.called(barrier.mark(), roll(Some(LATER), Some(EPOCH)));
        assert_eq!(barrier.missed(), None);
        assert!(
            barrier.wants_roll() && barrier.verdict(&seen, at(1_000)) != Verdict::Known,
            "it is still in the old one"
        );
        barrier.called(barrier.mark(), roll(Some(LATER), Some(LATER)));
        assert_eq!(barrier.verdict(&seen, at(10)), Verdict::Known);
        let mut barrier = Barrier::new(LEASE);
        barrier.called(barrier.mark(), roll(None, Some(EPOCH)));
        assert_ne!(barrier.verdict(&seen, at(1_000)), Verdict::Known, "closed, and not left");
    }

    #[test]
    fn a_node_that_died_in_an_earlier_epoch_of_the_same_process_is_waited_for_no_longer_than_a_lease() {
        let (mut seen, before, now) = (Seen::default(), Epoch::new(1, 7), Epoch::new(2, 8));
        let mut barrier = Barrier::new(LEASE);
        barrier.published(Position { epoch: now, seq: 1 }, &[], &mut seen, at(10), at(10));
        barrier.called(barrier.mark(), roll(Some(now), Some(before)));
        assert_eq!(barrier.verdict(&seen, at(11)), Verdict::Waiting { until: Some(at(12)), nodes: vec![NODE] });
        assert_eq!(barrier.verdict(&seen, at(13)), Verdict::Known);
        let elsewhere = Epoch::new(1, 7 << 32);
        barrier.called(barrier.mark(), roll(Some(now), Some(elsewhere)));
        assert_ne!(barrier.verdict(&seen, at(1_000)), Verdict::Known, "its server may live on");
    }

    #[test]
    fn no_epoch_stays_open_in_which_the_event_is_missing() {
        let mut seen = Seen::default();
        let mut barrier = published(&[], &mut seen);
        barrier.called(barrier.mark(), roll(Some(LATER), None));
        assert_eq!((barrier.missed(), barrier.wants_roll()), (Some(LATER), true));
        assert_ne!(barrier.verdict(&seen, at(1_000)), Verdict::Known);
        let mark = barrier.mark();
        barrier.published(Position { epoch: LATER, seq: 1 }, &[], &mut seen, at(11), at(11));
        barrier.called(mark, roll(Some(LATER), None));
        assert_eq!(barrier.missed(), Some(LATER), "the roll was asked for before");
        barrier.called(barrier.mark(), roll(Some(LATER), None));
        assert_eq!(barrier.verdict(&seen, at(11)), Verdict::Known);
    }

    #[test]
    fn without_redis_every_epoch_must_be_closed_and_left() {
        let mut barrier = Barrier::new(LEASE);
        let verdict = |barrier: &Barrier| barrier.verdict(&Seen::default(), at(1_000));
        barrier.called(barrier.mark(), roll(Some(EPOCH), Some(EPOCH)));
        assert_eq!(barrier.missed(), Some(EPOCH));
        barrier.called(barrier.mark(), roll(None, Some(EPOCH)));
        assert!(barrier.missed().is_none() && verdict(&barrier) != Verdict::Known);
        barrier.called(barrier.mark(), roll(None, None));
        assert_eq!(verdict(&barrier), Verdict::Known);
    }

    #[test]
    fn a_configuration_is_in_force_when_it_was_read_or_when_who_was_not_told_has_stopped() {
        let mut seen = Seen::default();
        let mut barrier = published(&[line(1)], &mut seen);
        barrier.called(barrier.mark(), roll(Some(EPOCH), Some(EPOCH)));
        obeyed(&mut seen, EPOCH, 7, 6);
        assert!(!barrier.is_configured(&seen, at(10), at(99)), "the list of nodes is not newer than the lease's end");
        seen.lines(EPOCH, &[line(2)], at(98), at(98));
        assert!(!barrier.is_configured(&seen, at(10), at(99)), "it lives, and goes by the old one");
        obeyed(&mut seen, EPOCH, 7, 7);
        assert!(barrier.is_configured(&seen, at(10), at(11)));
        let mut seen = Seen::default();
        let mut barrier = published(&[line(1)], &mut seen);
        barrier.called(barrier.mark(), roll(Some(EPOCH), Some(EPOCH)));
        seen.lines(EPOCH, &[line(1)], at(13), at(13));
        assert!(barrier.is_configured(&seen, at(10), at(13)), "it has not renewed, and its lease is over");
        for elsewhere in [None, Some(LATER)] {
            barrier.called(barrier.mark(), roll(Some(EPOCH), elsewhere));
            assert!(!barrier.is_configured(&seen, at(10), at(11)), "it may not have looked yet");
            assert!(barrier.is_configured(&seen, at(10), at(13)));
        }
    }
}
