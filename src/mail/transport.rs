//! Sending over SMTP.

use std::fmt;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use uuid::Uuid;

use super::Mail;
use crate::config::MailSettings;

/// A mail is sent within this time, or has failed.
pub const LIMIT: Duration = Duration::from_secs(30);
/// One command of the conversation with the mail server.
const COMMAND_LIMIT: Duration = Duration::from_secs(15);
/// Letters of an answer of the mail server that are kept.
const LONGEST_DETAIL: usize = 500;

/// The way mails take.
#[derive(Clone, Debug)]
pub enum Transport {
    Smtp(Box<Smtp>),
    /// No mail server is set: mails are kept where people can look at them.
    Kept,
}

/// A mail server, and whom mails come from.
#[derive(Clone)]
pub struct Smtp {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    /// It will not be sent however often it is tried: the address is none, or the mail server refuses it for good.
    pub permanent: bool,
    /// In a few words that hold no address.
    pub summary: String,
    /// With what the mail server said, which may hold the address.
    pub detail: String,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Smtp(from {})", self.from)
    }
}

impl Transport {
    /// # Errors
    /// A setting that cannot be used, by its name; the URL is not shown.
    pub fn of(settings: &MailSettings) -> Result<Self, String> {
        let from: Mailbox = settings.from.parse().map_err(|_| {
            "smtp.from: must be an address such as no-reply@example.com or Portal <no-reply@example.com>".to_owned()
        })?;
        let Some(url) = &settings.url else { return Ok(Self::Kept) };
        let wrong = |error| format!("smtp.url: cannot be used: {error}");
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.reveal()).map_err(wrong)?;
        if !names_client(url.reveal())
            && let Some(domain) = domain(&from)
        {
            server = server.hello_name(ClientId::Domain(domain));
        }
        Ok(Self::Smtp(Box::new(Smtp { server: server.timeout(Some(COMMAND_LIMIT)).build(), from })))
    }

    /// Whether the mail server's password crosses the network in clear.
    pub fn tells_password_openly(settings: &MailSettings) -> bool {
        let open = |url: &str| url.starts_with("smtp://") && !url.contains("tls=");
        let with_password = |url: &str| url.split(['/', '?']).nth(2).is_some_and(|authority| authority.contains('@'));
        settings.url.as_ref().is_some_and(|url| open(url.reveal()) && with_password(url.reveal()))
    }
}

/// Whether the URL says what to say hello as: `smtp://host/name`.
fn names_client(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    rest.split_once('/').is_some_and(|(_, path)| !path.is_empty())
}

/// The sender's domain, when it is one that others can know.
fn domain(from: &Mailbox) -> Option<String> {
    let domain = from.email.domain();
    (domain.is_ascii() && domain.contains('.')).then(|| domain.to_owned())
}

impl Smtp {
    /// Sends one mail; `id` is the same whenever the same mail is sent again.
    ///
    /// # Errors
    /// Whether trying again may help, and why it failed.
    pub async fn send(&self, mail: &Mail, id: Uuid) -> Result<(), SendError> {
        let message = self.message(mail, id)?;
        match tokio::time::timeout(LIMIT, self.server.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(SendError::passing("the mail server took too long")),
        }
    }

    fn message(&self, mail: &Mail, id: Uuid) -> Result<Message, SendError> {
        let to: Address = mail.to.parse().map_err(|_| SendError::lasting("the address is none that mail can go to"))?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.as_str())
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            // RFC 3834: so that no absent recipient's program answers.
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(mail.text.reveal().to_owned(), mail.html.reveal().to_owned()))
            .map_err(|error| SendError::lasting(&format!("the mail cannot be written: {error}")))
    }
}

impl SendError {
    fn passing(text: &str) -> Self {
        Self { permanent: false, summary: text.to_owned(), detail: text.to_owned() }
    }

    fn lasting(text: &str) -> Self {
        Self { permanent: true, ..Self::passing(text) }
    }
}

