//! What watches the gateways: Prometheus' own judgement of the rules, and that both name metrics that are.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::compose::{Compose, file, text};
use crate::tools::{program, said};

fn promtool(arguments: &[&str]) {
    said(Command::new(program("promtool")).args(arguments).current_dir(file("prometheus")));
}

#[test]
fn the_rules_are_good_and_tell_what_they_should() {
    promtool(&["check", "rules", "rules.yaml"]);
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["test", "rules", "rules-test.yaml"]);
}

#[test]
fn both_gateways_of_the_compose_file_are_scraped_where_they_say() {
    let config: Value = serde_saphyr::from_str(&text("prometheus/prometheus.yml")).unwrap();
    let targets = &config["scrape_configs"][0]["static_configs"][0]["targets"];
    let compose = Compose::read();
    let expected: Vec<String> = ["gateway-1", "gateway-2"]
        .iter()
        .map(|name| compose.environment(name)["TOLLGATE_STATUS_LISTEN"].replace("0.0.0.0", name))
        .collect();
    assert_eq!(crate::compose::strings(targets), expected);
}

/// What is in text of the form `tollgate_…`, less what a histogram appends.
fn metrics(text: &str) -> BTreeSet<String> {
    let pattern = regex::Regex::new(r"\btollgate_[a-z0-9_]+").unwrap();
    let plain = |name: &str| {
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        histogram.unwrap_or(name).to_owned()
    };
    pattern.find_iter(text).map(|found| plain(found.as_str())).collect()
}

fn known() -> BTreeSet<String> {
    let page = std::fs::read_to_string(file("../docs/metrics.md")).unwrap();
    metrics(&page)
}

fn are_known(text: &str) {
    let unknown: Vec<_> = metrics(text).difference(&known()).cloned().collect();
    assert!(unknown.is_empty(), "no such metrics: {unknown:?}");
}

#[test]
fn rules_and_dashboard_name_metrics_that_are() {
    are_known(&text("prometheus/rules.yaml"));
    are_known(&text("prometheus/rules-test.yaml"));
    are_known(&text("grafana/dashboard.json"));
    assert!(metrics(&text("prometheus/rules.yaml")).len() > 5 && metrics(&text("grafana/dashboard.json")).len() > 20);
}

#[test]
fn every_alert_is_tried() {
    let rules: Value = serde_saphyr::from_str(&text("prometheus/rules.yaml")).unwrap();
    let tried = text("prometheus/rules-test.yaml");
    for rule in rules["groups"][0]["rules"].as_array().unwrap() {
        let alert = rule["alert"].as_str().unwrap();
        assert!(tried.contains(&format!("alertname=\"{alert}\"")), "{alert}");
    }
}

/// Every panel's question is one that Prometheus can read, and panels neither share an id nor a place.
#[test]
fn the_dashboard_asks_what_prometheus_understands() {
    let dashboard: Value = serde_json::from_str(&text("grafana/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut rules = Vec::new();
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let place = &panel["gridPos"];
        assert!(places.insert((place["y"].as_u64().unwrap(), place["x"].as_u64().unwrap())), "{panel}");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let question = target["expr"].as_str().unwrap().replace("$__rate_interval", "5m");
            let record = format!("panel:{}:{}", ids.len(), target["refId"].as_str().unwrap().to_lowercase());
            rules.push(serde_json::json!({ "record": record, "expr": question }));
        }
    }
    assert!(rules.len() > 20);
    let folder = crate::support::Folder::new();
    let questions = serde_json::json!({ "groups": [{ "name": "panels", "rules": rules }] });
    // JSON is YAML.
    std::fs::write(folder.join("rules.yaml"), questions.to_string()).unwrap();
    said(Command::new(program("promtool")).args(["check", "rules"]).arg(folder.join("rules.yaml")));
}
