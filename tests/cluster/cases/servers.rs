//! The servers obey, and go with their test.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};

use tokio::task::block_in_place;

use crate::fleet::Fleet;
use crate::nemesis::{Act, Member, Sight};
use crate::postgres::Postgres;
use crate::process::{Process, Signal, eventually};
use crate::redis::Redis;

/// The command line of a process that has ended is empty until somebody waits for it, and then it is gone.
fn is_alive(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|text| !text.is_empty())
}

fn state(pid: u32) -> char {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    text.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

#[test]
fn a_process_ends_with_its_owner_even_in_a_panic_and_even_when_stopped() {
    let mut pid = 0;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut sleeper = Command::new("sleep");
        sleeper.arg("600");
        let process = Process::spawn(sleeper);
        pid = process.pid();
        process.signal(Signal::Stop);
        eventually("it is stopped", || state(pid) == 'T');
        panic!("on purpose");
    }));
    assert!(panicked.is_err() && pid != 0 && !is_alive(pid));
}

/// What a test run leaves behind when it is killed: this same binary, in the case below, as a child.
#[test]
fn a_process_ends_though_the_test_was_killed() {
    let folder = crate::support::Folder::new();
    let told = folder.join("pid");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "cases::servers::a_process_that_waits_to_be_left_behind", "--nocapture"]);
    let mut child = child.env("LEFT_BEHIND", &told).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut pid = 0;
    eventually("the child tells the process id of its own child", || {
        let text = std::fs::read_to_string(&told).unwrap_or_default();
        pid = text.strip_suffix('\n').map_or(0, |number| number.parse().unwrap());
        pid != 0
    });
    assert!(is_alive(pid));
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("what the killed child had started is gone", || !is_alive(pid));
}

/// By itself it starts a process and ends it. Asked by the case above, it waits for its own end instead.
#[test]
fn a_process_that_waits_to_be_left_behind() {
    let mut sleeper = Command::new("sleep");
    sleeper.arg("600");
    let process = Process::spawn(sleeper);
    // A process that has only just begun its program has no command line for a moment.
    eventually("it runs", || is_alive(process.pid()));
    if let Some(told) = std::env::var_os("LEFT_BEHIND") {
        std::fs::write(told, format!("{}\n", process.pid())).unwrap();
        std::thread::sleep(crate::process::PATIENCE);
    }
    let pid = process.pid();
    drop(process);
    assert!(!is_alive(pid));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_what_was_committed_through_a_kill_and_an_immediate_stop() {
    let mut server = Postgres::start();
    server.sql("CREATE TABLE t (n int)").await;
    server.sql("INSERT INTO t VALUES (1)").await;
    server.kill();
    assert!(!server.is_running());
    server.restart();
    server.sql("INSERT INTO t VALUES (2)").await;
    server.stop_immediately();
    server.restart();
    assert_eq!(server.sql("SELECT n FROM t ORDER BY n").await, [["1"], ["2"]]);
    let pid = server.pid();
    drop(server);
    assert!(!is_alive(pid));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_postgres_answers_nobody_until_it_is_thawed() {
    let server = Postgres::start();
    let client = server.connect().await;
    server.freeze();
    eventually("it is stopped", || state(server.pid()) == 'T');
    let question = tokio::spawn(async move { client.simple_query("SELECT 1").await.is_ok() });
    // It cannot be answered before the thaw, so being unanswered now proves nothing; being answered then does.
    assert!(!question.is_finished());
    server.thaw();
    assert!(question.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_has_what_was_committed_and_takes_over() {
    let mut primary = Postgres::start();
    primary.sql("CREATE TABLE t (n int)").await;
    let standby = primary.standby().await;
    primary.sql("INSERT INTO t VALUES (1)").await;
    assert_eq!(standby.sql("SELECT pg_is_in_recovery()").await, [["t"]]);
    let refused = standby.connect().await.batch_execute("INSERT INTO t VALUES (2)").await;
    assert!(refused.is_err(), "a standby takes no writes");
    primary.stop_immediately();
    standby.promote().await;
    standby.sql("INSERT INTO t VALUES (3)").await;
    assert_eq!(standby.sql("SELECT n FROM t ORDER BY n").await, [["1"], ["3"]]);
}

#[test]
fn redis_forgets_restores_and_refuses() {
    let mut server = Redis::start();
    assert_eq!(server.command("SET colour red"), "+OK");
    let old = server.save();
    assert_eq!(server.command("SET colour blue"), "+OK");
    server.restore(&old);
    assert_eq!(server.get("colour").as_deref(), Some("red"));
    server.flush();
    assert_eq!(server.get("colour"), None);
    server.fill();
    assert!(server.command("SET colour green").starts_with("-OOM"));
    server.empty();
    assert_eq!(server.command("SET colour green"), "+OK");
    server.demote();
    assert!(server.command("SET colour grey").starts_with("-READONLY"));
    server.promote();
    assert_eq!(server.command("SET colour grey"), "+OK");
    server.freeze();
    eventually("it is stopped", || state(server.pid()) == 'T');
    server.thaw();
    assert_eq!(server.get("colour").as_deref(), Some("grey"));
    server.kill();
    server.restart();
    assert_eq!(server.get("colour"), None);
}

fn loses_its_master_and_is_whole_again(mut fleet: Fleet, hit: Act, back: Act) {
    block_in_place(|| {
        fleet.take(Member::Bus, hit);
        fleet.wait_for(Sight::Replaced);
        fleet.take(Member::Bus, back);
        fleet.wait_for(Sight::Whole);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_sentinels_a_lost_master_is_replaced_and_comes_back_as_a_replica() {
    loses_its_master_and_is_whole_again(Fleet::watched().await, Act::Kill, Act::Start);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_redis_cluster_a_frozen_master_is_replaced_and_comes_back_as_a_replica() {
    loses_its_master_and_is_whole_again(Fleet::cluster().await, Act::Freeze, Act::Thaw);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_sentinels_do_not_see_stays_one_beside_its_successor() {
    let mut fleet = Fleet::watched().await;
    block_in_place(|| {
        fleet.take(Member::Bus, Act::Hide);
        fleet.wait_for(Sight::Replaced);
        assert_eq!(fleet.masters(), 2);
        fleet.take(Member::Bus, Act::Show);
        fleet.wait_for(Sight::Whole);
        assert_eq!(fleet.masters(), 1);
    });
}
