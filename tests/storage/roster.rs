//! The roster of nodes and the epochs they follow.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use tokio_postgres::NoTls;
use tollgate::storage::{Entry, Location, PostgresOptions, Roster, RosterRow, Store};
use uuid::Uuid;

use crate::bench::{self, Bench, Place, postgres_place, postgres_url, run, sql};
use crate::conformance;
use crate::fixtures::races;

conformance!(
    the_roster_is_empty_at_first,
    an_entry_opens_its_epoch_and_later_ones_join_it,
    a_closed_epoch_is_entered_by_nobody_and_a_later_one_is,
    an_older_epoch_is_refused_also_when_the_latest_is_open,
    a_node_without_an_epoch_is_always_written,
    a_row_of_a_later_turn_is_left_alone,
    only_the_row_of_that_turn_and_an_open_epoch_is_confirmed,
    a_node_is_struck_only_if_it_has_not_stirred,
    leaving_takes_the_row_and_not_the_epoch,
    of_many_that_enter_and_close_no_two_disagree,
    turns_never_go_back,
);

fn node(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn row(number: u128, epoch: Option<&str>, turn: i64, beat: i64) -> RosterRow {
    RosterRow { node: node(number), epoch: epoch.map(str::to_owned), turn, beat }
}

async fn roster(bench: &Bench) -> Roster {
    bench.store.read_roster().await.unwrap()
}

async fn enter(bench: &Bench, number: u128, epoch: Option<(&str, i64)>, turn: i64) -> Entry {
    bench.store.enter_roster(node(number), epoch, turn).await.unwrap()
}

async fn the_roster_is_empty_at_first(bench: &Bench) {
    assert_eq!(roster(bench).await, Roster { open: None, rows: Vec::new() });
    assert_eq!(bench.store.confirm_roster(node(1), 1).await, Ok(false));
    bench.store.close_epoch("a").await.unwrap();
    bench.store.strike_from_roster(node(1), 1, 1).await.unwrap();
    bench.store.leave_roster(node(1)).await.unwrap();
    assert_eq!(roster(bench).await, Roster { open: None, rows: Vec::new() });
}

async fn an_entry_opens_its_epoch_and_later_ones_join_it(bench: &Bench) {
    assert_eq!(enter(bench, 2, Some(("a", 0)), 1).await, Entry::Written);
    assert_eq!(enter(bench, 1, Some(("a", 0)), 7).await, Entry::Written);
    let expected = Roster { open: Some("a".into()), rows: vec![row(1, Some("a"), 7, 1), row(2, Some("a"), 1, 1)] };
    assert_eq!(roster(bench).await, expected);
}

async fn a_closed_epoch_is_entered_by_nobody_and_a_later_one_is(bench: &Bench) {
    enter(bench, 1, Some(("a", 5)), 1).await;
    bench.store.close_epoch("other").await.unwrap();
    assert_eq!(roster(bench).await.open.as_deref(), Some("a"));
    bench.store.close_epoch("a").await.unwrap();
    assert_eq!(enter(bench, 1, Some(("a", 5)), 2).await, Entry::Refused { generation: 5 });
    assert_eq!(enter(bench, 2, Some(("a", 5)), 1).await, Entry::Refused { generation: 5 });
    assert_eq!(enter(bench, 2, Some(("b", 5)), 1).await, Entry::Refused { generation: 5 });
    let closed = Roster { open: None, rows: vec![row(1, Some("a"), 1, 1)] };
    assert_eq!(roster(bench).await, closed, "a refused entry writes nothing");
    assert_eq!(enter(bench, 2, Some(("c", 6)), 2).await, Entry::Written);
    bench.store.close_epoch("a").await.unwrap();
    let later = Roster { open: Some("c".into()), rows: vec![row(1, Some("a"), 1, 1), row(2, Some("c"), 2, 1)] };
    assert_eq!(roster(bench).await, later);
}

async fn an_older_epoch_is_refused_also_when_the_latest_is_open(bench: &Bench) {
    let high = i64::MAX;
    enter(bench, 1, Some(("a", high)), 1).await;
    assert_eq!(enter(bench, 2, Some(("b", high - 1)), 1).await, Entry::Refused { generation: high });
    assert_eq!(enter(bench, 2, Some(("b", high)), 1).await, Entry::Refused { generation: high });
    assert_eq!(roster(bench).await.open.as_deref(), Some("a"));
}

async fn a_node_without_an_epoch_is_always_written(bench: &Bench) {
    assert_eq!(enter(bench, 1, None, 1).await, Entry::Written);
    enter(bench, 2, Some(("a", 1)), 1).await;
    assert_eq!(enter(bench, 2, None, 2).await, Entry::Written);
    let expected = Roster { open: Some("a".into()), rows: vec![row(1, None, 1, 1), row(2, None, 2, 2)] };
    assert_eq!(roster(bench).await, expected);
    assert_eq!(bench.store.confirm_roster(node(1), 1).await, Ok(false), "it has no epoch to confirm");
}

async fn a_row_of_a_later_turn_is_left_alone(bench: &Bench) {
    enter(bench, 1, Some(("a", 1)), 5).await;
    let before = roster(bench).await;
    assert_eq!(enter(bench, 1, None, 4).await, Entry::Written);
    assert_eq!(enter(bench, 1, Some(("a", 1)), 4).await, Entry::Written);
    assert_eq!(enter(bench, 1, Some(("b", 2)), 4).await, Entry::Written, "and it opens no epoch");
    assert_eq!(enter(bench, 1, Some(("z", 0)), 4).await, Entry::Written);
    assert_eq!(roster(bench).await, before);
    assert_eq!(enter(bench, 1, Some(("a", 1)), 5).await, Entry::Written);
    assert_eq!(roster(bench).await.rows, [row(1, Some("a"), 5, 2)], "the same turn writes and beats");
}

async fn only_the_row_of_that_turn_and_an_open_epoch_is_confirmed(bench: &Bench) {
    enter(bench, 1, Some(("a", 1)), 3).await;
    let confirm = async |turn| bench.store.confirm_roster(node(1), turn).await.unwrap();
    assert!(confirm(3).await);
    assert!(confirm(3).await);
    assert!(!confirm(2).await && !confirm(4).await);
    assert_eq!(roster(bench).await.rows, [row(1, Some("a"), 3, 3)]);
    enter(bench, 2, Some(("b", 2)), 1).await;
    assert!(!confirm(3).await, "another epoch is the latest");
    enter(bench, 1, Some(("b", 2)), 4).await;
    assert!(confirm(4).await);
    bench.store.close_epoch("b").await.unwrap();
    assert!(!confirm(4).await);
    assert_eq!(roster(bench).await.rows[0], row(1, Some("b"), 4, 5));
}

async fn a_node_is_struck_only_if_it_has_not_stirred(bench: &Bench) {
    enter(bench, 1, Some(("a", 1)), 3).await;
    bench.store.confirm_roster(node(1), 3).await.unwrap();
    for (turn, beat) in [(3, 1), (2, 2), (4, 2), (3, 3)] {
        bench.store.strike_from_roster(node(1), turn, beat).await.unwrap();
    }
    assert_eq!(roster(bench).await.rows, [row(1, Some("a"), 3, 2)]);
    bench.store.strike_from_roster(node(2), 3, 2).await.unwrap();
    bench.store.strike_from_roster(node(1), 3, 2).await.unwrap();
    assert_eq!(roster(bench).await, Roster { open: Some("a".into()), rows: Vec::new() });
    assert_eq!(bench.store.confirm_roster(node(1), 3).await, Ok(false));
    assert_eq!(enter(bench, 1, Some(("a", 1)), 4).await, Entry::Written);
    assert_eq!(bench.store.confirm_roster(node(1), 4).await, Ok(true));
}

async fn leaving_takes_the_row_and_not_the_epoch(bench: &Bench) {
    enter(bench, 1, Some(("a", 1)), 1).await;
    enter(bench, 2, None, 9).await;
    bench.store.leave_roster(node(1)).await.unwrap();
    let left = Roster { open: Some("a".into()), rows: vec![row(2, None, 9, 1)] };
    assert_eq!(roster(bench).await, left);
    assert_eq!(enter(bench, 1, None, 0).await, Entry::Written, "who left begins anew");
}

/// What a call learned of an epoch, and the span of the call on the one counter of the trial.
struct Seen {
    epoch: i64,
    begun: u64,
    ended: u64,
    fact: Fact,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fact {
    /// It was open at some moment of the span.
    WasOpen,
    /// It is closed from the end of the span on.
    Closed,
}

const NODES: u128 = 8;
const STEPS: i64 = 12;

async fn of_many_that_enter_and_close_no_two_disagree(bench: &Bench) {
    for trial in 0..i64::try_from(races().div_ceil(10)).unwrap() {
        let ticks = Arc::new(AtomicU64::new(0));
        // Beyond every epoch and turn of the trial before.
        let base = trial * 1000;
        let tasks = (1..=NODES).map(|number| tokio::spawn(walk(bench.store.clone(), number, base, Arc::clone(&ticks))));
        let seen: Vec<Seen> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
        assert!(seen.iter().any(|one| one.fact == Fact::Closed), "nobody closed");
        let mut open_by = HashMap::new();
        for one in &seen {
            match one.fact {
                Fact::WasOpen => open_by.entry(one.epoch).or_insert_with(Vec::new).push(one),
                Fact::Closed => {
                    let late = |other: &&Seen| other.fact == Fact::WasOpen && other.epoch == one.epoch;
                    let late = seen.iter().filter(late).find(|other| other.begun > one.ended);
                    assert!(late.is_none(), "epoch {} was open after it had been closed", one.epoch);
                }
            }
        }
        assert!(open_by.len() > 1, "one epoch only");
        for later in seen.iter().filter(|one| one.fact == Fact::WasOpen) {
            let both = |one: &&Seen| one.fact == Fact::WasOpen && one.epoch < later.epoch && one.begun > later.ended;
            let both = seen.iter().find(both);
            assert!(both.is_none(), "epoch {} was open beside a later one, {}", both.unwrap().epoch, later.epoch);
        }
    }
}

/// One node's way: it enters, looks, confirms, and now and then closes what it follows and tries a later epoch.
async fn walk(store: Store, number: u128, base: i64, ticks: Arc<AtomicU64>) -> Vec<Seen> {
    let tick = || ticks.fetch_add(1, Ordering::SeqCst);
    let mut seen = Vec::new();
    let mut epoch = base + 1;
    for step in 1..=STEPS {
        let (turn, begun) = (base + step, tick());
        match store.enter_roster(node(number), Some((&epoch.to_string(), epoch)), turn).await.unwrap() {
            Entry::Refused { generation } => {
                assert!(generation >= epoch);
                epoch = generation + 1;
                continue;
            }
            Entry::Written => seen.push(Seen { epoch, begun, ended: tick(), fact: Fact::WasOpen }),
        }
        let read = store.read_roster().await.unwrap();
        let own = read.rows.iter().find(|row| row.node == node(number)).expect("an answered entry is read");
        assert_eq!((own.epoch.as_deref(), own.turn), (Some(epoch.to_string().as_str()), turn));
        assert!(read.open.is_none_or(|open| open.parse::<i64>().unwrap() >= epoch), "an older epoch came back");
        let begun = tick();
        if store.confirm_roster(node(number), turn).await.unwrap() {
            seen.push(Seen { epoch, begun, ended: tick(), fact: Fact::WasOpen });
        }
        if (step + i64::try_from(number).unwrap()) % 4 == 0 {
            let begun = tick();
            store.close_epoch(&epoch.to_string()).await.unwrap();
            seen.push(Seen { epoch, begun, ended: tick(), fact: Fact::Closed });
        }
    }
    seen
}

async fn turns_never_go_back(bench: &Bench) {
    for trial in 0..i64::try_from(races().div_ceil(4)).unwrap() {
        let entries = (1..=12).map(|step| {
            let (store, turn) = (bench.store.clone(), trial * 100 + step);
            tokio::spawn(async move {
                let epoch = (step % 3 > 0).then_some(("a", 1));
                store.enter_roster(node(1), epoch, turn).await.unwrap();
                let read = store.read_roster().await.unwrap();
                assert!(read.rows[0].turn >= turn);
                read.rows[0].turn
            })
        });
        for turn in join_all(entries).await {
            assert!(turn.unwrap() <= trial * 100 + 12);
        }
        assert_eq!(roster(bench).await.rows[0].turn, trial * 100 + 12);
    }
}

/// How many statements in this schema wait for a lock.
async fn waiting(schema: &str) -> usize {
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = ";
    sql(&postgres_url(), &format!("{waiting}'{schema}'")).await.len()
}

#[test]
fn a_close_waits_for_an_entry_that_is_under_way() {
    run(async {
        let bench = Bench::at(postgres_place().await).await;
        let Place::Postgres { url, schema, .. } = bench.place() else { unreachable!() };
        let options = PostgresOptions::new(&format!("{url}&application_name={schema}"));
        let store = bench::open(Location::Postgres(options)).await;
        store.enter_roster(node(1), Some(("a", 1)), 1).await.unwrap();
        // Somebody else's row of the same node, not committed: the entry comes as far as writing its own, and waits.
        let (mut client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let obstacle = client.transaction().await.unwrap();
        let row = "INSERT INTO cluster_roster (node, epoch, turn, beat) VALUES ($1, NULL, 1, 1)";
        obstacle.execute(row, &[&node(2)]).await.unwrap();
        let entering = store.clone();
        let entering = tokio::spawn(async move { entering.enter_roster(node(2), Some(("a", 1)), 1).await.unwrap() });
        while waiting(schema).await < 1 {}
        let closing = store.clone();
        let closing = tokio::spawn(async move {
            closing.close_epoch("a").await.unwrap();
            closing.read_roster().await.unwrap()
        });
        while waiting(schema).await < 2 && !closing.is_finished() {}
        obstacle.rollback().await.unwrap();
        let found = closing.await.unwrap();
        assert_eq!(found.rows, [row_of(1), row_of(2)], "after the close an entry was under way that nobody saw");
        assert_eq!(entering.await.unwrap(), Entry::Written);
        store.close().await;
        bench.finish().await;
    });
}

fn row_of(number: u128) -> RosterRow {
    row(number, Some("a"), 1, 1)
}