fn refused(error: &lettre::transport::smtp::Error) -> SendError {
    let detail: String = error.to_string().chars().take(LONGEST_DETAIL).collect();
    let Some(code) = error.status().map(u16::from) else {
        let summary =
            if error.is_tls() { "no TLS with the mail server" } else { "the mail server cannot be spoken to" };
        return SendError { permanent: error.is_client(), summary: summary.to_owned(), detail };
    };
    // What an operator can mend (a password, a missing STARTTLS) is tried again.
    let mendable = matches!(code, 530 | 534 | 535 | 538);
    let permanent = error.is_permanent() && !mendable;
    SendError { permanent, summary: format!("the mail server answered {code}"), detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;

    fn settings(url: Option<&str>, from: &str) -> MailSettings {
        MailSettings { url: url.map(Secret::new), from: from.to_owned(), admin_emails: Vec::new() }
    }

    fn smtp() -> Box<Smtp> {
        let made = Transport::of(&settings(Some("smtp://127.0.0.1:1"), "Portál <no-reply@p.example>")).unwrap();
        let Transport::Smtp(smtp) = made else { panic!("a URL is set") };
        smtp
    }

    fn mail(to: &str, subject: &str) -> Mail {
        let text = Secret::new("text");
        Mail { to: to.into(), subject: subject.into(), html: text.clone(), text }
    }

    fn written(to: &str, subject: &str) -> Result<String, SendError> {
        let message = smtp().message(&mail(to, subject), Uuid::nil())?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn settings_that_cannot_be_used_are_told_without_the_url() {
        for url in ["smtp://u:hunter2@", "smtp://u:hunter2@h?tls=maybe", "smtp://u:hunter2@h:x"] {
            let told = Transport::of(&settings(Some(url), "a@b.c")).unwrap_err();
            assert!(told.starts_with("smtp.url: ") && !told.contains("hunter2"), "{told}");
        }
        assert!(Transport::of(&settings(None, "nobody")).unwrap_err().starts_with("smtp.from: "));
        assert!(matches!(Transport::of(&settings(None, "a@b.c")), Ok(Transport::Kept)));
        for url in ["smtp://h:25", "smtps://u:p%40@h", "smtp://u:p@h:587?tls=required"] {
            assert!(matches!(Transport::of(&settings(Some(url), "a@b.c")), Ok(Transport::Smtp(_))), "{url}");
        }
    }

    #[test]
    fn a_password_in_clear_is_noticed() {
        let open = |url: &str| Transport::tells_password_openly(&settings(Some(url), "a@b.c"));
        assert!(open("smtp://u:p@h") && open("smtp://u:p@h:25/name"));
        for url in ["smtp://h", "smtps://u:p@h", "smtp://u:p@h?tls=required", "smtp://h/a@b"] {
            assert!(!open(url), "{url}");
        }
    }

    #[test]
    fn only_a_path_names_the_client() {
        assert!(names_client("smtp://h/gate.example?tls=required"));
        for url in ["smtp://h", "smtp://h/", "smtp://h?tls=required", "smtp://u:p@h:25?x=/y"] {
            assert!(!names_client(url), "{url}");
        }
    }

    #[test]
    fn a_subject_adds_no_header_and_may_have_any_letters() {
        for subject in ["a\r\nBcc: eve@example.com", "a\nBcc: eve@example.com\n\nbody", "Zugang für “Bestellungen” ✓"]
        {
            let text = written("bob@example.com", subject).unwrap();
            let head = text.split("\r\n\r\n").next().unwrap();
            assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
            assert!(head.is_ascii() && head.contains("Auto-Submitted: auto-generated"), "{head}");
        }
    }

    #[test]
    fn an_address_adds_no_recipient() {
        for to in ["a@b\r\nRCPT TO:<eve@c>", "a@b, eve@c", "a@b>\r\n", "nobody", ""] {
            assert!(written(to, "s").is_err_and(|error| error.permanent), "{to}");
        }
        assert!(written("bob+x@example.com", "s").unwrap().contains("To: bob+x@example.com\r\n"));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_tried_again() {
        let error = smtp().send(&mail("bob@example.com", "s"), Uuid::nil()).await.unwrap_err();
        assert!(!error.permanent && !error.summary.contains("bob"), "{error:?}");
    }
}
