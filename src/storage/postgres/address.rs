//! What a URL says: which hosts, how to speak to them, whom to trust.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::storage::{PostgresOptions, StorageError};

use super::tls::Trust;

/// Shows that a session is ours alone: a pooler between us and the server drops what we set, and this with it.
pub(super) const MARK: &str = "tollgate.direct";

const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);
/// The bounds of a `connect_timeout` in the URL, in seconds.
const CONNECT_TIMEOUT: (u64, u64) = (1, 60);

/// Where PostgreSQL may be.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub host: Host,
    /// The address behind the name, where the URL gives it.
    pub address: Option<IpAddr>,
    pub port: u16,
}

#[derive(Debug)]
pub(super) struct Address {
    /// Everything but the hosts.
    pub config: Config,
    /// At least one.
    pub places: Vec<Place>,
    pub trust: Trust,
    /// Server sessions are shared from transaction to transaction (PgBouncer): nothing is kept in them.
    pub has_pooler: bool,
    /// Longest wait for one host.
    pub connect_timeout: Duration,
    /// Longest run of one statement.
    pub statement_timeout: Duration,
}

/// What we read of the URL ourselves, since the driver knows half of these words or none.
#[derive(Debug, Default)]
struct Words {
    mode: Option<Mode>,
    root: Option<String>,
    has_pooler: bool,
}

/// The words of `sslmode`, as PostgreSQL's own clients understand them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Tcp(name) if name.contains(':') => write!(out, "[{name}]:{}", self.port),
            Host::Tcp(name) => write!(out, "{name}:{}", self.port),
            Host::Unix(path) => write!(out, "{}/.s.PGSQL.{}", path.display(), self.port),
        }
    }
}

fn bad(what: &str) -> StorageError {
    StorageError::Other(format!("database.url is not usable: {what}"))
}

impl Address {
    pub fn new(options: &PostgresOptions) -> Result<Self, StorageError> {
        let url = options.url.reveal();
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        if query.contains('@') {
            return Err(bad("in user and password, `?`, `@` and `/` must be written as %3F, %40 and %2F"));
        }
        let mut words = Words::default();
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            if !words.take(pair)? {
                rest.push(pair);
            }
        }
        let plain = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let given: Config = plain.parse().map_err(|error: tokio_postgres::Error| bad(&told(&error)))?;
        let config = words.config(&given, options)?;
        let seconds = given.get_connect_timeout().map(Duration::as_secs);
        let (least, most) = CONNECT_TIMEOUT;
        Ok(Self {
            config,
            places: places(&given)?,
            trust: words.trust(),
            has_pooler: words.has_pooler,
            connect_timeout: seconds
                .map_or(options.connect_timeout, |seconds| Duration::from_secs(seconds.clamp(least, most))),
            statement_timeout: options.statement_timeout,
        })
    }
}

