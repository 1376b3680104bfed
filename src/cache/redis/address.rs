//! Where Redis is, and how it is spoken to: the grammar of `redis.url`.
//!
//! ```text
//! redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE][?OPTIONS]
//! redis+sentinel://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]..]/MASTER[/DATABASE][?OPTIONS]
//! redis-cluster://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]..][?OPTIONS]
//! ```
//! With `rediss` for `redis`: over TLS, the Sentinels too. User and password are percent-encoded. Options:
//! `prefix` (what every key begins with, `tollgate` unless said), `ca` (file of the CA certificates to trust in place
//! of the public ones), `cert` and `key` (files to show a server that asks), `sentinel_user`, `sentinel_password`.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use super::error::RedisError;
use crate::domain::Secret;

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
const PREFIX: &str = "tollgate";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topology {
    Single,
    Sentinel { master: String },
    Cluster,
}

/// Who to be at a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub user: Option<String>,
    pub password: Option<Secret>,
}

/// Files of TLS; without them the public authorities are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    pub ca: Option<PathBuf>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub topology: Topology,
    pub hosts: Vec<(String, u16)>,
    pub tls: Option<TlsFiles>,
    pub login: Login,
    pub sentinel_login: Login,
    pub database: i64,
    pub prefix: String,
}

