//! Counters, per worker, summed when read; Prometheus text format.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::histogram::{Histogram, SIZES, TIMES};
use super::loads::Loads;
use super::outcomes::{AskedGrant, Outcomes, TokenRefusal};
use super::owners::{Owner, Owners};
use super::reading::{self, Readings};
use super::traffic::Traffic;

/// One counted thing. Names are stable: dashboards depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meter {
    Requests1xx,
    Requests2xx,
    Requests3xx,
    Requests4xx,
    Requests5xx,
    TokenCacheHit,
    TokenNegativeHit,
    TokenStampRefused,
    TokenRedisHit,
    TokenLookup,
    ClientCacheHit,
    ClientLookup,
    KeyCacheHit,
    KeyRefused,
    KeyLookup,
    StandingCacheHit,
    StandingLookup,
    TokensIssued,
    TokenBatches,
    SecretsVerified,
    SecretsRemembered,
    Overloaded,
    AuditDropped,
    AccessLogDropped,
    SpansSent,
    SpansDropped,
    MailsSent,
    MailsPutOff,
    MailsFailed,
    MailsKept,
    RowsRemoved,
}

const METERS: &[(Meter, &str, &str)] = &[
    (Meter::Requests1xx, "tollgate_requests_total{class=\"1xx\"}", "Answers by status class."),
    (Meter::Requests2xx, "tollgate_requests_total{class=\"2xx\"}", ""),
    (Meter::Requests3xx, "tollgate_requests_total{class=\"3xx\"}", ""),
    (Meter::Requests4xx, "tollgate_requests_total{class=\"4xx\"}", ""),
    (Meter::Requests5xx, "tollgate_requests_total{class=\"5xx\"}", ""),
    (Meter::TokenCacheHit, "tollgate_token_checks_total{tier=\"node\"}", "Token checks by what answered them."),
    (Meter::TokenNegativeHit, "tollgate_token_checks_total{tier=\"negative\"}", ""),
    (Meter::TokenStampRefused, "tollgate_token_checks_total{tier=\"stamp\"}", ""),
    (Meter::TokenRedisHit, "tollgate_token_checks_total{tier=\"redis\"}", ""),
    (Meter::TokenLookup, "tollgate_token_checks_total{tier=\"database\"}", ""),
    (Meter::ClientCacheHit, "tollgate_client_checks_total{tier=\"node\"}", "Client look-ups by what answered them."),
    (Meter::ClientLookup, "tollgate_client_checks_total{tier=\"database\"}", ""),
    (
        Meter::KeyCacheHit,
        "tollgate_key_checks_total{tier=\"node\"}",
        "API key and JWT issuer look-ups by what answered.",
    ),
    (Meter::KeyRefused, "tollgate_key_checks_total{tier=\"stamp\"}", ""),
    (Meter::KeyLookup, "tollgate_key_checks_total{tier=\"database\"}", ""),
    (
        Meter::StandingCacheHit,
        "tollgate_standing_checks_total{tier=\"node\"}",
        "How callers stand to gated services, by what answered.",
    ),
    (Meter::StandingLookup, "tollgate_standing_checks_total{tier=\"database\"}", ""),
    (Meter::TokensIssued, "tollgate_tokens_issued_total", "Access tokens issued."),
    (Meter::TokenBatches, "tollgate_token_batches_total", "Database commits that issued tokens."),
    (Meter::SecretsVerified, "tollgate_secrets_verified_total{how=\"hash\"}", "Hashed client secrets verified."),
    (Meter::SecretsRemembered, "tollgate_secrets_verified_total{how=\"memory\"}", ""),
    (Meter::Overloaded, "tollgate_overloaded_total", "Requests refused because a queue was full."),
    (Meter::AuditDropped, "tollgate_audit_dropped_total", "Audit records that could not be stored."),
    (
        Meter::AccessLogDropped,
        "tollgate_access_log_dropped_total",
        "Lines of the access log that could not be written in time, or at all.",
    ),
    (Meter::SpansSent, "tollgate_spans_total", "Spans that the collector has taken."),
    (
        Meter::SpansDropped,
        "tollgate_spans_dropped_total",
        "Spans that were dropped: too many waited, or the collector did not take them.",
    ),
    (
        Meter::MailsSent,
        "tollgate_mails_total{outcome=\"sent\"}",
        "Mails by what became of them; put_off counts attempts.",
    ),
    (Meter::MailsPutOff, "tollgate_mails_total{outcome=\"put_off\"}", ""),
    (Meter::MailsFailed, "tollgate_mails_total{outcome=\"failed\"}", ""),
    (Meter::MailsKept, "tollgate_mails_total{outcome=\"kept\"}", ""),
    (Meter::RowsRemoved, "tollgate_rows_removed_total", "Rows removed from the database because they had ended."),
];

const BATCH: &str = "tollgate_token_batch_size";
const REVOCATION: &str = "tollgate_revocation_seconds";

/// The counters of one worker.
#[derive(Debug)]
pub struct Meters {
    counts: [AtomicU64; METERS.len()],
    owners: Owners,
    batches: Histogram,
    outcomes: Outcomes,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; METERS.len()],
            owners: Owners::default(),
            batches: Histogram::new(&SIZES),
            outcomes: Outcomes::default(),
        }
    }
}

impl Meters {
    pub fn count(&self, meter: Meter) {
        self.add(meter, 1);
    }

    pub fn add(&self, meter: Meter, number: u64) {
        self.counts[meter as usize].fetch_add(number, Ordering::Relaxed);
    }

    /// Counts a commit that issues so many tokens.
    pub fn count_batch(&self, tokens: usize) {
        self.count(Meter::TokenBatches);
        self.batches.record(u64::try_from(tokens).unwrap_or(u64::MAX));
    }

