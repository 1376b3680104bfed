//! That the gateway takes what the chart gives it: every variable is a setting, every set is a good configuration, and
//! the default set becomes a gateway that answers its probes, with the Secrets that were generated.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::{Folder, Gateway, Start, tollgate};
use crate::{Rendered, every_set, list, set, text};

/// A value that a Secret of the operator's would have.
fn sample(variable: &str) -> &'static str {
    match variable {
        "TOLLGATE_DATABASE_URL" => "postgres://tollgate:hunter2@postgres/tollgate",
        "TOLLGATE_REDIS_URL" => "rediss://:hunter2@redis:6380",
        "TOLLGATE_ADMIN_TOKENS" => "ops:admin:0123456789abcdef",
        "TOLLGATE_SMTP_URL" => "smtps://user:hunter2@mail",
        "TOLLGATE_TELEMETRY_OTLP_HEADERS" => "x-key=hunter2",
        _ => panic!("{variable} comes from a Secret that this test does not know"),
    }
}

fn decoded(data: &Value) -> String {
    String::from_utf8(STANDARD.decode(text(data)).unwrap()).unwrap()
}

/// The environment of a container as it finds it: Secrets of the chart read, those of the operator made up.
fn environment(set: &Rendered, container: &Value) -> BTreeMap<String, String> {
    let read = |one: &Value| {
        let name = text(&one["name"]).to_owned();
        let from = &one["valueFrom"]["secretKeyRef"];
        let value = match (one["value"].as_str(), from["name"].as_str()) {
            (Some(value), _) => value.to_owned(),
            (None, Some(secret)) => match set.named("Secret", secret) {
                Some(secret) => decoded(&secret["data"][text(&from["key"])]),
                None => sample(&name).to_owned(),
            },
            (None, None) => panic!("{name} has no value"),
        };
        (name, value)
    };
    list(&container["env"]).iter().map(read).collect()
}

/// Containers of gateways and of migrations.
fn containers(set: &Rendered) -> impl Iterator<Item = &Value> {
    let workloads = set.of_kind("Deployment").chain(set.of_kind("Job"));
    workloads.map(|workload| &workload["spec"]["template"]["spec"]["containers"][0])
}

#[test]
fn every_variable_is_a_setting_and_every_set_a_good_configuration() {
    let explained = tollgate().args(["config", "explain"]).output().unwrap();
    let explained = String::from_utf8(explained.stdout).unwrap();
    let names = explained.lines().filter_map(|line| line.split_whitespace().next());
    let known: Vec<_> = names.map(|name| format!("TOLLGATE_{}", name.replace('.', "_").to_uppercase())).collect();
    for set in every_set() {
        for container in containers(&set) {
            let environment = environment(&set, container);
            for name in environment.keys().filter(|name| name.starts_with("TOLLGATE_")) {
                assert!(known.contains(name), "{}: {name} is no setting", set.name);
            }
            let repeated = list(&container["env"]).len() - environment.len();
            assert_eq!(repeated, 0, "{}: a variable is there twice", set.name);
            let said = tollgate().args(["config", "check"]).envs(&environment).output().unwrap();
            assert!(said.status.success(), "{}: {}", set.name, String::from_utf8_lossy(&said.stderr));
        }
    }
}

#[test]
fn settings_come_as_they_were_written() {
    let large = set("everything");
    let environment_of = |set: &Rendered| environment(set, set.container());
    assert_eq!(environment_of(&large)["TOLLGATE_PROXY_MAX_CONNECTIONS"], "10000000");
    assert_eq!(environment_of(&large)["TOLLGATE_TELEMETRY_TRACE_SAMPLE"], "0.05");
    let small = set("sqlite");
    assert_eq!(environment_of(&small)["TOLLGATE_PROXY_TRUSTED_IPS"], "10.0.0.0/8,fd00::/8");
    assert_eq!(environment_of(&small)["TOLLGATE_PROXY_WORKERS"], "2");
}

