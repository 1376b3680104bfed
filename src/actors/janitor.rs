//! The janitor: removes what has ended, a bounded bite at a time.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::time::Instant;
use tracing::{info, warn};
use uuid::Uuid;

use crate::domain::Clock;
use crate::storage::{Revocation, StorageError, Store};
use crate::telemetry::{Meter, Meters};

const PERIOD: Duration = Duration::from_secs(60);
/// Rows per statement: small enough that no other writer waits long.
const BITE: usize = 1000;
/// After each bite it rests so many times as long as the bite took: of what one connection can have of the database it
/// takes a quarter at most, and with many rows still more than can be issued meanwhile.
const REST: u32 = 3;
/// One janitor of a cluster works at a time, so that the share is the same with any number of nodes. Another takes over
/// when this one has shown no sign of life for so long.
const TURN: &str = "janitor";
const LEASE: Duration = Duration::from_secs(120);
/// Revocations looked at in one round.
const REVOCATIONS: usize = 10_000;

/// The actor; one per node. What has ended is invisible anyway, so nothing depends on when it runs.
pub struct Janitor {
    broom: Option<Broom>,
    meters: Arc<Meters>,
}

impl Janitor {
    pub fn start_with(store: Store, clock: Clock, meters: Arc<Meters>) -> Addr<Self> {
        Self { broom: Some(Broom::new(store, clock)), meters }.start()
    }

    fn sweep(&mut self, context: &mut Context<Self>) {
        let Some(mut broom) = self.broom.take() else { return };
        let swept = async move {
            let outcome = broom.round().await;
            (broom, outcome)
        };
        context.spawn(swept.into_actor(self).map(|(broom, outcome), actor, context| {
            match outcome {
                Ok(0) => {}
                Ok(rows) => {
                    actor.meters.add(Meter::RowsRemoved, u64::try_from(rows).unwrap_or(u64::MAX));
                    info!(rows, "removed {rows} rows that had ended");
                }
                Err(error) => warn!(%error, "removing rows that have ended failed, trying again in a minute"),
            }
            actor.broom = Some(broom);
            context.run_later(PERIOD, Self::sweep);
        }));
    }
}

impl Actor for Janitor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_later(PERIOD, Self::sweep);
    }
}

/// What a janitor does.
struct Broom {
    store: Store,
    clock: Clock,
    holder: Uuid,
    /// When it was last asked whose turn it is, and whether it was this one's.
    asked: Instant,
    is_mine: bool,
    /// The last revocation at the round before: a period has passed since, and no statement lasts that long, so every one
    /// that is running has seen it. No clock of another node is asked.
    settled: i64,
}

