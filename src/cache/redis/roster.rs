//! Who may be trusting what: the list of nodes in the database, which every publisher can read that can change anything.

use std::pin::Pin;

use super::epoch::{Epoch, NodeId};
use super::protocol::Roll;

pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, RosterError>> + Send>>;

/// Why the roster could not be asked, in words for a log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the roster cannot be read or written: {0}")]
pub struct RosterError(pub String);

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Written,
    /// The epoch is over, and so is every one up to this generation.
    Refused {
        generation: u64,
    },
}

/// A row as it stands: a row whose beat does not change for long belongs to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub node: NodeId,
    pub epoch: Option<Epoch>,
    pub turn: u64,
    pub beat: u64,
}

/// The roster, as one statement reads it.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub open: Option<Epoch>,
    pub rows: Vec<Row>,
}

/// The roster's verbs; each is atomic, and what it has answered every later one sees.
pub trait Roster: Send + Sync {
    /// Writes a node's row, unless one with a higher `turn` stands. An epoch is entered when it is the open one, or
    /// later than every one before; it is then the open one.
    fn enter(&self, node: NodeId, epoch: Option<Epoch>, turn: u64) -> Pending<Entry>;

    /// Whether the row stands with this `turn` and its epoch is open. Moves the row's beat.
    fn confirm(&self, node: NodeId, turn: u64) -> Pending<bool>;

    /// No node may enter this epoch any more, nor stay in it.
    fn close(&self, epoch: Epoch) -> Pending<()>;

    fn read(&self) -> Pending<Rows>;

    /// Takes a row out that has not changed since it was read.
    fn strike(&self, row: Row) -> Pending<()>;

    /// Takes the node's own row out: it has stopped.
    fn leave(&self, node: NodeId) -> Pending<()>;
}

impl Rows {
    pub(super) fn roll(&self) -> Roll {
        use super::protocol::Member;
        let members = self.rows.iter().map(|row| Member { node: row.node, epoch: row.epoch }).collect();
        Roll { open: self.open, members }
    }
}
