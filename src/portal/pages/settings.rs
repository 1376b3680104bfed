//! What a developer changes of themselves.

use actix_web::HttpResponse;
use serde_json::Value;

use super::account::{meta_fields, meta_of};
use super::guest::{Guest, Posted, set_cookie};
use super::said::{Faults, Refused, later};
use crate::domain::Secret;
use crate::engine::accounts::AccountError;
use crate::pages::{self, Form, Notice};
use crate::portal::views::{AccountPage, ConfirmPage};

type Answered = Result<HttpResponse, Refused>;

/// What was typed, and what is wrong with it.
#[derive(Default)]
struct Tried {
    form: Form,
    faults: Faults,
    old_password: String,
    notice: Option<Notice>,
}

fn page(guest: &Guest, status: u16, tried: &Tried) -> Answered {
    let developer = guest.developer()?;
    let of = |name: &str| developer.meta.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let typed = |name: &str| if tried.form.is_set(name) { tried.form.text(name) } else { of(name) };
    let email = if tried.form.is_set("email") { tried.form.text("email") } else { developer.email.clone() };
    let verified = guest.desk.accounts.settings().email_verification;
    let hint = if verified { "The present one counts until you follow the link we mail to the new one." } else { "" };
    let mut frame = guest.page("Account");
    if let Some(notice) = &tried.notice {
        frame = frame.notice(Some(notice.clone()));
    }
    let page = AccountPage {
        page: frame,
        meta: meta_fields(typed, &tried.faults),
        email,
        email_hint: hint.to_owned(),
        email_fault: tried.faults.at("email"),
        old_password_fault: tried.old_password.clone(),
        password_fault: tried.faults.at("password"),
    };
    Ok(guest.answer(status, &page))
}

pub(super) async fn show(guest: Guest) -> Answered {
    page(&guest, 200, &Tried::default())
}

/// The page again with what is wrong, or what is no fault of the form.
fn again(guest: &Guest, form: Form, error: AccountError) -> Answered {
    match error {
        AccountError::Catalog(error) => {
            let faults = Faults::of(error)?;
            page(guest, 400, &Tried { form, faults, ..Tried::default() })
        }
        AccountError::OldPassword => {
            let old_password = "This is not your password.".to_owned();
            page(guest, 400, &Tried { old_password, ..Tried::default() })
        }
        AccountError::Locked { seconds } => {
            let notice = Some(Notice::bad(format!("That was tried too often. Try again in {seconds} seconds.")));
            Ok(later(page(guest, 429, &Tried { notice, ..Tried::default() })?, seconds))
        }
        other => Err(other.into()),
    }
}

pub(super) async fn change_meta(Posted { guest, form }: Posted) -> Answered {
    match guest.desk.accounts.change_meta(guest.developer()?, Some(&meta_of(&form))).await {
        Ok(_) => Ok(pages::redirect("/account?done=saved")),
        Err(error) => again(&guest, form, error),
    }
}

pub(super) async fn change_email(Posted { guest, form }: Posted) -> Answered {
    let (accounts, developer) = (&guest.desk.accounts, guest.developer()?);
    match accounts.change_email(developer, form.text("email").into(), guest.client()).await {
        Ok(now) => {
            let same = now.get("email").and_then(Value::as_str) == Some(developer.email.as_str());
            let done = match (same, form.text("email").trim().to_lowercase() == developer.email) {
                (true, false) => "confirm-email",
                (true, true) => "saved",
                (false, _) => "email",
            };
            Ok(pages::redirect(&format!("/account?done={done}")))
        }
        Err(error) => again(&guest, form, error),
    }
}

pub(super) async fn change_password(Posted { guest, form }: Posted) -> Answered {
    let (old, new) = (Secret::new(form.text("old_password")), Secret::new(form.text("password")));
    match guest.desk.accounts.change_password(guest.visit()?, old, &new, guest.client()).await {
        Ok(_) => Ok(pages::redirect("/account?done=password")),
        Err(error) => again(&guest, Form::default(), error),
    }
}

/// Asked for twice, for it cannot be taken back.
pub(super) async fn delete(Posted { guest, form }: Posted) -> Answered {
    let developer = guest.developer()?;
    if form.text("confirmed") != "yes" {
        let page = ConfirmPage {
            page: guest.page("Delete your account?").narrow(),
            text: "Your applications, their credentials and all their access go with it. This cannot be taken back."
                .to_owned(),
            action: "/account/delete".to_owned(),
            button: "Delete my account",
            back: "/account".to_owned(),
        };
        return Ok(guest.answer(200, &page));
    }
    guest.desk.accounts.delete_account(developer).await?;
    let mut answer = pages::redirect("/account/login?done=account-deleted");
    set_cookie(&mut answer, &guest.desk.session_cookie().clear());
    Ok(answer)
}
