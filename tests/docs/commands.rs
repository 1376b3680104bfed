//! What can be checked of commands that are not run: blocks that need another machine or root, and commands in prose.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::page::{Kind, kind};
use super::support::tollgate;
use super::{documents, root, runnable, tell};

/// The programs that may stand in a block which is not run. Whoever adds one says why it cannot be run.
const NOT_RUN: &[&str] = &[
    // They need a machine, a cluster or root.
    "apt-get",
    "docker",
    "podman",
    "buildah",
    "helm",
    "kubectl",
    "systemctl",
    "journalctl",
    "sudo",
    "ssh",
    "scp",
    "install",
    "useradd",
    "chown",
    // They need servers that are not ours, or take minutes.
    "cargo",
    "git",
    "deck",
    "deploy/check-image",
    "promtool",
    // A function of docs/deploy.md, whose lines tests/deploy runs.
    "admin()",
    "admin",
    "answer=$(curl",
    "token=$(echo",
    "sed",
    "psql",
    "pg_dump",
    "pg_restore",
    "pg_basebackup",
    "pg_ctl",
    "createdb",
    "redis-cli",
    "sqlite3",
    "tests/run",
    // Beside the others.
    "tollgate",
    "curl",
    "openssl",
    "export",
    "cd",
    "cp",
    "mv",
    "chmod",
    "mkdir",
    "tar",
    "cat",
    "until",
    "sleep",
    "done",
    "for",
    "echo",
    "kill",
];

/// Top folders of the repository whose files a command may name.
static FILE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?:^|[\s='"<:])((?:deploy|helm|examples|docs|tests|benches)/[\w./-]+)"#).unwrap());

/// Command lines of a block: lines joined where they are continued, without comments, parted where the shell parts them.
fn lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .flat_map(|line| line.split("&&").flat_map(|part| part.split(" | ")))
        .map(|line| line.trim().to_owned())
        .collect()
}

/// The program of a command line: its first word that is no assignment.
fn program(line: &str) -> Option<&str> {
    line.split_whitespace().find(|word| !word.split_once('=').is_some_and(|(name, _)| name.chars().all(is_of_name)))
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter == '_' || letter.is_ascii_digit()
}

/// Whether `tollgate` has this sub-command and these flags.
fn parses(line: &str, helps: &mut BTreeMap<String, Option<String>>) -> Result<(), String> {
    let words: Vec<&str> = line.split_whitespace().skip_while(|word| !word.ends_with("tollgate")).skip(1).collect();
    let mut path = Vec::new();
    for word in &words {
        if !word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-') || word.starts_with('-') {
            break;
        }
        let longer = [path.as_slice(), &[*word]].concat();
        if help(&longer, helps).is_none() {
            break;
        }
        path = longer;
    }
    if path.is_empty() && words.first().is_some_and(|word| !word.starts_with('-')) {
        return Err(format!("there is no `tollgate {}`", words[0]));
    }
    let text = help(&path, helps).unwrap_or_default();
    let has_more = text.contains("Commands:");
    if has_more && words.get(path.len()).is_some_and(|word| !word.starts_with('-')) {
        return Err(format!("there is no `tollgate {} {}`", path.join(" "), words[path.len()]));
    }
    for flag in words.iter().filter(|word| word.starts_with("--") && word.len() > 2) {
        let name = flag.split('=').next().unwrap_or_default();
        let known = text.split(|letter: char| letter.is_whitespace() || letter == ',').any(|word| word == name);
        if !known {
            return Err(format!("`tollgate {}` has no {name}", path.join(" ")));
        }
    }
    Ok(())
}

/// The help of a sub-command; `None` when there is no such one.
fn help(path: &[&str], helps: &mut BTreeMap<String, Option<String>>) -> Option<String> {
    let asked = helps.entry(path.join(" ")).or_insert_with(|| {
        let output = tollgate().args(path).arg("--help").output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    });
    asked.clone()
}

