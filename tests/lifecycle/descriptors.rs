//! How many files the gateway may open.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

use crate::support::{Folder, Gateway, Start};

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

fn ask(mut stream: &TcpStream) {
    stream.write_all(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
}

/// Whether the whole of one answer came; false where the connection was closed.
fn is_answered(mut stream: &TcpStream) -> bool {
    let mut seen = Vec::new();
    let mut part = [0; 1024];
    while !seen.ends_with(b"}") {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return false,
            Ok(length) => seen.extend_from_slice(&part[..length]),
        }
    }
    seen.starts_with(b"HTTP/1.1 404 ")
}

/// So many more files than it has open are what a gateway may have.
fn leave(gateway: &Gateway, more: u64) -> Rlimit {
    let open = fs::read_dir(format!("/proc/{}/fd", gateway.pid())).unwrap().count() as u64;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let pid = Pid::from_raw(gateway.pid().try_into().unwrap());
    prlimit(pid, Resource::Nofile, Rlimit { current: Some(open + more), maximum }).unwrap()
}

/// Whoever runs short of files, for a reason that no limit of ours foresaw, closes who is idle for those who wait.
#[test]
fn without_a_file_left_idle_clients_make_room_for_new_ones() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let proxy: SocketAddr = gateway.addresses["proxy"];
    let idle: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(proxy).unwrap()).collect();
    for client in &idle {
        ask(client);
        assert!(is_answered(client));
    }
    let mut busy = TcpStream::connect(proxy).unwrap();
    busy.write_all(b"GET /nothing HTTP/1.1\r\n").unwrap();
    leave(&gateway, 2);
    let crowd: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(proxy).unwrap()).collect();
    for waiting in &crowd {
        ask(waiting);
        assert!(is_answered(waiting), "{}", gateway.log_text());
    }
    busy.write_all(b"Host: a\r\n\r\n").unwrap();
    assert!(is_answered(&busy), "a client in the midst of its request is no longer served");
}

/// Where nobody is idle, those who are there are served, and the others when something is free.
#[test]
fn without_a_file_left_clients_are_served_and_new_ones_wait() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).ready();
    let proxy: SocketAddr = gateway.addresses["proxy"];
    let mut known = TcpStream::connect(proxy).unwrap();
    ask(&known);
    assert!(is_answered(&known));
    known.write_all(b"GET /nothing HTTP/1.1\r\n").unwrap();
    let before = leave(&gateway, 8);

    let crowd: Vec<TcpStream> = (0..64).map(|_| TcpStream::connect(proxy).unwrap()).collect();
    while !gateway.log_text().contains("cannot accept connections") {
        std::thread::yield_now();
    }
    known.write_all(b"Host: a\r\n\r\n").unwrap();
    assert!(is_answered(&known), "a client that was there is no longer served");
    prlimit(Pid::from_raw(gateway.pid().try_into().unwrap()), Resource::Nofile, before).unwrap();
    // Those who wait had their turn put off; they are served now.
    for waiting in &crowd {
        ask(waiting);
        assert!(is_answered(waiting), "{}", gateway.log_text());
    }
}
