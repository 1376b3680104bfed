//! `/developers/export`: a table for spreadsheets (RFC 4180).

use crate::admin::reply::{Content, Reply};
use crate::admin::state::AdminState;
use crate::domain::DeveloperStatus;
use crate::engine::catalog::CatalogError;

pub(super) async fn developers(state: &AdminState) -> Result<Reply, CatalogError> {
    let mut text = String::from("Email,Status\r\n");
    for (email, status) in state.registration.addresses().await? {
        text.push_str(&format!("{},{}\r\n", cell(&email), word(status)));
    }
    let body = Content::Text { kind: "text/csv; charset=utf-8", text };
    let reply = Reply { status: 200, body, headers: Vec::new() };
    Ok(reply.header("Content-Disposition", "attachment; filename=\"developers.csv\""))
}

/// Kong's words.
fn word(status: DeveloperStatus) -> &'static str {
    match status {
        DeveloperStatus::Approved => "APPROVED",
        DeveloperStatus::Requested => "PENDING",
        DeveloperStatus::Rejected => "REJECTED",
        DeveloperStatus::Revoked => "REVOKED",
        DeveloperStatus::Unverified => "UNVERIFIED",
    }
}

/// A text that spreadsheets neither split nor calculate: who registers chooses the address, and who exports opens it.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    let quoted = text.contains(['"', ',', ';', '\r', '\n']) || formula;
    if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_calculate_nothing() {
        assert_eq!(cell("a@b.c"), "a@b.c");
        assert_eq!(cell("=cmd|'/c calc'!a1@b.c"), "\"'=cmd|'/c calc'!a1@b.c\"");
        assert_eq!(cell("-1@b.c"), "\"'-1@b.c\"");
        assert_eq!(cell("a\"b,c@d.e"), "\"a\"\"b,c@d.e\"");
    }
}
