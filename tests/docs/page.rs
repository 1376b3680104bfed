//! Running the commands of a page: each block by bash, in the order of the page, in one shell, so that a variable of one
//! block is there in the next.
//!
//! A page has a network of its own (a network namespace, loopback only), so that the ports it names are free and are
//! the ones that `tollgate` really has, and a folder of its own to work in. Unless a block starts a gateway, `tollgate dev`
//! runs from the beginning. A call by `curl` whose status the command does not show must succeed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::markdown::{Document, Fence};
use super::promise::{is_promise, kept};
use super::support::Folder;
use super::{documents, root, runnable, tell};

/// What the fence of a block with commands says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Run,
    /// A program that stays: run in the background, and waited for until it is ready.
    Start,
    /// It needs another machine, or root: see `commands.rs`.
    NotRun,
}

pub fn kind(fence: &Fence) -> Option<Result<Kind, String>> {
    match fence.info.as_str() {
        "sh" => Some(Ok(Kind::Run)),
        "sh start" => Some(Ok(Kind::Start)),
        "sh no-run" => Some(Ok(Kind::NotRun)),
        other if ["sh", "bash", "shell", "console"].contains(&other.split(' ').next().unwrap_or_default()) => {
            Some(Err(format!("`{other}`: commands stand in ```sh, ```sh start or ```sh no-run")))
        }
        _ => None,
    }
}

/// Seconds after which a page is given up.
const PATIENCE: &str = "240";

/// Reads the blocks of the folder `blocks` into one shell. The last number in `at` is the block that was begun last.
const SHELL: &str = r#"
trap 'echo $? >"$PAGE/status"; kill -KILL 0' EXIT
set -eu
ip link set lo up
cd "$PAGE/work"
await_ready() {
    for _ in $(seq 600); do
        tollgate health --url 127.0.0.1:8100 >/dev/null 2>&1 && return
        kill -0 "$1" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
if [ -e "$PAGE/wants-gateway" ]; then
    tollgate dev >"$PAGE/gateway.out" 2>"$PAGE/gateway.err" </dev/null &
    await_ready $!
fi
for block in $(ls "$PAGE/blocks" | sort -n); do
    echo "$block" >"$PAGE/at"
    case $block in
    *.start)
        . "$PAGE/blocks/$block" >"$PAGE/$block.out" 2>"$PAGE/$block.err" </dev/null &
        await_ready $!
        ;;
    *)
        . "$PAGE/blocks/$block" >"$PAGE/$block.out" 2>"$PAGE/$block.err" </dev/null
        ;;
    esac
done
echo all >"$PAGE/at"
"#;

/// Fails on a refusal, unless the command shows the status (`-i`, `-w`) or looks for it (`-f`).
const CURL: &str = r#"#!/bin/bash
for argument in "$@"; do
    case $argument in
    --include | --head | --write-out | --fail*) exec -a curl "$CURL" "$@" ;;
    --*) ;;
    -*[iIwf]*) [[ $argument =~ ^-[a-zA-Z]+$ ]] && exec -a curl "$CURL" "$@" ;;
    esac
done
exec -a curl "$CURL" --fail-with-body "$@"
"#;

/// `cargo run [--release] -- …` is the program of this build.
const CARGO: &str = r#"#!/bin/bash
[ "$1" = run ] || { echo "cargo $1 is not for a page's block" >&2; exit 1; }
shift
[ "$1" = --release ] && shift
[ "$1" = -- ] || { echo "cargo run $1 is not for a page's block" >&2; exit 1; }
shift
exec tollgate "$@"
"#;

fn program(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn real_curl() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|folder| folder.join("curl")).find(|file| file.exists());
    found.expect("curl is installed")
}