impl Broom {
    fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, holder: Uuid::new_v4(), asked: Instant::now(), is_mine: false, settled: 0 }
    }

    /// Removes what has ended, unless another node is at it; gives the number of rows.
    async fn round(&mut self) -> Result<usize, StorageError> {
        let last = self.store.last_revocation().await?;
        let settled = std::mem::replace(&mut self.settled, last);
        self.take_turn().await?;
        if !self.is_mine {
            return Ok(0);
        }
        let mut rows = 0;
        for revocation in self.store.revocations(settled, REVOCATIONS).await? {
            rows += self.clear(&revocation).await?;
            if !self.is_mine {
                return Ok(rows);
            }
        }
        Ok(rows + self.sweep().await?)
    }

    async fn take_turn(&mut self) -> Result<(), StorageError> {
        self.asked = Instant::now();
        self.is_mine = self.store.take_turn(TURN, self.holder, LEASE).await?;
        Ok(())
    }

    /// Rests after a bite that began then. Afterwards it may be another node's turn.
    async fn rest(&mut self, begun: Instant) -> Result<(), StorageError> {
        tokio::time::sleep(begun.elapsed() * REST).await;
        if self.asked.elapsed() < LEASE / 4 { Ok(()) } else { self.take_turn().await }
    }

    /// Removes what has expired.
    async fn sweep(&mut self) -> Result<usize, StorageError> {
        let (now, mut rows, mut cursor) = (self.clock.now(), 0, None);
        loop {
            let begun = Instant::now();
            let bite = self.store.sweep(cursor, now, BITE).await?;
            rows += bite.removed;
            cursor = bite.next;
            self.rest(begun).await?;
            if cursor.is_none() || !self.is_mine {
                return Ok(rows);
            }
        }
    }

    /// Removes what a revocation has ended, and then the revocation.
    async fn clear(&mut self, revocation: &Revocation) -> Result<usize, StorageError> {
        let mut rows = 0;
        loop {
            let begun = Instant::now();
            let tokens = self.store.remove_revoked_tokens(revocation, BITE).await?.removed;
            let codes = self.store.remove_revoked_codes(revocation, BITE).await?;
            rows += tokens + codes;
            let is_clear = tokens < BITE && codes < BITE;
            if is_clear {
                // With something left that was held, it stays until the next round.
                self.store.finish_revocation(revocation).await?;
            }
            self.rest(begun).await?;
            if is_clear || !self.is_mine {
                return Ok(rows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Keyring, NewToken, Timestamp};
    use crate::schema::entities;
    use crate::storage::{Location, TokenFilter};

    const START: Timestamp = Timestamp::from_seconds(1_700_000_000);
    const CREDENTIAL: Uuid = Uuid::from_u128(2);

    async fn store(clock: &Clock) -> Store {
        let keyring = Arc::new(Keyring::new([1; 32], [2; 32]));
        let store = Store::open(Location::memory(), keyring, clock.clone()).await.unwrap();
        store.migrate_up().await.unwrap();
        let schemas = entities::all();
        let stored = [
            ("consumers", json!({ "id": Uuid::from_u128(1).to_string(), "username": "u", "type": 0 })),
            (
                "oauth2_credentials",
                json!({ "id": CREDENTIAL.to_string(), "consumer": { "id": Uuid::from_u128(1).to_string() }, "name": "n",
                    "client_id": "c", "client_secret": "s", "hash_secret": false, "client_type": "confidential" }),
            ),
        ];
        for (name, mut fields) in stored {
            for time in ["created_at", "updated_at"] {
                fields[time] = START.seconds().into();
            }
            let schema = schemas.iter().find(|schema| schema.name == name).unwrap();
            store.insert(schema, fields.as_object().unwrap()).await.unwrap();
        }
        store
    }

    /// Tokens of a user that end after so many seconds.
    async fn issue(store: &Store, number: usize, user: &str, seconds: i64) {
        let token = |_| NewToken {
            id: Uuid::new_v4(),
            credential_id: CREDENTIAL,
            service_id: None,
            access_token: store.keyring().mint(rand::random()),
            refresh_token: None,
            family_id: None,
            scope: None,
            authenticated_userid: Some(user.to_owned()),
            created_at: START,
            expires_in: seconds,
            expires_at: Some(START.plus_seconds(seconds)),
        };
        assert!(store.insert_tokens((0..number).map(token).collect()).await.iter().all(Result::is_ok));
    }

    fn of(user: &str) -> TokenFilter {
        TokenFilter { authenticated_userid: Some(user.to_owned()), ..TokenFilter::default() }
    }

    #[tokio::test]
    async fn a_round_removes_all_that_has_expired_however_many_bites_it_takes() {
        let clock = Clock::fixed(START);
        let store = store(&clock).await;
        issue(&store, 2 * BITE + 10, "short", 60).await;
        issue(&store, 10, "long", 3600).await;
        let mut broom = Broom::new(store.clone(), clock.clone());
        assert_eq!(broom.round().await, Ok(0));
        clock.advance_seconds(61);
        assert_eq!(broom.round().await, Ok(2 * BITE + 10));
        assert_eq!((broom.round().await, store.count_tokens(&of("long"), 100).await), (Ok(0), Ok(10)));
    }

    #[tokio::test]
    async fn a_revocation_is_cleared_once_every_statement_has_seen_it() {
        let clock = Clock::fixed(START);
        let store = store(&clock).await;
        issue(&store, BITE + 5, "alice", 3600).await;
        issue(&store, 5, "bob", 3600).await;
        store.revoke_tokens(&of("alice")).await.unwrap();
        let mut broom = Broom::new(store.clone(), clock.clone());
        assert_eq!(broom.round().await, Ok(0), "it may be younger than a statement that is running");
        issue(&store, 7, "alice", 3600).await;
        assert_eq!(store.revocations(i64::MAX, 10).await.unwrap().len(), 1);
        assert_eq!(broom.round().await, Ok(BITE + 5));
        assert_eq!(store.revocations(i64::MAX, 10).await, Ok(Vec::new()));
        assert_eq!(store.count_tokens(&of("alice"), 100).await, Ok(7), "issued after");
        assert_eq!(store.count_tokens(&of("bob"), 100).await, Ok(5));
        assert_eq!(broom.round().await, Ok(0));
    }

    #[tokio::test]
    async fn one_janitor_works_at_a_time_and_another_takes_over() {
        let clock = Clock::fixed(START);
        let store = store(&clock).await;
        let [mut one, mut other] = [(); 2].map(|()| Broom::new(store.clone(), clock.clone()));
        assert_eq!(one.round().await, Ok(0));
        issue(&store, 5, "short", 1).await;
        clock.advance_seconds(i64::try_from(LEASE.as_secs()).unwrap() - 1);
        assert_eq!(other.round().await, Ok(0), "it is the first one's turn");
        clock.advance_seconds(1);
        assert_eq!(other.round().await, Ok(5), "the first one has shown no sign of life");
        issue(&store, 5, "short", 1).await;
        assert_eq!((one.round().await, other.round().await), (Ok(0), Ok(5)));
    }
}
