//! Every setting, once.

/// Which command asks: `dev` has other defaults than `serve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Serve,
    Dev,
}

/// One setting. Its environment variable is `TOLLGATE_` + the name with `.` as `_`, in capitals.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub serve: &'static str,
    pub dev: &'static str,
    pub secret: bool,
    pub meaning: &'static str,
}

impl Setting {
    pub fn variable(&self) -> String {
        format!("TOLLGATE_{}", self.name.replace('.', "_").to_uppercase())
    }

    pub fn default(&self, mode: Mode) -> &'static str {
        match mode {
            Mode::Serve => self.serve,
            Mode::Dev => self.dev,
        }
    }
}

const fn both(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, serve: default, dev: default, secret: false, meaning }
}

const fn split(name: &'static str, serve: &'static str, dev: &'static str, meaning: &'static str) -> Setting {
    Setting { name, serve, dev, secret: false, meaning }
}

const fn secret(name: &'static str, meaning: &'static str) -> Setting {
    Setting { name, serve: "", dev: "", secret: true, meaning }
}

/// An empty default means "none". `dev` fills in what depends on its data folder.
pub const SETTINGS: &[Setting] = &[
    split("proxy.listen", "0.0.0.0:8000", "127.0.0.1:8000", "addresses of the proxy, plain; several by comma"),
    split("proxy.listen_tls", "0.0.0.0:8443", "127.0.0.1:8443", "addresses of the proxy, TLS; none = no TLS listener"),
    both("proxy.workers", "", "worker threads; none = one per core"),
    both("proxy.max_connections", "", "clients' connections at once; none = what the limit of open files has room for"),
    both(
        "proxy.max_upstream_calls",
        "",
        "calls at once to one upstream, of each worker; none = half of proxy.max_connections over all workers, at most 4096",
    ),
    both("proxy.drain_timeout", "30s", "how long calls under way may take when the gateway stops; up to 1h"),
    both("proxy.trusted_ips", "", "CIDRs whose X-Forwarded-* and PROXY protocol are believed"),
    both("proxy.dns_servers", "", "name servers for upstreams' names, ADDRESS or ADDRESS:PORT; none = the system's"),
    both("proxy.tls_cert", "", "file with the default certificate chain (PEM)"),
    both("proxy.tls_key", "", "file with the default certificate's private key (PEM)"),
    split("admin.listen", "127.0.0.1:8001", "127.0.0.1:8001", "addresses of the Admin API, plain"),
    both("admin.listen_tls", "", "addresses of the Admin API, TLS"),
    both("admin.allow_insecure", "false", "serve the Admin API without a token on addresses that are not loopback"),
    secret("admin.tokens", "tokens of the Admin API, beside those of the database: NAME:ROLE:TOKEN; several by comma"),
    split("portal.enabled", "false", "true", "serve the developer portal"),
    both("portal.listen", "127.0.0.1:8003", "addresses of the developer portal, plain"),
    both("portal.listen_tls", "", "addresses of the developer portal, TLS"),
    both(
        "portal.url",
        "",
        "where developers reach the portal, for links in mails; none = the first address it listens on",
    ),
    both(
        "portal.proxy_url",
        "",
        "where developers reach the proxy, for the portal's curl lines; none = the proxy's address",
    ),
    split("portal.auto_approve", "false", "true", "let developers in without an administrator's word"),
    split(
        "portal.email_verification",
        "false",
        "true",
        "let developers in only once their address is known to be theirs",
    ),
    both(
        "portal.hide_accounts",
        "false",
        "answer registrations alike whether or not the address has an account; needs portal.email_verification",
    ),
    both(
        "portal.app_auth",
        "kong-oauth2",
        "who keeps applications' credentials: kong-oauth2 (tollgate) or external-oauth2",
    ),
    both("portal.cors_origins", "", "origins of other pages that may call the portal's API; several by comma"),
    both("portal.secure_cookies", "true", "send session cookies over HTTPS only (browsers count loopback as secure)"),
    secret("smtp.url", "mail server: smtp://user:password@host:587?tls=required, smtps://…, smtp://host:25"),
    both("smtp.from", "tollgate <no-reply@localhost>", "who mails come from"),
    both("smtp.admin_emails", "", "who is mailed when a developer asks for access; several by comma"),
    split(
        "status.listen",
        "0.0.0.0:8100",
        "127.0.0.1:8100",
        "addresses of /status, /status/ready, /status/live, /metrics",
    ),
    secret("database.url", "postgres://user:password@host,host/name, or sqlite:PATH"),
    split("database.auto_migrate", "false", "true", "migrate the database on start instead of refusing an old one"),
    both("database.pool", "16", "PostgreSQL connections at most"),
    secret("redis.url", "redis://, rediss://, redis+sentinel://a,b/master, redis-cluster://a,b"),
    both("cluster.lease", "2s", "how long a silent node may trust its cache"),
    both(
        "cluster.stale_limit",
        "60s",
        "how long known tokens work while the database is unreachable; 0 = refuse at once",
    ),
    both("keyring.file", "", "file with the keyring (tollgate keyring init)"),
    secret("keyring.keys", "the keyring itself: lookup:BASE64,1:BASE64"),
    split("log.format", "json", "text", "json or text"),
    both("log.level", "info", "error, warn, info, debug or trace (debug, for a release has no more)"),
    both("log.file", "", "file for the log, opened again on SIGHUP; none = standard error"),
    split("log.access", "json", "off", "the access log: json, combined (as nginx writes it) or off"),
    both("log.access_file", "", "file for the access log, opened again on SIGHUP; none = standard output"),
    both(
        "telemetry.otlp_endpoint",
        "",
        "where traces go by OTLP over HTTP: http://HOST:4318 or https://…, /v1/traces is added where there is no path; none = no traces",
    ),
    secret(
        "telemetry.otlp_headers",
        "fields the collector asks for, NAME=VALUE, such as authorization=Basic …; several by comma",
    ),
    both("telemetry.otlp_ca", "", "file with authorities (PEM) to trust the collector by; none = those of the web"),
    both(
        "telemetry.trace_sample",
        "1",
        "part of the traces that begin here which is recorded, 0 to 1; callers decide for theirs",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_follow_from_names() {
        let listen_tls = SETTINGS.iter().find(|setting| setting.name == "proxy.listen_tls").unwrap();
        assert_eq!(listen_tls.variable(), "TOLLGATE_PROXY_LISTEN_TLS");
    }
}
