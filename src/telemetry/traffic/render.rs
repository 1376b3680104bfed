//! The counts as Prometheus reads them (docs/metrics.md).

use std::fmt::Write as _;

use super::ByRoute;
use super::labels::{ConsumerClass, RouteLabels};
use super::slot::Sums;
use crate::telemetry::histogram::{DURATIONS, Histogrammed};

const REQUESTS: &str = "tollgate_http_requests_total";

type OfSums = fn(&Sums) -> &Histogrammed;

const TIMES: [(&str, &str, OfSums); 3] = [
    ("tollgate_request_duration_seconds", "From a request's head to the end of its answer.", |sums| &sums.total),
    ("tollgate_upstream_duration_seconds", "From a request sent to the head of its answer.", |sums| &sums.upstream),
    (
        "tollgate_proxy_duration_seconds",
        "What the gateway took before it sent a request on, or answered it by itself.",
        |sums| &sums.proxy,
    ),
];

type OfBytes = fn(&Sums) -> u64;

const BYTES: [(&str, &str, OfBytes); 2] = [
    ("tollgate_http_received_bytes_total", "Bytes of requests' bodies, from clients.", |sums| sums.received),
    ("tollgate_http_sent_bytes_total", "Bytes of answers' bodies, to clients.", |sums| sums.sent),
];

pub(super) fn render(sums: &ByRoute, text: &mut String) {
    let _ = writeln!(text, "# HELP {REQUESTS} Answers by service, route, status code and consumer class.");
    let _ = writeln!(text, "# TYPE {REQUESTS} counter");
    for (RouteLabels { service, route, .. }, sums) in sums {
        for ((code, class), count) in &sums.requests {
            let code = if *code == 0 { "other".to_owned() } else { code.to_string() };
            let class = ConsumerClass::ALL[*class].name();
            let _ = writeln!(
                text,
                "{REQUESTS}{{service=\"{service}\",route=\"{route}\",code=\"{code}\",consumer_class=\"{class}\"}} {count}"
            );
        }
    }
    let services = by_service(sums);
    for (name, help, of) in TIMES {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
        for (service, sums) in &services {
            of(sums).write(&DURATIONS, name, &format!("service=\"{service}\""), text);
        }
    }
    for (name, help, of) in BYTES {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
        for (service, sums) in &services {
            let _ = writeln!(text, "{name}{{service=\"{service}\"}} {}", of(sums));
        }
    }
}

/// Routes of a service stand together: labels begin with it.
fn by_service(sums: &ByRoute) -> Vec<(&str, Sums)> {
    let mut services: Vec<(&str, Sums)> = Vec::new();
    for (labels, of_route) in sums {
        if services.last().is_none_or(|(service, _)| *service != &*labels.service) {
            services.push((&labels.service, Sums::default()));
        }
        if let Some((_, of_service)) = services.last_mut() {
            of_service.merge_by_service(of_route);
        }
    }
    services
}
