//! What is written about accounts.

use super::layout::Page;
use super::letter::line;

const UNASKED: &str = "If this was not you, you need do nothing.";
const ADMINISTRATOR: &str =
    "You get this mail because your address is set as an administrator's of the developer portal.";

pub(super) fn invitation(link: &str) -> Page {
    Page {
        subject: "You are invited to the developer portal".into(),
        paragraphs: vec![
            "You are invited to register at the developer portal, where you get access to our APIs.".into(),
        ],
        action: Some(("Register", link.into())),
        closing: "An administrator of the portal had this mail sent. If you did not expect it, ignore it.".into(),
        ..Page::default()
    }
}

pub(super) fn verification(link: &str, hours: i64) -> Page {
    let told = "Someone registered at the developer portal with this e-mail address. If it was you, confirm it.";
    Page {
        subject: "Confirm your e-mail address".into(),
        paragraphs: vec![told.into(), lasts(hours)],
        action: Some(("Confirm the address", link.into())),
        closing: format!("{UNASKED} On the page behind the link you can also say so; the account is then deleted."),
        ..Page::default()
    }
}

pub(super) fn account_exists(log_in: &str) -> Page {
    let told = "Someone registered at the developer portal with this e-mail address, which has an account already. \
                Nothing was changed.";
    let hint = "Log in as usual; if you have forgotten the password, ask for a new one there.";
    Page {
        subject: "You have an account already".into(),
        paragraphs: vec![told.into(), hint.into()],
        action: Some(("Log in", log_in.into())),
        closing: UNASKED.into(),
        ..Page::default()
    }
}

pub(super) fn new_address(link: &str, hours: i64) -> Page {
    let told = "This is to be the new e-mail address of an account at the developer portal. Until it is confirmed, the \
                account keeps its old address.";
    Page {
        subject: "Confirm your new e-mail address".into(),
        paragraphs: vec![told.into(), lasts(hours)],
        action: Some(("Confirm the address", link.into())),
        closing: UNASKED.into(),
        ..Page::default()
    }
}

pub(super) fn address_changed() -> Page {
    let told = "Your account at the developer portal has another e-mail address now; this one is no longer used.";
    Page {
        subject: "Your e-mail address was changed".into(),
        paragraphs: vec![told.into()],
        closing: "If this was not you, tell the administrator of the portal at once.".into(),
        ..Page::default()
    }
}

pub(super) fn password_reset(link: &str, hours: i64) -> Page {
    let told = "Someone asked for a new password for your account at the developer portal.";
    Page {
        subject: "Choose a new password".into(),
        paragraphs: vec![told.into(), lasts(hours)],
        action: Some(("Choose a new password", link.into())),
        closing: format!("{UNASKED} Your password stays as it is."),
        ..Page::default()
    }
}

pub(super) fn password_changed() -> Page {
    let told = "The password of your account at the developer portal was changed, and every other session was ended.";
    let warned = "If this was not you, ask for a new password at once and tell the administrator of the portal.";
    Page {
        subject: "Your password was changed".into(),
        paragraphs: vec![told.into()],
        closing: warned.into(),
        ..Page::default()
    }
}

pub(super) fn developer_requested(email: &str) -> Page {
    Page {
        subject: "A developer asks to be let into the portal".into(),
        paragraphs: vec![format!("The developer {} registered and waits to be approved.", line(email))],
        closing: ADMINISTRATOR.into(),
        ..Page::default()
    }
}

pub(super) fn developer_approved(log_in: &str) -> Page {
    Page {
        subject: "Welcome to the developer portal".into(),
        paragraphs: vec!["Your account at the developer portal was approved.".into()],
        action: Some(("Log in", log_in.into())),
        closing: "You get this mail because you registered at the developer portal.".into(),
        ..Page::default()
    }
}

fn lasts(hours: i64) -> String {
    format!("The link works once, and for {hours} hours.")
}
