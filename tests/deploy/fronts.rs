//! What stands in front of the gateways, by the files of `deploy/`.

use std::net::SocketAddr;
use std::process::Command;

use crate::compose::text;
use crate::fleet::Fleet;
use crate::server::{Server, free_port};
use crate::tools::{program, said};

/// `deploy/haproxy/haproxy.cfg` on free ports: the door for HTTPS.
pub fn haproxy(fleet: &Fleet) -> (Server, SocketAddr) {
    let ports = [free_port(), free_port(), free_port()];
    let mut config = fleet.placed(&text("haproxy/haproxy.cfg"));
    for (there, here) in [("bind :8000", ports[0]), ("bind :8443", ports[1]), ("bind :8404", ports[2])] {
        assert!(config.contains(there), "{there}");
        config = config.replace(there, &format!("bind 127.0.0.1:{here}"));
    }
    let path = fleet.folder.join("haproxy.cfg");
    std::fs::write(&path, config).unwrap();
    said(Command::new(program("haproxy")).arg("-c").arg("-f").arg(&path));
    let mut command = Command::new(program("haproxy"));
    command.arg("-db").arg("-f").arg(&path).stderr(std::process::Stdio::null());
    (Server::start(command, ports[2]), SocketAddr::from(([127, 0, 0, 1], ports[1])))
}

/// `deploy/nginx/nginx.conf` on free ports: the door for HTTPS.
pub fn nginx(fleet: &Fleet) -> (Server, SocketAddr) {
    let (plain, tls) = (free_port(), free_port());
    let folder = fleet.folder.path().display().to_string();
    let mut config = fleet.placed(&text("nginx/nginx.conf"));
    let places = [
        ("listen 8000", format!("listen 127.0.0.1:{plain}")),
        ("listen 8443", format!("listen 127.0.0.1:{tls}")),
        ("/etc/nginx/tls/", format!("{folder}/state/")),
        ("/tmp/nginx", format!("{folder}/nginx")),
        ("/dev/stdout", format!("{folder}/access")),
    ];
    for (there, here) in places {
        assert!(config.contains(there), "{there}");
        config = config.replace(there, &here);
    }
    let path = fleet.folder.join("nginx.conf");
    std::fs::write(&path, config).unwrap();
    said(Command::new(program("nginx")).arg("-t").arg("-c").arg(&path));
    let mut command = Command::new(program("nginx"));
    command.arg("-c").arg(&path).args(["-g", "daemon off;"]);
    (Server::start(command, tls), SocketAddr::from(([127, 0, 0, 1], tls)))
}
