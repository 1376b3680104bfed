//! The audit log: what is told to it, and how it is read.

use serde_json::{Value, json};

use super::entities::Ask;
use super::query::Asked;
use super::reply::Reply;
use super::routing::{Found, parameter};
use super::state::AdminState;
use crate::engine::AuditRecord;
use crate::engine::catalog::{CatalogError, Key, offset, parse_offset, size};
use crate::schema::{Registry, Seal};

/// The path as it may be kept: a key that is a secret (an access token) is masked.
pub(super) fn masked(registry: &Registry, found: &Found<'_>, path: &str) -> String {
    let sealed = |name: &str| {
        // By mistake the secret itself stands where its id should.
        if name == "secret" {
            return true;
        }
        // The table of paths calls a parameter by one of the entity: `{oauth2_token}`.
        let schema = registry.entity(&format!("{name}s"));
        schema.and_then(|schema| schema.field(schema.key?)).is_some_and(|key| key.seal != Seal::Clear)
    };
    let mut given = found.parameters.iter();
    let segments = found.endpoint.path.split('/').zip(path.split('/')).map(|(template, text)| {
        let Some(name) = parameter(template) else { return text };
        let by_name = given.next().is_some_and(|key| matches!(Key::parse(key), Key::Name(_)));
        if by_name && sealed(name) { "***" } else { text }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// `GET /audit/requests`: newest first.
pub(super) async fn list(state: &AdminState, ask: &Ask<'_>) -> Result<Reply, CatalogError> {
    let asked = match Asked::read(ask.query, None) {
        Ok(asked) => asked,
        Err(refusal) => return Ok(refusal),
    };
    let size = size(asked.request.size.as_deref())?;
    let before = asked.request.offset.as_deref().map(parse_offset).transpose()?;
    let (records, next) = state.surroundings.audit(before, size).await?;
    let offset = next.map(offset);
    let data: Vec<Value> = records.iter().map(shown).collect();
    let mut body = json!({ "data": data, "next": asked.next(ask.path, offset.as_deref()) });
    if let Some(offset) = offset {
        body["offset"] = offset.into();
    }
    Ok(Reply::json(200, body))
}

fn shown(record: &AuditRecord) -> Value {
    json!({
        "id": record.id.to_string(),
        "request_timestamp": record.at.seconds(),
        "request_id": record.request_id,
        "rbac_user_name": record.actor,
        "client_ip": record.source,
        "method": record.method,
        "path": record.path,
        "status": record.status,
    })
}

#[cfg(test)]
mod tests {
    use super::super::routing::Paths;
    use super::*;

    fn kept(path: &str) -> String {
        let registry = Registry::new(Vec::new());
        let paths = Paths::new(registry.endpoints());
        masked(&registry, &paths.find(path).unwrap(), path)
    }

    #[test]
    fn a_token_in_a_path_is_masked_and_an_id_is_not() {
        let id = "0191c5a4-0000-7000-8000-000000000000";
        assert_eq!(kept("/oauth2_tokens/hunter2"), "/oauth2_tokens/***");
        assert_eq!(kept("/oauth2_tokens/hunter2/service"), "/oauth2_tokens/***/service");
        assert_eq!(kept("/services/s/oauth2_tokens/hunter2"), "/services/s/oauth2_tokens/***");
        assert_eq!(kept(&format!("/oauth2_tokens/{id}")), format!("/oauth2_tokens/{id}"));
        assert_eq!(kept("/services/a"), "/services/a");
        assert_eq!(kept("/developers/a@b.c/credentials/key-auth/k"), "/developers/a@b.c/credentials/key-auth/***");
        assert_eq!(kept("/tags/hunter2"), "/tags/hunter2");
        let secrets = format!("/applications/{id}/credentials/oauth2/{id}/secrets");
        assert_eq!(kept(&format!("{secrets}/hunter2")), format!("{secrets}/***"));
        assert_eq!(kept(&format!("{secrets}/{id}")), format!("{secrets}/{id}"));
    }
}
