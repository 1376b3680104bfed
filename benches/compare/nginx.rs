//! nginx: the upstream of everyone, and the peer that proxies without authentication.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

/// A running nginx; stopped when dropped.
pub struct Nginx {
    child: Child,
    pub port: u16,
}

impl Nginx {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master takes its workers along when it is asked to stop, not when it is killed.
        let _ = Command::new("kill").arg(self.pid().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Answers every request with 105 bytes, on the second core.
pub fn upstream(folder: &Path) -> Nginx {
    let body = "x".repeat(105);
    start(folder, "upstream", 1, &format!("location / {{ default_type text/plain; return 200 \"{body}\"; }}"), "")
}

/// Proxies to `upstream` with keep-alive, on the first core.
pub fn proxy(folder: &Path, upstream: u16) -> Nginx {
    let location = "location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; \
                    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; \
                    proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Real-IP $remote_addr; }";
    let pool = format!("upstream up {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 100000000; }}");
    start(folder, "peer", 0, location, &pool)
}

fn start(folder: &Path, name: &str, core: u32, location: &str, extra: &str) -> Nginx {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free").port();
    let home = folder.join(name);
    std::fs::create_dir_all(&home).expect("the temporary folder can be written");
    let config = format!(
        "daemon off; worker_processes 1; pid {0}/pid; error_log {0}/error.log;\n\
         events {{ worker_connections 4096; }}\n\
         http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {0}/a; proxy_temp_path {0}/b; \
         fastcgi_temp_path {0}/c; uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;\n{extra}\n\
         server {{ listen 127.0.0.1:{port} backlog=4096; {location} }} }}\n",
        home.display()
    );
    let file = home.join("nginx.conf");
    std::fs::write(&file, config).expect("the temporary folder can be written");
    let child = Command::new("taskset").args(["-c", &core.to_string(), "nginx", "-c"]).arg(&file).spawn();
    let nginx = Nginx { child: child.expect("nginx and taskset are installed"), port };
    for _ in 0..500 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return nginx;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nginx did not start");
}
