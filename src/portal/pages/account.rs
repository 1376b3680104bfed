//! Registering, logging in and out, forgotten passwords, links in mails.

use actix_web::HttpResponse;
use serde_json::{Map, Value};

use super::guest::{Guest, Posted, own_path, set_cookie};
use super::said::{Faults, Refused, later};
use crate::domain::{DeveloperStatus, Secret};
use crate::engine::accounts::{AccountError, Credentials, META_FIELDS};
use crate::pages::{self, Notice, Way};
use crate::portal::views::{EmailForm, LoginPage, MetaField, RegisterPage, ResetPage, VerifyPage};
use crate::schema::Body;

type Answered = Result<HttpResponse, Refused>;

/// The questions of the registration form with answers, and what is wrong with them.
pub(super) fn meta_fields(answer: impl Fn(&str) -> String, faults: &Faults) -> Vec<MetaField> {
    let field = |field: &crate::engine::accounts::MetaField| MetaField {
        name: field.title.to_owned(),
        label: field.label.to_owned(),
        value: answer(field.title),
        autocomplete: if field.title == "full_name" { "name" } else { "off" },
        required: field.required,
        fault: faults.at(&format!("meta.{}", field.title)),
    };
    META_FIELDS.iter().map(field).collect()
}

/// The answers of a form as `meta`.
pub(super) fn meta_of(form: &pages::Form) -> Value {
    let answers =
        META_FIELDS.iter().filter_map(|field| Some((field.title.to_owned(), form.filled(field.title)?.into())));
    Value::Object(answers.collect())
}

pub(super) async fn register_form(guest: Guest) -> Answered {
    let email = guest.query.text("email");
    let page = guest.page("Create an account").section("/account/register").narrow();
    let meta = meta_fields(|_| String::new(), &Faults::default());
    let page = RegisterPage { page, meta, email, email_fault: String::new(), password_fault: String::new() };
    Ok(guest.answer(200, &page))
}

pub(super) async fn register(Posted { guest, form }: Posted) -> Answered {
    let fields = [
        ("email", Value::from(form.text("email"))),
        ("password", form.text("password").into()),
        ("meta", meta_of(&form)),
    ];
    let body = Body::json(Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value))));
    let registered = match guest.desk.accounts.register(body, guest.client()).await {
        Ok(registered) => registered,
        Err(AccountError::Catalog(error)) => {
            let faults = Faults::of(error)?;
            let page = RegisterPage {
                page: guest.page("Create an account").section("/account/register").narrow(),
                meta: meta_fields(|name| form.text(name), &faults),
                email: form.text("email"),
                email_fault: faults.at("email"),
                password_fault: faults.at("password"),
            };
            return Ok(guest.answer(400, &page));
        }
        Err(other) => return Err(other.into()),
    };
    let status = registered.developer.get("status").and_then(Value::as_i64).and_then(DeveloperStatus::of_code);
    let log_in = || Some(Way { path: "/account/login".to_owned(), text: "Log in" });
    let (title, text, way) = match status {
        Some(DeveloperStatus::Approved) => ("You have an account", "You can log in now.", log_in()),
        Some(DeveloperStatus::Unverified) => {
            let text = "We sent you a mail. Follow the link in it to confirm that the address is yours.";
            let way = match guest.desk.accounts.shows_mails() {
                true => Some(Way { path: "/mails".to_owned(), text: "Open the mails of this development gateway" }),
                false => Some(Way { path: "/account/resend".to_owned(), text: "It did not come" }),
            };
            ("Check your mail", text, way)
        }
        _ => ("Thank you", "An administrator looks at your registration. You get a mail when it is decided.", None),
    };
    Ok(pages::message(200, guest.page(title), text, way))
}

pub(super) async fn log_in_form(guest: Guest) -> Answered {
    let next = own_path(&guest.query.text("next"), "/apps");
    if guest.visit.is_some() {
        return Ok(pages::redirect(&next));
    }
    let page = guest.page("Log in").section("/account/login").narrow();
    Ok(guest.answer(200, &LoginPage { page, email: String::new(), next }))
}

