//! Routes: which requests go to which service.

use serde_json::Value;

use crate::schema::checks::{self, exclusive_sets, is_nonempty};
use crate::schema::{Check, ENTITY, Entity, Field, OnDelete, Schema, Write};

const PROTOCOLS: &[&str] = &["grpc", "grpcs", "http", "https", "ws", "wss"];

pub(super) fn schema() -> Schema {
    let protocol = Field::string("protocol").one_of(PROTOCOLS);
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("name").unique().rule(checks::name).describe("Its name, usable in place of the id."),
        Field::set("protocols", protocol)
            .required()
            .default(vec!["http", "https"])
            .check(Check::MinLength(1))
            .rule(protocols_agree)
            .describe("The protocols it is served on."),
        Field::set("methods", Field::string("method").rule(checks::method)).describe("HTTP methods it matches."),
        Field::array("hosts", Field::string("host").rule(checks::route_host))
            .describe("Hosts it matches; `*` at one end."),
        Field::array("paths", Field::string("path").rule(checks::route_path))
            .describe("Prefixes, or patterns after `~`."),
        Field::map("headers", Field::array("values", Field::string("value").rule(header_value)))
            .check(Check::Keys(checks::header_name))
            .describe("Header names and the values they may have; one pattern after `~*`."),
        Field::set("snis", Field::string("sni").rule(checks::sni))
            .describe("Server names of the TLS handshake it matches."),
        Field::integer("https_redirect_status_code")
            .required()
            .default(426)
            .check(Check::OneOfIntegers(&[426, 301, 302, 307, 308]))
            .describe("The answer when everything matches but the protocol."),
        Field::integer("regex_priority")
            .required()
            .default(0)
            .between(-2_147_483_648, 2_147_483_647)
            .describe("Higher patterns are tried first."),
        Field::boolean("strip_path").required().default(true).describe("Whether the matched prefix is removed."),
        Field::string("path_handling")
            .required()
            .default("v0")
            .one_of(&["v0", "v1"])
            .describe("How the paths are joined."),
        Field::boolean("preserve_host")
            .required()
            .default(false)
            .describe("Whether the upstream gets the client's Host."),
        Field::boolean("request_buffering").required().default(true).describe("Whether request bodies are buffered."),
        Field::boolean("response_buffering").required().default(true).describe("Whether answers are buffered."),
        Field::foreign("service", "services", OnDelete::Restrict).describe("Where matching requests go."),
        Field::tags(),
    ];
    Schema::new("routes", "A rule that sends requests to a service.", fields)
        .key("name")
        .expand(keep_grpc_path)
        .check(matches_something)
        .check(snis_need_tls)
        .check(grpc_limits)
}

fn protocols_agree(value: &Value) -> Option<String> {
    exclusive_sets(value, &[&["http", "https"], &["grpc", "grpcs"], &["ws", "wss"]])
}

fn header_value(value: &Value) -> Option<String> {
    checks::regex(value.as_str()?.strip_prefix("~*")?)
}

fn protocols(route: &Entity) -> Vec<&str> {
    route.get("protocols").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The default of `strip_path` is false for gRPC: there the path is the method.
fn keep_grpc_path(write: Write, body: &mut Entity) {
    let grpc = protocols(body).iter().any(|protocol| protocol.starts_with("grpc"));
    if grpc && write != Write::Patch && body.get("strip_path").is_none_or(Value::is_null) {
        body.insert("strip_path".to_owned(), Value::Bool(false));
    }
}

fn matches_something(route: &Entity) -> Vec<(String, String)> {
    let given = protocols(route);
    let protocol = ["https", "grpcs", "wss", "http", "grpc", "ws"].into_iter().find(|known| given.contains(known));
    let fields: &[&str] = match protocol {
        None => return Vec::new(),
        Some("http") => &["methods", "hosts", "headers", "paths"],
        Some("https") => &["methods", "hosts", "headers", "paths", "snis"],
        Some("grpc" | "ws") => &["hosts", "headers", "paths"],
        Some(_) => &["hosts", "headers", "paths", "snis"],
    };
    if fields.iter().any(|field| is_nonempty(route.get(*field))) {
        return Vec::new();
    }
    let fields: Vec<String> = fields.iter().map(|field| format!("'{field}'")).collect();
    let protocol = protocol.unwrap_or_default();
    vec![(ENTITY.to_owned(), format!("must set one of {} when 'protocols' is '{protocol}'", fields.join(", ")))]
}

fn snis_need_tls(route: &Entity) -> Vec<(String, String)> {
    let tls = protocols(route).iter().any(|protocol| matches!(*protocol, "grpcs" | "https" | "wss"));
    if tls || protocols(route).is_empty() || !is_nonempty(route.get("snis")) {
        return Vec::new();
    }
    let given = "failed conditional validation given value of field 'protocols'".to_owned();
    let text = "'snis' can only be set when 'protocols' is 'grpcs', 'https' or 'wss'".to_owned();
    vec![(ENTITY.to_owned(), given), ("snis".to_owned(), text)]
}

fn grpc_limits(route: &Entity) -> Vec<(String, String)> {
    if !protocols(route).iter().any(|protocol| protocol.starts_with("grpc")) {
        return Vec::new();
    }
    let mut texts = Vec::new();
    if route.get("strip_path") == Some(&Value::Bool(true)) {
        texts.push("strip_path");
    }
    if is_nonempty(route.get("methods")) {
        texts.push("methods");
    }
    let text = |field: &str| format!("cannot set '{field}' when 'protocols' is 'grpc' or 'grpcs'");
    texts.into_iter().map(|field| (field.to_owned(), text(field))).collect()
}