/// What `cargo` is told to build, and is not there.
fn unbuildable(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let named = |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1).copied());
    [("--example", "examples"), ("--test", "tests"), ("--bench", "benches")].iter().find_map(|(flag, folder)| {
        let name = named(flag)?;
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let known = manifest.contains(&format!("name = \"{name}\""))
            || root().join(folder).join(name).join("main.rs").exists()
            || root().join(folder).join(format!("{name}.rs")).exists();
        (!known).then(|| format!("there is no {folder}/{name}"))
    })
}

fn faults_of(text: &str, helps: &mut BTreeMap<String, Option<String>>) -> Vec<String> {
    let mut faults = Vec::new();
    for line in lines(text) {
        match program(&line) {
            Some("tollgate") => faults.extend(parses(&line, helps).err()),
            Some("cargo") => faults.extend(unbuildable(&line)),
            Some(name) if !NOT_RUN.contains(&name) => faults.push(format!("`{name}` may not stand in ```sh no-run")),
            _ => {}
        }
    }
    let files = FILE.captures_iter(text).map(|found| found[1].trim_end_matches('.').to_owned());
    faults.extend(files.filter(|file| !root().join(file).exists()).map(|file| format!("there is no {file}")));
    faults
}

#[test]
fn what_is_not_run_names_programs_files_and_flags_that_are_there() {
    let (mut faults, mut helps) = (Vec::new(), BTreeMap::new());
    for document in documents().iter().filter(|document| runnable(document)) {
        for fence in document.fences.iter().filter(|fence| kind(fence) == Some(Ok(Kind::NotRun))) {
            let found = faults_of(&fence.text, &mut helps);
            faults.extend(found.into_iter().map(|fault| format!("{}:{}: {fault}", document.name, fence.line)));
        }
    }
    tell("commands that cannot work", &faults);
}

#[test]
fn commands_in_prose_exist() {
    let (mut faults, mut helps) = (Vec::new(), BTreeMap::new());
    for document in documents().iter().filter(|document| runnable(document)) {
        for (line, span) in document.code_spans() {
            // Not commands: a pattern (`tollgate migrate up|status`), a product (`tollgate/x`).
            if span.starts_with("tollgate ") && !span.contains(['|', '…', '[', '<']) {
                let fault = parses(&span, &mut helps).err();
                faults.extend(fault.map(|fault| format!("{}:{line}: {fault}", document.name)));
            }
            if span.starts_with("cargo ") {
                faults.extend(unbuildable(&span).map(|fault| format!("{}:{line}: {fault}", document.name)));
            }
        }
    }
    tell("commands that do not exist", &faults);
}

#[test]
fn every_command_is_on_some_page() {
    let help = help(&[], &mut BTreeMap::new()).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"serve"), "{help}");
    let pages: Vec<_> = documents().into_iter().filter(|document| document.name.starts_with("docs/")).collect();
    let is_told = |name: &str| pages.iter().any(|page| page.text.contains(&format!("tollgate {name}")));
    let missed = commands.into_iter().filter(|name| !is_told(name));
    tell("commands that no page names", &missed.map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn a_command_that_cannot_work_is_found() {
    let mut helps = BTreeMap::new();
    let mut wrong = |text: &str| faults_of(text, &mut helps);
    assert_eq!(wrong("A=b tollgate migrate up --data-dir x && docker ps # tests/none\n"), ["there is no tests/none"]);
    assert_eq!(wrong("tollgate serve \\\n  --config a.toml\n# rm -rf\n"), [""; 0]);
    assert_eq!(wrong("tollgate server\n"), ["there is no `tollgate server`"]);
    assert_eq!(wrong("tollgate migrate down\n"), ["there is no `tollgate migrate down`"]);
    assert_eq!(wrong("tollgate serve --port 1\n"), ["`tollgate serve` has no --port"]);
    assert_eq!(wrong("rm -rf /\n"), ["`rm` may not stand in ```sh no-run"]);
    assert_eq!(wrong("helm install x helm/none\n"), ["there is no helm/none"]);
    assert_eq!(wrong("cargo test --test docs\ncargo bench --bench none\n"), ["there is no benches/none"]);
}
