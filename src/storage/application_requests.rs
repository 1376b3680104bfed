//! Calls of applications, added up by minute and by hour.

use uuid::Uuid;

use crate::domain::Timestamp;

use super::Store;
use super::store::Outcome;
use super::value::{Row, Statement, Value, count};

pub(super) const STATEMENTS: &[&str] = &[ADD, OF_APPLICATION, AT_SERVICE, SWEEP];

/// Of an application or service that has gone meanwhile nothing is kept.
const ADD: &str = "INSERT INTO application_requests (application_id, service_id, width, at, admitted, refused)
    SELECT $1, $2, $3, $4, $5, $6
    WHERE EXISTS (SELECT 1 FROM applications WHERE id = $1) AND EXISTS (SELECT 1 FROM services WHERE id = $2)
    ON CONFLICT (application_id, service_id, width, at) DO UPDATE
    SET admitted = application_requests.admitted + excluded.admitted,
        refused = application_requests.refused + excluded.refused";
const OF_APPLICATION: &str = "SELECT at, CAST(sum(admitted) AS BIGINT), CAST(sum(refused) AS BIGINT)
    FROM application_requests WHERE application_id = $1 AND width = $2 AND at >= $3 AND at < $4
    GROUP BY at ORDER BY at";
const AT_SERVICE: &str = "SELECT at, admitted, refused FROM application_requests
    WHERE application_id = $1 AND width = $2 AND at >= $3 AND at < $4 AND service_id = $5 ORDER BY at";
const SWEEP: &str = "DELETE FROM application_requests WHERE (application_id, service_id, width, at) IN
    (SELECT application_id, service_id, width, at FROM application_requests WHERE width = $1 AND at <= $2
        ORDER BY at LIMIT $3) RETURNING width";

/// Seconds that a row spans, and seconds that it is kept.
const WIDTHS: [(i64, i64); 2] = [(60, 48 * 3600), (3600, 90 * 24 * 3600)];

/// Calls of an application to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCalls {
    pub application: Uuid,
    pub service: Uuid,
    pub at: Timestamp,
    pub admitted: i64,
    pub refused: i64,
}

impl Store {
    /// Adds calls to the minutes and hours they fall into, all or none.
    pub async fn add_application_requests(&self, mut calls: Vec<ApplicationCalls>) -> Outcome<()> {
        if calls.is_empty() {
            return Ok(());
        }
        // In one order everywhere, so that nodes which write the same rows do not wait for each other in a circle.
        calls.sort_by_key(|calls| (calls.application, calls.service, calls.at));
        let rows = WIDTHS.iter().flat_map(|(width, _)| calls.iter().map(|calls| add(calls, *width)));
        self.driver().write(rows.collect()).await.map(drop)
    }

    /// Calls of an application to one service, or to all, in steps of `width` seconds (60 or 3600): when each step
    /// begins, how many were let through, and how many refused. Steps without calls are left out; `to` is not included.
    pub async fn application_requests(
        &self,
        application: Uuid,
        service: Option<Uuid>,
        width: i64,
        from: Timestamp,
        to: Timestamp,
    ) -> Outcome<Vec<(Timestamp, i64, i64)>> {
        let mut params: Vec<Value> = vec![application.into(), width.into(), from.into(), to.into()];
        params.extend(service.map(Value::from));
        let found = self.read(if service.is_some() { AT_SERVICE } else { OF_APPLICATION }, params).await?;
        let read = |row: Row| {
            let mut columns = row.read("application_requests");
            Ok((columns.time()?, columns.int()?, columns.int()?))
        };
        found.into_iter().map(read).collect()
    }

    /// Deletes at most `limit` rows that have been kept for long enough.
    pub(super) async fn sweep_application_requests(&self, now: Timestamp, limit: usize) -> Outcome<usize> {
        let mut swept = 0;
        for (width, kept) in WIDTHS {
            if swept < limit {
                let params = vec![width.into(), now.plus_seconds(-kept).into(), count(limit - swept)];
                swept += self.write(SWEEP, params).await?.len();
            }
        }
        Ok(swept)
    }
}

fn add(calls: &ApplicationCalls, width: i64) -> Statement {
    let begins = Timestamp::from_seconds(calls.at.seconds().div_euclid(width) * width);
    let (application, service) = (calls.application.into(), calls.service.into());
    let numbers = [calls.admitted.into(), calls.refused.into()];
    Statement::new(ADD, [application, service, width.into(), begins.into()].into_iter().chain(numbers).collect())
}
