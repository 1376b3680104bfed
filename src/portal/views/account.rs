//! Accounts: log-in, registration, settings, mails in `dev`.

use askama::Template;

use crate::pages::Page;

/// A question of `meta` and its answer.
#[derive(Clone, Debug)]
pub struct MetaField {
    pub name: String,
    pub label: String,
    pub value: String,
    pub autocomplete: &'static str,
    pub required: bool,
    pub fault: String,
}

#[derive(Template)]
#[template(path = "register.html", config = "src/pages/askama.toml")]
pub struct RegisterPage {
    pub page: Page,
    pub meta: Vec<MetaField>,
    pub email: String,
    pub email_fault: String,
    pub password_fault: String,
}

#[derive(Template)]
#[template(path = "login.html", config = "src/pages/askama.toml")]
pub struct LoginPage {
    pub page: Page,
    pub email: String,
    /// A path of ours to go on to.
    pub next: String,
}

/// A form that asks for an address only: forgotten password, verification mail once more.
#[derive(Template)]
#[template(path = "email_form.html", config = "src/pages/askama.toml")]
pub struct EmailForm {
    pub page: Page,
    pub text: &'static str,
    pub action: &'static str,
    pub button: &'static str,
}

#[derive(Template)]
#[template(path = "reset.html", config = "src/pages/askama.toml")]
pub struct ResetPage {
    pub page: Page,
    pub token: String,
    pub fault: String,
}

#[derive(Template)]
#[template(path = "verify.html", config = "src/pages/askama.toml")]
pub struct VerifyPage {
    pub page: Page,
    pub token: String,
}

#[derive(Template)]
#[template(path = "account.html", config = "src/pages/askama.toml")]
pub struct AccountPage {
    pub page: Page,
    pub meta: Vec<MetaField>,
    pub email: String,
    pub email_hint: String,
    pub email_fault: String,
    pub old_password_fault: String,
    pub password_fault: String,
}

/// An act that is asked for once more, for browsers without a script.
#[derive(Template)]
#[template(path = "confirm.html", config = "src/pages/askama.toml")]
pub struct ConfirmPage {
    pub page: Page,
    pub text: String,
    pub action: String,
    pub button: &'static str,
    pub back: String,
}

/// A piece of a mail's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    pub link: bool,
}

#[derive(Clone, Debug)]
pub struct Mail {
    pub recipient: String,
    pub subject: String,
    pub at: String,
    pub at_iso: String,
    pub state: String,
    pub error: String,
    pub parts: Vec<Part>,
}

#[derive(Template)]
#[template(path = "mails.html", config = "src/pages/askama.toml")]
pub struct MailsPage {
    pub page: Page,
    pub mails: Vec<Mail>,
}
