//! Families: what one code began. Each rotation goes on with the family of the refresh token it used up.

use std::collections::HashMap;

use super::rights::Rights;
use super::{Cause, Rules, SECOND};
use crate::history::{Event, Id, Micros, Op, Outcome, Pair};

#[derive(Default)]
pub(super) struct Families {
    /// Of a refresh token, the code (or the first refresh token) it descends from.
    roots: HashMap<Id, Id>,
    /// Of a refresh token, the access token that came with it, and when both were answered first.
    given: HashMap<Id, (Id, Micros)>,
}

impl Families {
    pub(super) fn of(events: &[Event]) -> Self {
        let mut families = Self::default();
        let mut rotations: Vec<(Micros, Id, Pair)> = Vec::new();
        for event in events {
            match event.op {
                Op::Redeem { code, pair: Some(pair) } => {
                    families.roots.insert(pair.refresh, code);
                    families.give(pair, event.end);
                }
                Op::Rotate { refresh, pair: Some(pair) } => {
                    rotations.push((event.begin, refresh, pair));
                    families.give(pair, event.end);
                }
                _ => {}
            }
        }
        // A refresh token is used only after it was answered, so parents come first.
        rotations.sort_by_key(|(begin, ..)| *begin);
        for (_, used, pair) in rotations {
            let root = families.root(used);
            families.roots.insert(pair.refresh, root);
        }
        families
    }

    fn give(&mut self, pair: Pair, at: Micros) {
        let first = self.given.entry(pair.refresh).or_insert((pair.access, at));
        first.1 = first.1.min(at);
    }

    /// Name of the family.
    pub(super) fn root(&self, refresh: Id) -> Id {
        self.roots.get(&refresh).copied().unwrap_or(refresh)
    }

    /// The access token that came with a refresh token, and when both were answered first; `None`: never.
    pub(super) fn given(&self, refresh: Id) -> Option<(Id, Micros)> {
        self.given.get(&refresh).copied()
    }

    /// What rotations and replays end: a rotation the access token it replaced, a replay the whole family.
    pub(super) fn endings(&self, events: &[Event], rules: &Rules, rights: &mut Rights) {
        let mut first_rotation: HashMap<Id, Micros> = HashMap::new();
        let mut wins: HashMap<Id, Micros> = HashMap::new();
        for event in events.iter().filter(|event| event.outcome == Outcome::Done) {
            let (known, used, at) = match event.op {
                Op::Rotate { refresh, .. } => (&mut first_rotation, refresh, event.end),
                Op::Redeem { code, .. } => (&mut wins, code, event.begin),
                _ => continue,
            };
            let first = known.entry(used).or_insert(at);
            *first = at.min(*first);
        }
        for event in events.iter().filter(|event| event.outcome != Outcome::Unsent) {
            match event.op {
                Op::Rotate { refresh, .. } if event.outcome == Outcome::Done => {
                    if let Some((replaced, _)) = self.given.get(&refresh) {
                        rights.end(*replaced, event.begin, Some(event.end), Cause::Rotation);
                    }
                }
                Op::Rotate { refresh, .. } => {
                    if let Some((replaced, _)) = self.given.get(&refresh) {
                        rights.end(*replaced, event.begin, None, Cause::Rotation);
                    }
                    // A replay after the grace ends the family, and its refusal says so. Who is refused earlier may
                    // have come late all the same: nobody saw when the rotation happened.
                    let first = first_rotation.get(&refresh);
                    let is_late = first.is_some_and(|first| first + rules.grace + SECOND < event.begin);
                    let is_answer = is_late && event.outcome == Outcome::Refused;
                    rights.end(self.root(refresh), event.begin, is_answer.then_some(event.end), Cause::Replay);
                }
                // Whoever is refused a code that another got came second: a replay, which ends what the first got.
                Op::Redeem { code, .. } if event.outcome != Outcome::Done => {
                    let is_second = wins.get(&code).is_some_and(|begin| *begin < event.end);
                    let is_replay = event.outcome == Outcome::Refused && is_second;
                    rights.end(code, event.begin, is_replay.then_some(event.end), Cause::Replay);
                }
                _ => {}
            }
        }
    }
}
