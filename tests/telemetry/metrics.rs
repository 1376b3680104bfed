//! What is counted, and that docs/metrics.md tells the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::house::{House, PROVISION};

fn requests(route: &str, code: u16, class: &str) -> String {
    let service = if route.is_empty() { "" } else { "api" };
    format!(
        "tollgate_http_requests_total{{service=\"{service}\",route=\"{route}\",code=\"{code}\",consumer_class=\"{class}\"}}"
    )
}

#[tokio::test]
async fn calls_are_counted_by_route_and_who_called() {
    let house = House::open().await;
    let token = house.access_token().await;
    for _ in 0..3 {
        assert_eq!(house.call("/api", Some(&token)).await, 200);
    }
    assert_eq!(house.call("/api", Some("wrong")).await, 401);
    assert_eq!(house.call("/api", None).await, 401);
    assert_eq!(house.call("/open", None).await, 200);
    assert_eq!(house.call("/nothing", None).await, 404);
    for (series, wanted) in [
        (requests("api", 200, "consumer"), 3),
        (requests("api", 401, "none"), 2),
        (requests("open", 200, "none"), 1),
        (requests("", 404, "none"), 1),
        ("tollgate_upstream_duration_seconds_count{service=\"api\"}".to_owned(), 4),
        // With the token request.
        ("tollgate_request_duration_seconds_count{service=\"api\"}".to_owned(), 7),
        ("tollgate_token_refusals_total{reason=\"missing\"}".to_owned(), 1),
        ("tollgate_token_refusals_total{reason=\"unknown\"}".to_owned(), 1),
    ] {
        assert_eq!(house.series(&series).await, wanted, "{series}\n{}", house.metrics().await);
    }
    assert!(house.series("tollgate_http_sent_bytes_total{service=\"api\"}").await > 0);
}

#[tokio::test]
async fn a_change_of_the_configuration_loses_no_count() {
    let house = House::open().await;
    let series = requests("open", 200, "none");
    assert_eq!(house.call("/open", None).await, 200);
    for change in ["first", "second"] {
        house.made("/services/api/routes", json!({ "name": change, "paths": [format!("/{change}")] })).await;
        assert_eq!(house.call("/open", None).await, 200);
    }
    assert_eq!(house.series(&series).await, 3);
    house.http.delete(house.gateway.admin("/routes/open")).send().await.unwrap().error_for_status().unwrap();
    assert_eq!(house.call("/open", None).await, 404);
    assert_eq!((house.series(&series).await, house.series(&requests("(deleted)", 200, "none")).await), (0, 3));
}

#[tokio::test]
async fn outcomes_are_counted_by_grant() {
    let house = House::open().await;
    everything(&house).await;
    for (grant, outcome, wanted) in [
        ("client_credentials", "issued", 1),
        ("password", "issued", 1),
        ("refresh_token", "issued", 1),
        ("code", "issued", 1),
        ("authorization_code", "issued", 1),
        ("authorization_code", "invalid_request", 1),
        ("implicit", "issued", 1),
        ("client_credentials", "invalid_client", 1),
        ("unknown", "unsupported_grant_type", 1),
    ] {
        let series = format!("tollgate_oauth2_outcomes_total{{grant=\"{grant}\",outcome=\"{outcome}\"}}");
        assert_eq!(house.series(&series).await, wanted, "{series}\n{}", house.metrics().await);
    }
}

/// Every grant, and some that fail.
async fn everything(house: &House) {
    let user = [("provision_key", PROVISION), ("authenticated_userid", "user-1")];
    let pair = house.token(&[&user[..], &[("grant_type", "password")]].concat()).await.1;
    let refresh = pair["refresh_token"].as_str().unwrap();
    assert_eq!(house.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await.0, 200);
    let app = [("client_id", "app")];
    let (_, sent) = house.ask("authorize", &[&user[..], &app, &[("response_type", "code")]].concat()).await;
    let code = sent["redirect_uri"].as_str().unwrap().split_once("code=").unwrap().1.to_owned();
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str())];
    assert_eq!((house.token(&exchange).await.0, house.token(&exchange).await.0), (200, 400));
    assert_eq!(house.ask("authorize", &[&user[..], &app, &[("response_type", "token")]].concat()).await.0, 200);
    let token = house.access_token().await;
    assert_eq!(house.call("/api", Some(&token)).await, 200);
    let wrong = [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "no")];
    assert_eq!(house.ask("token", &wrong).await.0, 400);
    assert_eq!(house.token(&[("grant_type", "made-up")]).await.0, 400);
}

/// A metric's kind and the names of its labels.
type Described = BTreeMap<String, (String, BTreeSet<String>)>;

