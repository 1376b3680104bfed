//! Counters, per worker, summed when read; Prometheus text format.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::histogram::{Histogram, SIZES, TIMES};
use super::outcomes::{AskedGrant, Outcomes, TokenRefusal};
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
    (Meter::SpansSent, "tollgate_spans_total{outcome=\"sent\"}", "Spans of traces by what became of them."),
    (Meter::SpansDropped, "tollgate_spans_total{outcome=\"dropped\"}", ""),
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

/// What waits for an owner, over all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Tokens that are not being written yet.
    Issuer,
}

const DEPTH: &str = "tollgate_mailbox_depth";
const DEPTHS: &[(Depth, &str)] = &[(Depth::Issuer, "issuer")];
const BATCH: &str = "tollgate_token_batch_size";
const REVOCATION: &str = "tollgate_revocation_seconds";

/// The counters of one worker.
#[derive(Debug)]
pub struct Meters {
    counts: [AtomicU64; METERS.len()],
    depths: [AtomicU64; DEPTHS.len()],
    batches: Histogram,
    outcomes: Outcomes,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; METERS.len()],
            depths: [const { AtomicU64::new(0) }; DEPTHS.len()],
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

    /// Tells how many wait now.
    pub fn set_depth(&self, depth: Depth, waiting: usize) {
        self.depths[depth as usize].store(u64::try_from(waiting).unwrap_or(u64::MAX), Ordering::Relaxed);
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

/// A value read at the moment it is asked for.
pub type Gauges = Box<dyn Fn() -> Vec<(&'static str, f64)> + Send + Sync>;

/// Every worker's counters, and gauges.
pub struct Registry {
    workers: Mutex<Vec<Arc<Meters>>>,
    gauges: Mutex<Vec<Gauges>>,
    revocations: Histogram,
    /// What was asked of each route.
    pub traffic: Traffic,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            workers: Mutex::default(),
            gauges: Mutex::default(),
            revocations: Histogram::new(&TIMES),
            traffic: Traffic::default(),
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

    pub fn add_gauges(&self, gauges: Gauges) {
        self.gauges.lock().expect("no one panics while holding it").push(gauges);
    }

    /// The sum over all workers.
    pub fn total(&self, meter: Meter) -> u64 {
        let workers = self.workers.lock().expect("no one panics while holding it");
        workers.iter().map(|meters| meters.counts[meter as usize].load(Ordering::Relaxed)).sum()
    }

    /// How many wait, over all workers.
    pub fn depth(&self, depth: Depth) -> u64 {
        let workers = self.workers.lock().expect("no one panics while holding it");
        workers.iter().map(|meters| meters.depths[depth as usize].load(Ordering::Relaxed)).sum()
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
        let _ = writeln!(text, "# HELP {DEPTH} What waits for an owner.\n# TYPE {DEPTH} gauge");
        for (depth, actor) in DEPTHS {
            let _ = writeln!(text, "{DEPTH}{{actor=\"{actor}\"}} {}", self.depth(*depth));
        }
        for gauges in self.gauges.lock().expect("no one panics while holding it").iter() {
            for (name, value) in gauges() {
                let _ = writeln!(text, "# TYPE {name} gauge\n{name} {value}");
            }
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
        for (nth, (depth, _)) in DEPTHS.iter().enumerate() {
            assert_eq!(*depth as usize, nth);
        }
        let registry = Registry::default();
        for (tokens, waiting) in [(3, 4), (7, 5)] {
            let worker = registry.worker();
            worker.count_batch(tokens);
            worker.set_depth(Depth::Issuer, 100);
            worker.set_depth(Depth::Issuer, waiting);
        }
        assert_eq!((registry.total(Meter::TokenBatches), registry.depth(Depth::Issuer)), (2, 9));
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
