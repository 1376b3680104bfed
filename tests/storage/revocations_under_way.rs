//! Revocations that commit while something is being stored: what had begun before is ended, however late it commits.

use std::time::Duration;

use tokio_postgres::{Client, NoTls};
use tollgate::domain::TokenDigest;
use tollgate::storage::TokenFilter;
use uuid::Uuid;

use crate::bench::{Bench, Place, START, postgres_place, run, sql};
use crate::fixtures::{code, digest, id, token};

/// A transaction of somebody else's, which others wait for until it is given up.
pub struct Hindrance {
    client: Client,
    url: String,
}

impl Hindrance {
    pub async fn new(bench: &Bench, statement: &str) -> Self {
        let Place::Postgres { url, .. } = bench.place() else { unreachable!() };
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("BEGIN; {statement}")).await.unwrap();
        Self { client, url: url.clone() }
    }

    /// Waits until a statement waits for it.
    pub async fn is_met(&self) {
        let pid: i32 = self.client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
        let question = format!("SELECT 1 FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid))");
        while sql(&self.url, &question).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn give_up(self) {
        self.client.batch_execute("ROLLBACK").await.unwrap();
    }
}

fn hex(digest: TokenDigest) -> String {
    digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A token with this digest, which nobody else can store until its transaction is over.
fn same(digest: TokenDigest, credential: Uuid) -> String {
    format!(
        "INSERT INTO oauth2_tokens (id, credential_id, token_type, expires_in, access_token_digest, access_token_sealed,
            custom, created_at) VALUES (gen_random_uuid(), '{credential}', 'bearer', 0, '\\x{}', '', FALSE, now())",
        hex(digest)
    )
}

/// The same for the memory of a refresh token that was replaced.
fn replaced(digest: TokenDigest, credential: Uuid) -> String {
    format!(
        "INSERT INTO oauth2_replaced_refresh_tokens VALUES ('\\x{}', '{credential}', gen_random_uuid(),
            gen_random_uuid(), now(), now())",
        hex(digest)
    )
}

fn alice() -> TokenFilter {
    TokenFilter { authenticated_userid: Some("alice".into()), ..TokenFilter::default() }
}

/// Begins `work`, lets it wait for `statement`, revokes, and lets it go on; gives what became of it.
async fn beside<T>(bench: &Bench, statement: &str, work: impl Future<Output = T>) -> T {
    let hindrance = Hindrance::new(bench, statement).await;
    let revoking = async {
        hindrance.is_met().await;
        assert!(bench.store.revoke_tokens(&alice()).await.unwrap().is_some());
        hindrance.give_up().await;
    };
    tokio::join!(work, revoking).0
}

#[test]
fn a_token_that_was_being_stored_is_ended() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        let credential = bench.credential("c").await;
        let batch = (0..3).map(|nth| token(&credential, &format!("t{nth}"))).collect();
        let hindrance = same(digest("t1"), id(&credential));
        let stored = beside(&bench, &hindrance, bench.store.insert_tokens(batch)).await;
        assert_eq!(stored, [Ok(()), Ok(()), Ok(())], "it was told as issued before the revocation was");
        for name in ["t0", "t1", "t2"] {
            assert!(bench.store.find_token(digest(name)).await.unwrap().is_none(), "{name}");
        }
        bench.store.insert_tokens(vec![token(&credential, "after")]).await;
        assert!(bench.store.find_token(digest("after")).await.unwrap().is_some());
        bench.finish().await;
    });
}

#[test]
fn an_exchange_under_way_gives_nothing_that_lives() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        let (credential, plugin) = (bench.credential("c").await, bench.plugin().await);
        // Held before the code is used up; and after that, before the token is stored.
        let cases = [
            ("SELECT 1 FROM oauth2_authorization_codes FOR UPDATE".to_owned(), false),
            (same(digest("got"), id(&credential)), true),
        ];
        for (hindrance, won) in cases {
            let name = format!("code {won}");
            bench.store.insert_code(&code(&credential, &plugin, &name)).await.unwrap();
            let got = token(&credential, "got");
            let exchange = bench.store.exchange_code(digest(&name), &got, START);
            assert_eq!(beside(&bench, &hindrance, exchange).await, Ok(won));
            assert!(bench.store.find_token(digest("got")).await.unwrap().is_none());
            assert_eq!(bench.store.find_code(digest(&name)).await, Ok(None));
        }
        bench.finish().await;
    });
}

#[test]
fn a_rotation_under_way_gives_nothing_that_lives() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        let credential = bench.credential("c").await;
        // Held before anything is done; before the new token is stored; while it is.
        for (step, won) in [("hold", false), ("replace", false), ("issue", true)] {
            let old = token(&credential, &format!("old {step}"));
            bench.store.insert_tokens(vec![old.clone()]).await.pop().unwrap().unwrap();
            let refresh = digest(old.refresh_token.as_ref().unwrap().reveal());
            let hindrance = match step {
                "hold" => "SELECT 1 FROM oauth2_tokens FOR UPDATE".to_owned(),
                "replace" => replaced(refresh, id(&credential)),
                _ => same(digest("new"), id(&credential)),
            };
            let new = token(&credential, "new");
            assert_eq!(beside(&bench, &hindrance, bench.store.rotate(refresh, &new, START)).await, Ok(won));
            for name in ["new", old.access_token.reveal()] {
                assert!(bench.store.find_token(digest(name)).await.unwrap().is_none(), "{name}");
            }
            assert_eq!(bench.store.find_refresh(digest("refresh new"), START).await, Ok(None));
            assert!(bench.store.find_pair(new.id, START).await.unwrap().is_none());
        }
        bench.finish().await;
    });
}

#[test]
fn rows_that_somebody_holds_are_removed_later() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        let credential = bench.credential("c").await;
        let tokens = (0..5).map(|nth| token(&credential, &format!("t{nth}"))).collect();
        bench.store.insert_tokens(tokens).await;
        let revocation = bench.store.revoke_tokens(&alice()).await.unwrap().unwrap();
        let hindrance = Hindrance::new(&bench, "SELECT 1 FROM oauth2_tokens LIMIT 2 FOR UPDATE").await;
        assert_eq!(bench.store.remove_revoked_tokens(&revocation, 10).await.unwrap().removed, 3, "nobody waits");
        assert_eq!(bench.store.finish_revocation(&revocation).await, Ok(false), "the others are still there");
        hindrance.give_up().await;
        assert_eq!(bench.store.remove_revoked_tokens(&revocation, 10).await.unwrap().removed, 2);
        assert_eq!(bench.store.finish_revocation(&revocation).await, Ok(true));
        bench.finish().await;
    });
}