/// The rows of docs/metrics.md: name, kind, labels, meaning.
fn documented() -> Described {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `tollgate_"));
    let rows = rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[3].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), labels))
    });
    rows.collect()
}

fn scraped(text: &str) -> Described {
    let mut metrics = Described::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(
                metrics.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new())).is_none(),
                "{name} comes twice"
            );
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let family = ["_bucket", "_sum", "_count"].into_iter().find_map(|end| name.strip_suffix(end));
            let family = family.filter(|family| metrics.get(*family).is_some_and(|(kind, _)| kind == "histogram"));
            let known = metrics.get_mut(family.unwrap_or(name)).unwrap_or_else(|| panic!("no TYPE before {line}"));
            let labels = labels.trim_end_matches('}').split("\",").filter_map(|label| label.split_once('='));
            known.1.extend(labels.map(|(label, _)| label.to_owned()).filter(|label| label != "le"));
        }
    }
    metrics
}

#[tokio::test]
async fn what_is_scraped_is_documented_and_what_is_documented_is_scraped() {
    let house = House::open().await;
    everything(&house).await;
    let (scraped, documented) = (scraped(&house.metrics().await), documented());
    assert!(documented.len() > 20, "{documented:?}");
    for (name, told) in &scraped {
        assert_eq!(documented.get(name), Some(told), "docs/metrics.md on {name}");
    }
    let gone: Vec<_> = documented.keys().filter(|name| !scraped.contains_key(*name)).collect();
    assert!(gone.is_empty(), "documented, but not told: {gone:?}");
}

fn id(entity: &Value) -> String {
    entity["id"].as_str().unwrap_or_else(|| panic!("no id: {entity}")).to_owned()
}

#[tokio::test]
async fn callers_are_told_apart_by_what_they_are() {
    let house = House::open().await;
    let nobody = id(&house.made("/consumers", json!({ "username": "nobody" })).await);
    house.made("/services/api/routes", json!({ "name": "half-open", "paths": ["/half-open"] })).await;
    let plugin = json!({ "name": "key-auth", "config": { "anonymous": nobody } });
    house.made("/routes/half-open/plugins", plugin).await;
    assert_eq!(house.call("/half-open", None).await, 200);

    let url = house.gateway.url("status", "/status/live");
    let service = id(&house.made("/services", json!({ "name": "gated", "url": url })).await);
    house.made("/services/gated/routes", json!({ "name": "gated", "paths": ["/gated"] })).await;
    let grants = json!({ "name": "oauth2", "config": { "enable_client_credentials": true } });
    house.made("/services/gated/plugins", grants).await;
    let gate = json!({ "display_name": "Gated", "auto_approve": true });
    let gate = json!({ "name": "application-registration", "config": gate });
    house.made("/services/gated/plugins", gate).await;
    let developer = json!({ "email": "ada@example.com", "status": 0, "meta": "{\"full_name\":\"Ada\"}" });
    let developer = id(&house.made("/developers", developer).await);
    let application = json!({ "name": "Shop", "redirect_uri": "https://shop.example/cb" });
    let application = id(&house.made(&format!("/developers/{developer}/applications"), application).await);
    let contract = json!({ "service": { "id": service } });
    house.made(&format!("/applications/{application}/application_instances"), contract).await;
    let url = house.gateway.admin(&format!("/applications/{application}/credentials/oauth2"));
    let credentials: Value = house.http.get(url).send().await.unwrap().json().await.unwrap();
    let text = |field: &str| credentials["data"][0][field].as_str().unwrap().to_owned();
    let (client_id, client_secret) = (text("client_id"), text("client_secret"));
    let form = [("grant_type", "client_credentials"), ("client_id", &client_id), ("client_secret", &client_secret)];
    let url = house.gateway.url("proxy_tls", "/gated/oauth2/token");
    let token: Value = house.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
    let token = token["access_token"].as_str().unwrap_or_else(|| panic!("{token}"));
    assert_eq!(house.call("/gated", Some(token)).await, 200);

    assert_eq!(house.series(&requests("half-open", 200, "anonymous")).await, 1, "{}", house.metrics().await);
    let of_application = requests("gated", 200, "application").replace("\"api\"", "\"gated\"");
    assert_eq!(house.series(&of_application).await, 1, "{}", house.metrics().await);
}

#[tokio::test]
async fn pools_certificates_and_the_configuration_are_told() {
    let house = House::open().await;
    let before = house.series("tollgate_configuration_version").await;
    house.made("/services/api/routes", json!({ "name": "late", "paths": ["/late"] })).await;
    assert_eq!(house.call("/late", None).await, 200);
    for (series, wanted) in [
        ("tollgate_configuration_version", before + 1),
        ("tollgate_configuration_failures_total", 0),
        ("tollgate_upstream_connections{state=\"active\"}", 0),
        ("tollgate_upstream_connections{state=\"idle\"}", 1),
        ("tollgate_http2_streams_open", 0),
        ("tollgate_database_connections{pool=\"sqlite_reader\",state=\"idle\"}", 2),
        ("tollgate_database_connections_max{pool=\"sqlite_writer\"}", 1),
        ("tollgate_cluster_nodes{state=\"live\"}", 1),
        ("tollgate_mailbox_depth{actor=\"exchanger\"}", 0),
        ("tollgate_mailbox_capacity{actor=\"exchanger\"}", 1024),
        (concat!("tollgate_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1),
    ] {
        assert_eq!(house.series(series).await, wanted, "{series}\n{}", house.metrics().await);
    }
    // A certificate made for one name ends when it says.
    let mut params = rcgen::CertificateParams::new(vec!["x.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2031, 5, 6);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap().pem();
    let body = json!({ "cert": cert, "key": key.serialize_pem(), "snis": ["x.example", "*.x.example"] });
    house.made("/certificates", body).await;
    for name in ["x.example", "*.x.example"] {
        let series = format!("tollgate_certificate_expiry_seconds{{sni=\"{name}\"}}");
        assert_eq!(house.series(&series).await, 1_935_792_000, "{}", house.metrics().await);
    }
    assert!(house.series("tollgate_certificate_expiry_seconds{sni=\"*\"}").await > 1_935_792_000);
}
