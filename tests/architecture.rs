//! The plan of the house, held as data and compared with the code. `docs/architecture.md` tells the same in words; a
//! change here is a change there, in a commit of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each room, and the rooms it may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("doctor", &[]),
    ("schema", &["domain"]),
    ("message", &["domain"]),
    ("oauth2", &["domain"]),
    ("config", &["domain"]),
    ("telemetry", &["config"]),
    ("mail", &["domain", "config"]),
    ("storage", &["domain", "schema", "config"]),
    ("cache", &["domain", "config"]),
    ("actors", &["domain", "schema", "oauth2", "storage", "cache", "telemetry", "mail"]),
    ("engine", &["domain", "schema", "oauth2", "config", "telemetry", "storage", "cache", "actors", "mail"]),
    ("exchange", &["domain", "schema", "storage", "engine"]),
    ("router", &["domain", "message"]),
    ("plugins", &["domain", "schema", "message", "oauth2", "router", "engine"]),
    ("proxy", &["domain", "message", "router", "plugins", "engine", "telemetry"]),
    ("admin", &["domain", "schema", "message", "engine", "telemetry"]),
    ("pages", &["domain"]),
    ("portal", &["domain", "schema", "engine", "telemetry", "pages"]),
    ("console", &["domain", "schema", "engine", "telemetry", "pages", "admin"]),
];

/// The room where everything meets.
const MEETING_PLACE: &str = "app";

/// Crates that are named in one place only, so that a change of mind stays there.
const HOMES: &[(&str, &[&str])] = &[
    ("actix", &["actors", "engine", "proxy", "app"]),
    ("actix_http", &["proxy", "app"]),
    ("actix_web", &["admin", "pages", "portal", "console", "proxy", "app"]),
    ("aes_gcm", &["domain"]),
    ("anyhow", &["app"]),
    ("argon2", &["actors"]),
    ("askama", &["mail", "pages", "portal", "console"]),
    ("aws_lc_rs", &["domain"]),
    ("clap", &["app"]),
    ("deadpool", &["storage"]),
    ("deadpool_redis", &["cache"]),
    ("hashlink", &["cache"]),
    ("hmac", &["domain"]),
    ("httparse", &["message"]),
    ("h2", &["proxy"]),
    ("hickory_resolver", &["proxy"]),
    ("http", &["proxy"]),
    ("http_body_util", &["exchange"]),
    ("hyper", &["exchange"]),
    ("hyper_util", &["exchange"]),
    ("indicatif", &["app"]),
    ("lettre", &["mail"]),
    ("multer", &["schema"]),
    ("pbkdf2", &["actors"]),
    ("proxy_header", &["proxy"]),
    ("redis", &["cache"]),
    ("rusqlite", &["storage"]),
    ("rustix", &["app", "proxy"]),
    ("tokio_postgres", &["storage"]),
    ("tokio_postgres_rustls", &["storage"]),
    ("rustls_native_certs", &["exchange"]),
    ("tokio_rustls", &["proxy", "exchange"]),
    ("toml", &["config"]),
    ("tracing_subscriber", &["telemetry"]),
];

const LONGEST_FILE: usize = 400;
/// Places outside of the drivers that know there are two databases.
const MOST_MATCHES: usize = 8;
/// What may stand at the top, besides dotfiles and what git ignores.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "Dockerfile",
    "src",
    "sql",
    "tests",
    "deploy",
    "helm",
    "docs",
    "benches",
    "examples",
    "fuzz",
    "target",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The code of a file, without comments on lines of their own.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The room a file stands in; `None` for `lib.rs` and `main.rs`.
fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let mut parts = inside.components();
    let first = parts.next().unwrap().as_os_str().to_str().unwrap().to_owned();
    parts.next().map(|_| first)
}

/// The first names of paths that begin with `crate::`, also of `use crate::{a, b::c}`.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => named.extend(heads(list)),
            None => named.extend(word(rest)),
        }
    }
    named
}

