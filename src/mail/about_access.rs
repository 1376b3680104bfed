//! What is written about contracts.

use super::layout::Page;
use super::letter::{Access, line, shortened};

/// Letters of a note.
const LONGEST_NOTE: usize = 2000;

/// To administrators.
pub(super) fn requested(email: &str, access: Access<'_>) -> Page {
    let (application, service) = (line(access.application), line(access.service));
    Page {
        subject: format!("Access to {service} is asked for"),
        paragraphs: vec![format!(
            "The application “{application}” of {} asks for access to “{service}” and waits to be approved.",
            line(email)
        )],
        closing: "You get this mail because your address is set as an administrator's of the developer portal.".into(),
        ..Page::default()
    }
}

pub(super) fn pending(access: Access<'_>) -> Page {
    to_developer(
        access,
        "is asked for",
        "has asked for access. An administrator will decide; you will get a mail then.",
    )
}

pub(super) fn approved(access: Access<'_>, note: Option<&str>, link: &str) -> Page {
    decided(to_developer(access, "was approved", "was given access."), note, link)
}

pub(super) fn rejected(access: Access<'_>, note: Option<&str>, link: &str) -> Page {
    decided(to_developer(access, "was refused", "was not given access."), note, link)
}

pub(super) fn revoked(access: Access<'_>, note: Option<&str>, link: &str) -> Page {
    let told = "no longer has access. Its tokens for this service are void.";
    decided(to_developer(access, "was withdrawn", told), note, link)
}

fn to_developer(access: Access<'_>, what: &str, told: &str) -> Page {
    let (application, service) = (line(access.application), line(access.service));
    Page {
        subject: format!("Access to {service} {what}"),
        paragraphs: vec![format!("{service}: your application “{application}” {told}")],
        closing: "You get this mail because you have an account at the developer portal.".into(),
        ..Page::default()
    }
}

fn decided(mut page: Page, note: Option<&str>, link: &str) -> Page {
    page.action = Some(("Open the application", link.to_owned()));
    page.note = note.map(|note| shortened(note.trim(), LONGEST_NOTE)).filter(|note| !note.is_empty());
    if page.note.is_some() {
        page.paragraphs.push("The administrator wrote:".to_owned());
    }
    page
}
