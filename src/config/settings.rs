//! Settings, understood.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::admin_tokens::SetToken;
use super::layers::{Fault, Layers};
use super::portal::{MailSettings, PortalSettings};
use super::traces::TraceSettings;
use crate::domain::{Network, Secret};

/// Where the data lives.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    Postgres(Secret),
    Sqlite(PathBuf),
}

impl DatabaseUrl {
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

/// How lines of the access log are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessFormat {
    Json,
    /// nginx's, and the request id after it.
    Combined,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// What the program runs with. Field names are the settings' names with `.` as `_`; the table tells their meaning.
#[derive(Clone, Debug)]
pub struct Settings {
    pub proxy_listen: Vec<SocketAddr>,
    pub proxy_listen_tls: Vec<SocketAddr>,
    pub proxy_workers: usize,
    /// `None`: what the limit of open files has room for.
    pub proxy_max_connections: Option<usize>,
    pub proxy_max_upstream_calls: Option<usize>,
    pub proxy_drain_timeout: Duration,
    pub proxy_trusted_ips: Vec<Network>,
    /// Empty: those the system names.
    pub proxy_dns_servers: Vec<SocketAddr>,
    /// Certificate chain and key files, together or not at all.
    pub proxy_tls: Option<(PathBuf, PathBuf)>,
    pub admin_listen: Vec<SocketAddr>,
    pub admin_listen_tls: Vec<SocketAddr>,
    pub admin_allow_insecure: bool,
    pub admin_tokens: Vec<SetToken>,
    pub portal: PortalSettings,
    pub mail: MailSettings,
    pub status_listen: Vec<SocketAddr>,
    pub database_url: DatabaseUrl,
    pub database_auto_migrate: bool,
    pub database_pool: usize,
    pub redis_url: Option<Secret>,
    pub cluster_lease: Duration,
    pub cluster_stale_limit: Duration,
    pub keyring_file: Option<PathBuf>,
    pub keyring_keys: Option<Secret>,
    pub log_format: LogFormat,
    pub log_level: LogLevel,
    pub log_file: Option<PathBuf>,
    /// `None`: there is no access log.
    pub log_access: Option<AccessFormat>,
    pub log_access_file: Option<PathBuf>,
    /// `None`: no call is traced.
    pub telemetry: Option<TraceSettings>,
}

impl Settings {
    /// Understands every layer's text.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn read(layers: &Layers) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { layers, faults: layers.faults.clone() };
        let settings = reader.settings();
        reader.check_across();
        match settings {
            Some(settings) if reader.faults.is_empty() => Ok(settings),
            _ => Err(reader.faults),
        }
    }

    /// Whether the Admin API listens on loopback addresses only (admin-api.md section 6).
    pub fn admin_is_loopback(&self) -> bool {
        self.admin_listen.iter().chain(&self.admin_listen_tls).all(|address| address.ip().is_loopback())
    }
}

