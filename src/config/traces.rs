//! Settings of traces.

use std::path::PathBuf;

use super::settings::Reader;
use crate::domain::Secret;

/// Where traces go, and which.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    pub endpoint: OtlpEndpoint,
    /// Fields that every request to it carries.
    pub headers: Vec<(String, Secret)>,
    /// Authorities (PEM) by which the collector is trusted; `None`: the web's.
    pub authorities: Option<PathBuf>,
    /// Part of the traces that begin here which is recorded, from 0 to 1.
    pub share: f64,
}

/// An address that takes OTLP over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint {
    pub secure: bool,
    /// IPv6 addresses stand in brackets.
    pub host: String,
    pub port: u16,
    pub path: String,
}

/// Where the path says nothing (OTLP specification, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

impl Reader<'_> {
    pub(super) fn traces(&mut self) -> Option<TraceSettings> {
        let share = self.parsed("telemetry.trace_sample", "a number from 0 to 1", parse_share);
        let expected = "http://HOST:PORT or https://HOST:PORT, with a path or without";
        let endpoint = self.optional("telemetry.otlp_endpoint", expected, parse_endpoint);
        let headers = self.list("telemetry.otlp_headers", parse_header);
        let authorities = self.path("telemetry.otlp_ca");
        Some(TraceSettings { endpoint: endpoint?, headers, authorities, share: share? })
    }
}

fn parse_share(text: &str) -> Option<f64> {
    text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
}

/// What is wrong is told without the text: it may hold a secret.
fn parse_header(text: &str) -> Result<(String, Secret), String> {
    let faulty = || "must be NAME=VALUE, several by comma".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(faulty)?;
    let (name, value) = (name.trim(), value.trim());
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_value = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if name.is_empty() || !name.bytes().all(is_token) || value.is_empty() || !value.bytes().all(is_value) {
        return Err(faulty());
    }
    Ok((name.to_owned(), Secret::new(value)))
}

fn parse_endpoint(text: &str) -> Option<OtlpEndpoint> {
    let (secure, rest) = match text.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("http://")?),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |place| rest.split_at(place));
    // A user's name or a query could be secrets, and belong in no setting that is shown.
    let is_odd = |letter: char| !letter.is_ascii_graphic() || ['@', '?', '#'].contains(&letter);
    if rest.contains(is_odd) {
        return None;
    }
    let default = if secure { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok().filter(|port| *port > 0)?),
        _ => (authority, default),
    };
    let path = if path.trim_matches('/').is_empty() { PATH } else { path };
    (!host.is_empty()).then(|| OtlpEndpoint { secure, host: host.to_owned(), port, path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_and_has_a_path_where_none_is_given() {
        for (text, secure, host, port, path) in [
            ("http://collector:4318", false, "collector", 4318, "/v1/traces"),
            ("http://collector/", false, "collector", 80, "/v1/traces"),
            ("https://[::1]:9/otlp/v1/traces", true, "[::1]", 9, "/otlp/v1/traces"),
            ("https://[::1]", true, "[::1]", 443, "/v1/traces"),
        ] {
            let (host, path) = (host.to_owned(), path.to_owned());
            assert_eq!(parse_endpoint(text), Some(OtlpEndpoint { secure, host, port, path }), "{text}");
        }
        for text in [
            "",
            "collector:4318",
            "grpc://a:1",
            "http://",
            "http://:1",
            "http://a:x",
            "http://a:0",
            "http://u@a",
            "http://a/?k=1",
            "http://a\r\nb",
        ] {
            assert_eq!(parse_endpoint(text), None, "{text}");
        }
    }

    #[test]
    fn fields_are_names_and_values_and_errors_tell_neither() {
        let (name, value) = parse_header("Authorization = Basic YTpi=").unwrap();
        assert_eq!((name.as_str(), value.reveal()), ("Authorization", "Basic YTpi="));
        for bad in ["secret", "=secret", "a=", "a b=secret", "a=sec\r\nret"] {
            let why = parse_header(bad).unwrap_err();
            assert!(!why.contains("secret") && why.contains("NAME=VALUE"), "{why}");
        }
    }

    #[test]
    fn a_share_is_a_part_of_the_whole() {
        assert_eq!((parse_share("0"), parse_share("0.25"), parse_share("1")), (Some(0.0), Some(0.25), Some(1.0)));
        assert_eq!(
            (parse_share("1.1"), parse_share("-0.1"), parse_share("NaN"), parse_share("")),
            (None, None, None, None)
        );
    }
}
