//! Versions, README and documentation, and names of metrics in rules and dashboard.

use std::fs;

use serde_json::Value;

use crate::{ask, every_set, hold_against, root, text};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_chart_is_of_this_version() {
    let chart = read("helm/tollgate/Chart.yaml");
    let version = env!("CARGO_PKG_VERSION");
    assert!(chart.contains(&format!("appVersion: \"{version}\"\n")), "appVersion is not {version}");
    assert!(chart.contains(&format!("\nversion: {version}\n")), "version is not {version}");
    assert!(chart.contains("kubeVersion: \">=1.28.0-0\"\n"));
}

#[test]
fn the_readme_has_every_value() {
    const BEGIN: &str = "<!-- values: written by tests/helm -->\n";
    let readme = read("helm/tollgate/README.md");
    let (before, _) = readme.split_once(BEGIN).expect("the table's mark");
    let table = ask("table", &Value::Null);
    hold_against(root().join("helm/tollgate/README.md"), &format!("{before}{BEGIN}{}", text(&table)));
}

#[test]
fn rules_and_dashboard_ask_for_metrics_that_exist() {
    let documented = read("docs/metrics.md");
    let names = regex::Regex::new(r"tollgate_[a-z0-9_]+").unwrap();
    for file in ["rules.yaml", "dashboard.json"] {
        let asked = read(&format!("helm/tollgate/files/{file}"));
        let mut count = 0;
        for found in names.find_iter(&asked) {
            let name = found.as_str();
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!([name, base].iter().any(|name| documented.contains(&format!("`{name}`"))), "{file}: {name}");
            count += 1;
        }
        assert!(count >= 5, "{file}: {count}");
    }
}

#[test]
fn rules_and_dashboard_are_those_of_deploy() {
    for (file, source) in [("rules.yaml", "prometheus/rules.yaml"), ("dashboard.json", "grafana/dashboard.json")] {
        hold_against(root().join("helm/tollgate/files").join(file), &read(&format!("deploy/{source}")));
    }
}

#[test]
fn notes_say_what_to_do_next() {
    for set in every_set() {
        let name = text(&set.of_kind("Deployment").next().unwrap()["metadata"]["name"]).to_owned();
        for command in [
            format!("kubectl -n prod rollout status deployment/{name}"),
            "helm -n prod test demo".to_owned(),
            format!("port-forward service/{name}-admin 8001:8001"),
        ] {
            assert!(set.notes.contains(&command), "{}: {}", set.name, set.notes);
        }
        let makes_keyring = set.named("Secret", &format!("{name}-keyring")).is_some();
        assert_eq!(set.notes.contains("Keep a copy of the keyring"), makes_keyring, "{}", set.name);
    }
}