pub(super) struct Reader<'l> {
    pub layers: &'l Layers,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn settings(&mut self) -> Option<Settings> {
        let proxy_listen = self.addresses("proxy.listen");
        let proxy_listen_tls = self.addresses("proxy.listen_tls");
        let admin_listen = self.addresses("admin.listen");
        let admin_listen_tls = self.addresses("admin.listen_tls");
        let status_listen = self.addresses("status.listen");
        let portal = self.portal();
        let mail = self.mail();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = self.optional("proxy.workers", "a number from 1 to 1024", |text| in_range(text, 1, 1024));
        let most = |text: &str| in_range(text, 1, 10_000_000);
        let max_connections = self.optional("proxy.max_connections", "a number from 1 to 10000000", most);
        let max_upstream_calls = self.optional("proxy.max_upstream_calls", "a number from 1 to 10000000", most);
        let drain_timeout = self.parsed("proxy.drain_timeout", "a time from 0 to 1h", parse_drain);
        let trusted = self.list("proxy.trusted_ips", |text| text.parse::<Network>().map_err(|why| why.to_string()));
        let dns_servers = self.list("proxy.dns_servers", parse_name_server);
        let allow_insecure = self.parsed("admin.allow_insecure", "true or false", parse_bool);
        let admin_tokens = self.list("admin.tokens", SetToken::parse);
        let database_url = self.parsed("database.url", "postgres://… or sqlite:PATH", parse_database);
        let auto_migrate = self.parsed("database.auto_migrate", "true or false", parse_bool);
        let pool = self.parsed("database.pool", "a number from 1 to 1000", |text| in_range(text, 1, 1000));
        let redis_url =
            self.optional("redis.url", "redis://…, rediss://…, redis+sentinel://… or redis-cluster://…", parse_redis);
        let lease = self.parsed("cluster.lease", "a time from 100ms to 10s", parse_lease);
        let stale_limit = self.parsed("cluster.stale_limit", "a time such as 60s", parse_duration);
        let log_format = self.parsed("log.format", "json or text", parse_format);
        let log_level = self.parsed("log.level", "error, warn, info, debug or trace", parse_level);
        let log_access = self.parsed("log.access", "off, json or combined", parse_access);
        let (cert, key) = (self.path("proxy.tls_cert"), self.path("proxy.tls_key"));
        Some(Settings {
            proxy_listen,
            proxy_listen_tls,
            proxy_workers: workers.unwrap_or(cores),
            proxy_max_connections: max_connections,
            proxy_max_upstream_calls: max_upstream_calls,
            proxy_drain_timeout: drain_timeout?,
            proxy_trusted_ips: trusted,
            proxy_dns_servers: dns_servers,
            proxy_tls: cert.zip(key),
            admin_listen,
            admin_listen_tls,
            admin_allow_insecure: allow_insecure?,
            admin_tokens,
            portal: portal?,
            mail,
            status_listen,
            database_url: database_url?,
            database_auto_migrate: auto_migrate?,
            database_pool: pool?,
            redis_url,
            cluster_lease: lease?,
            cluster_stale_limit: stale_limit?,
            keyring_file: self.path("keyring.file"),
            keyring_keys: self.optional("keyring.keys", "a keyring", |text| Some(Secret::new(text))),
            log_format: log_format?,
            log_level: log_level?,
            log_file: self.path("log.file"),
            log_access: log_access?,
            log_access_file: self.path("log.access_file"),
            telemetry: self.traces(),
        })
    }

    fn check_across(&mut self) {
        let both = |left: &str, right: &str| self.layers.text(left).is_empty() == self.layers.text(right).is_empty();
        if !both("proxy.tls_cert", "proxy.tls_key") {
            self.fault("proxy.tls_cert", "proxy.tls_cert and proxy.tls_key go together: set both or none");
        }
        let is_set = |name: &str| parse_bool(self.layers.text(name).trim()) == Some(true);
        if is_set("portal.hide_accounts") && !is_set("portal.email_verification") {
            // Who may log in at once after registering has learnt that the address was free.
            self.fault("portal.hide_accounts", "needs portal.email_verification = true");
        }
        if !self.layers.text("keyring.file").is_empty() && !self.layers.text("keyring.keys").is_empty() {
            self.fault("keyring.keys", "set keyring.file or keyring.keys, not both");
        }
    }

    pub(super) fn fault(&mut self, name: &str, why: &str) {
        self.faults.push(Fault(format!("{name} ({}): {why}", self.layers.origin(name))));
    }

    pub(super) fn parsed<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.layers.text(name).trim();
        let value = parse(text);
        if value.is_none() {
            let why = if text.is_empty() { format!("must be set: {expected}") } else { format!("must be {expected}") };
            self.fault(name, &why);
        }
        value
    }

    pub(super) fn optional<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.layers.text(name).trim().is_empty() { None } else { self.parsed(name, expected, parse) }
    }

    pub(super) fn path(&mut self, name: &str) -> Option<PathBuf> {
        Some(self.layers.text(name)).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    pub(super) fn list<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let mut values = Vec::new();
        for text in self.layers.text(name).split(',').map(str::trim).filter(|text| !text.is_empty()) {
            match parse(text) {
                Ok(value) => values.push(value),
                Err(why) => self.fault(name, &why),
            }
        }
        values
    }

    pub(super) fn addresses(&mut self, name: &str) -> Vec<SocketAddr> {
        if matches!(self.layers.text(name).trim(), "off" | "none") {
            return Vec::new();
        }
        self.list(name, |text| {
            let text = text.replacen("localhost:", "127.0.0.1:", 1);
            text.parse::<SocketAddr>().map_err(|_| format!("`{text}` is not ADDRESS:PORT, such as 127.0.0.1:8000"))
        })
    }
}

pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "on" | "1" | "yes" => Some(true),
        "false" | "off" | "0" | "no" => Some(false),
        _ => None,
    }
}

fn in_range(text: &str, low: usize, high: usize) -> Option<usize> {
    text.parse().ok().filter(|number| (low..=high).contains(number))
}