/// The driver's own text and what is behind it; neither holds the password.
fn told(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

impl Words {
    /// Takes a pair of the URL's query, if it is one of ours.
    fn take(&mut self, pair: &str) -> Result<bool, StorageError> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_encoding::percent_decode_str(value).decode_utf8().map_err(|_| bad("not UTF-8"))?;
        match (name, value.as_ref()) {
            ("sslmode", "disable") => self.mode = Some(Mode::Disable),
            ("sslmode", "allow" | "prefer") => self.mode = Some(Mode::Prefer),
            ("sslmode", "require") => self.mode = Some(Mode::Require),
            ("sslmode", "verify-ca") => self.mode = Some(Mode::VerifyCa),
            ("sslmode", "verify-full") => self.mode = Some(Mode::VerifyFull),
            ("sslmode", _) => return Err(bad("sslmode is none of disable, prefer, require, verify-ca, verify-full")),
            ("sslrootcert", path) => self.root = Some(path.to_owned()),
            // Every session is held to it, whether or not the URL says so.
            ("target_session_attrs", "read-write" | "primary" | "any") => {}
            ("target_session_attrs", _) => {
                return Err(bad(
                    "target_session_attrs must be read-write: standbys lag behind, and decide nothing here",
                ));
            }
            ("pgbouncer", "true") => self.has_pooler = true,
            ("pgbouncer", "false") => self.has_pooler = false,
            ("pgbouncer", _) => return Err(bad("pgbouncer is neither true nor false")),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn trust(&self) -> Trust {
        match (self.mode, self.root.clone()) {
            (Some(Mode::VerifyFull), root) => Trust::Full(root),
            (Some(Mode::VerifyCa), root) => Trust::Chain(root),
            (Some(Mode::Require), Some(root)) => Trust::Chain(Some(root)),
            _ => Trust::Anyone,
        }
    }

    /// What the URL gave, without its hosts, and what we add.
    fn config(&self, given: &Config, options: &PostgresOptions) -> Result<Config, StorageError> {
        let mut config = Config::new();
        if let Some(user) = given.get_user() {
            config.user(user);
        }
        if let Some(password) = given.get_password() {
            config.password(password);
        }
        if let Some(name) = given.get_dbname() {
            config.dbname(name);
        }
        config.application_name(given.get_application_name().unwrap_or("tollgate"));
        config.channel_binding(given.get_channel_binding()).ssl_negotiation(given.get_ssl_negotiation());
        config.ssl_mode(match self.mode.unwrap_or(Mode::Prefer) {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        });
        config.tcp_user_timeout(options.statement_timeout).keepalives_idle(KEEPALIVES_IDLE);
        config.keepalives(given.get_keepalives());
        if let Some(interval) = given.get_keepalives_interval() {
            config.keepalives_interval(interval);
        }
        if let Some(retries) = given.get_keepalives_retries() {
            config.keepalives_retries(retries);
        }
        match (given.get_options(), self.has_pooler) {
            (Some(_), true) => {
                return Err(bad("PgBouncer drops `options`; give the user these settings by ALTER ROLE ... SET"));
            }
            (None, true) => {}
            (given, false) => {
                let limit = options.statement_timeout.as_millis();
                let ours = format!("-c statement_timeout={limit} -c {MARK}=on");
                config.options(given.map_or(ours.clone(), |given| format!("{ours} {given}")));
            }
        }
        Ok(config)
    }
}

fn places(config: &Config) -> Result<Vec<Place>, StorageError> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    let matches = |length: usize, least: usize| length <= least || length == count;
    if count == 0 {
        return Err(bad("it names no host"));
    }
    if !matches(hosts.len(), 0) || !matches(addresses.len(), 0) || !matches(ports.len(), 1) {
        return Err(bad("it does not name as many hosts as addresses or ports"));
    }
    let place = |at: usize| {
        let address = addresses.get(at).copied();
        let named = hosts.get(at).cloned().or_else(|| address.map(|address| Host::Tcp(address.to_string())));
        let port = ports.get(at).or_else(|| ports.first()).copied().unwrap_or(5432);
        named.map(|host| Place { host, address, port })
    };
    Ok((0..count).filter_map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<Address, StorageError> {
        Address::new(&PostgresOptions::new(url))
    }

    fn places_of(url: &str) -> Vec<String> {
        address(url).unwrap().places.iter().map(Place::to_string).collect()
    }

    #[test]
    fn our_words_are_taken_out_and_the_rest_is_kept() {
        let url = "postgres://a:b@h:1/d?sslmode=verify-full&application_name=x&sslrootcert=%2Fca.pem&connect_timeout=5";
        let address = address(url).unwrap();
        assert_eq!(address.trust, Trust::Full(Some("/ca.pem".into())));
        assert_eq!(address.config.get_application_name(), Some("x"));
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(address.config.get_user(), Some("a"));
        assert_eq!(address.config.get_password(), Some(b"b".as_slice()));
        assert_eq!(address.config.get_dbname(), Some("d"));
        assert_eq!(address.connect_timeout, Duration::from_secs(5));
        assert!(address.config.get_hosts().is_empty() && !address.has_pooler);
    }

    #[test]
    fn every_host_of_a_url_is_a_place() {
        assert_eq!(places_of("postgres://u@a:5432,b:5433/d?target_session_attrs=read-write"), ["a:5432", "b:5433"]);
        assert_eq!(places_of("postgres://u@a,b/d"), ["a:5432", "b:5432"]);
        assert_eq!(places_of("postgres://u@[::1]:1,b/d"), ["[::1]:1", "b:5432"]);
        assert_eq!(places_of("postgresql://u@/d?host=%2Frun%2Fpg&port=7"), ["/run/pg/.s.PGSQL.7"]);
        assert_eq!(places_of("postgres://u@a/d?hostaddr=10.0.0.1"), ["a:5432"]);
    }

    #[test]
    fn settings_of_the_session_go_along_unless_a_pooler_drops_them() {
        let options = |url: &str| address(url).unwrap().config.get_options().map(str::to_owned);
        let ours = "-c statement_timeout=10000 -c tollgate.direct=on";
        assert_eq!(options("postgres://u@h/d").as_deref(), Some(ours));
        let given = options("postgres://u@h/d?options=-csearch_path%3Dx").unwrap();
        assert_eq!(given, format!("{ours} -csearch_path=x"));
        assert_eq!(options("postgres://u@h/d?pgbouncer=true"), None);
        let refused = address("postgres://u@h/d?pgbouncer=true&options=-csearch_path%3Dx").unwrap_err();
        assert!(refused.to_string().contains("ALTER ROLE"), "{refused}");
    }

    #[test]
    fn an_unusable_url_is_refused_without_its_password() {
        for url in [
            "postgres://a:hunter2@h/d?sslmode=maybe",
            "postgres://a:hunter2@h:port/d",
            "postgres://a:hunter2@h/d?target_session_attrs=standby",
            "postgres://a:hunter2@h/d?target_session_attrs=read-only",
            "postgres://a:hunter2@h/d?pgbouncer=maybe",
            "postgres://a:hunter2@h/d?no_such_word=1",
            "postgres://a:hunter2@/d",
            "postgres://a:p?hunter2=1@h/d",
            "postgres://a:p?x=hunter2@h/d",
            "postgres://a:hunter2@a,b/d?hostaddr=10.0.0.1",
        ] {
            let text = address(url).unwrap_err().to_string();
            assert!(text.starts_with("store failed: database.url is not usable"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