#[test]
fn the_schema_has_every_setting_that_the_chart_does_not_decide() {
    let schema = fs::read(crate::root().join("helm/tollgate/values.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let explained = tollgate().args(["config", "explain"]).output().unwrap();
    let explained = String::from_utf8(explained.stdout).unwrap();
    let decided: Vec<_> =
        every_set().iter().flat_map(|set| containers(set).map(Value::clone).collect::<Vec<_>>()).collect();
    let decided = decided.iter().flat_map(|container| list(&container["env"])).map(|one| text(&one["name"]).to_owned());
    let decided: Vec<_> = decided.collect();
    // Listeners of TLS for Admin API and portal, and what only one process can read, are not for Kubernetes.
    let left_out = ["admin.listen_tls", "portal.listen_tls", "keyring.keys"];
    for name in explained.lines().filter_map(|line| line.split_whitespace().next()) {
        let (section, key) = name.split_once('.').unwrap();
        let variable = format!("TOLLGATE_{}", name.replace('.', "_").to_uppercase());
        let offered = schema["properties"]["settings"]["properties"][section]["properties"].get(key).is_some();
        assert!(offered || decided.contains(&variable) || left_out.contains(&name), "{name} cannot be set");
    }
}

/// Puts what a workload's pod would see into `folder`, and says the environment that leads there, on free ports.
fn on_this_machine(set: &Rendered, kind: &str, folder: &Path) -> BTreeMap<String, String> {
    let pod = &set.of_kind(kind).next().unwrap()["spec"]["template"]["spec"];
    let files = folder.join("etc");
    for volume in list(&pod["volumes"]) {
        let Some(secret) = volume["secret"]["secretName"].as_str() else { continue };
        let secret = set.named("Secret", secret).expect("the set has all its Secrets");
        let target = files.join(text(&volume["name"]));
        fs::create_dir_all(&target).unwrap();
        for item in list(&volume["secret"]["items"]) {
            let data = decoded(&secret["data"][text(&item["key"])]);
            fs::write(target.join(text(&item["path"])), data).unwrap();
        }
    }
    let data = folder.join("data");
    fs::create_dir_all(&data).unwrap();
    let place = |(name, value): (String, String)| {
        let value = value.replace("/etc/tollgate", files.to_str().unwrap());
        let value = value.replace("/var/lib/tollgate", data.to_str().unwrap());
        let value = match name.as_str() {
            // On loopback alone the Admin API would ask for no token.
            "TOLLGATE_ADMIN_LISTEN" => "0.0.0.0:0".to_owned(),
            _ if value.starts_with("0.0.0.0:") => "127.0.0.1:0".to_owned(),
            _ => value,
        };
        (name, value)
    };
    environment(set, &pod["containers"][0]).into_iter().map(place).collect()
}

fn ready_with(environment: &BTreeMap<String, String>, folder: &Folder) -> Gateway {
    // What the rendered environment does not say is as without it.
    let start = Start::serve(folder.path(), "sqlite:unused").env("TOLLGATE_DATABASE_AUTO_MIGRATE", "false");
    environment.iter().fold(start, |start, (name, value)| start.env(name, value)).ready()
}

/// Every probe, `tollgate health` as the pod of `helm test` asks, and the Admin API with the token and without.
async fn it_answers(set: &Rendered, gateway: &Gateway) {
    let http = reqwest::Client::new();
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let path = text(&set.container()[probe]["httpGet"]["path"]);
        assert_eq!(http.get(gateway.url("status", path)).send().await.unwrap().status(), 200, "{path}");
    }
    let said = tollgate().args(["health", "--url", &gateway.url("status", "")]).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let token = decoded(&set.named("Secret", "demo-tollgate-admin-token").unwrap()["data"]["token"]);
    let services = format!("http://127.0.0.1:{}/services", gateway.addresses["admin"].port());
    assert_eq!(http.get(&services).send().await.unwrap().status(), 401);
    let known = http.get(&services).header("Kong-Admin-Token", token).send().await.unwrap();
    assert_eq!(known.status(), 200);
}

#[tokio::test]
async fn the_default_set_becomes_a_gateway_that_answers_its_probes() {
    let (set, folder) = (set("default"), Folder::new());
    let gateway = ready_with(&on_this_machine(&set, "Deployment", folder.path()), &folder);
    it_answers(&set, &gateway).await;
    assert!(folder.join("data/tollgate.db").exists());
}

async fn sql(server: &str, text: &str) {
    let (client, connection) = tokio_postgres::connect(server, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(text).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn on_postgresql_the_job_migrates_and_the_gateway_starts_with_the_same_keyring() {
    let server = std::env::var("TOLLGATE_TEST_POSTGRES").expect(
        "set TOLLGATE_TEST_POSTGRES to the URL of a PostgreSQL server for tests (postgres://user@host:port/database), \
         or run tests/run, which starts one",
    );
    let schema = format!("t_{}", uuid::Uuid::new_v4().simple());
    sql(&server, &format!("CREATE SCHEMA {schema}")).await;
    let joint = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{joint}options=-csearch_path%3D{schema}");
    let (set, job_folder, folder) = (set("postgres"), Folder::new(), Folder::new());

    let mut of_job = on_this_machine(&set, "Job", job_folder.path());
    assert!(of_job.insert("TOLLGATE_DATABASE_URL".to_owned(), url.clone()).is_some());
    let job = &set.of_kind("Job").next().unwrap()["spec"]["template"]["spec"]["containers"][0];
    let said = tollgate().args(list(&job["args"]).iter().map(text)).envs(&of_job).output().unwrap();
    let told = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success() && told.contains("applied"), "{told}{}", String::from_utf8_lossy(&said.stderr));

    let mut of_gateway = on_this_machine(&set, "Deployment", folder.path());
    assert!(of_gateway.insert("TOLLGATE_DATABASE_URL".to_owned(), url).is_some());
    let gateway = ready_with(&of_gateway, &folder);
    it_answers(&set, &gateway).await;
    let keyrings = [&job_folder, &folder].map(|folder| fs::read(folder.join("etc/keyring/keyring")).unwrap());
    assert_eq!(keyrings[0], keyrings[1]);
    drop(gateway);
    sql(&server, &format!("DROP SCHEMA {schema} CASCADE")).await;
}

#[test]
fn a_generated_keyring_is_a_keyring() {
    for set in every_set() {
        let Some(secret) = set.named("Secret", "demo-tollgate-keyring") else { continue };
        let folder = Folder::new();
        let file = folder.join("keyring");
        fs::write(&file, decoded(&secret["data"]["keyring"])).unwrap();
        let mut command = tollgate();
        command.args(["keyring", "list"]).env("TOLLGATE_KEYRING_FILE", &file);
        let said = command.env("TOLLGATE_DATABASE_URL", "sqlite:unused").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout), "1  seals\n", "{}", String::from_utf8_lossy(&said.stderr));
    }
}
