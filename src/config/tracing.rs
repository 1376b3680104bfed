//! Settings of `telemetry`: where traces go.

use super::settings::Reader;
use crate::domain::Secret;

/// Set when calls are to be traced.
#[derive(Clone, Debug)]
pub struct TracingSettings {
    /// An OpenTelemetry collector's OTLP over HTTP: `http://…` or `https://…`.
    pub endpoint: String,
    /// Fields that every request to the collector carries.
    pub headers: Vec<(String, Secret)>,
    /// The share of traces that are kept of those that begin here, 0 to 1.
    pub share: f64,
}

impl Reader<'_> {
    /// `None`: nothing is traced, or a fault was told.
    pub(super) fn tracing(&mut self) -> Option<TracingSettings> {
        let expected = "http://HOST:PORT or https://HOST:PORT, credentials in telemetry.otlp_headers";
        let endpoint = self.optional("telemetry.otlp_endpoint", expected, parse_endpoint);
        let headers = self.list("telemetry.otlp_headers", parse_header);
        let share = self.parsed("telemetry.trace_share", "a number from 0 to 1", parse_share);
        Some(TracingSettings { endpoint: endpoint?, headers, share: share? })
    }
}

fn parse_endpoint(text: &str) -> Option<String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (!authority.is_empty() && !authority.contains('@')).then(|| text.to_owned())
}

fn parse_header(text: &str) -> Result<(String, Secret), String> {
    let wrong = || "should be NAME=VALUE, several by comma".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_value = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if name.is_empty() || !name.bytes().all(is_token) || !is_value {
        return Err(wrong());
    }
    Ok((name.to_owned(), Secret::new(value)))
}

fn parse_share(text: &str) -> Option<f64> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_http_and_hold_no_credentials() {
        for good in ["http://collector:4318", "https://otlp.example.com/v1/traces", "http://[::1]:4318/"] {
            assert_eq!(parse_endpoint(good).as_deref(), Some(good));
        }
        for bad in ["", "collector:4318", "grpc://a:4317", "http://", "http://user:secret@a", "https:///x"] {
            assert_eq!(parse_endpoint(bad), None, "{bad}");
        }
    }

    #[test]
    fn fields_and_shares_are_read() {
        let (name, value) = parse_header("authorization=Bearer a=b").unwrap();
        assert_eq!((name.as_str(), value.reveal()), ("authorization", "Bearer a=b"));
        for bad in ["", "a", "=b", "a b=c", "a=b\nc"] {
            assert!(parse_header(bad).is_err(), "{bad}");
        }
        assert_eq!((parse_share("0.25"), parse_share("1")), (Some(0.25), Some(1.0)));
        for bad in ["", "2", "-1", "NaN", "x"] {
            assert_eq!(parse_share(bad), None, "{bad}");
        }
    }
}
