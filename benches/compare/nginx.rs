//! nginx: the upstream of everyone, and the peer that proxies without authentication.

use std::path::Path;

use super::peer::{Doors, Pair, Server, free_port};

/// Answers every request with 105 bytes, on `cores`.
pub fn upstream(folder: &Path, cores: &str) -> (Server, u16) {
    let (body, port) = ("x".repeat(105), free_port());
    let site = format!(
        "server {{ listen 127.0.0.1:{port} backlog=4096; \
         location / {{ default_type text/plain; return 200 \"{body}\"; }} }}"
    );
    (start(folder, "upstream", cores, "off", &site, port), port)
}

/// Proxies to the upstreams with keep-alive, on the first core.
pub fn proxy(folder: &Path, pair: &Pair, upstream: u16, grpc: u16) -> (Server, Doors) {
    let doors = Doors { plain: free_port(), prior: free_port(), tls: free_port() };
    let fields = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; \
                  proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Real-IP $remote_addr;";
    let locations = format!(
        "location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; {fields} }}\n\
         location /bench.Echo/ {{ grpc_pass grpc://calls; {} }}",
        fields.replace("proxy_set_header", "grpc_set_header")
    );
    let pool = |name: &str, port: u16| {
        format!("upstream {name} {{ server 127.0.0.1:{port}; keepalive 128; keepalive_requests 100000000; }}\n")
    };
    let site = format!(
        "{}{}server {{ listen 127.0.0.1:{} backlog=4096; listen 127.0.0.1:{} backlog=4096 http2; \
         listen 127.0.0.1:{} backlog=4096 ssl http2; ssl_certificate {}; ssl_certificate_key {};\n{locations} }}",
        pool("up", upstream),
        pool("calls", grpc),
        doors.plain,
        doors.prior,
        doors.tls,
        pair.certificate.display(),
        pair.key.display(),
    );
    // As tollgate does: by the batch.
    let log = format!("{} combined buffer=32k flush=200ms", folder.join("nginx.access.log").display());
    (start(folder, "nginx", "0", &log, &site, doors.plain), doors)
}

/// `log`: what `access_log` is told.
fn start(folder: &Path, name: &str, cores: &str, log: &str, site: &str, port: u16) -> Server {
    let home = folder.join(name);
    std::fs::create_dir_all(&home).expect("the temporary folder can be written");
    let config = format!(
        "daemon off; worker_processes 1; pid {0}/pid; error_log {0}/error.log;\n\
         events {{ worker_connections 4096; }}\n\
         http {{ access_log {log}; keepalive_requests 100000000; client_body_temp_path {0}/a; proxy_temp_path {0}/b; \
         fastcgi_temp_path {0}/c; uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;\n{site} }}\n",
        home.display()
    );
    let file = home.join("nginx.conf");
    std::fs::write(&file, config).expect("the temporary folder can be written");
    Server::start(cores, &["nginx", "-c"], &file, port)
}
