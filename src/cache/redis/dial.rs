//! From an address to a connection that is known to be good: the master, of the right kind, new enough.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, TlsCertificates,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::address::{Address, Login, TlsFiles, Topology};
use super::error::{CLUSTER_DOWN, NO_REDIS, OF_A_CLUSTER, RedisError};
use crate::domain::Secret;

/// For a TCP connection with its TLS handshake and login.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// For all of dialling: the Sentinels, the connection, its inspection.
pub(super) const DIAL_LIMIT: Duration = Duration::from_secs(4);
const POOL_SIZE: usize = 8;
/// The first version whose scripts can be let through when memory is full.
const OLDEST: u32 = 7;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Many small questions at once, over one connection.
    Hot,
    /// Scripts and large answers, from a pool, so that no large answer holds up small ones.
    Control,
    /// Waiting for the bus, on a connection of its own, each time for at most this long.
    Listening(Duration),
}

pub(super) enum Transport {
    Multiplexed(MultiplexedConnection),
    Pooled(deadpool_redis::Pool),
    /// One multiplexed connection to each server of the Cluster.
    Cluster(ClusterConnection),
}

/// Knows how to reach Redis. The files of TLS are read whenever a connection is made, so that they may be renewed.
#[derive(Debug)]
pub struct Dialer {
    address: Address,
}

impl Dialer {
    /// # Errors
    /// A URL that is none of ours, a file that cannot be read.
    pub fn new(url: &Secret) -> Result<Self, RedisError> {
        let address = Address::parse(url)?;
        address.tls.as_ref().map(read_certificates).transpose()?;
        Ok(Self { address })
    }

    pub fn prefix(&self) -> &str {
        &self.address.prefix
    }

    /// Connects and inspects. It has no time limit of its own.
    ///
    /// # Errors
    /// Why there is no connection that is good for `purpose`.
    pub(super) async fn dial(&self, purpose: Purpose) -> Result<Transport, RedisError> {
        match &self.address.topology {
            Topology::Cluster => Ok(Transport::Cluster(self.dial_cluster(purpose).await?)),
            Topology::Single => self.dial_master(&self.address.hosts[0], purpose).await,
            Topology::Sentinel { master } => {
                let host = self.find_master(master).await?;
                self.dial_master(&host, purpose).await
            }
        }
    }

