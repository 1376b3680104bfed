//! Tables of what wins, and of what the upstream then sees.

mod order;
mod path;

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Ask, Match, RouteSpec, Router, normalize};
use crate::message::Headers;

/// A route from the fields that matter; its place in the list is its `created_at`.
fn routes(entities: &[Value]) -> Vec<Arc<RouteSpec>> {
    let made = entities.iter().enumerate().map(|(nth, fields)| {
        let mut entity = json!({ "id": Uuid::from_u128(nth as u128).to_string(), "created_at": nth });
        let merged = entity.as_object_mut().unwrap();
        fields.as_object().unwrap().iter().for_each(|(name, value)| drop(merged.insert(name.clone(), value.clone())));
        Arc::new(RouteSpec::from_entity(merged).unwrap())
    });
    made.collect()
}

fn compile(entities: &[Value]) -> Router {
    let (router, bad) = Router::compile(&routes(entities));
    assert!(bad.is_empty(), "{bad:?}");
    router
}

/// Asks by `METHOD host/path` and header fields.
fn find(router: &Router, line: &str, fields: &[(&'static str, &'static str)]) -> Option<Match> {
    let (method, rest) = line.split_once(' ').unwrap();
    let slash = rest.find('/').unwrap();
    let mut headers = Headers::default();
    fields.iter().for_each(|(name, value)| headers.push(name.as_bytes(), value.as_bytes()));
    let path = normalize(&rest.as_bytes()[slash..]);
    let host = &rest.as_bytes()[..slash];
    router.find(&Ask { method: method.as_bytes(), host, path: &path, headers: &headers, secure: false, sni: None })
}

fn winner(entities: &[Value], line: &str) -> Option<usize> {
    find(&compile(entities), line, &[]).map(|found| found.route)
}
