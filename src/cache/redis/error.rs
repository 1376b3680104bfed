//! What can go wrong with Redis, in words for operators. No text here holds a password, a URL or a value.

use std::time::Duration;

use redis::{ErrorKind, ServerErrorKind};

/// Why a command had no answer, or none that helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisError {
    #[error("redis.url: {0}")]
    Url(String),
    #[error("Redis cannot be reached: {0}")]
    Unreachable(String),
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("Redis refuses the user or the password of redis.url ({0})")]
    Denied(String),
    #[error("the Redis user of redis.url lacks a permission: {0}")]
    NotPermitted(String),
    #[error("this Redis is a replica: redis.url must lead to the master")]
    Replica,
    #[error("Redis is full: it has reached maxmemory and evicts nothing")]
    Full,
    #[error("Redis refuses writes: {0}")]
    RefusesWrites(String),
    #[error("Redis is not ready: {0}")]
    NotReady(String),
    #[error("this is not the Redis that redis.url describes: {0}")]
    Unfit(String),
    /// Answered by sending the script; nobody outside sees it.
    #[error("Redis does not know the script")]
    UnknownScript,
    #[error("Redis gave an answer that makes no sense here: {0}")]
    Unexpected(String),
}

impl RedisError {
    /// Whether the connection is of no use any more, so that a new one must be sought.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut(_) | Self::Denied(_) => true,
            Self::Replica | Self::NotReady(_) | Self::Unfit(_) => true,
            Self::Url(_) | Self::NotPermitted(_) | Self::Full => false,
            Self::RefusesWrites(_) | Self::UnknownScript | Self::Unexpected(_) => false,
        }
    }
}

impl From<redis::RedisError> for RedisError {
    fn from(error: redis::RedisError) -> Self {
        let detail = || error.detail().unwrap_or("no detail").to_owned();
        match error.code() {
            Some("WRONGPASS" | "NOAUTH") => return Self::Denied(detail()),
            Some("OOM") => return Self::Full,
            Some("MISCONF" | "NOREPLICAS") => return Self::RefusesWrites(detail()),
            _ => {}
        }
        match error.kind() {
            ErrorKind::AuthenticationFailed => Self::Denied(detail()),
            ErrorKind::Parse => Self::Unreachable(NO_REDIS.to_owned()),
            // A TLS handshake that failed is told as a fault of the client.
            ErrorKind::Io | ErrorKind::Client => Self::Unreachable(error.to_string()),
            ErrorKind::InvalidClientConfig => Self::Url(detail()),
            ErrorKind::ClusterConnectionNotFound => Self::Unreachable("no server of the Cluster answers".to_owned()),
            ErrorKind::Server(ServerErrorKind::NoPerm) => Self::NotPermitted(detail()),
            ErrorKind::Server(ServerErrorKind::NoScript) => Self::UnknownScript,
            ErrorKind::Server(ServerErrorKind::ReadOnly) => Self::Replica,
            ErrorKind::Server(ServerErrorKind::BusyLoading) => Self::NotReady("it is loading its data".to_owned()),
            ErrorKind::Server(ServerErrorKind::MasterDown) => Self::NotReady("its master is down".to_owned()),
            ErrorKind::Server(ServerErrorKind::ClusterDown) => Self::NotReady(CLUSTER_DOWN.to_owned()),
            ErrorKind::Server(ServerErrorKind::TryAgain) => Self::NotReady("slots are moving".to_owned()),
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask) => Self::Unfit(OF_A_CLUSTER.to_owned()),
            _ => Self::Unexpected(error.to_string()),
        }
    }
}

pub(super) const NO_REDIS: &str = "what answers there does not speak as Redis does";
pub(super) const CLUSTER_DOWN: &str = "the Cluster is down: see `CLUSTER INFO`";
pub(super) const OF_A_CLUSTER: &str = "it is part of a Redis Cluster, write redis-cluster://";

impl From<deadpool_redis::PoolError> for RedisError {
    fn from(error: deadpool_redis::PoolError) -> Self {
        match error {
            deadpool_redis::PoolError::Backend(error) => Self::from(error),
            other => Self::Unreachable(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_server(code: &str, detail: &str) -> RedisError {
        redis::make_extension_error(code.to_owned(), Some(detail.to_owned())).into()
    }

    #[test]
    fn what_a_server_refuses_is_told_in_words() {
        assert!(of_server("WRONGPASS", "invalid").to_string().contains("refuses the user or the password"));
        assert!(of_server("NOAUTH", "Authentication required.").ends_connection());
        assert_eq!(of_server("OOM", "command not allowed"), RedisError::Full);
        assert!(!RedisError::Full.ends_connection());
        assert!(of_server("NOREPLICAS", "Not enough good replicas to write.").to_string().contains("good replicas"));
        assert!(matches!(of_server("EXTRA", "x"), RedisError::Unexpected(_)));
    }
}
