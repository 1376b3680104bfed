//! Every act works by the forms alone, sent as they stand in the pages.

use serde_json::json;

use crate::browser::{Browser, Seen};
use crate::desk::{Desk, id};
use crate::html::{Form, form_to, forms, text};
use crate::stage::{PASSWORD, log_in, looked_at};

const NEW_PASSWORD: &str = "five other words go here";

/// What stands behind the only link of a page's mails that begins so.
fn mailed(page: &str, path: &str) -> String {
    let (_, rest) = page.split_once(path).unwrap_or_else(|| panic!("no link to {path}: {}", text(page)));
    format!("{path}{}", rest.split_once('"').unwrap().0)
}

fn secret_of(page: &str) -> String {
    let (_, rest) = page.split_once("id=\"client-secret\">").expect("a secret");
    rest.split_once('<').unwrap().0.to_owned()
}

/// The forms of a page whose path ends so.
fn ending(page: &str, end: &str) -> Vec<Form> {
    forms(page).into_iter().filter(|form| form.action.ends_with(end)).collect()
}

/// Sends a form whose answer is a page.
async fn answered(browser: &mut Browser<'_>, form: &Form) -> Seen {
    assert_eq!(form.method, "post");
    let seen = looked_at(browser.send(form).await);
    assert_eq!(seen.status, 200, "{}: {}", form.action, text(&seen.html));
    seen
}

#[tokio::test]
async fn an_account_is_made_changed_and_deleted() {
    let desk = Desk::open();
    let mut browser = desk.visitor();
    let page = browser.page("/").await;
    assert!(page.contains("href=\"/account/register\""));
    let form = form_to(&browser.page("/account/register").await, "/account/register");
    let form = form.set("full_name", "Ana Müller").set("email", "ana@example.com").set("password", PASSWORD);
    let seen = answered(&mut browser, &form).await;
    assert!(text(&seen.html).contains("Check your mail"));
    assert_eq!(log_in(&mut browser, "ana@example.com", PASSWORD).await.status, 403);
    let link = mailed(&browser.page("/mails").await, "/account/verify?token=");
    let page = browser.page(&link).await;
    let page = browser.done(&form_to(&page, "/account/verify")).await;
    assert!(text(&page).contains("Your address is confirmed"));
    let form = form_to(&page, "/account/login").set("email", "ana@example.com").set("password", PASSWORD);
    assert!(text(&browser.done(&form).await).contains("No application yet"));

    let page = browser.page("/account").await;
    let page = browser.done(&form_to(&page, "/account/meta").set("full_name", "Ana M.")).await;
    assert_eq!(form_to(&page, "/account/meta").get("full_name"), "Ana M.");
    let page = browser.done(&form_to(&page, "/account/email").set("email", "m@example.com")).await;
    assert!(text(&page).contains("We mailed you a link"));
    let link = mailed(&browser.page("/mails").await, "/account/verify?token=");
    let page = browser.page(&link).await;
    browser.send(&form_to(&page, "/account/verify")).await;
    let page = browser.page("/account").await;
    assert_eq!(form_to(&page, "/account/email").get("email"), "m@example.com");
    let form = form_to(&page, "/account/password").set("old_password", PASSWORD).set("password", NEW_PASSWORD);
    let page = browser.done(&form).await;
    assert!(text(&page).contains("Your password is changed"));
    let page = browser.done(&form_to(&page, "/account/logout")).await;
    assert!(text(&page).contains("You are logged out"));

    let form = form_to(&browser.page("/account/forgot").await, "/account/forgot");
    answered(&mut browser, &form.set("email", "m@example.com")).await;
    // The mail is written behind the answer.
    let link = loop {
        let page = browser.page("/mails").await;
        if page.contains("/account/reset?token=") {
            break mailed(&page, "/account/reset?token=");
        }
    };
    let page = browser.page(&link).await;
    let page = browser.done(&form_to(&page, "/account/reset").set("password", PASSWORD)).await;
    assert!(text(&page).contains("Your new password is set"));
    assert_eq!(log_in(&mut browser, "m@example.com", NEW_PASSWORD).await.status, 401);
    assert_eq!(log_in(&mut browser, "m@example.com", PASSWORD).await.status, 303);

    let page = browser.page("/account").await;
    let asked = answered(&mut browser, &form_to(&page, "/account/delete")).await;
    assert_eq!(desk.get("/developers/m@example.com").await.0, 200, "it is asked first");
    let delete = form_to(&asked.html, "/account/delete");
    assert_eq!(delete.get("confirmed"), "yes");
    let page = browser.done(&delete).await;
    assert!(text(&page).contains("Your account is deleted"));
    assert_eq!(desk.get("/developers/m@example.com").await.0, 404);
}