    async fn dial_master(&self, host: &(String, u16), purpose: Purpose) -> Result<Transport, RedisError> {
        let client = self.client(host, &self.address.login, self.address.database)?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config(None)).await?;
        let inspected = tokio::time::timeout(CONNECT_LIMIT, inspect(&mut connection)).await;
        inspected.unwrap_or(Err(RedisError::TimedOut(CONNECT_LIMIT)))?;
        if purpose != Purpose::Control {
            return Ok(Transport::Multiplexed(connection));
        }
        let info = client.get_connection_info().clone();
        let connections = deadpool_redis::Manager::new_with_config(info, config(Some(CONNECT_LIMIT)))?;
        let pool = deadpool_redis::Pool::builder(connections).max_size(POOL_SIZE).build();
        Ok(Transport::Pooled(pool.map_err(|error| RedisError::Unreachable(error.to_string()))?))
    }

    /// Asks every Sentinel, and believes the one that has heard of the latest failover: one that was cut off would
    /// still name the old master.
    async fn find_master(&self, name: &str) -> Result<(String, u16), RedisError> {
        let asked = self.address.hosts.iter().map(|host| async move {
            let asking = self.ask_sentinel(host, name);
            tokio::time::timeout(CONNECT_LIMIT, asking).await.unwrap_or(Err(RedisError::TimedOut(CONNECT_LIMIT)))
        });
        let mut failure = RedisError::Unreachable("no Sentinel answers".to_owned());
        let mut latest: Option<(u64, (String, u16))> = None;
        for answer in join_all(asked).await {
            match answer {
                Ok(answer) if latest.as_ref().is_none_or(|(known, _)| answer.0 > *known) => latest = Some(answer),
                Ok(_) => {}
                Err(error) => failure = error,
            }
        }
        latest.map(|(_, host)| host).ok_or(failure)
    }

    /// The number of the latest failover that this Sentinel knows of, and the master's address.
    async fn ask_sentinel(&self, host: &(String, u16), name: &str) -> Result<(u64, (String, u16)), RedisError> {
        let client = self.client(host, &self.address.sentinel_login, 0)?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config(None)).await?;
        let mut command = redis::cmd("SENTINEL");
        let answer: Result<HashMap<String, String>, _> =
            command.arg("MASTER").arg(name).query_async(&mut connection).await;
        let master = answer.map_err(|error| match error.detail() {
            Some(detail) if detail.contains("No such master") => {
                RedisError::Unfit(format!("the Sentinels know no master named `{name}`"))
            }
            Some(detail) if detail.contains("unknown command") => {
                RedisError::Unfit("it is no Sentinel: write redis:// for a server".to_owned())
            }
            _ => error.into(),
        })?;
        let number = |field: &str| master.get(field).and_then(|text| text.parse().ok()).unwrap_or(0);
        let port = u16::try_from(number("port")).ok().filter(|port| *port > 0);
        match (master.get("ip"), port) {
            (Some(ip), Some(port)) => Ok((number("config-epoch"), (ip.clone(), port))),
            _ => Err(RedisError::Unexpected("a Sentinel names no address of the master".to_owned())),
        }
    }

    async fn dial_cluster(&self, purpose: Purpose) -> Result<ClusterConnection, RedisError> {
        let login = &self.address.login;
        let hosts = self.address.hosts.iter().map(|host| self.info(host, login, 0)).collect::<Result<Vec<_>, _>>()?;
        let limit = match purpose {
            Purpose::Hot | Purpose::Control => CONNECT_LIMIT,
            Purpose::Listening(wait) => wait + CONNECT_LIMIT,
        };
        let mut builder = ClusterClientBuilder::new(hosts).retries(3).max_retry_wait(100).tcp_settings(no_delay());
        builder = builder.connection_timeout(CONNECT_LIMIT).response_timeout(limit);
        if let Some(files) = &self.address.tls {
            builder = builder.certs(read_certificates(files)?);
        }
        let client: ClusterClient = builder.build()?;
        let mut connection = client.get_async_connection().await.map_err(unfit_for_a_cluster)?;
        let servers: HashMap<String, String> = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        servers.values().try_for_each(|server| judge_version(server))?;
        let state: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut connection).await?;
        match field(&state, "cluster_state") {
            Some("ok") => Ok(connection),
            _ => Err(RedisError::NotReady(CLUSTER_DOWN.to_owned())),
        }
    }

    fn info(&self, host: &(String, u16), login: &Login, database: i64) -> Result<ConnectionInfo, RedisError> {
        let (host, port) = host.clone();
        let address = match self.address.tls {
            Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
            None => ConnectionAddr::Tcp(host, port),
        };
        let mut settings = RedisConnectionInfo::default().set_db(database);
        settings = settings.set_lib_name(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        if let Some(user) = &login.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &login.password {
            settings = settings.set_password(password.reveal());
        }
        Ok(address.into_connection_info()?.set_tcp_settings(no_delay()).set_redis_settings(settings))
    }

    fn client(&self, host: &(String, u16), login: &Login, database: i64) -> Result<Client, RedisError> {
        let info = self.info(host, login, database)?;
        Ok(match &self.address.tls {
            Some(files) => Client::build_with_tls(info, read_certificates(files)?)?,
            None => Client::open(info)?,
        })
    }
}

/// Without it a command waits for the acknowledgement of the last one, tens of milliseconds.
fn no_delay() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// Time limits of commands are the caller's, so none is set but for those that the pool itself sends.
fn config(answers: Option<Duration>) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_LIMIT)).set_response_timeout(answers)
}

fn read_certificates(files: &TlsFiles) -> Result<TlsCertificates, RedisError> {
    let root_cert = files.ca.as_ref().map(|path| read_chain("ca", path)).transpose()?;
    let client_tls = match (&files.certificate, &files.key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            Some(ClientTlsConfig { client_cert: read_chain("cert", certificate)?, client_key: read_key(key)? })
        }
        _ => return Err(RedisError::Url("`cert` and `key` come together".to_owned())),
    };
    Ok(TlsCertificates { client_tls, root_cert })
}

