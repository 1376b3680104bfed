//! The mails that would have been sent, in `tollgate dev` only.

use actix_web::HttpResponse;

use super::guest::Guest;
use super::said::Refused;
use crate::pages;
use crate::portal::views::{Mail, MailsPage, Part};

/// Mails shown.
const SHOWN: usize = 20;

pub(super) async fn list(guest: Guest) -> Result<HttpResponse, Refused> {
    if !guest.desk.accounts.shows_mails() {
        return Err(Refused::NotFound);
    }
    let accounts = &guest.desk.accounts;
    let (records, _) = accounts.mails(None, None, SHOWN).await?;
    let mut mails = Vec::with_capacity(records.len());
    for record in records {
        let text = accounts.mail(record.id).await?.and_then(|(_, body)| body);
        mails.push(Mail {
            recipient: record.recipient,
            subject: record.subject,
            at: pages::shown(record.created_at),
            at_iso: pages::iso(record.created_at),
            state: record.state.word().to_owned(),
            error: record.error.unwrap_or_default(),
            parts: text.map(|(text, _)| parts(text.reveal())).unwrap_or_default(),
        });
    }
    Ok(guest.answer(200, &MailsPage { page: guest.page("Mails"), mails }))
}

/// A text, its links apart.
fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let link = bare.starts_with("http://") || bare.starts_with("https://");
        if link {
            parts.push(Part { text: bare.to_owned(), link });
        }
        let rest = if link { &word[bare.len()..] } else { word };
        match parts.last_mut() {
            Some(last) if !last.link => last.text.push_str(rest),
            _ => parts.push(Part { text: rest.to_owned(), link: false }),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stand_apart() {
        let parts = parts("Follow\n\nhttps://a.test/?t=1\n\nor not.");
        let shown: Vec<_> = parts.iter().map(|part| (part.text.as_str(), part.link)).collect();
        assert_eq!(shown, [("Follow\n\n", false), ("https://a.test/?t=1", true), ("\n\nor not.", false)]);
    }
}
