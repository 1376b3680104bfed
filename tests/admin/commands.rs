//! Commands and settings of the program (its own contract, runtime.md).

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::support::{Folder, Start, tollgate};
use crate::upstream::{Manner, Upstream};

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = tollgate();
    command.args(args).env("TOLLGATE_DATABASE_URL", format!("sqlite:{}", folder.join("gate.db").display()));
    command.env("TOLLGATE_KEYRING_FILE", folder.join("keyring")).output().unwrap()
}

fn text(output: &Output) -> (Option<i32>, String) {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code(), String::from_utf8(both).unwrap())
}

/// A line for each migration there is.
fn each_migration(verb: &str) -> String {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/sqlite")).unwrap();
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.iter().map(|name| format!("{verb}{}\n", name.trim_end_matches(".sql"))).collect()
}

#[test]
fn migrations_are_shown_applied_once_and_demanded_by_serve() {
    let folder = Folder::new();
    let run = |args: &[&str]| text(&run(folder.path(), args));
    let (code, said) = run(&["keyring", "init"]);
    assert!(code == Some(0) && said.contains("keep a copy"), "{said}");
    assert_eq!(run(&["keyring", "init"]).0, Some(1), "a keyring is not overwritten");
    assert_eq!(run(&["keyring", "list"]), (Some(0), "1  seals\n".to_owned()));
    assert_eq!(run(&["migrate", "status"]), (Some(0), each_migration("pending  ")));
    let listen =
        ["--set", "proxy.listen=127.0.0.1:0", "--set", "proxy.listen_tls=", "--set", "admin.listen=127.0.0.1:0"];
    let serve = [&["serve", "--set", "status.listen=127.0.0.1:0"][..], &listen].concat();
    let (code, said) = run(&serve);
    assert!(code == Some(1) && said.contains("tollgate migrate up"), "{said}");
    assert_eq!(run(&["migrate", "up"]), (Some(0), each_migration("applied ")));
    let (code, said) = run(&["migrate", "up"]);
    assert!(code == Some(0) && said.contains("nothing to do"), "{said}");
    assert_eq!(run(&["migrate", "status"]), (Some(0), each_migration("applied  ")));
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let folder = Folder::new();
    let file = folder.join("tollgate.toml");
    let wanted =
        "[database]\nurl = \"sqlite:x.db\"\n[proxy]\nworkers = 3\n[log]\nlevel = \"warn\"\nformat = \"text\"\n";
    fs::write(&file, wanted).unwrap();
    let output = tollgate()
        .args(["config", "explain", "--set", "log.level=debug", "--config"])
        .arg(&file)
        .env("TOLLGATE_LOG_FORMAT", "json")
        .env("TOLLGATE_LOG_LEVEL", "error")
        .output()
        .unwrap();
    let (code, said) = text(&output);
    assert_eq!(code, Some(0), "{said}");
    let line = |name: &str| said.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("proxy.workers").contains("  3") && line("proxy.workers").contains("file "), "{said}");
    assert!(line("log.format").contains("json") && line("log.format").contains("environment TOLLGATE_LOG_FORMAT"));
    assert!(line("log.level").contains("debug") && line("log.level").contains("flag"), "{said}");
    assert!(line("database.url").contains("********"), "{said}");
}

#[test]
fn a_faulty_flag_is_told_without_its_value() {
    for (flag, told) in [("nope.x=hunter2", "unknown setting `nope.x`"), ("hunter2", "--set takes NAME=VALUE")] {
        let (code, said) = text(&tollgate().args(["config", "check", "--set", flag]).output().unwrap());
        assert!(code == Some(64) && said.contains(told) && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn bad_command_lines_and_files_are_64_help_and_version_0() {
    for (args, wanted) in [
        (&["bogus"][..], 64),
        (&["serve", "--nope"], 64),
        (&["serve", "--config", "/nope/nope.toml"], 64),
        (&["config", "check", "--config", "/nope/nope.toml"], 64),
        (&["--version"], 0),
        (&["--help"], 0),
    ] {
        assert_eq!(tollgate().args(args).output().unwrap().status.code(), Some(wanted), "{args:?}");
    }
}

#[test]
fn several_addresses_each_have_a_line_before_ready() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).env("TOLLGATE_PROXY_LISTEN", "127.0.0.1:0, 127.0.0.2:0").ready();
    let events: Vec<Value> = gateway.log_text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let listening: Vec<&Value> = events.iter().filter(|event| event["message"] == "listening").collect();
    let names: Vec<&str> = listening.iter().map(|event| event["listener"].as_str().unwrap()).collect();
    assert_eq!(names, ["proxy", "proxy", "proxy_tls", "admin", "portal", "status"]);
    assert!(listening.iter().all(|event| !event["address"].as_str().unwrap().ends_with(":0")));
    let place = |message: &str| events.iter().rposition(|event| event["message"] == message).unwrap();
    assert!(place("listening") < place("ready"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_lets_calls_end_refuses_new_ones_and_exits_0() {
    let mut desk = Desk::open();
    let upstream = Upstream::plain(Manner::Silent).await;
    let service = json!({ "name": "s", "url": upstream.url(""), "read_timeout": 1500, "retries": 0 });
    desk.made("/services", service).await;
    desk.made("/services/s/routes", json!({ "paths": ["/r"] })).await;
    let (client, url) = (desk.client.clone(), desk.gateway.url("proxy", "/r"));
    let in_flight = tokio::spawn(async move { client.get(url).send().await.unwrap().status().as_u16() });
    while upstream.connections() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let begun = Instant::now();
    let code = tokio::task::block_in_place(|| desk.gateway.stop());
    assert_eq!((in_flight.await.unwrap(), code), (504, Some(0)), "the call got its answer");
    assert!(begun.elapsed() < Duration::from_secs(10), "took {:?}", begun.elapsed());
    let log = desk.gateway.log_text();
    assert!(
        log.contains("\"stopping\"") && log.contains("\"stopped\"") && !log.contains("did not stop in time"),
        "{log}"
    );
}

#[test]
fn sigint_exits_130() {
    let folder = Folder::new();
    let mut gateway = Start::dev(folder.path()).ready();
    let sent = std::process::Command::new("kill").arg("-INT").arg(gateway.pid().to_string()).status().unwrap();
    assert!(sent.success());
    assert_eq!(gateway.wait(), Some(130));
}
