//! The issuer over a real store: one transaction per batch, nobody waits for company, a bad row fails alone, and what
//! waits is bounded.

use std::sync::Arc;

use actix::Addr;
use actix_rt::task::JoinHandle;
use tokio_postgres::{Client, NoTls};
use tollgate::actors::{Issue, IssueError, Issuer};
use tollgate::domain::NewToken;
use tollgate::schema::Entity;
use tollgate::storage::StorageError;
use tollgate::telemetry::{Meter, Owner, Registry};
use uuid::Uuid;

use crate::bench::{Bench, Place, postgres_place, sql};
use crate::fixtures::token;

struct Stage {
    bench: Bench,
    credential: Entity,
    meters: Registry,
    issuers: Vec<Addr<Issuer>>,
}

impl Stage {
    async fn with_workers(workers: usize) -> Self {
        let bench = Bench::at(postgres_place().await).await;
        let credential = bench.credential("c").await;
        let meters = Registry::default();
        let issuers = (0..workers).map(|_| Issuer::start_with(bench.store.clone(), meters.worker())).collect();
        Self { bench, credential, meters, issuers }
    }

    fn url(&self) -> &str {
        let Place::Postgres { url, .. } = self.bench.place() else { unreachable!() };
        url
    }

    fn tokens(&self, number: usize) -> Vec<NewToken> {
        (0..number).map(|_| token(&self.credential, &Uuid::new_v4().to_string())).collect()
    }

    /// Asks for all of them at once, of each issuer in turn.
    async fn issue(&self, tokens: Vec<NewToken>) -> Vec<Result<(), IssueError>> {
        let asked = tokens.into_iter().zip(self.issuers.iter().cycle());
        let asked = asked.map(|(token, issuer)| issuer.send(Issue(token)));
        futures_util::future::join_all(asked).await.into_iter().map(Result::unwrap).collect()
    }

    fn ask(self: &Arc<Self>, number: usize) -> JoinHandle<Vec<Result<(), IssueError>>> {
        let (stage, tokens) = (Arc::clone(self), self.tokens(number));
        actix_rt::spawn(async move { stage.issue(tokens).await })
    }

    /// Waits until the first write is under way.
    async fn writing(&self) {
        while self.meters.total(Meter::TokenBatches) == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Tokens and the transactions that stored them.
    async fn stored(&self) -> (u64, u64) {
        let question = "SELECT count(*), count(DISTINCT xmin::text) FROM oauth2_tokens";
        let row = sql(self.url(), question).await.remove(0);
        (row[0].parse().unwrap(), row[1].parse().unwrap())
    }

    /// Somebody who keeps everyone from storing tokens.
    async fn hindered(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(self.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE oauth2_tokens IN SHARE MODE").await.unwrap();
        client
    }

    /// Waits until so many tokens wait behind a write that is under way.
    async fn waiting(&self, number: u64) {
        while self.meters.depth(Owner::Issuer) != number {
            tokio::task::yield_now().await;
        }
    }
}

/// Actors need a system of their own.
fn run(case: impl Future<Output = ()>) {
    actix_rt::System::new().block_on(case);
}

#[test]
fn what_arrives_during_a_write_is_written_by_the_next() {
    run(async {
        let stage = Arc::new(Stage::with_workers(1).await);
        let hindrance = stage.hindered().await;
        let first = stage.ask(1);
        stage.writing().await;
        let crowd = stage.ask(2500);
        stage.waiting(2500).await;
        hindrance.batch_execute("COMMIT").await.unwrap();
        for asked in [first, crowd] {
            assert!(asked.await.unwrap().iter().all(Result::is_ok));
        }
        assert_eq!(stage.stored().await, (2501, 4), "batches of 1, 1000, 1000 and 500");
        assert_eq!((stage.meters.total(Meter::TokenBatches), stage.meters.total(Meter::TokensIssued)), (4, 2501));
        let told = stage.meters.render();
        for line in ["tollgate_token_batch_size_bucket{le=\"500\"} 2\n", "tollgate_token_batch_size_sum 2501\n"] {
            assert!(told.contains(line), "{line}{told}");
        }
    });
}

#[test]
fn a_lone_token_does_not_wait_for_company() {
    run(async {
        let stage = Stage::with_workers(1).await;
        for nth in 1..=5 {
            assert!(stage.issue(stage.tokens(1)).await[0].is_ok());
            assert_eq!(stage.stored().await, (nth, nth), "each is stored when it is answered");
        }
    });
}

#[test]
fn several_workers_have_a_batch_each() {
    run(async {
        let stage = Stage::with_workers(4).await;
        assert!(stage.issue(stage.tokens(400)).await.iter().all(Result::is_ok));
        let (tokens, transactions) = stage.stored().await;
        assert_eq!(tokens, 400);
        assert_eq!(transactions, stage.meters.total(Meter::TokenBatches), "a transaction is a batch");
        assert!((4..=40).contains(&transactions), "{transactions} transactions for 400 tokens at once");
    });
}

#[test]
fn a_bad_row_does_not_fail_its_mates() {
    run(async {
        let stage = Stage::with_workers(1).await;
        let mut tokens = stage.tokens(20);
        tokens[3].credential_id = Uuid::new_v4();
        tokens[7].scope = Some("\0".into());
        tokens[11] = token(&stage.credential, tokens[10].access_token.reveal());
        let outcomes = stage.issue(tokens).await;
        let failed: Vec<_> =
            outcomes.iter().enumerate().filter_map(|(nth, told)| Some((nth, told.as_ref().err()?))).collect();
        assert_eq!(failed.len(), 3);
        let of = |nth: usize| &outcomes[nth];
        assert!(matches!(of(3), Err(IssueError::Storage(StorageError::ForeignKey { .. }))), "{failed:?}");
        assert!(matches!(of(7), Err(IssueError::Storage(StorageError::Unstorable { .. }))), "{failed:?}");
        assert!(of(10).is_err() != of(11).is_err(), "of two that are the same, one is stored");
        assert_eq!(stage.stored().await, (17, 1));
    });
}

#[test]
fn beyond_its_bound_an_issuer_says_come_back() {
    run(async {
        let stage = Arc::new(Stage::with_workers(1).await);
        let hindrance = stage.hindered().await;
        let first = stage.ask(1);
        stage.writing().await;
        let crowd = stage.ask(4096 + 10);
        stage.waiting(4096).await;
        // Who is one too many is told at once, and not when there is room.
        let refused = stage.ask(1).await.unwrap();
        assert!(matches!(refused[0], Err(IssueError::Full)));
        hindrance.batch_execute("COMMIT").await.unwrap();
        let outcomes = [first.await.unwrap(), crowd.await.unwrap()].concat();
        let full = outcomes.iter().filter(|told| matches!(told, Err(IssueError::Full))).count();
        assert_eq!((full, outcomes.iter().filter(|told| told.is_ok()).count()), (10, 4097));
        assert_eq!(stage.stored().await.0, 4097, "what was refused is not stored");
        assert!(stage.issue(stage.tokens(1)).await[0].is_ok(), "afterwards all is as before");
    });
}
