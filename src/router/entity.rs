//! From admin entities (JSON objects by the names of the Admin API) to specs.

use std::time::Duration;

use regex::Regex;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::spec::{PathHandling, Pattern, Protocol, Protocols, RouteSpec, ServiceSpec};

/// Why an entity cannot be compiled. Validated entities compile, so this names a defect of the store.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpecError {
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    #[error("field `{0}` has a value that is not understood")]
    Malformed(&'static str),
}

impl RouteSpec {
    /// # Errors
    /// A missing id or a value of the wrong kind.
    pub fn from_entity(entity: &Map<String, Value>) -> Result<Self, SpecError> {
        Ok(Self {
            id: id(entity)?,
            name: text(entity, "name"),
            service: reference(entity, "service")?,
            protocols: protocols(entity, &[Protocol::Http, Protocol::Https])?,
            methods: texts(entity, "methods")?,
            hosts: lowered(texts(entity, "hosts")?),
            paths: texts(entity, "paths")?,
            headers: headers(entity)?,
            snis: lowered(texts(entity, "snis")?),
            https_redirect_status_code: number(entity, "https_redirect_status_code", 426)?,
            regex_priority: number(entity, "regex_priority", 0)?,
            strip_path: truth(entity, "strip_path").unwrap_or(true),
            path_handling: match entity.get("path_handling").and_then(Value::as_str) {
                Some("v1") => PathHandling::V1,
                _ => PathHandling::V0,
            },
            preserve_host: truth(entity, "preserve_host").unwrap_or(false),
            created_at: number(entity, "created_at", 0)?,
        })
    }
}

impl ServiceSpec {
    /// # Errors
    /// A missing id or host, or a value of the wrong kind.
    pub fn from_entity(entity: &Map<String, Value>) -> Result<Self, SpecError> {
        let protocol = match text(entity, "protocol") {
            Some(name) => Protocol::parse(&name).ok_or(SpecError::Malformed("protocol"))?,
            None => Protocol::Http,
        };
        let ca_certificates = texts(entity, "ca_certificates")?;
        let ca_certificates = ca_certificates.iter().map(|text| uuid("ca_certificates", text));
        Ok(Self {
            id: id(entity)?,
            name: text(entity, "name"),
            protocol,
            host: text(entity, "host").ok_or(SpecError::Missing("host"))?,
            port: number(entity, "port", 80)?,
            path: text(entity, "path"),
            retries: number(entity, "retries", 5)?,
            connect_timeout: Duration::from_millis(number(entity, "connect_timeout", 60_000)?),
            write_timeout: Duration::from_millis(number(entity, "write_timeout", 60_000)?),
            read_timeout: Duration::from_millis(number(entity, "read_timeout", 60_000)?),
            tls_verify: truth(entity, "tls_verify"),
            tls_verify_depth: entity.get("tls_verify_depth").and_then(Value::as_u64).map(|n| n.min(64) as u8),
            client_certificate: reference(entity, "client_certificate")?,
            ca_certificates: ca_certificates.collect::<Result<_, _>>()?,
            enabled: truth(entity, "enabled").unwrap_or(true),
        })
    }
}

/// The `protocols` of an entity, or `default` where it has none. Protocols that are not proxied here are left out.
pub(crate) fn protocols(entity: &Map<String, Value>, default: &[Protocol]) -> Result<Protocols, SpecError> {
    let names = texts(entity, "protocols")?;
    if names.is_empty() {
        return Ok(default.iter().copied().collect());
    }
    Ok(names.iter().filter_map(|name| Protocol::parse(name)).collect())
}

/// The id of the entity itself.
pub(crate) fn id(entity: &Map<String, Value>) -> Result<Uuid, SpecError> {
    uuid("id", entity.get("id").and_then(Value::as_str).ok_or(SpecError::Missing("id"))?)
}

/// The id in a foreign field `{"id": …}`; `None` when null or missing.
pub(crate) fn reference(entity: &Map<String, Value>, field: &'static str) -> Result<Option<Uuid>, SpecError> {
    match entity.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let text = value.get("id").and_then(Value::as_str).ok_or(SpecError::Malformed(field))?;
            uuid(field, text).map(Some)
        }
    }
}

fn uuid(field: &'static str, text: &str) -> Result<Uuid, SpecError> {
    Uuid::parse_str(text).map_err(|_| SpecError::Malformed(field))
}

fn text(entity: &Map<String, Value>, field: &str) -> Option<String> {
    entity.get(field).and_then(Value::as_str).map(str::to_owned)
}

fn truth(entity: &Map<String, Value>, field: &str) -> Option<bool> {
    entity.get(field).and_then(Value::as_bool)
}

fn number<N: TryFrom<i64>>(entity: &Map<String, Value>, field: &'static str, default: N) -> Result<N, SpecError> {
    match entity.get(field) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => {
            let whole = value.as_i64().or_else(|| value.as_f64().map(|float| float as i64));
            whole.and_then(|whole| N::try_from(whole).ok()).ok_or(SpecError::Malformed(field))
        }
    }
}

fn texts(entity: &Map<String, Value>, field: &'static str) -> Result<Vec<String>, SpecError> {
    match entity.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => list(value).ok_or(SpecError::Malformed(field)),
    }
}

fn list(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn lowered(texts: Vec<String>) -> Vec<String> {
    texts.into_iter().map(|text| text.to_ascii_lowercase()).collect()
}

fn headers(entity: &Map<String, Value>) -> Result<Vec<(String, Pattern)>, SpecError> {
    const FIELD: &str = "headers";
    let Some(map) = entity.get(FIELD).filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let map = map.as_object().ok_or(SpecError::Malformed(FIELD))?;
    let patterns = map.iter().map(|(name, values)| {
        let values = list(values).ok_or(SpecError::Malformed(FIELD))?;
        let pattern = match values.as_slice() {
            [only] if only.starts_with("~*") => {
                Pattern::Regex(Regex::new(&format!("(?i){}", &only[2..])).map_err(|_| SpecError::Malformed(FIELD))?)
            }
            _ => Pattern::Values(lowered(values)),
        };
        Ok((name.to_ascii_lowercase(), pattern))
    });
    patterns.collect()
}
