//! A mail that is ready to be sent.

use serde::{Deserialize, Serialize};

use crate::domain::Secret;

/// One mail to one recipient.
#[derive(Clone, Debug)]
pub struct Mail {
    /// An address, `bob@example.com`; judged when the mail is sent.
    pub to: String,
    /// One line.
    pub subject: String,
    pub text: Secret,
    pub html: Secret,
}

#[derive(Serialize, Deserialize)]
struct Body<'t> {
    text: std::borrow::Cow<'t, str>,
    html: std::borrow::Cow<'t, str>,
}

impl Mail {
    /// Text and HTML as one text, to be kept.
    pub fn body(&self) -> Secret {
        let body = Body { text: self.text.reveal().into(), html: self.html.reveal().into() };
        Secret::new(serde_json::to_string(&body).expect("two texts are always JSON"))
    }

    /// The mail whose [`Mail::body`] was kept; `None`: that is none.
    pub fn of_body(to: String, subject: String, body: &Secret) -> Option<Self> {
        let body: Body<'_> = serde_json::from_str(body.reveal()).ok()?;
        Some(Self { to, subject, text: Secret::new(body.text), html: Secret::new(body.html) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_body_is_read_back_and_does_not_print() {
        let mail =
            Mail {
                to: "a@b".into(), subject: "s".into(), text: Secret::new("\"t\"\n"), html: Secret::new("<p>ü</p>")
            };
        let read = Mail::of_body("a@b".into(), "s".into(), &mail.body()).unwrap();
        assert_eq!((read.text.reveal(), read.html.reveal()), ("\"t\"\n", "<p>ü</p>"));
        assert!(Mail::of_body(String::new(), String::new(), &Secret::new("{}")).is_none());
        assert!(!format!("{mail:?}").contains('ü'));
    }
}
