//! Settings, environment variables and paths of the Admin API that pages name exist; paths of somebody's machine do not.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use tollgate::config::SETTINGS;

use super::markdown::Document;
use super::support::{Folder, Start, client};
use super::{documents, runnable, tell};

/// What looks like a setting and is a field of an answer or of another program.
const NO_SETTINGS: &[&str] = &["database.reachable"];

/// Pages whose names of values look like settings; `tests/helm` holds those against the chart.
const OF_THE_CHART: &[&str] = &["docs/kubernetes.md", "helm/tollgate/README.md"];
/// Variables of other programs, such as the Compose file's.
const NO_VARIABLES: &[&str] = &["TOLLGATE_WRITE_DOCS", "TOLLGATE_WRITE_GOLDEN", "TOLLGATE_VERSION"];
/// What looks like a metric and is a volume.
const NO_METRICS: &[&str] = &["tollgate_state"];

/// First segments that the Admin API has too, where pages mean another listener's.
const ELSEWHERE: &[&str] =
    &["/status/live", "/console", "/applications/{id}/credentials", "/applications/{id}/analytics"];

fn settings_named(document: &Document) -> Vec<(usize, String)> {
    static SETTING: LazyLock<Regex> = LazyLock::new(|| {
        let sections: BTreeSet<&str> = SETTINGS.iter().filter_map(|setting| setting.name.split('.').next()).collect();
        let sections: Vec<&str> = sections.into_iter().collect();
        Regex::new(&format!(r"^((?:{})\.[a-z_]+)(?:$|\s*=|:| )", sections.join("|"))).unwrap()
    });
    let spans = document.code_spans().into_iter();
    let named = spans.filter_map(|(line, span)| Some((line, SETTING.captures(&span)?[1].to_owned())));
    named.filter(|(_, name)| ![".rs", ".md", ".toml", ".conf"].iter().any(|end| name.ends_with(end))).collect()
}

fn unknown_settings(document: &Document) -> Vec<String> {
    if OF_THE_CHART.contains(&document.name.as_str()) {
        return Vec::new();
    }
    let known = |name: &String| SETTINGS.iter().any(|setting| setting.name == name) || NO_SETTINGS.contains(&&**name);
    let named = settings_named(document).into_iter().filter(|(_, name)| !known(name));
    named.map(|(line, name)| format!("{}:{line}: there is no setting `{name}`", document.name)).collect()
}

fn unknown_variables(document: &Document) -> Vec<String> {
    static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"TOLLGATE_[A-Z_0-9]*[A-Z0-9]").unwrap());
    let known = |name: &str| {
        name.starts_with("TOLLGATE_TEST_")
            || NO_VARIABLES.contains(&name)
            || SETTINGS.iter().any(|one| one.variable() == name)
    };
    let named = VARIABLE.find_iter(&document.text).map(|found| found.as_str()).filter(|name| !known(name));
    named.map(|name| format!("{}: there is no variable {name}", document.name)).collect()
}

#[test]
fn every_setting_that_is_named_exists() {
    let documents = documents();
    let named: usize = documents.iter().map(|document| settings_named(document).len()).sum();
    assert!(named > 50, "settings are not recognised: {named}");
    // A decision tells what was considered, too.
    let told = documents.iter().filter(|document| !document.name.starts_with("docs/decisions/"));
    let faults: Vec<_> =
        told.flat_map(|document| [unknown_settings(document), unknown_variables(document)].concat()).collect();
    tell("settings that do not exist", &faults);
}