fn parse_database(text: &str) -> Option<DatabaseUrl> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Some(DatabaseUrl::Postgres(Secret::new(text)));
    }
    let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"))?;
    if path.is_empty() { None } else { Some(DatabaseUrl::Sqlite(PathBuf::from(path))) }
}

fn parse_redis(text: &str) -> Option<Secret> {
    let schemes =
        ["redis://", "rediss://", "redis+sentinel://", "rediss+sentinel://", "redis-cluster://", "rediss-cluster://"];
    schemes.iter().any(|scheme| text.starts_with(scheme)).then(|| Secret::new(text))
}

/// The port is 53 unless it is given.
fn parse_name_server(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse().or_else(|_| text.parse().map(|address: IpAddr| SocketAddr::new(address, 53)));
    address.map_err(|_| format!("`{text}` is not ADDRESS or ADDRESS:PORT, such as 10.0.0.2 or [fd00::2]:53"))
}

/// `500ms`, `2s`, `5m`, `1h`; a bare number is seconds.
fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let millis = match text[digits..].trim() {
        "ms" => number,
        "" | "s" => number.checked_mul(1000)?,
        "m" => number.checked_mul(60_000)?,
        "h" => number.checked_mul(3_600_000)?,
        _ => return None,
    };
    Some(Duration::from_millis(millis))
}

fn parse_lease(text: &str) -> Option<Duration> {
    parse_duration(text).filter(|lease| (Duration::from_millis(100)..=Duration::from_secs(10)).contains(lease))
}

fn parse_drain(text: &str) -> Option<Duration> {
    parse_duration(text).filter(|time| *time <= Duration::from_secs(3600))
}

fn parse_format(text: &str) -> Option<LogFormat> {
    match text {
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        _ => None,
    }
}

fn parse_access(text: &str) -> Option<Option<AccessFormat>> {
    match text {
        "off" => Some(None),
        "json" => Some(Some(AccessFormat::Json)),
        "combined" => Some(Some(AccessFormat::Combined)),
        _ => None,
    }
}

fn parse_level(text: &str) -> Option<LogLevel> {
    Some(match text {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "info" => LogLevel::Info,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mode;

    fn layers(pairs: &[(&str, &str)]) -> Layers {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Layers::defaults(Mode::Serve).with_environment(variables)
    }

    #[test]
    fn the_environment_sets_lists_by_comma() {
        let settings = Settings::read(&layers(&[
            ("TOLLGATE_DATABASE_URL", "sqlite:/tmp/x.db"),
            ("TOLLGATE_PROXY_LISTEN", "127.0.0.1:0, [::1]:0"),
            ("TOLLGATE_PROXY_TRUSTED_IPS", "10.0.0.0/8,127.0.0.1"),
            ("TOLLGATE_PROXY_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ]))
        .unwrap();
        assert_eq!(settings.proxy_listen.len(), 2);
        assert_eq!(settings.proxy_trusted_ips.len(), 2);
        assert!(settings.admin_is_loopback());
        assert_eq!(settings.cluster_lease, Duration::from_secs(2));
    }

    #[test]
    fn every_fault_is_told_with_its_origin() {
        let faults = Settings::read(&layers(&[
            ("TOLLGATE_PROXY_LISTEN", "nonsense"),
            ("TOLLGATE_PROXY_WORKERS", "0"),
            ("TOLLGATE_PROXY_TLS_CERT", "cert.pem"),
            ("TOLLGATE_LOG_LEVEL", "loud"),
        ]))
        .unwrap_err();
        let text = faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n");
        assert_eq!(faults.len(), 5, "{text}");
        assert!(
            text.contains("proxy.listen (environment TOLLGATE_PROXY_LISTEN): `nonsense` is not ADDRESS:PORT"),
            "{text}"
        );
        assert!(text.contains("database.url (default): must be set"), "{text}");
    }

    #[test]
    fn a_name_server_is_an_address_with_or_without_port() {
        for (text, address) in [("10.0.0.2", "10.0.0.2:53"), ("127.0.0.1:5353", "127.0.0.1:5353"), ("::1", "[::1]:53")]
        {
            assert_eq!(parse_name_server(text).map(|address| address.to_string()), Ok(address.to_owned()));
        }
        assert!(parse_name_server("dns.example").unwrap_err().contains("`dns.example` is not ADDRESS"));
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("0"), Some(Duration::ZERO));
        assert_eq!(parse_duration("5m"), Some(Duration::from_secs(300)));
        assert_eq!(parse_duration("soon"), None);
        assert_eq!(parse_duration("99999999999999999999s"), None);
    }
}
