//! The roster: which nodes may hold something in memory, and which history of the bus each of them follows.
//!
//! One row holds the latest epoch that was ever entered, and whether it is open still. Whoever enters takes hold of that
//! row first, so entering and closing come one after the other: when a close was answered nobody enters that epoch any
//! more, and when an entry was answered every later reader finds its row.
//!
//! Rows carry no times: clocks of several machines prove nothing. A sign of life is a beat that was not there before.

use uuid::Uuid;

use super::store::Outcome;
use super::value::{Row, Statement};
use super::{StorageError, Store};

pub(super) const STATEMENTS: &[&str] =
    &[HOLD_EPOCH, HOLD_ROW, OPEN, WRITE, WRITE_LISTENING, VERDICT, CONFIRM, CLOSE, READ, STRIKE, LEAVE];

/// Both change nothing and hold their row until the end of the transaction: the epoch, then the node's own row.
const HOLD_EPOCH: &str = "UPDATE cluster_epoch SET generation = generation RETURNING id";
const HOLD_ROW: &str = "UPDATE cluster_roster SET turn = turn WHERE node = $1 RETURNING node";

/// A later epoch becomes the latest, unless its node has gone on to a later turn.
const OPEN: &str = "UPDATE cluster_epoch SET epoch = $1, generation = $2, is_open = TRUE
    WHERE generation < $2 AND NOT EXISTS (SELECT 1 FROM cluster_roster WHERE node = $3 AND turn > $4) RETURNING id";
/// The row of a node that follows no epoch.
const WRITE: &str = "INSERT INTO cluster_roster (node, epoch, turn, beat) VALUES ($1, NULL, $2, 1)
    ON CONFLICT (node) DO UPDATE SET epoch = NULL, turn = excluded.turn, beat = cluster_roster.beat + 1
        WHERE cluster_roster.turn <= excluded.turn RETURNING node";
/// The row of a node that follows the latest epoch; none is written when that is another or closed.
const WRITE_LISTENING: &str = "INSERT INTO cluster_roster (node, epoch, turn, beat)
    SELECT $1, $2, $3, 1 WHERE EXISTS (SELECT 1 FROM cluster_epoch WHERE epoch = $2 AND is_open)
    ON CONFLICT (node) DO UPDATE SET epoch = excluded.epoch, turn = excluded.turn, beat = cluster_roster.beat + 1
        WHERE cluster_roster.turn <= excluded.turn RETURNING node";
/// Whether the epoch was refused: it is not the one that is open, and the node's row is of no later turn.
const VERDICT: &str = "SELECT e.generation, CASE WHEN e.epoch = $1 AND e.is_open THEN FALSE
        WHEN EXISTS (SELECT 1 FROM cluster_roster WHERE node = $2 AND turn > $3) THEN FALSE ELSE TRUE END
    FROM cluster_epoch AS e";

/// The epoch is looked at when the statement begins: it was open at some moment after the question was asked.
const CONFIRM: &str = "UPDATE cluster_roster SET beat = beat + 1 WHERE node = $1 AND turn = $2
    AND epoch = (SELECT epoch FROM cluster_epoch WHERE is_open) RETURNING node";
const CLOSE: &str = "UPDATE cluster_epoch SET is_open = FALSE WHERE epoch = $1 AND is_open RETURNING id";
/// The open epoch stands in every row of the answer; there is always one, with nulls when the roster is empty.
const READ: &str = "SELECT r.node, CASE WHEN e.is_open THEN e.epoch END, r.epoch, r.turn, r.beat
    FROM cluster_epoch AS e LEFT JOIN cluster_roster AS r ON TRUE ORDER BY r.node";
const STRIKE: &str = "DELETE FROM cluster_roster WHERE node = $1 AND turn = $2 AND beat = $3 RETURNING node";
const LEAVE: &str = "DELETE FROM cluster_roster WHERE node = $1 RETURNING node";

