//! That objects fit each other: ports, selectors, volumes, Secrets; and the shape of what is not Kubernetes' own.

use serde_json::Value;

use crate::{Rendered, every_set, list, text};

fn port_names(set: &Rendered) -> Vec<&str> {
    list(&set.container()["ports"]).iter().map(|port| text(&port["name"])).collect()
}

fn is_within(part: &Value, whole: &Value) -> bool {
    part.as_object().unwrap().iter().all(|(name, value)| &whole[name] == value)
}

#[test]
fn what_listens_is_what_is_asked() {
    for set in every_set() {
        let environment = list(&set.container()["env"]);
        for port in list(&set.container()["ports"]) {
            let number = format!(":{}", port["containerPort"]);
            let listens = |one: &&Value| one["value"].as_str().is_some_and(|value| value.ends_with(&number));
            let found: Vec<_> = environment.iter().filter(listens).map(|one| text(&one["name"])).collect();
            assert!(found.len() == 1 && found[0].contains("_LISTEN"), "{}: {number}: {found:?}", set.name);
        }
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            assert_eq!(set.container()[probe]["httpGet"]["port"], "status", "{}", set.name);
        }
        let names = port_names(&set);
        for service in set.of_kind("Service") {
            assert!(is_within(&service["spec"]["selector"], &set.pod()["metadata"]["labels"]));
            let ports = list(&service["spec"]["ports"]);
            assert!(!ports.is_empty() && ports.iter().all(|port| names.contains(&text(&port["targetPort"]))));
        }
        for policy in set.of_kind("NetworkPolicy") {
            let mut open: Vec<_> = list(&policy["spec"]["ingress"])
                .iter()
                .flat_map(|rule| list(&rule["ports"]).iter().map(|port| text(&port["port"])))
                .collect();
            open.sort_unstable();
            let mut all = names.clone();
            all.sort_unstable();
            assert_eq!(open, all);
        }
    }
}

