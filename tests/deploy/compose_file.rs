//! What `compose.yaml` names exists: settings, commands, files, volumes, services; and nothing runs as root.

use serde_json::Value;

use crate::compose::{Compose, file, strings};
use crate::support::tollgate;
use crate::tools::said;

#[test]
fn every_setting_is_one_of_the_gateway() {
    let (compose, explained) =
        (Compose::read(), said(tollgate().args(["config", "explain"]).envs(Compose::read().environment("gateway-1"))));
    let known: Vec<String> = explained
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(|name| format!("TOLLGATE_{}", name.replace('.', "_").to_uppercase()))
        .collect();
    let services: Vec<&str> = compose.gateways().collect();
    assert_eq!(services, ["keyring", "migrate", "rotate", "gateway-1", "gateway-2"]);
    for service in services {
        for name in compose.environment(service).keys() {
            assert!(known.contains(name), "{service}: {name} is no setting");
        }
    }
}

#[test]
fn every_service_is_without_root_and_its_disk_read_only() {
    let compose = Compose::read();
    for (name, service) in compose.services() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(strings(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(strings(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        // The gateway's image has a user of its own (`deploy/check-image`).
        let is_ours = compose.gateways().any(|ours| ours == name);
        let user = service["user"].as_str().and_then(|user| user.split(':').next()?.parse::<u32>().ok());
        assert!(is_ours || user.is_some_and(|user| user > 0), "{name}: {user:?}");
    }
}

#[test]
fn what_is_named_is_there() {
    let compose = Compose::read();
    for (name, service) in compose.services() {
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let (source, _) = volume.as_str().unwrap().split_once(':').unwrap();
            let exists = match source.strip_prefix("./") {
                Some(path) => file(path).exists(),
                None => compose.volumes().contains_key(source),
            };
            assert!(exists, "{name}: {source}");
        }
        for (other, how) in service["depends_on"].as_object().into_iter().flatten() {
            let other_service = compose.service(other);
            match how["condition"].as_str().unwrap() {
                "service_healthy" => {
                    // The front's and the gateways' of their images.
                    assert!(other_service["healthcheck"]["test"].is_array(), "{other} has no health check");
                }
                condition => assert_eq!(condition, "service_completed_successfully", "{name}"),
            }
        }
        let networks: Vec<&str> = match &service["networks"] {
            Value::Array(names) => names.iter().map(|name| name.as_str().unwrap()).collect(),
            Value::Object(names) => names.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        assert_eq!(networks.is_empty(), service["network_mode"] == "none", "{name}");
        assert!(networks.iter().all(|network| compose.networks().contains_key(*network)), "{name}");
    }
    let dockerfile = compose.service("gateway-1")["build"]["dockerfile"].as_str().unwrap();
    assert!(file("..").join(dockerfile).exists(), "{dockerfile}");
}

#[test]
fn the_gateways_believe_the_front_and_nobody_else() {
    let compose = Compose::read();
    let front = &compose.service("front")["networks"]["calls"]["ipv4_address"];
    for gateway in ["gateway-1", "gateway-2"] {
        assert_eq!(compose.environment(gateway)["TOLLGATE_PROXY_TRUSTED_IPS"], front.as_str().unwrap());
    }
    let ports = strings(&compose.service("gateway-1")["ports"]);
    assert_eq!(ports, ["127.0.0.1:8001:8001"], "the Admin API is this machine's");
}

#[test]
fn a_set_up_that_is_started_again_keeps_its_keyring_and_takes_nothing_else_for_one() {
    let (compose, folder) = (Compose::read(), crate::support::Folder::new());
    let keyring = folder.join("keyring");
    let init = || {
        let mut command = tollgate();
        command.args(compose.command("keyring")).env("TOLLGATE_KEYRING_FILE", &keyring);
        command
    };
    said(&mut init());
    let made = std::fs::read(&keyring).unwrap();
    said(&mut init());
    assert_eq!(std::fs::read(&keyring).unwrap(), made);
    std::fs::write(&keyring, "half a keyr").unwrap();
    assert_eq!(init().output().unwrap().status.code(), Some(64));
}
