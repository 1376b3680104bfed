//! Values that somebody else keeps, read when they are asked for.

use std::fmt::Write as _;

/// How Prometheus is to understand a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Gauge,
    Counter,
}

/// One series. Series of one name stand together, and have one kind and one help.
#[derive(Clone, Debug)]
pub struct Reading {
    pub kind: Kind,
    pub name: &'static str,
    pub help: &'static str,
    /// Names and values; values are escaped when they are written.
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

impl Reading {
    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { kind: Kind::Gauge, name, help, labels: Vec::new(), value }
    }

    pub fn counter(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { kind: Kind::Counter, ..Self::gauge(name, help, value) }
    }

    #[must_use]
    pub fn with(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((label, value.into()));
        self
    }
}

/// Reads values; asked at each scrape.
pub type Readings = Box<dyn Fn() -> Vec<Reading> + Send + Sync>;

/// As Prometheus' text format.
pub(super) fn render(readings: &[Reading], text: &mut String) {
    let mut told = "";
    for Reading { kind, name, help, labels, value } in readings {
        if *name != told {
            told = name;
            let kind = match kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "counter",
            };
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        }
        text.push_str(name);
        for (place, (label, value)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(text, "{before}{label}=\"{value}\"");
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(text, "{after} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_name_share_their_help_and_values_of_labels_stay_in_their_quotes() {
        let reading = |value: &str| Reading::gauge("expiry", "Ends.", 4e9).with("sni", value).with("a", "b");
        let mut text = String::new();
        render(&[reading("x.org"), reading("a\"b\\c\nd"), Reading::counter("f", "F.", 1.0)], &mut text);
        let expected = "# HELP expiry Ends.\n# TYPE expiry gauge\nexpiry{sni=\"x.org\",a=\"b\"} 4000000000\n\
            expiry{sni=\"a\\\"b\\\\c\\nd\",a=\"b\"} 4000000000\n# HELP f F.\n# TYPE f counter\nf 1\n";
        assert_eq!(text, expected);
    }
}
