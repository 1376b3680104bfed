//! How many files the gateway may open.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{Folder, Start};

#[test]
fn the_limit_of_open_files_is_raised_as_far_as_it_may_be() {
    // What this process may is what the gateway begins with.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum }).unwrap();
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let limits = fs::read_to_string(format!("/proc/{}/limits", gateway.pid())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[0], words[1], "{line}");
    assert_ne!(words[0], "256", "the test needs a hard limit of more");
}