    /// Counts what became of a request to an OAuth 2.0 endpoint: `issued`, or the `error` that was answered.
    pub fn count_outcome(&self, grant: AskedGrant, outcome: &str) {
        self.outcomes.count(grant, outcome);
    }

    /// Counts a call whose token opened no door.
    pub fn count_refusal(&self, why: TokenRefusal) {
        self.outcomes.count_refusal(why);
    }

    /// Something is given to an owner, and waits for as long as this is held.
    pub fn waiting(self: &Arc<Self>, owner: Owner) -> Waiting {
        self.owners.begin(owner);
        Waiting { meters: Arc::clone(self), owner }
    }

    /// Tells how many wait now, where the owner knows.
    pub fn set_depth(&self, owner: Owner, waiting: usize) {
        self.owners.set_depth(owner, waiting);
    }

    /// Tells how many may wait.
    pub fn set_capacity(&self, owner: Owner, capacity: usize) {
        self.owners.set_capacity(owner, capacity);
    }

    /// Counts what an owner does at once.
    pub fn count_batch_of(&self, owner: Owner, size: usize) {
        self.owners.count_batch(owner, size);
    }

    /// Counts an answer by its status class.
    pub fn count_status(&self, status: u16) {
        self.count(match status {
            0..=199 => Meter::Requests1xx,
            200..=299 => Meter::Requests2xx,
            300..=399 => Meter::Requests3xx,
            400..=499 => Meter::Requests4xx,
            _ => Meter::Requests5xx,
        });
    }
}

/// Something that waits for an owner.
#[derive(Debug)]
pub struct Waiting {
    meters: Arc<Meters>,
    owner: Owner,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.meters.owners.end(self.owner);
    }
}

/// Every worker's counters, and gauges.
pub struct Registry {
    workers: Mutex<Vec<Arc<Meters>>>,
    readings: Mutex<Vec<Readings>>,
    revocations: Histogram,
    /// What was asked of each route.
    pub traffic: Traffic,
    /// Of what the node has one of.
    pub node: Arc<Meters>,
    pub configuration: Loads,
}

impl Default for Registry {
    fn default() -> Self {
        let node = Arc::new(Meters::default());
        Self {
            workers: Mutex::new(vec![Arc::clone(&node)]),
            readings: Mutex::default(),
            revocations: Histogram::new(&TIMES),
            traffic: Traffic::default(),
            node,
            configuration: Loads::default(),
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Registry")
    }
}

impl Registry {
    /// Counters for one more worker.
    pub fn worker(&self) -> Arc<Meters> {
        let meters = Arc::new(Meters::default());
        self.workers.lock().expect("no one panics while holding it").push(Arc::clone(&meters));
        meters
    }

    /// Every node has confirmed a change so long after its commit.
    pub fn time_revocation(&self, took: Duration) {
        self.revocations.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Has values read at each scrape. No two may give series of one name.
    pub fn add_readings(&self, readings: Readings) {
        self.readings.lock().expect("no one panics while holding it").push(readings);
    }

    /// The sum over all workers.
    pub fn total(&self, meter: Meter) -> u64 {
        let workers = self.workers.lock().expect("no one panics while holding it");
        workers.iter().map(|meters| meters.counts[meter as usize].load(Ordering::Relaxed)).sum()
    }

    /// How many wait, over all workers.
    pub fn depth(&self, owner: Owner) -> u64 {
        let workers = self.workers.lock().expect("no one panics while holding it");
        workers.iter().map(|meters| meters.owners.depth(owner)).sum()
    }

    /// Prometheus text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (meter, series, help) in METERS {
            let name = series.split('{').next().unwrap_or(series);
            if !help.is_empty() {
                let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
            }
            let _ = writeln!(text, "{series} {}", self.total(*meter));
        }
        self.traffic.render(&mut text);
        let workers = self.workers.lock().expect("no one panics while holding it").clone();
        Outcomes::render(workers.iter().map(|meters| &meters.outcomes), &mut text);
        let batches = workers.iter().map(|meters| &meters.batches);
        Histogram::render(&SIZES, BATCH, "Tokens per database commit that issued some.", batches, &mut text);
        let help = "From the commit of a change to the last acknowledgement of it.";
        Histogram::render(&TIMES, REVOCATION, help, std::iter::once(&self.revocations), &mut text);
        Owners::render(workers.iter().map(|meters| &meters.owners), &mut text);
        reading::render(&self.configuration.readings(), &mut text);
        for readings in self.readings.lock().expect("no one panics while holding it").iter() {
            reading::render(&readings(), &mut text);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_summed_and_every_meter_has_its_row() {
        for (nth, (meter, ..)) in METERS.iter().enumerate() {
            assert_eq!(*meter as usize, nth);
        }
        let registry = Registry::default();
        for (tokens, waiting) in [(3, 4), (7, 5)] {
            let worker = registry.worker();
            worker.count_batch(tokens);
            worker.set_depth(Owner::Issuer, 100);
            worker.set_depth(Owner::Issuer, waiting);
        }
        assert_eq!((registry.total(Meter::TokenBatches), registry.depth(Owner::Issuer)), (2, 9));
        for line in ["tollgate_token_batch_size_sum 10\n", "tollgate_mailbox_depth{actor=\"issuer\"} 9\n"] {
            assert!(registry.render().contains(line), "{line}");
        }
        registry.time_revocation(Duration::from_millis(4));
        assert!(registry.render().contains("tollgate_revocation_seconds_bucket{le=\"0.005\"} 1\n"));
        registry.worker().count_status(204);
        registry.worker().count(Meter::Requests2xx);
        assert_eq!(registry.total(Meter::Requests2xx), 2);
        assert!(registry.render().contains("tollgate_requests_total{class=\"2xx\"} 2\n"));
    }
}