/// A node that may hold something in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterRow {
    pub node: Uuid,
    /// The history of the bus it follows; `None`: none, it asks the database only.
    pub epoch: Option<String>,
    /// Counts its changes of mind: an older one never overwrites a newer.
    pub turn: i64,
    /// Goes up with every sign of life.
    pub beat: i64,
}

/// The roster as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The latest epoch, while it is open.
    pub open: Option<String>,
    /// In the order of node ids.
    pub rows: Vec<RosterRow>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The row stands, or one of a later turn does.
    Written,
    /// The epoch is closed, or older than the latest, whose generation this is. Nothing was written.
    Refused { generation: i64 },
}

impl Store {
    /// Writes the row of a node. With an epoch it must be the latest and open, or of a higher generation than the latest: it
    /// then becomes the latest, open. Whoever reads the roster after the answer finds the row.
    pub async fn enter_roster(&self, node: Uuid, epoch: Option<(&str, i64)>, turn: i64) -> Outcome<Entry> {
        let mut statements = vec![Statement::new(HOLD_EPOCH, Vec::new()), Statement::new(HOLD_ROW, vec![node.into()])];
        let Some((epoch, generation)) = epoch else {
            statements.push(Statement::new(WRITE, vec![node.into(), turn.into()]));
            return self.driver().write(statements).await.map(|_| Entry::Written);
        };
        statements.extend([
            Statement::new(OPEN, vec![epoch.into(), generation.into(), node.into(), turn.into()]),
            Statement::new(WRITE_LISTENING, vec![node.into(), epoch.into(), turn.into()]),
            Statement::new(VERDICT, vec![epoch.into(), node.into(), turn.into()]),
        ]);
        let verdict = self.driver().write(statements).await?.pop().and_then(|mut rows| rows.pop());
        let mut columns = verdict.ok_or_else(no_epoch_row)?.read("cluster_epoch");
        let (generation, is_refused) = (columns.int()?, columns.bool()?);
        Ok(if is_refused { Entry::Refused { generation } } else { Entry::Written })
    }

    /// A sign of life. True: the node's row stands, of this turn, and the epoch it follows was the latest and open at some
    /// moment since the call.
    pub async fn confirm_roster(&self, node: Uuid, turn: i64) -> Outcome<bool> {
        Ok(!self.write(CONFIRM, vec![node.into(), turn.into()]).await?.is_empty())
    }

    /// Closes the epoch, if it is the latest. Who asks after the answer neither enters nor confirms it.
    pub async fn close_epoch(&self, epoch: &str) -> Outcome<()> {
        self.write(CLOSE, vec![epoch.into()]).await.map(drop)
    }

    pub async fn read_roster(&self) -> Outcome<Roster> {
        let found = self.read(READ, Vec::new()).await?;
        if found.is_empty() {
            return Err(no_epoch_row());
        }
        let mut roster = Roster { open: None, rows: Vec::new() };
        for row in found {
            roster.open = listed(row, &mut roster.rows)?;
        }
        Ok(roster)
    }

    /// Takes a node out, unless it has shown a sign of life or changed its mind since that turn and beat were read.
    pub async fn strike_from_roster(&self, node: Uuid, turn: i64, beat: i64) -> Outcome<()> {
        self.write(STRIKE, vec![node.into(), turn.into(), beat.into()]).await.map(drop)
    }

    /// Takes a node out that holds nothing any more.
    pub async fn leave_roster(&self, node: Uuid) -> Outcome<()> {
        self.write(LEAVE, vec![node.into()]).await.map(drop)
    }
}

/// Adds the node of this row, if it has one, and gives the open epoch.
fn listed(row: Row, rows: &mut Vec<RosterRow>) -> Outcome<Option<String>> {
    let mut columns = row.read("cluster_roster");
    let (node, open) = (columns.maybe_uuid()?, columns.maybe_text()?);
    if let Some(node) = node {
        rows.push(RosterRow { node, epoch: columns.maybe_text()?, turn: columns.int()?, beat: columns.int()? });
    }
    Ok(open)
}

fn no_epoch_row() -> StorageError {
    StorageError::Other("the row of cluster_epoch is missing; was it deleted by hand?".to_owned())
}
