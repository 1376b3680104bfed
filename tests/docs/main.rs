//! The documentation is held to what it says: every command is run, every link leads somewhere, every setting, path and
//! command it names exists.
//!
//! `TOLLGATE_TEST_PAGE=docs/grants.md` runs the commands of one page. `TOLLGATE_WRITE_DOCS=1` writes
//! `docs/settings.md` anew.

#[path = "../browser/mod.rs"]
mod browser;
mod commands;
mod diagrams;
mod links;
mod markdown;
mod names;
mod page;
mod promise;
mod settings;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use markdown::Document;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every page of the repository, by its path from the root.
fn documents() -> Vec<Document> {
    let mut found = Vec::new();
    collect(&root(), &mut found);
    found.sort();
    found.iter().map(|path| Document::read(&root(), path)).collect()
}

/// The pages whose commands are run: what people read, not what engineers noted.
fn runnable(document: &Document) -> bool {
    let name = document.name.as_str();
    let is_readme = name.ends_with("README.md");
    name == "README.md"
        || name.starts_with("docs/")
        || (is_readme && ["deploy/", "helm/", "examples/"].iter().any(|top| name.starts_with(top)))
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "target" && name != "node_modules" && !name.starts_with('.') {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// Fails with every fault at once.
fn tell(what: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{what}:\n{}", faults.join("\n"));
}
