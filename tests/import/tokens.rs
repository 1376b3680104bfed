//! Many tokens: an import that was ended goes on where it was, and nothing is there twice.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::api::Kong;
use crate::house::{House, On};
use crate::living::token;
use crate::support::client;

const TOKENS: u64 = 5_000;
const CONSUMER: &str = "7a5c0d52-2f3b-4c6e-9d35-000000000002";

fn kong() -> Kong {
    let tokens: Vec<Value> = (0..TOKENS).map(token).collect();
    Kong::new(
        json!({
            "services": [{"id": "7a5c0d52-2f3b-4c6e-9d35-000000000001", "name": "orders", "host": "orders.internal"}],
            "consumers": [{"id": CONSUMER, "username": "kim"}],
            "oauth2": [{"id": "7a5c0d52-2f3b-4c6e-9d35-000000000003", "name": "app", "client_id": "app",
                "client_secret": "s", "consumer": {"id": CONSUMER}}],
            "oauth2_tokens": tokens,
        }),
        1000,
    )
}

/// Ends an import while the third page is awaited, and gives its exit code.
async fn ended(house: &House, url: &str, kong: &Kong, signal: &str) -> Option<i32> {
    let mut command: Command = house.command(&["import", url]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while *kong.served.lock().unwrap() < 3 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    tokio::task::spawn_blocking(move || child.wait().unwrap().code()).await.unwrap()
}

async fn goes_on(on: On, signal: &str, code: Option<i32>) {
    let house = House::new(on).await;
    let (kong, stuck) = kong().stuck_at(3);
    let url = format!("http://{}", kong.clone().serve().await);
    assert_eq!(ended(&house, &url, &kong, signal).await, code);
    stuck.send(false).unwrap();
    let said = house.run(&["import", &url]).await;
    assert_eq!(said.summary(), "0 created, 0 changed, 3 unchanged; tokens: 3000 created, 2000 unchanged", "{said:?}");
    let said = house.run(&["import", &url]).await;
    assert_eq!(said.summary(), "0 created, 0 changed, 3 unchanged; tokens: 0 created, 5000 unchanged", "{said:?}");
    let gateway = house.gateway(&[]).await;
    let list =
        client().get(gateway.admin("/oauth2_tokens?size=1")).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(list["total"], TOKENS);
    drop(gateway);
    house.clear().await;
}

#[tokio::test]
async fn an_interrupted_import_goes_on_where_it_was_on_sqlite() {
    goes_on(On::Sqlite, "-INT", Some(130)).await;
}

#[tokio::test]
async fn a_killed_import_goes_on_where_it_was_on_postgres() {
    goes_on(On::Postgres, "-KILL", None).await;
}

#[tokio::test]
async fn a_dry_run_counts_tokens_and_writes_none() {
    let house = House::new(On::Sqlite).await;
    let url = format!("http://{}", kong().serve().await);
    let said = house.run(&["import", &url, "--dry-run"]).await;
    assert_eq!(
        said.summary(),
        "dry run, nothing was written: 3 created, 0 changed, 0 unchanged; tokens: 5000 created, 0 unchanged"
    );
    let said = house.run(&["import", &url]).await;
    assert_eq!(said.summary(), "3 created, 0 changed, 0 unchanged; tokens: 5000 created, 0 unchanged");
}