#[tokio::test]
async fn whoever_did_not_register_says_so() {
    let desk = Desk::open();
    let mut browser = desk.visitor();
    let form = form_to(&browser.page("/account/register").await, "/account/register");
    let form = form.set("full_name", "Not Ana").set("email", "ana@example.com").set("password", PASSWORD);
    answered(&mut browser, &form).await;
    let form = form_to(&browser.page("/account/resend").await, "/account/resend");
    answered(&mut browser, &form.set("email", "ana@example.com")).await;
    let link = mailed(&browser.page("/mails").await, "/account/verify?token=");
    let page = browser.page(&link).await;
    assert_eq!(desk.get("/developers/ana@example.com").await.1["status"], 5, "looking confirms nothing");
    let seen = answered(&mut browser, &form_to(&page, "/account/verify/refuse")).await;
    assert!(text(&seen.html).contains("Nobody can use your address"));
    assert_eq!(desk.get("/developers/ana@example.com").await.0, 404);
}

#[tokio::test]
async fn an_application_gets_access_new_secrets_and_its_end() {
    let desk = Desk::open();
    let service = id(&desk.gated("orders", false).await).to_owned();
    let mut browser = desk.developer_with_browser("ana@example.com").await;
    let search = form_to(&browser.page("/catalog").await, "/catalog").set("name", "ORD");
    assert_eq!(search.method, "get");
    let request = browser.request("GET", &search.action).query(&search.fields);
    let found = browser.see(request).await.html;
    assert!(found.contains(&format!("href=\"/catalog/{service}\"")));
    let page = browser.page(&format!("/catalog/{service}")).await;
    let new = format!("/apps/new?service={service}");
    assert!(page.contains(&format!("href=\"{new}\"")));

    let form = form_to(&browser.page(&new).await, "/apps/new");
    let form = form.set("name", "Shop").set("redirect_uri", "https://shop.example/cb").set("description", "a\nb");
    let seen = answered(&mut browser, &form).await;
    let first = secret_of(&seen.html);
    let own = ending(&seen.html, "/delete").pop().unwrap().action.trim_end_matches("/delete").to_owned();
    let page = browser.page(&own).await;
    assert!(!page.contains(&first), "a secret is shown once");
    let page = browser.page(&format!("/catalog/{service}")).await;
    let page = browser.done(&form_to(&page, &format!("{own}/contracts"))).await;
    assert!(text(&page).contains("Your request is sent"));
    let (_, contracts) = desk.get("/services/orders/application_instances").await;
    let contract = format!("/services/orders/application_instances/{}", id(&contracts["data"][0]));
    assert_eq!(desk.patch(&contract, json!({ "status": 0 })).await.0, 200);
    assert!(text(&browser.page(&own).await).contains("Active"));

    let page = browser.page(&own).await;
    let second = secret_of(&answered(&mut browser, &ending(&page, "/secrets")[0]).await.html);
    let (_, credentials) = desk.get(&format!("/applications/{}/credentials/oauth2", &own[6..])).await;
    let credential = &credentials["data"][0];
    let works = async |secret: &str| desk.ask_token_with(credential, secret, "orders").await.0 == 200;
    assert!(works(&first).await && works(&second).await);
    let page = browser.page(&own).await;
    let retire = ending(&page, "/retire");
    assert_eq!(retire.len(), 2);
    let page = browser.done(&retire[0]).await;
    assert!(text(&page).contains("The secret is retired") && ending(&page, "/retire").is_empty());
    assert!(works(&first).await != works(&second).await, "one of two is left");
    let page = browser.done(&retire[1]).await;
    assert!(text(&page).contains("The last secret stays"));

    let page = browser.page(&format!("{own}/edit")).await;
    let form = form_to(&page, &format!("{own}/edit"));
    assert_eq!(form.get("description"), "a\nb");
    let page = browser.done(&form.set("name", "Store")).await;
    assert!(text(&page).contains("Saved. My applications Store") || text(&page).contains("Store"));
    answered(&mut browser, &form_to(&page, &format!("{own}/credentials"))).await;
    let page = browser.page(&own).await;
    let two: Vec<Form> = ending(&page, "/delete").into_iter().filter(|form| form.action.contains("/cred")).collect();
    assert_eq!(two.len(), 2);
    browser.done(&two[0]).await;
    assert_eq!(desk.total(&format!("/applications/{}/credentials/oauth2", &own[6..])).await, 1);
    let page = browser.page(&own).await;
    let page = browser.done(&ending(&page, "/withdraw")[0]).await;
    assert!(text(&page).contains("The access is given up"));
    assert_eq!(desk.get(&contract).await.0, 404);

    let asked = answered(&mut browser, &form_to(&page, &format!("{own}/delete"))).await;
    assert_eq!(desk.total("/applications").await, 1, "it is asked first");
    let page = browser.done(&form_to(&asked.html, &format!("{own}/delete"))).await;
    assert!(text(&page).contains("The application is deleted"));
    assert_eq!(desk.total("/applications").await, 0);
}