fn read(name: &str, path: &Path) -> Result<Vec<u8>, RedisError> {
    std::fs::read(path).map_err(|error| RedisError::Url(format!("the file of `{name}` cannot be read: {error}")))
}

/// A file with certificates: one without any would be taken in silence, and trust nobody.
fn read_chain(name: &str, path: &Path) -> Result<Vec<u8>, RedisError> {
    let text = read(name, path)?;
    let mut chain = CertificateDer::pem_slice_iter(&text).peekable();
    if chain.peek().is_none() || chain.any(|certificate| certificate.is_err()) {
        return Err(RedisError::Url(format!("the file of `{name}` holds no certificates in PEM")));
    }
    Ok(text)
}

fn read_key(path: &Path) -> Result<Vec<u8>, RedisError> {
    let text = read("key", path)?;
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| RedisError::Url("the file of `key` holds no private key in PEM".to_owned()))?;
    Ok(text)
}

/// Whether the server is what it should be: no Sentinel, no part of a Cluster, no replica, new enough, loaded.
async fn inspect(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    // One after the other: of a pipeline it is not told which error the server gave.
    let server: String = redis::cmd("INFO").arg("server").query_async(connection).await?;
    let replication: String = redis::cmd("INFO").arg("replication").query_async(connection).await?;
    judge(&server, &replication)?;
    Ok(redis::cmd("PING").query_async(connection).await?)
}

fn judge(server: &str, replication: &str) -> Result<(), RedisError> {
    match field(server, "redis_mode") {
        Some("sentinel") => {
            return Err(RedisError::Unfit("it is a Sentinel, write redis+sentinel://".to_owned()));
        }
        Some("cluster") => return Err(RedisError::Unfit(OF_A_CLUSTER.to_owned())),
        _ => {}
    }
    judge_version(server)?;
    match field(replication, "role") {
        Some("master") => Ok(()),
        _ => Err(RedisError::Replica),
    }
}

fn judge_version(server: &str) -> Result<(), RedisError> {
    let version = field(server, "redis_version").unwrap_or("unknown");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(()),
        _ => Err(RedisError::Unfit(format!("it is version {version}, and {OLDEST}.0 or newer is needed"))),
    }
}

/// Of a text in lines of `name:value`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}

/// What went wrong at the servers of the URL is told as one text.
fn unfit_for_a_cluster(error: redis::RedisError) -> RedisError {
    let text = error.to_string();
    let says = |part: &str| text.contains(part);
    if says("cluster support disabled") {
        return RedisError::Unfit("it is no Redis Cluster: write redis://".to_owned());
    }
    if says("unknown command 'CLUSTER'") {
        return RedisError::Unfit("it is a Sentinel, write redis+sentinel://".to_owned());
    }
    if says("AuthenticationFailed") {
        return RedisError::Denied("no server of the Cluster lets it in".to_owned());
    }
    if says("Parse error") {
        return RedisError::Unreachable(NO_REDIS.to_owned());
    }
    match text.strip_prefix("Failed to create initial connections - Io: ") {
        Some(reason) => RedisError::Unreachable(reason.to_owned()),
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_judged_by_what_they_say_of_themselves() {
        let server = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n";
        let told = |server: &str, replication: &str| judge(server, replication).map_err(|error| error.to_string());
        assert_eq!(told(server, "role:master\r\n"), Ok(()));
        assert!(told(server, "role:slave\r\n").unwrap_err().contains("replica"));
        assert!(told(&server.replace("standalone", "sentinel"), "").unwrap_err().contains("redis+sentinel://"));
        assert!(told(&server.replace("standalone", "cluster"), "").unwrap_err().contains("redis-cluster://"));
        assert!(told(&server.replace("7.0.15", "6.2.14"), "role:master").unwrap_err().contains("version 6.2.14"));
        assert!(told("", "role:master").is_err());
    }
}
