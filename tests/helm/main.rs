//! The chart `helm/tollgate`, rendered by Helm's own engine with each set of values of its `ci` folder: that it is what
//! it was (golden files), what Kubernetes takes, what the schema refuses, and that the gateway runs with what it says.
//!
//! Needs `TOLLGATE_TEST_PYTHON`, a Python with helm-python-sdk and kubernetes-validate; tests/run has one; and
//! `TOLLGATE_TEST_POSTGRES`, a PostgreSQL server where schemas may be made.
//! `TOLLGATE_WRITE_GOLDEN=1 cargo nextest run --test helm` writes the golden files and the README's table anew.

mod environment;
mod joints;
mod judged;
mod papers;
#[path = "../support/mod.rs"]
mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What `chart.py COMMAND` answers to `input`.
fn ask(command: &str, input: &Value) -> Value {
    let python = std::env::var("TOLLGATE_TEST_PYTHON")
        .expect("set TOLLGATE_TEST_PYTHON to a Python with helm-python-sdk and kubernetes-validate; tests/run does");
    let mut child = Command::new(python)
        .arg(root().join("tests/helm/chart.py"))
        .arg(command)
        .env_remove("KUBECONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "chart.py {command} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One set of values, rendered.
struct Rendered {
    name: String,
    golden: String,
    notes: String,
    objects: Vec<Value>,
}

impl Rendered {
    fn of_kind<'r>(&'r self, kind: &'r str) -> impl Iterator<Item = &'r Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    fn named(&self, kind: &str, name: &str) -> Option<&Value> {
        self.objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    }

    fn pod(&self) -> &Value {
        &self.of_kind("Deployment").next().unwrap()["spec"]["template"]
    }

    fn container(&self) -> &Value {
        &self.pod()["spec"]["containers"][0]
    }
}

fn every_set() -> Vec<Rendered> {
    let Value::Object(sets) = ask("render", &Value::Null) else { panic!("not sets") };
    assert!(sets.len() >= 8, "{} sets", sets.len());
    let rendered = sets.into_iter().map(|(name, set)| Rendered {
        name,
        golden: text(&set["golden"]).to_owned(),
        notes: text(&set["notes"]).to_owned(),
        objects: list(&set["documents"]).to_vec(),
    });
    rendered.collect()
}

fn set(name: &str) -> Rendered {
    every_set().into_iter().find(|set| set.name == name).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Compares with the file, or writes it when that is what was asked for.
fn hold_against(path: PathBuf, found: &str) {
    if std::env::var_os("TOLLGATE_WRITE_GOLDEN").is_some() {
        std::fs::write(path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let at = expected.lines().zip(found.lines()).position(|(left, right)| left != right);
    let at = at.unwrap_or_else(|| expected.lines().count().min(found.lines().count()));
    let (left, right) = (expected.lines().nth(at), found.lines().nth(at));
    assert!(expected == found, "{} line {}: expected {left:?}, found {right:?}", path.display(), at + 1);
}

#[test]
fn each_set_is_rendered_as_it_was() {
    let sets = every_set();
    for set in &sets {
        hold_against(root().join("tests/helm/golden").join(format!("{}.yaml", set.name)), &set.golden);
    }
    let kept = std::fs::read_dir(root().join("tests/helm/golden")).unwrap().count();
    assert_eq!(kept, sets.len(), "golden files of sets that are gone");
}