/// The page's folder: its blocks, the programs that stand first on its PATH, and a place to work in that looks like a clone.
fn prepare(folder: &Path, blocks: &[(usize, Kind, &Fence)]) {
    for name in ["blocks", "bin", "work"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    symlink(env!("CARGO_BIN_EXE_tollgate"), folder.join("bin/tollgate")).unwrap();
    program(&folder.join("bin"), "curl", CURL);
    program(&folder.join("bin"), "cargo", CARGO);
    for top in ["deploy", "helm", "examples", "docs", "tests"] {
        if root().join(top).exists() {
            symlink(root().join(top), folder.join("work").join(top)).unwrap();
        }
    }
    let starts = |text: &str| ["tollgate serve", "tollgate dev"].iter().any(|command| text.contains(command));
    if !blocks.iter().any(|(_, kind, fence)| *kind == Kind::Start || starts(&fence.text)) {
        fs::write(folder.join("wants-gateway"), "").unwrap();
    }
    for (at, kind, fence) in blocks {
        let name = if *kind == Kind::Start { format!("{at}.start") } else { at.to_string() };
        fs::write(folder.join("blocks").join(name), &fence.text).unwrap();
    }
}

/// # Errors
/// The block that failed, with what it printed; or the promise that was not kept.
pub fn run(document: &Document) -> Result<(), String> {
    let mut blocks = Vec::new();
    for (at, fence) in document.fences.iter().enumerate() {
        match kind(fence) {
            Some(Ok(Kind::NotRun)) | None => {}
            Some(Ok(kind)) => blocks.push((at, kind, fence)),
            Some(Err(fault)) => return Err(format!("{}:{}: {fault}", document.name, fence.line)),
        }
    }
    if blocks.is_empty() {
        return Ok(());
    }
    let folder = Folder::new();
    prepare(folder.path(), &blocks);
    shell(folder.path());
    let read = |name: String| fs::read_to_string(folder.join(&name)).unwrap_or_default();
    let (status, at) = (read("status".into()), read("at".into()));
    for (nth, kind, fence) in &blocks {
        let name = if *kind == Kind::Start { format!("{nth}.start") } else { nth.to_string() };
        let (out, err) = (read(format!("{name}.out")), read(format!("{name}.err")));
        let place = format!("{}:{}", document.name, fence.line);
        if at.trim() == name {
            return Err(format!("{place}: this block failed\n{}\n-- printed\n{out}\n-- errors\n{err}", fence.text));
        }
        let next = document.fences.get(nth + 1).filter(|next| *kind == Kind::Run && is_promise(next));
        if let Some(promise) = next {
            kept(promise, &out).map_err(|why| format!("{}:{}: {why}\n{err}", document.name, promise.line))?;
        }
    }
    if status.trim() == "0" && at.trim() == "all" {
        return Ok(());
    }
    let (shell, gateway) = (read("shell".into()), read("gateway.err".into()));
    Err(format!("{}: ended with `{}` before its first block\n{shell}\n{gateway}", document.name, status.trim()))
}

fn shell(folder: &Path) {
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", PATIENCE, "unshare", "--map-root-user", "--net", "bash", "-c", SHELL]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TOLLGATE_")) {
        command.env_remove(name);
    }
    command.env("PATH", format!("{}:{path}", folder.join("bin").display())).env("CURL", real_curl());
    command.env("PAGE", folder).env("HOME", folder.join("work"));
    let log = fs::File::create(folder.join("shell")).unwrap();
    // It ends by a signal of its own, so that nothing it started stays: how it went is told by the file `status`.
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).status().unwrap();
}

#[test]
fn every_command_of_every_page_works() {
    let wanted = std::env::var("TOLLGATE_TEST_PAGE").ok();
    let mut pages: Vec<Document> = documents().into_iter().filter(runnable).collect();
    pages.retain(|page| wanted.as_ref().is_none_or(|wanted| &page.name == wanted));
    assert!(!pages.is_empty(), "no such page");
    let (pages, faults) = (Mutex::new(pages), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(page) = pages.lock().unwrap().pop() else { return };
            if let Err(fault) = run(&page) {
                faults.lock().unwrap().push(fault);
            }
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(work);
        threads.spawn(work);
    });
    tell("pages whose commands do not work", &faults.into_inner().unwrap());
}

#[test]
fn a_page_with_a_broken_command_is_found() {
    let page = |text: &str| run(&Document::parse("broken.md", text));
    let good = "```sh\nNAME=orders\n```\n```sh\ncurl -s localhost:8001/services -d name=$NAME -d host=x.example\n```\n\
                ```json\n{\"name\":\"orders\",\"…\":\"…\"}\n```\n";
    page(good).unwrap();
    for (broken, why) in [
        (good.replace("host=", "hosst="), "unknown field"),
        (good.replace("-d name=", "-d ame="), "unknown field"),
        (good.replace("{\"name\":\"orders\"", "{\"name\":\"others\""), "promised"),
        (good.replace("NAME=orders", "false"), "this block failed"),
        (good.replace("localhost:8001", "localhost:8002"), "this block failed"),
        (good.replace("$NAME", "$OTHER"), "unbound variable"),
        (good.replace("```sh\nNAME", "```sh start\ntollgate serve --config nowhere.toml\n```\n```sh\nNAME"), "failed"),
        (good.replace("```sh\nNAME", "```bash\nNAME"), "```sh"),
        ("```sh\ncurl -s localhost:8001/consumers/nobody\n```\n".into(), "Not found"),
        ("```sh\ntollgate no-such-command\n```\n".into(), "unrecognized subcommand"),
    ] {
        let fault = page(&broken).expect_err(&broken);
        assert!(fault.contains(why), "{broken}\n{fault}");
    }
    page("```sh\ncurl -si localhost:8001/consumers/nobody\n```\n```text\nHTTP/1.1 404 …\n…\n```\n").unwrap();
}
