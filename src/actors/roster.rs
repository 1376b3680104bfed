//! The roster of nodes, kept in the store.

use crate::cache::redis::{Entry, Epoch, NodeId, Pending, Roster, RosterError, Row, Rows};
use crate::storage::{self, StorageError, Store};

/// The store, as the bus needs it.
#[derive(Clone)]
pub struct StoreRoster(pub Store);

fn failed(error: StorageError) -> RosterError {
    RosterError(error.to_string())
}

/// Numbers of rows count from one; the database has no unsigned ones.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn read(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn row(row: &storage::RosterRow) -> Row {
    let epoch = row.epoch.as_deref().map(|epoch| epoch.parse().unwrap_or(Epoch::UNREADABLE));
    Row { node: NodeId(row.node), epoch, turn: read(row.turn), beat: read(row.beat) }
}

impl Roster for StoreRoster {
    fn enter(&self, NodeId(node): NodeId, epoch: Option<Epoch>, turn: u64) -> Pending<Entry> {
        let store = self.0.clone();
        Box::pin(async move {
            let text = epoch.map(|epoch| (epoch.to_string(), stored(epoch.generation())));
            let epoch = text.as_ref().map(|(text, generation)| (text.as_str(), *generation));
            match store.enter_roster(node, epoch, stored(turn)).await.map_err(failed)? {
                storage::Entry::Written => Ok(Entry::Written),
                storage::Entry::Refused { generation } => Ok(Entry::Refused { generation: read(generation) }),
            }
        })
    }

    fn confirm(&self, NodeId(node): NodeId, turn: u64) -> Pending<bool> {
        let store = self.0.clone();
        Box::pin(async move { store.confirm_roster(node, stored(turn)).await.map_err(failed) })
    }

    fn close(&self, epoch: Epoch) -> Pending<()> {
        let store = self.0.clone();
        Box::pin(async move { store.close_epoch(&epoch.to_string()).await.map_err(failed) })
    }

    fn read(&self) -> Pending<Rows> {
        let store = self.0.clone();
        Box::pin(async move {
            let roster = store.read_roster().await.map_err(failed)?;
            let open = roster.open.as_deref().map(|epoch| epoch.parse().unwrap_or(Epoch::UNREADABLE));
            Ok(Rows { open, rows: roster.rows.iter().map(row).collect() })
        })
    }

    fn strike(&self, row: Row) -> Pending<()> {
        let store = self.0.clone();
        let Row { node: NodeId(node), turn, beat, .. } = row;
        Box::pin(async move { store.strike_from_roster(node, stored(turn), stored(beat)).await.map_err(failed) })
    }

    fn leave(&self, NodeId(node): NodeId) -> Pending<()> {
        let store = self.0.clone();
        Box::pin(async move { store.leave_roster(node).await.map_err(failed) })
    }
}
