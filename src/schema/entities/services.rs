//! Services: upstream APIs.

use serde_json::{Map, Value};

use crate::schema::checks::{self, split_url};
use crate::schema::{ENTITY, Entity, Field, OnDelete, Schema, Write};

const PROTOCOLS: &[&str] = &["grpc", "grpcs", "http", "https", "ws", "wss"];
const TLS: &[&str] = &["grpcs", "https", "wss"];
const LAST_MILLISECOND: i64 = (1 << 31) - 2;

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("name").unique().rule(checks::name).describe("Its name, usable in place of the id."),
        Field::integer("retries")
            .required()
            .default(5)
            .between(0, 32767)
            .describe("How often a failed call is repeated."),
        Field::string("protocol")
            .required()
            .default("http")
            .one_of(PROTOCOLS)
            .describe("How the upstream is spoken to."),
        Field::string("host").required().rule(checks::host).describe("The upstream's name or address."),
        Field::integer("port").required().default(80).between(0, 65535).describe("The upstream's port."),
        Field::string("path").rule(checks::service_path).describe("Stands before the path of every request."),
        timeout("connect_timeout", "Milliseconds to connect."),
        timeout("write_timeout", "Milliseconds between two writes."),
        timeout("read_timeout", "Milliseconds between two reads."),
        Field::foreign("client_certificate", "certificates", OnDelete::Restrict)
            .describe("The certificate shown to the upstream."),
        Field::boolean("tls_verify").describe("Whether the upstream's certificate is verified."),
        Field::integer("tls_verify_depth").between(0, 64).describe("How long its chain may be."),
        Field::array("ca_certificates", Field::uuid("ca_certificate"))
            .describe("Ids of the authorities it is verified by."),
        Field::boolean("enabled").required().default(true).describe("Whether its routes are served."),
        Field::tags(),
    ];
    Schema::new("services", "An upstream API.", fields)
        .key("name")
        .shorthand(Field::string("url").describe("Write-only: protocol, host, port and path at once."))
        .expand(expand_url)
        .check(path_by_protocol)
        .check(tls_by_protocol)
}

fn timeout(name: &'static str, sentence: &'static str) -> Field {
    Field::integer(name).required().default(60000).between(1, LAST_MILLISECOND).describe(sentence)
}

/// `url` sets all four fields it stands for, over what the body says of them.
fn expand_url(_: Write, body: &mut Entity) {
    let Some(Value::String(url)) = body.get("url").cloned() else { return };
    let parts = split_url(&url);
    let by_port = match parts.port {
        Some("443") => "https",
        _ => "http",
    };
    let protocol = parts.scheme.unwrap_or(by_port);
    let default_port = if TLS.contains(&protocol) { 443 } else { 80 };
    let port =
        parts.port.map_or(Value::from(default_port), |port| port.parse::<i64>().map_or(port.into(), Value::from));
    let mut set = Map::new();
    set.insert("protocol".to_owned(), protocol.into());
    set.insert("host".to_owned(), parts.host.into());
    set.insert("port".to_owned(), port);
    set.insert("path".to_owned(), parts.path.into());
    body.extend(set);
}

fn conditional(field: &str, text: &str) -> Vec<(String, String)> {
    let given = "failed conditional validation given value of field 'protocol'".to_owned();
    vec![(ENTITY.to_owned(), given), (field.to_owned(), text.to_owned())]
}

fn protocol(service: &Entity) -> &str {
    service.get("protocol").and_then(Value::as_str).unwrap_or_default()
}

/// A gRPC call's path is its method.
fn path_by_protocol(service: &Entity) -> Vec<(String, String)> {
    let grpc = matches!(protocol(service), "grpc" | "grpcs");
    let path = service.get("path").is_some_and(|path| !path.is_null());
    if grpc && path { conditional("path", "value must be null") } else { Vec::new() }
}

fn tls_by_protocol(service: &Entity) -> Vec<(String, String)> {
    if TLS.contains(&protocol(service)) {
        return Vec::new();
    }
    ["client_certificate", "tls_verify", "tls_verify_depth", "ca_certificates"]
        .into_iter()
        .filter(|field| service.get(*field).is_some_and(|value| !value.is_null()))
        .flat_map(|field| conditional(field, "value must be null"))
        .collect()
}
