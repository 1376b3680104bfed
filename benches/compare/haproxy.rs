//! haproxy, another peer that proxies without authentication.

use std::path::Path;
use std::process::Command;

use super::peer::{Doors, Pair, Server, free_port};

/// Proxies to the upstreams with keep-alive, on the first core; `None` where it is not installed.
pub fn proxy(folder: &Path, pair: &Pair, upstream: u16, grpc: u16) -> Option<(Server, Doors)> {
    Command::new("haproxy").arg("-v").output().ok()?;
    let doors = Doors { plain: free_port(), prior: free_port(), tls: free_port() };
    let config = format!(
        "global\n  maxconn 4096\n  nbthread 1\n  tune.ssl.default-dh-param 2048\n\
         defaults\n  mode http\n  timeout connect 10s\n  timeout client 60s\n  timeout server 60s\n  \
         option forwardfor\n  http-reuse always\n\
         frontend clients\n  bind 127.0.0.1:{} backlog 4096\n  bind 127.0.0.1:{} backlog 4096 proto h2\n  \
         bind 127.0.0.1:{} backlog 4096 ssl crt {} alpn h2,http/1.1\n  \
         http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]\n  \
         http-request set-header X-Real-IP %[src]\n  \
         use_backend calls if {{ path_beg /bench.Echo/ }}\n  default_backend up\n\
         backend up\n  server up 127.0.0.1:{upstream}\n\
         backend calls\n  server calls 127.0.0.1:{grpc} proto h2\n",
        doors.plain,
        doors.prior,
        doors.tls,
        pair.both.display(),
    );
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, config).expect("the temporary folder can be written");
    Some((Server::start("0", &["haproxy", "-db", "-f"], &file, doors.plain), doors))
}
