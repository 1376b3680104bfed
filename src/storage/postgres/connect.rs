//! From a URL to a pool.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::storage::{PostgresOptions, StorageError};

use super::tls::{self, Trust};

/// The words of `sslmode`, as PostgreSQL's own clients understand them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

#[derive(Debug)]
struct Address {
    config: Config,
    mode: Mode,
    root: Option<String>,
}

pub(super) fn pool(options: &PostgresOptions) -> Result<Pool, StorageError> {
    let Address { mut config, mode, root } = address(options.url.reveal())?;
    config.connect_timeout(options.connect_timeout);
    config.tcp_user_timeout(options.statement_timeout);
    config.keepalives_idle(Duration::from_secs(30));
    if config.get_application_name().is_none() {
        config.application_name("tollgate");
    }
    let timeout = format!("-c statement_timeout={}", options.statement_timeout.as_millis());
    let timeout = config.get_options().map_or(timeout.clone(), |given| format!("{timeout} {given}"));
    config.options(timeout);
    let trust = match (mode, root) {
        (Mode::VerifyFull, root) => Trust::Full(root),
        (Mode::VerifyCa, root) => Trust::Chain(root),
        (Mode::Require, Some(root)) => Trust::Chain(Some(root)),
        _ => Trust::Anyone,
    };
    let method = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, tls::connector(trust)?, method);
    let wait = Some(options.connect_timeout);
    let timeouts = Timeouts { wait, create: wait.map(|limit| limit * 2), recycle: wait };
    let pool = Pool::builder(manager).max_size(options.pool.max(1)).timeouts(timeouts).runtime(Runtime::Tokio1);
    pool.build().map_err(|error| StorageError::Other(error.to_string()))
}

/// Reads the URL; `sslmode` and `sslrootcert` are ours to read, since the driver knows only half of their words.
fn address(url: &str) -> Result<Address, StorageError> {
    let bad = |what: &str| StorageError::Other(format!("database.url is not usable: {what}"));
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut mode = Mode::Prefer;
    let mut root = None;
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_encoding::percent_decode_str(value).decode_utf8().map_err(|_| bad("not UTF-8"))?;
        match (name, value.as_ref()) {
            ("sslmode", "disable") => mode = Mode::Disable,
            ("sslmode", "allow" | "prefer") => mode = Mode::Prefer,
            ("sslmode", "require") => mode = Mode::Require,
            ("sslmode", "verify-ca") => mode = Mode::VerifyCa,
            ("sslmode", "verify-full") => mode = Mode::VerifyFull,
            ("sslmode", _) => return Err(bad("sslmode is none of disable, prefer, require, verify-ca, verify-full")),
            ("sslrootcert", path) => root = Some(path.to_owned()),
            _ => rest.push(pair),
        }
    }
    let plain = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| bad(&error.to_string()))?;
    config.ssl_mode(match mode {
        Mode::Disable => SslMode::Disable,
        Mode::Prefer => SslMode::Prefer,
        Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
    });
    Ok(Address { config, mode, root })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_is_taken_out_and_the_rest_is_kept() {
        let url = "postgres://a:b@h:1/d?sslmode=verify-full&application_name=x&sslrootcert=%2Fca.pem";
        let address = address(url).unwrap();
        assert_eq!(address.mode, Mode::VerifyFull);
        assert_eq!(address.root.as_deref(), Some("/ca.pem"));
        assert_eq!(address.config.get_application_name(), Some("x"));
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn an_unusable_url_is_refused_without_its_password() {
        for url in ["postgres://a:hunter2@h/d?sslmode=maybe", "postgres://a:hunter2@h:port/d"] {
            let text = address(url).unwrap_err().to_string();
            assert!(text.starts_with("store failed: database.url is not usable"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