pub(super) async fn log_in(Posted { guest, form }: Posted) -> Answered {
    let credentials = Credentials::Password { email: form.text("email"), password: Secret::new(form.text("password")) };
    let before = guest.desk.session_cookie().read(&guest.request);
    let refusal = match guest.desk.accounts.log_in(credentials, guest.client(), before.as_ref()).await {
        Ok(logged_in) => {
            let mut answer = pages::redirect(&own_path(&form.text("next"), "/apps"));
            set_cookie(&mut answer, &guest.desk.session_cookie().set(&logged_in.begun.cookie));
            set_cookie(&mut answer, &guest.desk.visitor_cookie().clear());
            return Ok(answer);
        }
        Err(refusal) => refusal,
    };
    let wait = if let AccountError::Locked { seconds } = refusal { Some(seconds) } else { None };
    let (status, notice) = match refusal {
        AccountError::WrongCredentials => (401, Notice::bad("E-mail and password do not belong together.")),
        AccountError::NotAdmitted(DeveloperStatus::Unverified) => {
            (403, Notice::wait("Confirm your address first: follow the link in the mail we sent you."))
        }
        AccountError::NotAdmitted(DeveloperStatus::Requested) => {
            (403, Notice::wait("An administrator has not looked at your registration yet."))
        }
        AccountError::NotAdmitted(_) => (403, Notice::bad("This account is closed.")),
        AccountError::Locked { seconds } => {
            (429, Notice::bad(format!("That was tried too often. Try again in {seconds} seconds.")))
        }
        other => return Err(other.into()),
    };
    let page = guest.page("Log in").section("/account/login").narrow().notice(Some(notice));
    let next = own_path(&form.text("next"), "/apps");
    let answer = guest.answer(status, &LoginPage { page, email: form.text("email"), next });
    Ok(if let Some(seconds) = wait { later(answer, seconds) } else { answer })
}

pub(super) async fn log_out(Posted { guest, .. }: Posted) -> Answered {
    if let Some(cookie) = guest.session() {
        guest.desk.accounts.log_out(cookie).await?;
    }
    let mut answer = pages::redirect("/account/login?done=logged-out");
    set_cookie(&mut answer, &guest.desk.session_cookie().clear());
    Ok(answer)
}

fn email_form(guest: &Guest, title: &str, text: &'static str, action: &'static str) -> HttpResponse {
    let page = guest.page(title).narrow();
    guest.answer(200, &EmailForm { page, text, action, button: "Send me a link" })
}

pub(super) async fn forgot_form(guest: Guest) -> Answered {
    let text = "Tell us your address. If it has an account, we mail a link to choose a new password.";
    Ok(email_form(&guest, "Forgot your password?", text, "/account/forgot"))
}

pub(super) async fn forgot(Posted { guest, form }: Posted) -> Answered {
    guest.desk.accounts.forgot_password(&form.text("email"), guest.client()).await?;
    Ok(sent(&guest))
}

pub(super) async fn resend_form(guest: Guest) -> Answered {
    let text = "Tell us your address. If it waits to be confirmed, we mail the link again.";
    Ok(email_form(&guest, "Confirm your address", text, "/account/resend"))
}

pub(super) async fn resend(Posted { guest, form }: Posted) -> Answered {
    guest.desk.accounts.resend_verification(&form.text("email"), guest.client()).await?;
    Ok(sent(&guest))
}

/// The same whether or not there is such an account.
fn sent(guest: &Guest) -> HttpResponse {
    let text = "If the address is known here, a mail is on its way. Look into the spam folder too.";
    let way = Some(Way { path: "/account/login".to_owned(), text: "Back to log in" });
    pages::message(200, guest.page("Check your mail"), text, way)
}

pub(super) async fn reset_form(guest: Guest) -> Answered {
    let token = guest.query.text("token");
    guest.desk.accounts.validate_reset(&Secret::new(token.clone())).await?;
    let page = guest.page("Choose a new password").narrow();
    Ok(guest.answer(200, &ResetPage { page, token, fault: String::new() }))
}

pub(super) async fn reset(Posted { guest, form }: Posted) -> Answered {
    let (token, password) = (form.text("token"), Secret::new(form.text("password")));
    match guest.desk.accounts.reset_password(&Secret::new(token.clone()), &password).await {
        Ok(()) => Ok(pages::redirect("/account/login?done=reset")),
        Err(AccountError::Catalog(error)) => {
            let faults = Faults::of(error)?;
            let page = guest.page("Choose a new password").narrow();
            Ok(guest.answer(400, &ResetPage { page, token, fault: faults.at("password") }))
        }
        Err(other) => Err(other.into()),
    }
}

/// Mail programs follow links to look at them, so a link alone confirms nothing.
pub(super) async fn verify_form(guest: Guest) -> Answered {
    let page = guest.page("Confirm your e-mail address").narrow();
    Ok(guest.answer(200, &VerifyPage { page, token: guest.query.text("token") }))
}

pub(super) async fn verify(Posted { guest, form }: Posted) -> Answered {
    let status = guest.desk.accounts.verify(&Secret::new(form.text("token"))).await?;
    let done = if status == DeveloperStatus::Approved { "verified" } else { "waiting" };
    Ok(pages::redirect(&format!("/account/login?done={done}")))
}

pub(super) async fn refuse_verification(Posted { guest, form }: Posted) -> Answered {
    guest.desk.accounts.invalidate_verification(&Secret::new(form.text("token"))).await?;
    Ok(pages::message(200, guest.page("Thank you"), "Nobody can use your address here.", None))
}
