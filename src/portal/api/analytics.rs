//! Calls of one's own applications over time.

use actix_web::HttpRequest;
use actix_web::web::{Data, ServiceConfig};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::reply::Reply;
use super::super::state::PortalState;
use super::own::Own;
use super::query::{Asked, wrong};
use super::{at, reading};
use crate::engine::registration::Interval;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(at("/applications/{application}/analytics", "GET, HEAD").route(reading().to(calls)));
}

/// One row for each step of `interval` from `start_ts` until now, also where there were no calls; to one service where
/// `service.id` names it.
async fn calls(own: Own, request: HttpRequest, state: Data<PortalState>) -> Result<Reply, Reply> {
    let asked = Asked::read(&request, &[]);
    let interval = Interval::parse(asked.parameter("interval").unwrap_or(Interval::Hour.word()))?;
    let start = asked.number("start_ts")?;
    let service = asked.parameter("service.id").map(Uuid::parse_str).transpose();
    let service = service.map_err(|_| wrong("service.id", "expected a valid UUID"))?;
    let calls = state.registration.calls_since(&own.application, service, interval, start).await?;
    let rows = calls
        .iter()
        .map(|calls| json!({ "at": calls.at.seconds(), "admitted": calls.admitted, "refused": calls.refused }));
    let data: Vec<Value> = rows.collect();
    let begins = calls.first().map(|calls| calls.at.seconds());
    Ok(Reply::json(200, json!({ "data": data, "interval": interval.word(), "start_ts": begins })))
}
