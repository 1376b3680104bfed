//! `sslmode`, against a server whose certificate names `localhost` and was signed by an authority of its own.

use tollgate::domain::Clock;
use tollgate::storage::{Location, PostgresOptions, StorageError, Store};

use crate::bench::{START, keyring, postgres_url, run};

fn authority() -> String {
    std::env::var("TOLLGATE_TEST_POSTGRES_CA").expect(
        "set TOLLGATE_TEST_POSTGRES_CA to the PEM file of the authority that signed the certificate (for localhost) of \
         the server at TOLLGATE_TEST_POSTGRES, or run tests/run",
    )
}

/// Connects by the name the certificate has, or by the address it does not have.
async fn outcome(host: &str, query: &str) -> Result<(), StorageError> {
    let base = postgres_url();
    assert!(base.contains("127.0.0.1"), "TOLLGATE_TEST_POSTGRES must name its server as 127.0.0.1");
    let url = format!("{}?{query}", base.replace("127.0.0.1", host));
    let options = PostgresOptions { pool: 1, ..PostgresOptions::new(&url) };
    let store = Store::open(Location::Postgres(options), keyring(), Clock::fixed(START)).await?;
    let outcome = store.ping().await;
    store.close().await;
    outcome
}

#[test]
fn sslmode_decides_whom_we_trust() {
    run(async {
        let root = format!("sslrootcert={}", authority());
        for (host, query, trusted) in [
            ("127.0.0.1", "sslmode=disable".to_owned(), true),
            ("127.0.0.1", "sslmode=prefer".to_owned(), true),
            ("127.0.0.1", "sslmode=require".to_owned(), true),
            ("127.0.0.1", format!("sslmode=verify-ca&{root}"), true),
            ("127.0.0.1", format!("sslmode=verify-full&{root}"), false),
            ("localhost", format!("sslmode=verify-full&{root}"), true),
            ("localhost", "sslmode=verify-full".to_owned(), false),
            ("localhost", "sslmode=verify-ca".to_owned(), false),
        ] {
            match outcome(host, &query).await {
                Ok(()) => assert!(trusted, "{host} {query} was trusted"),
                Err(StorageError::Unavailable(reason)) => assert!(!trusted, "{host} {query}: {reason}"),
                Err(other) => panic!("{host} {query}: {other}"),
            }
        }
    });
}

#[test]
fn an_authority_that_is_not_there_is_named() {
    run(async {
        let refused = outcome("localhost", "sslmode=verify-full&sslrootcert=/no/such.pem").await.unwrap_err();
        assert!(refused.to_string().contains("sslrootcert /no/such.pem"), "{refused}");
    });
}
