//! What is written out is what was taken in.

use serde_json::Value;

use crate::house::{House, On, file};

async fn there_and_back(on: On) {
    let (first, second) = (House::new(on).await, House::new(On::Sqlite).await);
    std::fs::copy(first.folder.join("keyring"), second.folder.join("keyring")).unwrap();
    let said = first.run(&["import", &file("flat-2.1.json")]).await;
    assert_eq!(
        said.summary(),
        "11 created, 0 changed, 0 unchanged; tokens: 1 created, 0 unchanged; 2 not taken",
        "{said:?}"
    );
    for told in
        ["not taken: acls[0] (`staff`): ", "not taken: plugins[2]: no plugin `cors`", "note: routes[0].paths[0]: "]
    {
        assert!(said.err.contains(told), "{told}: {}", said.err);
    }
    let again = first.run(&["import", &file("flat-2.1.json")]).await;
    assert!(
        again.summary().starts_with("0 created, 0 changed, 11 unchanged; tokens: 0 created, 1 unchanged"),
        "{again:?}"
    );
    let exported = first.run(&["export", "--with-secrets"]).await;
    assert_eq!((exported.code, exported.err.as_str()), (Some(0), ""));
    assert!(
        exported.out.contains("$pbkdf2-sha512$i=10000") && exported.out.contains("provision_key: p-1"),
        "{}",
        exported.out
    );
    let taken = second.take(&exported.out, &[]).await;
    assert_eq!(taken.summary(), "11 created, 0 changed, 0 unchanged", "{taken:?}");
    let back = second.run(&["export", "--with-secrets"]).await;
    assert_eq!(back.out, exported.out);
    first.clear().await;
}

#[tokio::test]
async fn an_export_imported_elsewhere_is_exported_alike_from_sqlite() {
    there_and_back(On::Sqlite).await;
}

#[tokio::test]
async fn an_export_imported_elsewhere_is_exported_alike_from_postgres() {
    there_and_back(On::Postgres).await;
}

#[tokio::test]
async fn without_secrets_none_is_written_and_each_is_named() {
    let house = House::new(On::Sqlite).await;
    house.run(&["import", &file("flat-2.1.json")]).await.summary();
    let exported = house.run(&["export"]).await;
    for secret in ["pbkdf2", "flat-key", "a secret of some length", "p-1", "flat-token"] {
        assert!(!exported.out.contains(secret), "{secret}");
    }
    for named in ["client_secret", "key", "secret", "config.provision_key"] {
        assert!(exported.out.contains(&format!("# {named}: left out")), "{named}: {}", exported.out);
    }
    assert!(exported.err.starts_with("4 secrets were left out"), "{}", exported.err);
    let kept = house.take(&exported.out, &[]).await;
    assert_eq!(kept.summary(), "0 created, 0 changed, 11 unchanged", "secrets that are there stay: {kept:?}");
}

#[tokio::test]
async fn a_dry_run_tells_the_difference_and_writes_nothing() {
    let house = House::new(On::Sqlite).await;
    let said = house.run(&["import", &file("flat-2.1.json"), "--dry-run"]).await;
    assert!(said.summary().starts_with("dry run, nothing was written: 11 created"), "{said:?}");
    assert!(said.out.contains("+ services orders\n"), "{}", said.out);
    house.run(&["import", &file("flat-2.1.json")]).await.summary();
    let text = std::fs::read_to_string(file("flat-2.1.json")).unwrap();
    let changed = text.replace("\"/items\"", "\"/goods\"").replace("a secret of some length", "another of some length");
    let said = house.take(&changed, &["--dry-run"]).await;
    assert!(said.out.contains("~ routes by-name: paths [\"/items\"] -> [\"/goods\"]\n"), "{}", said.out);
    assert!(said.out.contains("~ jwt_secrets issuer: secret (secret) -> (secret)\n"), "{}", said.out);
    assert!(!said.out.contains("of some length"), "{}", said.out);
    let again = house.run(&["import", &file("flat-2.1.json")]).await;
    assert!(again.summary().starts_with("0 created, 0 changed, 11 unchanged"), "{again:?}");
}

#[tokio::test]
async fn the_oldest_format_is_taken_and_what_is_missing_here_is_told() {
    let house = House::new(On::Sqlite).await;
    let said = house.run(&["import", &file("older-1.1.yaml")]).await;
    assert_eq!(said.summary(), "5 created, 0 changed, 0 unchanged; 5 not taken", "{said:?}");
    assert!(
        said.err.contains("services[0].plugins[2]: no plugin `acl`; CALLS THAT IT REFUSES ARE LET THROUGH"),
        "{}",
        said.err
    );
    let strict = house.run(&["import", &file("older-1.1.yaml"), "--strict"]).await;
    assert_eq!(strict.code, Some(1));
    let exported = house.run(&["export"]).await.out;
    assert!(exported.contains("- \"/api/v1/\"\n") && exported.contains("- \"~/api/(v2|v3)/\"\n"), "{exported}");
    assert!(serde_json::from_str::<Value>(&exported).is_err(), "it is YAML");
}