#[test]
fn ingresses_and_routes_lead_to_services_that_exist() {
    let mut count = 0;
    for set in every_set() {
        let ports = |service: &str| -> Vec<Value> {
            let service = set.named("Service", service).unwrap_or_else(|| panic!("{}: no {service}", set.name));
            list(&service["spec"]["ports"]).to_vec()
        };
        for ingress in set.of_kind("Ingress") {
            for rule in list(&ingress["spec"]["rules"]) {
                let backend = &rule["http"]["paths"][0]["backend"]["service"];
                let ports = ports(text(&backend["name"]));
                assert!(ports.iter().any(|port| port["name"] == backend["port"]["name"]));
                count += 1;
            }
        }
        for route in set.of_kind("HTTPRoute").chain(set.of_kind("GRPCRoute")) {
            assert_eq!(route["apiVersion"], "gateway.networking.k8s.io/v1");
            assert!(!list(&route["spec"]["parentRefs"]).is_empty());
            assert!(list(&route["spec"]["parentRefs"]).iter().all(|gateway| gateway["name"].is_string()));
            let backend = &route["spec"]["rules"][0]["backendRefs"][0];
            assert!(ports(text(&backend["name"])).iter().any(|port| port["port"] == backend["port"]));
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn every_mount_has_its_volume_and_every_volume_a_mount() {
    for set in every_set() {
        for workload in set.of_kind("Deployment").chain(set.of_kind("Job")) {
            let spec = &workload["spec"]["template"]["spec"];
            let names = |list_: &Value| {
                let mut names: Vec<_> = list(list_).iter().map(|one| text(&one["name"]).to_owned()).collect();
                names.sort();
                names
            };
            assert_eq!(names(&spec["volumes"]), names(&spec["containers"][0]["volumeMounts"]), "{}", set.name);
            let certain = |field: &str| spec["containers"][0]["securityContext"][field].clone();
            assert_eq!(certain("readOnlyRootFilesystem"), true);
            assert_eq!(certain("allowPrivilegeEscalation"), false);
            assert_eq!(spec["securityContext"]["runAsUser"], 65532);
            assert_eq!(spec["automountServiceAccountToken"], false);
        }
    }
}

#[test]
fn the_job_of_a_hook_needs_nothing_the_release_makes() {
    let mut count = 0;
    for set in every_set() {
        let is_hook = |object: &Value| object["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade";
        let made: Vec<_> = set.objects.iter().filter(|object| !is_hook(object)).collect();
        for job in set.of_kind("Job") {
            assert!(is_hook(job));
            let spec = &job["spec"]["template"]["spec"];
            let mounted = list(&spec["volumes"]).iter().filter_map(|volume| volume["secret"]["secretName"].as_str());
            let asked = list(&spec["containers"][0]["env"]).iter();
            let asked = asked.filter_map(|one| one["valueFrom"]["secretKeyRef"]["name"].as_str());
            for name in mounted.chain(asked).chain(spec["serviceAccountName"].as_str()) {
                let late = made.iter().find(|object| object["metadata"]["name"] == name);
                assert!(late.is_none(), "{}: {name} is made after the Job", set.name);
            }
            count += 1;
        }
        for secret in set.of_kind("Secret").filter(|secret| is_hook(secret)) {
            assert_eq!(secret["metadata"]["annotations"]["helm.sh/hook-weight"], "-10");
        }
    }
    assert!(count >= 3, "{count}");
}

#[test]
fn there_is_time_for_the_drain_before_a_gateway_is_killed() {
    for set in every_set() {
        let spec = &set.pod()["spec"];
        let pause = set.container()["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap_or(0);
        let drain = list(&set.container()["env"]).iter().find(|one| one["name"] == "TOLLGATE_PROXY_DRAIN_TIMEOUT");
        let drain: u64 = text(&drain.unwrap()["value"]).trim_end_matches('s').parse().unwrap();
        // What is stopped after the proxy has half a minute, see src/app/gateway.rs.
        assert!(spec["terminationGracePeriodSeconds"].as_u64().unwrap() >= pause + drain + 30, "{}", set.name);
        assert_eq!(pause == 0, set.name == "portal-off", "an older cluster knows no sleep: {}", set.name);
    }
}

#[test]
fn prometheus_finds_the_status_service_and_understands_the_rules() {
    let set = crate::set("everything");
    let monitor = set.of_kind("ServiceMonitor").next().unwrap();
    let wanted = &monitor["spec"]["selector"]["matchLabels"];
    let found: Vec<_> =
        set.of_kind("Service").filter(|service| is_within(wanted, &service["metadata"]["labels"])).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["metadata"]["name"], "demo-gate-status");
    assert_eq!(found[0]["spec"]["ports"][0]["name"], monitor["spec"]["endpoints"][0]["port"]);
    let rules = set.of_kind("PrometheusRule").next().unwrap();
    for group in list(&rules["spec"]["groups"]) {
        assert!(group["name"].is_string());
        for rule in list(&group["rules"]) {
            let named = rule["alert"].is_string() || rule["record"].is_string();
            assert!(named && rule["expr"].is_string(), "{rule}");
        }
    }
    let dashboard = set.of_kind("ConfigMap").next().unwrap();
    assert_eq!(dashboard["metadata"]["labels"]["grafana_dashboard"], "1");
    let file = std::fs::read(crate::root().join("helm/tollgate/files/dashboard.json")).unwrap();
    let [shown, kept]: [Value; 2] =
        [text(&dashboard["data"]["tollgate.json"]).as_bytes(), &file].map(|text| serde_json::from_slice(text).unwrap());
    assert_eq!(shown, kept);
    // What the rules ask for is what the monitor calls its job.
    assert!(rules.to_string().contains("job=\\\"tollgate\\\""));
    assert_eq!(monitor["spec"]["endpoints"][0]["relabelings"][0]["replacement"], "tollgate");
}
