//! Where the access log goes: files that move, files that break, readers that do not read.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::house::House;
use crate::support::{Folder, Start, client, tollgate};

const DROPPED: &str = "tollgate_access_log_dropped_total";

#[tokio::test]
async fn a_file_that_was_moved_is_opened_again() {
    let mut house = House::open().await;
    assert_eq!(house.call("/before", None).await, 404);
    while house.lines().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let moved = house.folder.join("access.log.1");
    fs::rename(house.access_file(), &moved).unwrap();
    house.hang_up();
    while !house.access_file().exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(house.call("/after", None).await, 404);
    assert_eq!(house.gateway.stop(), Some(0));
    assert!(fs::read_to_string(&moved).unwrap().contains("/before"));
    let text = fs::read_to_string(house.access_file()).unwrap();
    assert!(text.contains("/after") && !text.contains("/before"), "{text}");
}

#[tokio::test]
async fn the_programs_own_log_is_opened_again() {
    let mut house = House::open().await;
    let (file, moved) = (house.gateway.log.clone(), house.folder.join("log.1"));
    fs::rename(&file, &moved).unwrap();
    house.hang_up();
    while !file.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(house.gateway.stop(), Some(0));
    let (before, after) = (fs::read_to_string(&moved).unwrap(), fs::read_to_string(&file).unwrap());
    assert!(before.contains("SIGHUP") && !before.contains("stopping"), "{before}");
    assert!(after.contains("stopping") && !after.contains("SIGHUP"), "{after}");
}

#[tokio::test]
async fn a_full_disk_costs_lines_and_nothing_else() {
    let mut house = House::open_with(&[("LOG_ACCESS", "json"), ("LOG_ACCESS_FILE", "/dev/full")]).await;
    for wanted in 1..=3 {
        assert_eq!(house.call("/nothing", None).await, 404);
        while house.series(DROPPED).await < wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(house.gateway.stop(), Some(0));
    assert_eq!(house.gateway.log_text().matches("the access log cannot be written").count(), 1, "told once");
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_costs_lines_and_holds_up_nobody() {
    let folder = Folder::new();
    let pipe = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let settings = [("LOG_ACCESS", "json"), ("LOG_ACCESS_FILE", pipe.to_str().unwrap())];
    let mut house = House::open_with(&settings).await;
    // Each line has some kilobytes, so that few fill pipe and mailbox.
    let (path, agent) = (format!("/nothing/{}", "x".repeat(3000)), "\"".repeat(600));
    while house.series(DROPPED).await == 0 {
        let calls = (0..200).map(|_| async {
            let request = house.http.get(house.gateway.url("proxy", &path)).header("user-agent", &agent);
            assert_eq!(request.send().await.unwrap().status(), 404);
        });
        futures_util::future::join_all(calls).await;
    }
    house.hang_up();
    assert_eq!(house.gateway.stop(), Some(0));
}

#[tokio::test]
async fn serve_writes_to_standard_output_and_dev_writes_none() {
    let folder = Folder::new();
    let url = format!("sqlite:{}", folder.join("gate.db").display());
    let mut gateway = Start::serve(folder.path(), &url).ready();
    let answer = client().get(gateway.url("proxy", "/served")).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(gateway.stop(), Some(0));
    let text = fs::read_to_string(&gateway.stdout).unwrap();
    assert!(text.contains("\"path\":\"/served\""), "{text}");

    let folder = Folder::new();
    let mut gateway = Start::dev(folder.path()).arg("--empty").ready();
    let answer = client().get(gateway.url("proxy", "/served")).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(gateway.stop(), Some(0));
    assert!(!fs::read_to_string(&gateway.stdout).unwrap().contains("/served"));
}

#[test]
fn settings_that_cannot_work_are_refused_at_the_start() {
    let folder = Folder::new();
    for (name, value, told) in [
        ("TOLLGATE_LOG_ACCESS", "xml", "log.access (environment TOLLGATE_LOG_ACCESS): must be off, json or combined"),
        ("TOLLGATE_LOG_ACCESS_FILE", "/nowhere/at/all", "log.access_file: "),
    ] {
        let mut command = tollgate();
        command.arg("dev").arg("--data-dir").arg(folder.path()).env("TOLLGATE_LOG_ACCESS", "json").env(name, value);
        for listener in ["PROXY_LISTEN", "PROXY_LISTEN_TLS", "ADMIN_LISTEN", "STATUS_LISTEN", "PORTAL_LISTEN"] {
            command.env(format!("TOLLGATE_{listener}"), "127.0.0.1:0");
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{text}");
        assert!(text.contains(told), "{text}");
    }
}
