//! h2load, which people measure servers of HTTP/2 with, sends thousands of calls on few connections.

mod support;

use std::process::Command;

use serde_json::json;
use support::{Folder, Start, client};

#[tokio::test]
async fn every_call_of_h2load_is_answered() {
    let folder = Folder::new();
    let gateway = Start::dev(folder.path()).arg("--empty").ready();
    let service = json!({ "name": "s", "url": gateway.url("status", "/status") });
    for (path, body) in [("/services", service), ("/services/s/routes", json!({ "paths": ["/s"] }))] {
        assert_eq!(client().post(gateway.admin(path)).json(&body).send().await.unwrap().status(), 201);
    }
    let body = folder.join("body");
    std::fs::write(&body, vec![b'x'; 40_000]).unwrap();
    for (scheme, listener) in [("http", "proxy"), ("https", "proxy_tls")] {
        for upload in [false, true] {
            let mut load = Command::new("h2load");
            load.args(["-n", "4000", "-c", "8", "-m", "32"]);
            if upload {
                load.arg("-d").arg(&body);
            }
            load.arg(format!("{scheme}://127.0.0.1:{}/s", gateway.addresses[listener].port()));
            let said = load.output().expect("h2load is there; tests/run installs it");
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            let whole = "4000 total, 4000 started, 4000 done";
            assert!(said.contains(whole) && said.contains("0 failed, 0 errored, 0 timeout"), "{scheme}:\n{said}");
            // A status listener takes no uploads; it says so to each.
            let expected = if upload { "4000 4xx" } else { "4000 2xx" };
            assert!(said.contains(expected), "{scheme}, upload {upload}:\n{said}");
        }
    }
}
