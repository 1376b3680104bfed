//! What is wrong with a file is told with its place, and then nothing is written.

use crate::house::{House, On, file};

const HEAD: &str = "_format_version: \"3.0\"\n";

#[tokio::test]
async fn each_fault_is_told_where_it_stands_and_nothing_is_written() {
    let house = House::new(On::Sqlite).await;
    let long = format!(
        "{HEAD}plugins:\n- name: oauth2\n  config:\n    enable_client_credentials: true\n    pkce: \"{}\"\n",
        "x y".repeat(140_000)
    );
    let cases: &[(&str, &[&str])] = &[
        ("services: [", &["line 1"]),
        ("services: []", &["_format_version: required field missing"]),
        ("_format_version: '4.2'", &["_format_version: `4.2` is not known: expected one of: 1.1, 2.1, 3.0"]),
        ("- a", &["is not a declarative file"]),
        (&format!("{HEAD}servces: []"), &["servces: unknown field"]),
        (
            &format!("{HEAD}services:\n- name: a\n  host: a\n- name: b\n  hots: b\n  routes:\n  - paths: [/x, y]\n"),
            &["services[1].host: required field missing", "services[1].hots: unknown field"],
        ),
        (
            &format!("{HEAD}services:\n- name: a\n  host: a\n  routes:\n  - paths: [/x, y]\n"),
            &["services[0].routes[0].paths[1]: should start with: / (fixed path) or ~/ (regex path)"],
        ),
        (
            &format!("{HEAD}routes:\n- paths: [/x]\n  service: gone\n"),
            &["routes[0].service: the foreign key '{name=\"gone\"}' does not reference an existing 'services' entity"],
        ),
        (
            &format!(
                "{HEAD}consumers:\n- username: kim\n  keyauth_credentials:\n  - key: k\n- username: lee\n  keyauth_credentials:\n  - key: k\n"
            ),
            &["consumers[1].keyauth_credentials[0]: is the same as consumers[0].keyauth_credentials[0]"],
        ),
        (
            &format!("{HEAD}consumers:\n- username: kim\n  custom_id: a\n- username: lee\n  custom_id: a\n"),
            &["consumers[1]: UNIQUE violation detected on '{custom_id=\"a\"}'"],
        ),
        (
            &format!("{HEAD}plugins:\n- name: oauth2\n  config: {{scopse: [a]}}\n"),
            &["plugins[0].config.scopse: unknown field"],
        ),
        (
            &format!("{HEAD}plugins:\n- name: oauth2\n  consumer: kim\nconsumers:\n- username: kim\n"),
            &["plugins[0].consumer: value must be null"],
        ),
        (&long, &["plugins[0].config.pkce: expected one of: "]),
        (
            &format!("{HEAD}services:\n- name: ${{{{ env \"DECK_MISSING\" }}}}\n"),
            &["line 3: the environment variable DECK_MISSING is not set"],
        ),
        (&format!("{HEAD}services:\n- name: a\n  name: b\n"), &["duplicate", "line 4"]),
    ];
    for (document, told) in cases {
        let said = house.take(document, &[]).await;
        assert_eq!(said.code, Some(1), "{document:.80}: {said:?}");
        for told in *told {
            assert!(said.err.contains(told), "{document:.80}: {told} is not in {}", said.err);
        }
        assert!(said.err.lines().all(|line| line.starts_with("tollgate: ")), "{}", said.err);
        assert!(said.err.len() < 2000, "{document:.80}: {} bytes", said.err.len());
    }
    assert_eq!(house.run(&["export"]).await.out, HEAD);
}

#[tokio::test]
async fn what_cannot_be_read_is_one_line() {
    let house = House::new(On::Sqlite).await;
    for (from, told) in [
        ("/nonexistent/kong.yaml", "cannot read /nonexistent/kong.yaml: "),
        ("http://127.0.0.1:1", "cannot connect: "),
        ("http://user:hunter2@127.0.0.1:1", "a token goes into --token-file"),
        ("http://", "is not a URL"),
    ] {
        let said = house.run(&["import", from]).await;
        assert_eq!((said.code, said.err.lines().count()), (Some(1), 1), "{said:?}");
        assert!(said.err.contains(told) && !said.err.contains("hunter2"), "{said:?}");
    }
    let said = house.run(&["import", &file("flat-2.1.json"), "--set", "database.url=nonsense"]).await;
    assert_eq!(said.code, Some(64), "{said:?}");
}
