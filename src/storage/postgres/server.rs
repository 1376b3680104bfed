//! Whom a connection leads to: a primary that takes writes, and no older one than was seen before.

use std::sync::Mutex;

use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::address::MARK;
use super::errors::{Refusal, connecting};

pub(super) const STANDBY: &str =
    "the server is a standby: database.url must lead to the primary (it may name every host, separated by commas)";
const READ_ONLY: &str = "the server takes no writes (default_transaction_read_only): another must be the primary";
const POOLED: &str = "the server does not know the settings of this session, so a pooler stands before it: add \
    pgbouncer=true to database.url, or name PostgreSQL itself there";

/// Also what is asked of a connection that was idle for a while.
pub(super) const IS_PRIMARY: &str =
    "SELECT NOT pg_is_in_recovery() AND NOT current_setting('default_transaction_read_only')::boolean";
const LINEAGE: &str = "SELECT system_identifier, pg_walfile_name(pg_current_wal_lsn()) FROM pg_control_system()";

/// What is known of a database cluster's descent. A promotion begins a new timeline, so of two servers that both believe
/// to be the primary the one with the lower number is the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Server {
    system: u64,
    timeline: u32,
}

/// The latest that was seen.
#[derive(Debug, Default)]
pub(super) struct Latest(Mutex<Option<Server>>);

impl Latest {
    /// Remembers the later of the two; true: it is another than before. Another system is another database, which its
    /// operator has put in the place of the first.
    ///
    /// # Errors
    /// An old primary.
    pub fn admits(&self, server: Server) -> Result<bool, Refusal> {
        let mut latest = self.0.lock().expect("no holder of this lock panics");
        match *latest {
            Some(known) if known.system == server.system && known.timeline > server.timeline => {
                Err(Refusal::new(format!(
                    "the server goes on with timeline {} while {} was seen since: it is an old primary, and must be made a \
                 standby of the new one (if it is meant, restart tollgate)",
                    server.timeline, known.timeline
                )))
            }
            _ => {
                let before = latest.replace(server);
                Ok(before.is_some_and(|before| before != server))
            }
        }
    }

    /// Whether a later primary is known than this one.
    pub fn is_after(&self, server: Server) -> bool {
        let latest = self.0.lock().expect("no holder of this lock panics");
        latest.is_some_and(|known| known != server)
    }
}

/// Asks a fresh connection whom it leads to.
///
/// # Errors
/// A standby, a server that takes no writes, or a pooler that the URL does not tell of.
pub(super) async fn meet(client: &Client, has_pooler: bool) -> Result<Option<Server>, Refusal> {
    let question = format!(
        "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only'), current_setting('{MARK}', true)"
    );
    let asked = async {
        // Also whether there are transactions: some poolers hand a session on after every statement.
        client.batch_execute("BEGIN").await?;
        let row = ask(client, &question).await?;
        client.batch_execute("COMMIT").await?;
        Ok(row)
    };
    let row = if has_pooler { asked.await } else { ask(client, &question).await };
    let row = row.map_err(|error: tokio_postgres::Error| connecting(&error))?;
    let row = row.ok_or_else(|| Refusal::new("the server answers, but not as PostgreSQL does"))?;
    let is = |place: usize, word: &str| row.get(place) == Some(word);
    if is(0, "t") {
        return Err(Refusal::new(STANDBY));
    }
    if is(1, "on") {
        return Err(Refusal::new(READ_ONLY));
    }
    if !has_pooler && !is(2, "on") {
        return Err(Refusal::new(POOLED));
    }
    // Servers that only resemble PostgreSQL need not know this.
    Ok(ask(client, LINEAGE).await.ok().flatten().and_then(|row| lineage(row.get(0)?, row.get(1)?)))
}

async fn ask(client: &Client, question: &str) -> Result<Option<SimpleQueryRow>, tokio_postgres::Error> {
    let answers = client.simple_query(question).await?;
    Ok(answers.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }))
}

/// Whether the server still is a primary; false also when it does not say.
pub(super) async fn is_primary(client: &Client) -> bool {
    ask(client, IS_PRIMARY).await.ok().flatten().is_some_and(|row| row.get(0) == Some("t"))
}

/// The name of a log file begins with its timeline, eight hexadecimal digits.
fn lineage(system: &str, log_file: &str) -> Option<Server> {
    let timeline = u32::from_str_radix(log_file.get(..8)?, 16).ok()?;
    Some(Server { system: system.parse().ok()?, timeline })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(system: u64, timeline: u32) -> Server {
        Server { system, timeline }
    }

    #[test]
    fn lineages_are_read_and_what_is_none_is_not() {
        let file = "0000000A000000010000004F";
        assert_eq!(lineage("7300000000000000001", file), Some(server(7_300_000_000_000_000_001, 10)));
        assert_eq!(lineage("", file), None);
        assert_eq!(lineage("1", "0000"), None);
        assert_eq!(lineage("1", "zzzzzzzz"), None);
    }

    #[test]
    fn an_old_primary_is_refused_once_a_later_one_was_seen() {
        let latest = Latest::default();
        assert!(!latest.is_after(server(1, 1)));
        assert!(!latest.admits(server(1, 1)).unwrap(), "the first");
        assert!(!latest.admits(server(1, 1)).unwrap(), "the same");
        assert!(latest.admits(server(1, 2)).unwrap());
        assert!(latest.is_after(server(1, 1)));
        let refusal = latest.admits(server(1, 1)).unwrap_err();
        assert!(refusal.reason.contains("timeline 1 while 2"), "{}", refusal.reason);
        assert!(!latest.admits(server(1, 2)).unwrap());
        assert!(latest.admits(server(9, 1)).unwrap(), "another database in its place");
        assert!(latest.is_after(server(1, 2)));
    }
}
