//! What goes wrong in a run.
//!
//! Each run has a few troubles of its own. Where everything fails at once no node trusts anything and no revocation
//! succeeds, so that nothing can be seen to be wrong.

use rand::RngExt;
use rand::rngs::StdRng;

use super::world::Ask;

/// What may go wrong, besides messages that are late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Who waits for an answer gives up; the message may have its effect all the same.
    Losses,
    /// A replica takes over without the last writes, what it replaces lives on, nodes are on one side or the other.
    Splits,
    /// A server begins anew, empty or with an old copy of its data.
    Restarts,
    Flushes,
    /// Others publish, and the oldest events are given up.
    Trims,
    Hangs,
    /// Nodes cannot reach the database.
    Cuts,
    Crashes,
    /// Nobody does anything, for a lease or two.
    Pauses,
    /// A node does nothing while the others go on.
    Naps,
    /// What was heard is obeyed late.
    Sloth,
}

const TROUBLES: [Trouble; 11] = [
    Trouble::Losses,
    Trouble::Splits,
    Trouble::Restarts,
    Trouble::Flushes,
    Trouble::Trims,
    Trouble::Hangs,
    Trouble::Cuts,
    Trouble::Crashes,
    Trouble::Pauses,
    Trouble::Naps,
    Trouble::Sloth,
];

/// Kinds of messages.
const KINDS: usize = 11;

#[derive(Debug, Default)]
pub struct Weather {
    pub troubles: Vec<Trouble>,
    /// Of eight messages of each kind so many are late.
    late: [u8; KINDS],
    /// How fast time passes.
    pub pace: u64,
}

impl Weather {
    /// A few troubles, and a few kinds of messages that are late.
    pub fn draw(random: &mut StdRng) -> Self {
        let troubles = TROUBLES.into_iter().filter(|_| random.random_ratio(1, 4)).collect();
        let mut late = [0; KINDS];
        for of_eight in &mut late {
            if random.random_ratio(1, 4) {
                *of_eight = random.random_range(1..=6);
            }
        }
        Self { troubles, late, pace: [1, 1, 2][random.random_range(0..3)] }
    }

    pub fn has(&self, trouble: Trouble) -> bool {
        self.troubles.contains(&trouble)
    }

    /// How many of eight messages like this one are late.
    pub fn lateness(&self, ask: &Ask) -> u8 {
        let kind = match ask {
            Ask::Renew(_) => 0,
            Ask::Read => 1,
            Ask::Load(_) => 2,
            Ask::Acknowledge(..) => 3,
            Ask::Row { .. } => 4,
            Ask::Confirm { .. } => 5,
            Ask::Fill { .. } => 6,
            Ask::Fetch { .. } => 7,
            Ask::Publish { .. } => 8,
            Ask::Roll { .. } => 9,
            Ask::Close { .. } => 10,
        };
        self.late[kind]
    }
}
