//! What became of requests for tokens, and why tokens opened no door.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was asked of an OAuth 2.0 endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedGrant {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    Password,
    /// A token from the authorization endpoint.
    Implicit,
    /// A code from the authorization endpoint.
    Code,
    /// Something that does not exist, or nothing.
    Unknown,
}

impl AskedGrant {
    const NAMES: [&str; 7] =
        ["authorization_code", "refresh_token", "client_credentials", "password", "implicit", "code", "unknown"];

    /// As `grant` in metrics.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// By the `grant_type` of a token request.
    pub fn of_type(grant_type: Option<&str>) -> Self {
        match grant_type {
            Some("authorization_code") => Self::AuthorizationCode,
            Some("refresh_token") => Self::RefreshToken,
            Some("client_credentials") => Self::ClientCredentials,
            Some("password") => Self::Password,
            _ => Self::Unknown,
        }
    }

    /// By the `response_type` of an authorization request.
    pub fn of_response(response_type: Option<&str>) -> Self {
        match response_type {
            Some("token") => Self::Implicit,
            Some("code") => Self::Code,
            _ => Self::Unknown,
        }
    }
}

/// What is counted by name; anything else is `other`, so that a new error adds no series nobody knows of.
const OUTCOMES: [&str; 15] = [
    "issued",
    "access_denied",
    "invalid_authenticated_userid",
    "invalid_client",
    "invalid_grant",
    "invalid_method",
    "invalid_provision_key",
    "invalid_request",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "other",
];

/// Why the token of a call opened no door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// There was none.
    Missing,
    /// Nobody has it: it never was, was revoked, or its row has ended.
    Unknown,
    Expired,
    OtherService,
    /// A global token, where those do not count.
    Global,
}

const REFUSALS: [&str; 5] = ["missing", "unknown", "expired", "other_service", "global"];

/// The counts of one worker.
#[derive(Debug)]
pub(super) struct Outcomes {
    counts: [[AtomicU64; OUTCOMES.len()]; AskedGrant::NAMES.len()],
    refusals: [AtomicU64; REFUSALS.len()],
}

impl Default for Outcomes {
    fn default() -> Self {
        Self {
            counts: [const { [const { AtomicU64::new(0) }; OUTCOMES.len()] }; AskedGrant::NAMES.len()],
            refusals: [const { AtomicU64::new(0) }; REFUSALS.len()],
        }
    }
}

impl Outcomes {
    pub fn count(&self, grant: AskedGrant, outcome: &str) {
        let place = OUTCOMES.iter().position(|known| *known == outcome).unwrap_or(OUTCOMES.len() - 1);
        self.counts[grant as usize][place].fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_refusal(&self, why: TokenRefusal) {
        self.refusals[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The sum of several in Prometheus' text format. Of the many pairs only those that have happened are told.
    pub fn render<'o>(of: impl Iterator<Item = &'o Self> + Clone, text: &mut String) {
        let sum = |get: &dyn Fn(&Self) -> u64| of.clone().map(get).sum::<u64>();
        const NAME: &str = "tollgate_oauth2_outcomes_total";
        let _ = writeln!(text, "# HELP {NAME} Requests to OAuth 2.0 endpoints by grant and what became of them.");
        let _ = writeln!(text, "# TYPE {NAME} counter");
        for (grant, name) in AskedGrant::NAMES.iter().enumerate() {
            for (place, outcome) in OUTCOMES.iter().enumerate() {
                let count = sum(&|outcomes| outcomes.counts[grant][place].load(Ordering::Relaxed));
                if count > 0 {
                    let _ = writeln!(text, "{NAME}{{grant=\"{name}\",outcome=\"{outcome}\"}} {count}");
                }
            }
        }
        const REFUSED: &str = "tollgate_token_refusals_total";
        let _ = writeln!(text, "# HELP {REFUSED} Calls that brought no token that counts, by why.");
        let _ = writeln!(text, "# TYPE {REFUSED} counter");
        for (place, reason) in REFUSALS.iter().enumerate() {
            let count = sum(&|outcomes| outcomes.refusals[place].load(Ordering::Relaxed));
            let _ = writeln!(text, "{REFUSED}{{reason=\"{reason}\"}} {count}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_told_by_their_names() {
        let (one, other) = (Outcomes::default(), Outcomes::default());
        one.count(AskedGrant::of_type(Some("password")), "issued");
        other.count(AskedGrant::Password, "issued");
        other.count(AskedGrant::of_response(Some("code")), "invalid_scope");
        other.count(AskedGrant::of_type(Some("x")), "an error of tomorrow");
        one.count_refusal(TokenRefusal::Global);
        let mut text = String::new();
        Outcomes::render([&one, &other].into_iter(), &mut text);
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "tollgate_oauth2_outcomes_total{grant=\"password\",outcome=\"issued\"} 2",
                "tollgate_oauth2_outcomes_total{grant=\"code\",outcome=\"invalid_scope\"} 1",
                "tollgate_oauth2_outcomes_total{grant=\"unknown\",outcome=\"other\"} 1",
                "tollgate_token_refusals_total{reason=\"missing\"} 0",
                "tollgate_token_refusals_total{reason=\"unknown\"} 0",
                "tollgate_token_refusals_total{reason=\"expired\"} 0",
                "tollgate_token_refusals_total{reason=\"other_service\"} 0",
                "tollgate_token_refusals_total{reason=\"global\"} 1",
            ]
        );
    }
}