fn word(text: &str) -> Option<String> {
    let word: String =
        text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// First names of the parts of a braced list.
fn heads(list: &str) -> Vec<String> {
    let (mut depth, mut heads, mut start) = (0, Vec::new(), 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.extend(word(&list[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.extend(word(&list[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads
}

fn names_crate(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':')
    })
}

fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn rooms_name_only_the_rooms_they_may() {
    let known: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).chain([MEETING_PLACE]).collect();
    let mut faults = Vec::new();
    for path in rust_files(&root().join("src")) {
        let Some(room) = room(&path) else { continue };
        let is_test = path.components().any(|part| part.as_os_str() == "tests");
        if room == MEETING_PLACE || is_test {
            continue;
        }
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            faults.push(format!("{}: `{room}` is no room of the plan", path.display()));
            continue;
        };
        for named in rooms_named(&code(&path)) {
            if named != room && known.contains(named.as_str()) && !allowed.contains(&named.as_str()) {
                faults.push(format!("{}: `{room}` may not name `{named}`", path.display()));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn crates_are_named_only_at_home() {
    let mut faults = Vec::new();
    for path in rust_files(&root().join("src")) {
        let room = room(&path).unwrap_or_else(|| MEETING_PLACE.to_owned());
        let code = code(&path);
        for (name, homes) in HOMES {
            if !homes.contains(&room.as_str()) && names_crate(&code, name) {
                faults.push(format!("{}: `{name}` is at home in {homes:?}", path.display()));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn files_stay_short() {
    let folders = ["src", "tests", "benches", "examples"].map(|folder| root().join(folder));
    let files = folders.iter().filter(|folder| folder.exists()).flat_map(|folder| rust_files(folder));
    let long = files.filter_map(|path| {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines, at most {LONGEST_FILE}", path.display()))
    });
    assert_none(long.collect());
}

#[test]
fn every_door_says_what_its_room_is_for() {
    let doors = rust_files(&root().join("src")).into_iter().filter(|path| path.ends_with("mod.rs"));
    let silent = doors.filter(|path| !fs::read_to_string(path).unwrap().starts_with("//!"));
    assert_none(silent.map(|path| format!("{}: begins without `//!`", path.display())).collect());
}

#[test]
fn rooms_are_folders_with_a_door() {
    let mut faults = Vec::new();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !path.join("mod.rs").exists() {
            faults.push(format!("src/{name}: has no mod.rs"));
        } else if path.is_file() && !["lib.rs", "main.rs"].contains(&name) {
            faults.push(format!("src/{name}: belongs into a room"));
        }
    }
    assert_none(faults);
}

#[test]
fn the_top_is_tidy() {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let strangers = entries.filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str()));
    assert_none(strangers.map(|name| format!("{name}: does not belong at the top")).collect());
}

#[test]
fn the_drivers_are_told_apart_in_few_places() {
    let mut places = Vec::new();
    for path in rust_files(&root().join("src/storage")) {
        let inside = path.strip_prefix(root().join("src/storage")).unwrap();
        if inside.starts_with("postgres") || inside.starts_with("sqlite") {
            continue;
        }
        let code = code(&path);
        let arms = code.matches("Self::Sqlite(driver)").count() + code.matches("Driver::Sqlite(").count();
        places.extend(std::iter::repeat_n(inside.display().to_string(), arms));
        let asked = code.matches("kind() ==").count() + code.matches("dialect == ").count();
        assert!(asked <= 1, "{}: asks for the name of the database {asked} times", path.display());
    }
    assert!(places.len() <= MOST_MATCHES, "{} matches on the driver: {places:?}", places.len());
}

#[test]
fn the_picture_shows_every_arrow_of_the_plan() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut faults = Vec::new();
    for (room, allowed) in ROOMS {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{room}` |")));
        let Some(row) = row else {
            faults.push(format!("docs/architecture.md has no row for `{room}`"));
            continue;
        };
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let written: BTreeSet<&str> = last.split(',').map(str::trim).filter(|name| *name != "-").collect();
        if written != allowed.iter().copied().collect() {
            faults.push(format!("docs/architecture.md says `{room}` names {written:?}, the plan says {allowed:?}"));
        }
    }
    assert_none(faults);
}

#[test]
fn what_is_said_of_kong_is_held_by_tests_that_exist() {
    let text = fs::read_to_string(root().join("docs/kong-compatibility.md")).unwrap();
    let proofs = text.split('`').filter_map(|quoted| quoted.split_once(".rs::"));
    let mut faults = Vec::new();
    for (file, test) in proofs.filter(|(file, _)| *file != "file") {
        let folder = if file.starts_with("src/") { root() } else { root().join("tests") };
        let code = fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap_or_default();
        if test.is_empty() || !code.contains(&format!("fn {test}(")) {
            faults.push(format!("docs/kong-compatibility.md names `{file}.rs::{test}`, which is not there"));
        }
    }
    assert_none(faults);
}

#[test]
fn the_test_itself_reads_imports_right() {
    let code =
        "use crate::domain::X;\nuse crate::{schema::{A, B}, router};\nlet a = crate::engine::f();\nmycrate::no::x();";
    let expected = ["domain", "engine", "router", "schema"].map(str::to_owned);
    assert_eq!(rooms_named(code), BTreeSet::from(expected));
    assert!(names_crate("use clap::Parser;", "clap") && names_crate("<clap::Error>", "clap"));
    assert!(!names_crate("my_clap::x", "clap") && !names_crate("crate::redis::x", "redis"));
}

/// A profile of another version of the package or of Rust has other names for everything, and so does nothing.
#[test]
fn a_release_is_compiled_by_a_profile_of_its_version() {
    let folder = root().join("benches/profile");
    let toolchain = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap();
    let rust = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    let named = folder.join(format!("tollgate-{}-rust-{rust}.profdata", env!("CARGO_PKG_VERSION")));
    let is_profile = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "profdata");
    let kept = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_profile);
    assert_eq!(kept.collect::<Vec<_>>(), std::slice::from_ref(&named), "benches/profile/record makes it anew");
    let settings = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    assert!(settings.contains("rustc-wrapper = \"benches/profile/rustc\""));
    let compiled = |level: &str| {
        let mut wrapper = Command::new(folder.join("rustc"));
        wrapper.args(["echo", "-C", level]).env_remove("PGO");
        String::from_utf8(wrapper.output().unwrap().stdout).unwrap()
    };
    assert!(compiled("opt-level=3").contains(&format!("-Cprofile-use={}", named.display())));
    assert_eq!(compiled("opt-level=2"), "-C opt-level=2\n");
}