impl Address {
    /// Reads `redis.url`.
    ///
    /// # Errors
    /// [`RedisError::Url`], which says what is wrong and repeats nothing of the URL but names of options.
    pub fn parse(url: &Secret) -> Result<Self, RedisError> {
        let (scheme, rest) = url.reveal().split_once("://").ok_or_else(|| wrong("it has no `://`"))?;
        let (kind, is_tls) = match scheme {
            "redis" | "rediss" => ("", scheme.len() == 6),
            "redis+sentinel" | "rediss+sentinel" => ("sentinel", scheme.starts_with("rediss")),
            "redis-cluster" | "rediss-cluster" => ("cluster", scheme.starts_with("rediss")),
            _ => return Err(wrong("its scheme is none of redis, redis+sentinel, redis-cluster, or those with rediss")),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (userinfo, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let default_port = if kind == "sentinel" { SENTINEL_PORT } else { PORT };
        let hosts = hosts.split(',').map(|host| parse_host(host, default_port)).collect::<Result<Vec<_>, _>>()?;
        let (topology, database) = parse_path(kind, path)?;
        if topology == Topology::Single && hosts.len() > 1 {
            return Err(wrong("redis:// takes one host; several are for redis+sentinel:// and redis-cluster://"));
        }
        let mut address = Self {
            topology,
            hosts,
            tls: is_tls.then(TlsFiles::default),
            login: parse_login(userinfo)?,
            sentinel_login: Login::default(),
            database,
            prefix: PREFIX.to_owned(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            address.set_option(&name, value.into_owned())?;
        }
        Ok(address)
    }

    fn set_option(&mut self, name: &str, value: String) -> Result<(), RedisError> {
        match (name, &mut self.tls) {
            ("prefix", _) if is_good_prefix(&value) => self.prefix = value,
            ("prefix", _) => return Err(wrong("`prefix` takes 1 to 64 of the characters A-Z a-z 0-9 . _ : -")),
            ("ca", Some(files)) => files.ca = Some(value.into()),
            ("cert", Some(files)) => files.certificate = Some(value.into()),
            ("key", Some(files)) => files.key = Some(value.into()),
            ("ca" | "cert" | "key", None) => return Err(wrong("`ca`, `cert` and `key` are for rediss")),
            ("sentinel_user", _) => self.sentinel_login.user = Some(value),
            ("sentinel_password", _) => self.sentinel_login.password = Some(Secret::new(value)),
            _ => {
                return Err(wrong(
                    "it has an option other than prefix, ca, cert, key, sentinel_user, sentinel_password",
                ));
            }
        }
        Ok(())
    }
}

fn wrong(what: &str) -> RedisError {
    RedisError::Url(what.to_owned())
}

/// A prefix is part of a Cluster's hash tag, which braces would end.
fn is_good_prefix(prefix: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=64).contains(&prefix.len()) && prefix.bytes().all(is_good)
}

fn parse_host(text: &str, default_port: u16) -> Result<(String, u16), RedisError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or_else(|| wrong("an IPv6 address lacks its `]`"))?,
        None => text.split_at(text.rfind(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong("a port is not 1 to 65535"))?,
        None => default_port,
    };
    if host.is_empty() {
        return Err(wrong("a host is missing"));
    }
    Ok((host.to_owned(), port))
}

fn parse_path(kind: &str, path: &str) -> Result<(Topology, i64), RedisError> {
    let path = path.trim_end_matches('/');
    let (topology, database) = match kind {
        "sentinel" => {
            let (master, database) = path.split_once('/').unwrap_or((path, ""));
            let master = decoded(master)?;
            if master.is_empty() {
                return Err(wrong("redis+sentinel:// needs the master's name: redis+sentinel://HOSTS/MASTER"));
            }
            (Topology::Sentinel { master }, database)
        }
        "cluster" => (Topology::Cluster, path),
        _ => (Topology::Single, path),
    };
    let number = match database {
        "" => 0,
        number => number
            .parse()
            .ok()
            .filter(|number| (0..=9999).contains(number))
            .ok_or_else(|| wrong("what follows the host is the number of a database"))?,
    };
    if topology == Topology::Cluster && number != 0 {
        return Err(wrong("a Redis Cluster has database 0 only"));
    }
    Ok((topology, number))
}

fn parse_login(userinfo: &str) -> Result<Login, RedisError> {
    if userinfo.is_empty() {
        return Ok(Login::default());
    }
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let (user, password) = (decoded(user)?, decoded(password)?);
    Ok(Login {
        user: (!user.is_empty()).then_some(user),
        password: (!password.is_empty()).then(|| Secret::new(password)),
    })
}

fn decoded(text: &str) -> Result<String, RedisError> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| wrong("a percent-encoded part is not UTF-8"))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, RedisError> {
        Address::parse(&Secret::new(url))
    }

    #[test]
    fn one_server() {
        let address = parse("redis://gate:p%40ss%3Aword@db.example:7000/3").unwrap();
        assert_eq!(address.topology, Topology::Single);
        assert_eq!(address.hosts, [("db.example".to_owned(), 7000)]);
        assert_eq!(address.login.user.as_deref(), Some("gate"));
        assert!(address.login.password.as_ref().unwrap().matches("p@ss:word"));
        assert_eq!((address.database, address.tls.is_some(), address.prefix.as_str()), (3, false, "tollgate"));
        let address = parse("rediss://:secret@[::1]/?ca=/etc/ca.pem&prefix=gate:eu").unwrap();
        assert_eq!(address.hosts, [("::1".to_owned(), PORT)]);
        assert_eq!((address.login.user, address.database), (None, 0));
        assert_eq!(address.tls.unwrap().ca.unwrap().to_str(), Some("/etc/ca.pem"));
        assert_eq!(address.prefix, "gate:eu");
    }

    #[test]
    fn sentinels_and_clusters() {
        let address = parse("redis+sentinel://u:p@a,b:5000/my-master/2?sentinel_password=q").unwrap();
        assert_eq!(address.topology, Topology::Sentinel { master: "my-master".to_owned() });
        assert_eq!(address.hosts, [("a".to_owned(), SENTINEL_PORT), ("b".to_owned(), 5000)]);
        assert!(address.sentinel_login.password.unwrap().matches("q") && address.database == 2);
        let address = parse("rediss-cluster://a:1,b:2,c:3").unwrap();
        assert!(address.topology == Topology::Cluster && address.hosts.len() == 3 && address.tls.is_some());
    }

    #[test]
    fn faults_are_named_and_the_url_is_not_repeated() {
        let faulty = [
            ("hunter2", "no `://`"),
            ("http://hunter2@a", "scheme"),
            ("redis://", "host is missing"),
            ("redis://:hunter2@a,b", "one host"),
            ("redis://:hunter2@a:x", "port"),
            ("redis://:hunter2@a:0", "port"),
            ("redis://:hunter2@[::1", "]"),
            ("redis://:hunter2@a/hunter2", "number of a database"),
            ("redis://:hunter2@a/-1", "number of a database"),
            ("redis+sentinel://:hunter2@a", "master's name"),
            ("redis-cluster://:hunter2@a/1", "database 0 only"),
            ("redis://:hunter2@a?ca=x", "are for rediss"),
            ("redis://:hunter2@a?prefix={hunter2}", "`prefix` takes"),
            ("redis://:hunter2@a?hunter2=1", "an option other than"),
            ("redis://%ff:hunter2@a", "UTF-8"),
        ];
        for (url, expected) in faulty {
            let told = parse(url).unwrap_err().to_string();
            assert!(told.contains(expected), "{url}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        let shown = format!("{:?}", parse("redis://u:hunter2@a").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