/// Paths in commands (`localhost:8001/…`), and in code spans where the first segment is one of the Admin API's.
fn admin_paths(document: &Document, firsts: &BTreeSet<String>) -> Vec<(usize, String)> {
    static ASKED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"localhost:8001(/[^\s'"?`)]*)"#).unwrap());
    static SPAN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(?:(?:GET|POST|PUT|PATCH|DELETE) )?(/[a-z][\w/{}.$:-]*)(?:\?.*)?$").unwrap());
    let asked = document.fences.iter().filter(|fence| fence.info.starts_with("sh")).flat_map(|fence| {
        ASKED.captures_iter(&fence.text).map(|found| (fence.line, found[1].to_owned())).collect::<Vec<_>>()
    });
    let spans =
        document.code_spans().into_iter().filter_map(|(line, span)| Some((line, SPAN.captures(&span)?[1].to_owned())));
    let spans = spans.filter(|(_, path)| path.split('/').nth(1).is_some_and(|first| firsts.contains(first)));
    asked.chain(spans).collect()
}

/// Whether a described path, such as `/services/{id}/routes`, is this one or below it.
fn fits(described: &str, path: &str) -> bool {
    let (described, path) = (described.trim_matches('/').split('/'), path.trim_matches('/').split('/'));
    let (described, path): (Vec<_>, Vec<_>) = (described.collect(), path.collect());
    // `/schemas` means what is below it, too.
    described.len() >= path.len()
        && described.iter().zip(&path).all(|(one, other)| one.starts_with('{') || one == other)
}

#[tokio::test]
async fn every_path_of_the_admin_api_that_is_named_exists() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    let asked = client().get(gateway.admin("/openapi.json")).send().await.unwrap();
    let described: Value = asked.json().await.unwrap();
    let described: Vec<String> = described["paths"].as_object().unwrap().keys().cloned().collect();
    let firsts = described.iter().filter_map(|path| path.split('/').nth(1)).map(str::to_owned).collect();
    let (mut faults, mut named) = (Vec::new(), 0);
    for document in documents()
        .iter()
        .filter(|document| document.name == "README.md" || document.name == "docs/admin-api.md" || runnable(document))
    {
        for (line, path) in admin_paths(document, &firsts) {
            named += 1;
            let known = described.iter().any(|described| fits(described, &path));
            let elsewhere = ELSEWHERE.iter().any(|other| path == *other || path.starts_with(&format!("{other}/")));
            if !known && !elsewhere && path != "/openapi.json" {
                faults.push(format!("{}:{line}: {path}", document.name));
            }
        }
    }
    assert!(named > 30, "paths are not recognised: {named}");
    tell("paths the Admin API has not", &faults);
}

/// `docs/metrics.md` is held against a running gateway by `tests/telemetry`; here the other pages are held against it.
fn unknown_metrics(document: &Document, known: &str) -> Vec<String> {
    static METRIC: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(tollgate_[a-z_]+)(?:$|\{| )").unwrap());
    let spans = document.code_spans().into_iter();
    let named = spans.filter_map(|(line, span)| Some((line, METRIC.captures(&span)?[1].to_owned())));
    let missing = named.filter(|(_, name)| !NO_METRICS.contains(&name.as_str())).filter(|(_, name)| {
        // A histogram is shown as three.
        let whole = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        !known.contains(&format!("`{whole}`")) && !known.contains(&format!("`{name}`"))
    });
    missing.map(|(line, name)| format!("{}:{line}: there is no metric {name}", document.name)).collect()
}

#[test]
fn every_metric_that_is_named_exists() {
    let documents = documents();
    let known = &documents.iter().find(|document| document.name == "docs/metrics.md").unwrap().text;
    let told = documents.iter().filter(|document| !document.name.starts_with("docs/decisions/"));
    tell("metrics that do not exist", &told.flat_map(|document| unknown_metrics(document, known)).collect::<Vec<_>>());
    let page =
        Document::parse("x", "`tollgate_lease_fresh`, `tollgate_revocation_seconds_bucket` and `tollgate_nothing`\n");
    assert_eq!(unknown_metrics(&page, known), ["x:1: there is no metric tollgate_nothing"]);
}

#[test]
fn no_page_names_a_place_of_somebodys_machine() {
    let place = Regex::new(r"(?:^|[\s`'(=:])(/(?:root|home|Users|work|tmp|mnt)/[\w.-]+)").unwrap();
    let faults = |document: &Document| -> Vec<String> {
        place.captures_iter(&document.text).map(|found| format!("{}: {}", document.name, &found[1])).collect()
    };
    tell("paths of a machine", &documents().iter().flat_map(faults).collect::<Vec<_>>());
    assert_eq!(faults(&Document::parse("x", "see `/home/me/x` and /etc/tollgate")), ["x: /home/me"]);
}

#[test]
fn names_that_do_not_exist_are_found() {
    let page =
        Document::parse("x", "`proxy.listen = x`, `proxy.nothing`, `TOLLGATE_PROXY_LISTEN` TOLLGATE_PROXY_NOTHING\n");
    assert_eq!(unknown_settings(&page), ["x:1: there is no setting `proxy.nothing`"]);
    assert_eq!(unknown_variables(&page), ["x: there is no variable TOLLGATE_PROXY_NOTHING"]);
    let page =
        Document::parse("x", "`GET /services/{s}/none`, `/oauth2/token`\n```sh\ncurl localhost:8001/none?x\n```\n");
    let firsts = BTreeSet::from(["services".to_owned()]);
    assert_eq!(admin_paths(&page, &firsts), [(2, "/none".to_owned()), (1, "/services/{s}/none".to_owned())]);
    assert!(fits("/services/{a}/routes", "/services/orders/routes") && !fits("/services", "/services/orders"));
}
