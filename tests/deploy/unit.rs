//! The systemd unit and the settings beside it.

use std::process::Command;

use crate::compose::{file, text};
use crate::support::{Folder, tollgate};
use crate::tools::{program, said};

/// What systemd calls exposed, of 100; `tollgate.service` is well under it.
const MOST_EXPOSED: &str = "--threshold=20";

#[test]
fn systemd_finds_no_fault_in_the_unit() {
    let folder = Folder::new();
    let unit = folder.join("tollgate.service");
    let program_of_unit = "/usr/bin/tollgate ";
    let written = text("systemd/tollgate.service");
    assert_eq!(written.matches(program_of_unit).count(), 2);
    let here = format!("{} ", env!("CARGO_BIN_EXE_tollgate"));
    std::fs::write(&unit, written.replace(program_of_unit, &here)).unwrap();
    let verified = Command::new(program("systemd-analyze")).arg("verify").arg(&unit).output().unwrap();
    // Faults in units of this machine are told, too.
    let faults = String::from_utf8_lossy(&verified.stderr);
    assert!(!faults.contains("tollgate.service"), "{faults}");
    said(Command::new(program("systemd-analyze")).args(["security", "--offline=true", MOST_EXPOSED]).arg(&unit));
}

#[test]
fn the_units_settings_are_good_and_leave_time_to_drain() {
    let mut check = tollgate();
    check.args(["config", "explain", "--config"]).arg(file("systemd/tollgate.toml"));
    check.env("TOLLGATE_DATABASE_URL", "postgres://tollgate@localhost/tollgate");
    let explained = said(&mut check);
    check = tollgate();
    check.args(["config", "check", "--config"]).arg(file("systemd/tollgate.toml"));
    check.env("TOLLGATE_DATABASE_URL", "postgres://tollgate@localhost/tollgate");
    said(&mut check);
    let drain = explained.lines().find(|line| line.starts_with("proxy.drain_timeout")).unwrap();
    let drain: u64 = drain.split_whitespace().nth(1).unwrap().trim_end_matches('s').parse().unwrap();
    let unit = text("systemd/tollgate.service");
    let stop = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    assert!(stop.parse::<u64>().unwrap() > drain, "{stop} is not more than {drain}");
}
