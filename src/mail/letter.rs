//! The occasions to write.

use super::layout::Page;
use super::{Mail, about_access, about_accounts};

/// An occasion to write, and what the mail needs to know of it. Links are whole; those with a token are secrets.
#[derive(Clone, Copy)]
pub enum Letter<'l> {
    /// An administrator invites someone to register.
    Invitation {
        link: &'l str,
    },
    /// Whoever registered with this address shows that it is theirs, or says that it was somebody else.
    Verification {
        link: &'l str,
        hours: i64,
    },
    /// Someone registered with an address that has an account already.
    AccountExists {
        log_in: &'l str,
    },
    /// The new address of an account is shown to be the developer's.
    NewAddress {
        link: &'l str,
        hours: i64,
    },
    /// To the old address, once the new one is in force.
    AddressChanged,
    PasswordReset {
        link: &'l str,
        hours: i64,
    },
    PasswordChanged,
    /// To administrators: a developer waits to be let in.
    DeveloperRequested {
        email: &'l str,
    },
    DeveloperApproved {
        log_in: &'l str,
    },
    /// To administrators: an application asks for a service.
    AccessRequested {
        email: &'l str,
        access: Access<'l>,
    },
    /// To the developer: an administrator has yet to decide.
    AccessPending {
        access: Access<'l>,
    },
    AccessApproved {
        access: Access<'l>,
        note: Option<&'l str>,
        link: &'l str,
    },
    AccessRejected {
        access: Access<'l>,
        note: Option<&'l str>,
        link: &'l str,
    },
    AccessRevoked {
        access: Access<'l>,
        note: Option<&'l str>,
        link: &'l str,
    },
}

/// Which application is to call which service, by the names people gave them.
#[derive(Clone, Copy, Debug)]
pub struct Access<'l> {
    pub application: &'l str,
    pub service: &'l str,
}

/// Letters of a name within a sentence.
const LONGEST_LINE: usize = 120;

impl Letter<'_> {
    /// The mail, to this address.
    pub fn to(self, recipient: &str) -> Mail {
        self.page().mail(recipient)
    }

    fn page(self) -> Page {
        match self {
            Self::Invitation { link } => about_accounts::invitation(link),
            Self::Verification { link, hours } => about_accounts::verification(link, hours),
            Self::AccountExists { log_in } => about_accounts::account_exists(log_in),
            Self::NewAddress { link, hours } => about_accounts::new_address(link, hours),
            Self::AddressChanged => about_accounts::address_changed(),
            Self::PasswordReset { link, hours } => about_accounts::password_reset(link, hours),
            Self::PasswordChanged => about_accounts::password_changed(),
            Self::DeveloperRequested { email } => about_accounts::developer_requested(email),
            Self::DeveloperApproved { log_in } => about_accounts::developer_approved(log_in),
            Self::AccessRequested { email, access } => about_access::requested(email, access),
            Self::AccessPending { access } => about_access::pending(access),
            Self::AccessApproved { access, note, link } => about_access::approved(access, note, link),
            Self::AccessRejected { access, note, link } => about_access::rejected(access, note, link),
            Self::AccessRevoked { access, note, link } => about_access::revoked(access, note, link),
        }
    }
}

/// A name that somebody chose, as a part of one line.
pub(super) fn line(text: &str) -> String {
    let spaced: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    shortened(spaced.trim(), LONGEST_LINE)
}

pub(super) fn shortened(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://p.example/link";

    #[test]
    fn names_stay_in_their_line() {
        let access = Access { application: "<i>a</i>", service: "Orders\r\nBcc: eve@example.com" };
        let mail = Letter::AccessPending { access }.to("a@b");
        assert_eq!(mail.subject, "Access to Orders  Bcc: eve@example.com is asked for");
        assert!(mail.text.reveal().contains("“<i>a</i>”") && !mail.html.reveal().contains("<i>"));
        let long = "ж".repeat(5000);
        let mail = Letter::AccessPending { access: Access { application: &long, service: &long } }.to("a@b");
        assert!(mail.subject.chars().count() < 160 && mail.text.reveal().chars().count() < 700);
    }

    #[test]
    fn a_note_is_told_as_it_was_written() {
        let access = Access { application: "a", service: "s" };
        let mail = Letter::AccessRejected { access, note: Some("one\n\ntwo"), link: LINK }.to("a@b");
        assert!(mail.text.reveal().contains("> one\n> \n> two\n"), "{}", mail.text.reveal());
        let mail = Letter::AccessRejected { access, note: None, link: LINK }.to("a@b");
        assert!(!mail.text.reveal().contains("wrote"));
    }

    #[test]
    fn letters_with_a_link_show_it() {
        let (hours, note, access) = (6, None, Access { application: "a", service: "s" });
        for letter in [
            Letter::Invitation { link: LINK },
            Letter::Verification { link: LINK, hours },
            Letter::NewAddress { link: LINK, hours },
            Letter::PasswordReset { link: LINK, hours },
            Letter::AccountExists { log_in: LINK },
            Letter::DeveloperApproved { log_in: LINK },
            Letter::AccessApproved { access, note, link: LINK },
            Letter::AccessRevoked { access, note, link: LINK },
        ] {
            let mail = letter.to("a@b");
            assert!(mail.text.reveal().contains(LINK) && mail.html.reveal().contains(LINK), "{}", mail.subject);
        }
    }
}
