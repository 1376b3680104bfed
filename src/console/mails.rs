//! The outbox. What mails say is not shown: links in them are secrets.

use super::frame::MAILS;
use super::notices::Done;
use super::paging::{self, tabs};
use super::refusal::{Answer, Refusal};
use super::views::{Badge, MailRow, MailsPage, When};
use super::visit::{self, Visit};
use crate::engine::accounts::{MailRecord, MailState};
use crate::engine::catalog::{offset, parse_offset};
use crate::pages::{Tone, answer, redirect};

const TABS: [(&str, &str); 5] =
    [("", "All"), ("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Failed"), ("kept", "Kept")];

pub(super) async fn list(visit: &Visit) -> Answer {
    let word = visit.query.text("state");
    let state = MailState::ALL.into_iter().find(|state| state.word() == word);
    let before = visit.query.filled("offset").map(|text| parse_offset(&text)).transpose()?;
    let (mails, next) = visit.state.accounts.mails(state, before, paging::SIZE).await?;
    let chosen = state.map(MailState::word).unwrap_or_default();
    let page = MailsPage {
        page: visit.page("Mails", MAILS),
        writes: visit.writes(),
        is_sent: visit.state.accounts.sends_mail(),
        tabs: tabs(MAILS, "state", &TABS, chosen),
        mails: mails.iter().map(row).collect(),
        paging: paging::from(visit, next.map(offset).as_deref(), MAILS, &[("state", chosen)]),
    };
    Ok(answer(200, &page))
}

fn row(mail: &MailRecord) -> MailRow {
    let tone = match mail.state {
        MailState::Sent => Tone::Good,
        MailState::Waiting | MailState::Kept => Tone::Wait,
        MailState::Failed => Tone::Bad,
    };
    let next = match mail.state {
        MailState::Waiting => Some(mail.due_at),
        MailState::Sent => mail.sent_at,
        MailState::Failed | MailState::Kept => None,
    };
    MailRow {
        id: mail.id.to_string(),
        recipient: mail.recipient.clone(),
        subject: mail.subject.clone(),
        state: Badge { text: mail.state.word().to_owned(), tone },
        attempts: mail.attempts,
        error: mail.error.clone().unwrap_or_default(),
        written: When::of(mail.created_at),
        next: next.map(When::of),
        can_be_retried: mail.state == MailState::Waiting && mail.error.is_some(),
    }
}

/// Tries a mail now that would be tried later. What was given up has lost its text.
pub(super) async fn retry(visit: &Visit, id: &str) -> Answer {
    if visit.state.accounts.retry_mail(visit::id(id)?).await? {
        Ok(redirect(&Done::MailRetried.at(MAILS)))
    } else {
        Err(Refusal::NotFound)
    }
}
