//! Whole runs, with one node: what a node promises by itself holds under load and through faults, and a broken promise
//! would be seen.

use std::sync::Arc;

use crate::checker::{Recovery, Serves, check};
use crate::cluster::{Cluster, Shape};
use crate::history::{Event, History, Kind, Op, Outcome, Target, id};
use crate::lane::{Application, lanes};
use crate::nemesis::{Act, NEMESES, Nemesis, Nodes, Step, Ways};
use crate::report;
use crate::run::{Report, rules, run};
use crate::support::Folder;

const ONE: Shape = Shape { nodes: 1, ..Shape::THREE };

async fn run_of_one(name: &str) -> Report {
    let folder = Folder::new();
    // A busy machine is slow, and says nothing of the gateway by it; nor has a node alone anyone to ask in an outage.
    let nemesis = Nemesis { serves: [Serves::Nothing; 3], ..*Nemesis::named(name).unwrap() };
    let report = run(&[nemesis], ONE, 7, &folder.join("run")).await.remove(0);
    let lines = std::fs::read_to_string(report.folder.join("history.jsonl")).unwrap();
    let events: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().filter(|event| event["mark"].is_string()).count(), 2);
    assert_eq!(events.iter().filter(|event| event["outcome"].is_string()).count(), report.operations());
    report
}

fn kept_its_promise(report: &Report) {
    let found: Vec<_> = report.violations.iter().take(5).map(ToString::to_string).collect();
    assert!(found.is_empty(), "{found:#?}");
    let kinds =
        [Kind::Issue, Kind::Call, Kind::Revoke, Kind::Redeem, Kind::Rotate, Kind::Change, Kind::See, Kind::Ready];
    for kind in kinds {
        assert!(matches!(report.recoveries.get(&kind), Some(Recovery::After(_))), "{kind:?}");
    }
    assert!(report.revocations.count > 0 && report.operations() > 500, "{}", report::line(report));
    let table = report::table(std::slice::from_ref(report));
    let columns: Vec<_> = table.lines().map(|line| line.matches('|').count()).collect();
    assert_eq!(columns, [18, 18, 18], "{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_keeps_its_promise_when_nothing_is_wrong() {
    let report = run_of_one("nothing").await;
    kept_its_promise(&report);
    assert_eq!(report.counts.get(&Outcome::Failed), None);
    assert_eq!(report.counts.get(&Outcome::Unknown), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_keeps_its_promise_when_it_is_killed() {
    let report = run_of_one("a node: kill -9").await;
    kept_its_promise(&report);
    let lost = [Outcome::Unknown, Outcome::Unsent].iter().filter_map(|outcome| report.counts.get(outcome));
    assert!(lost.sum::<usize>() > 0, "nobody noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_keeps_its_promise_when_postgres_stops() {
    let report = run_of_one("postgres: immediate stop").await;
    kept_its_promise(&report);
    assert!(report.counts.contains_key(&Outcome::Failed), "nobody noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_know_each_others_tokens_and_a_planted_revocation_is_found() {
    let cluster = Cluster::of(3).await;
    let history = Arc::new(History::default());
    let mut lanes = lanes(&cluster.addresses(), &history);
    let token = lanes[0].issue(&Application::standing()).await.unwrap();
    for lane in &mut lanes {
        assert_eq!(lane.call(&token).await, Outcome::Done);
    }
    let rules = rules();
    let events = history.events();
    assert_eq!(check(&events, &rules), []);
    // As if a revocation had been answered before the last call began.
    let op = Op::Revoke { of: Target::Token, subject: id(&token) };
    let (begin, end) = (events[1].begin, events[1].begin);
    let mut planted = events;
    planted.push(Event { node: 1, op, begin, end, outcome: Outcome::Done });
    let found = check(&planted, &rules);
    assert!(!found.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_over_for_nodes_that_know_both() {
    let mut cluster = Cluster::shaped(Shape { nodes: 1, ..Shape::WITH_STANDBY }).await;
    let history = Arc::new(History::default());
    let mut lanes = lanes(&cluster.addresses(), &history);
    let application = Application::standing();
    let before = lanes[0].issue(&application).await.unwrap();
    cluster.take(Step::Postgres(Act::Stop)).await;
    cluster.take(Step::Postgres(Act::Promote)).await;
    let begun = std::time::Instant::now();
    let after = loop {
        match lanes[0].issue(&application).await {
            Some(token) => break token,
            None => assert!(begun.elapsed() < crate::process::PATIENCE, "{}", cluster.nodes[0].log_text()),
        }
    };
    for token in [before, after] {
        assert_eq!(lanes[0].call(&token).await, Outcome::Done);
    }
}

#[test]
fn every_fault_has_a_name_of_its_own_and_ends_what_it_begins() {
    let names: std::collections::BTreeSet<_> = NEMESES.iter().map(|nemesis| nemesis.name).collect();
    assert_eq!(names.len(), NEMESES.len());
    for nemesis in NEMESES {
        let taken = |act| {
            let is_taken = |step: &&Step| match step {
                Step::Redis(a) | Step::Postgres(a) | Step::Node(_, a) | Step::Fleet(_, a) => *a == act,
                Step::Link(..) | Step::Await(_) | Step::Pause(_) => false,
            };
            nemesis.begin.iter().chain(nemesis.end).filter(is_taken).count()
        };
        let name = nemesis.name;
        let is_left_down = nemesis.shape.has_standby;
        assert!(is_left_down || taken(Act::Kill) + taken(Act::Stop) == taken(Act::Start), "{name}");
        assert_eq!(taken(Act::Freeze), taken(Act::Thaw), "{name}");
        assert_eq!(taken(Act::Fill), taken(Act::Empty), "{name}");
        assert_eq!(taken(Act::Hide), taken(Act::Show), "{name}");
        let breaks_links = nemesis.begin.iter().any(|step| matches!(step, Step::Link(..)));
        let clears = Step::Link(Ways::Clients, Nodes::All, crate::link::Fault::None);
        assert!(!breaks_links || nemesis.end.contains(&clears), "{name}");
    }
    let quick: Vec<_> = NEMESES.iter().filter(|nemesis| nemesis.is_quick).collect();
    assert!(quick.len() >= 5 && quick.iter().all(|nemesis| nemesis.shape == Shape::THREE));
}

#[test]
fn the_table_goes_between_its_lines_and_nowhere_else() {
    let folder = Folder::new();
    let path = folder.join("document.md");
    std::fs::write(&path, format!("before\n{}\nold\n{}\nafter\n", report::BEGIN, report::END)).unwrap();
    for _ in 0..2 {
        report::put_into(&path, "new").unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("before\n{}\n\nnew\n{}\nafter\n", report::BEGIN, report::END));
    std::fs::write(&path, "no lines").unwrap();
    assert!(report::put_into(&path, "new").unwrap_err().contains("has no lines"));
}
