//! The overview, tokens, mails.

use serde_json::json;

use crate::browser::Desk;
use crate::html::{fault, form_to, text};
use crate::stage::{Stage, id};

#[tokio::test]
async fn the_overview_counts_what_waits() {
    let stage = Stage::open().await;
    let mut browser = stage.desk.logged_in().await;
    stage.desk.made("/developers", json!({ "email": "bob@example.com" })).await;
    let page = text(&browser.page("/console").await);
    for part in [
        "1 contract waiting look here",
        "1 developer waiting look here",
        "2 developers",
        "1 application",
        "1 service",
        "0 mails that failed",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("ready") && page.contains("Database reachable"), "{page}");
}

/// Tokens of two applications for a service, of two users.
async fn tokens(stage: &Stage) -> Vec<String> {
    let desk = &stage.desk;
    let other = desk.application(&stage.developer, "Other").await;
    let mut made = Vec::new();
    for app in [&stage.application, &other] {
        let (_, credential) = desk.api(&format!("/oauth2/{}", app.client_id)).await;
        for user in ["ada", "bob <b>"] {
            let token = format!("token-of-{}-by-{}", &user[..3], app.client_id);
            let body = json!({ "credential": { "id": id(&credential) }, "service": { "id": stage.service },
                "expires_in": 3600, "authenticated_userid": user, "scope": "read", "access_token": token });
            desk.made("/oauth2_tokens", body).await;
            made.push(token);
        }
    }
    made
}

#[tokio::test]
async fn tokens_are_found_by_application_user_and_service() {
    let stage = Stage::open().await;
    let made = tokens(&stage).await;
    let mut browser = stage.desk.logged_in().await;
    let client_id = &stage.application.client_id;
    for (query, wanted) in [
        (String::new(), 4),
        ("application=Shop".to_owned(), 2),
        (format!("application={client_id}"), 2),
        ("user=ada".to_owned(), 2),
        ("user=bob+%3Cb%3E&application=Shop".to_owned(), 1),
        ("service=orders".to_owned(), 4),
        (format!("service={}&user=ada", stage.service), 2),
        ("user=nobody".to_owned(), 0),
    ] {
        let page = browser.page(&format!("/console/tokens?{query}")).await;
        assert_eq!(page.matches("data-label=\"Application\"").count(), wanted, "{query}: {}", text(&page));
        assert!(made.iter().all(|token| !page.contains(token)), "a token is shown");
    }
    let page = browser.page("/console/tokens?application=nothing&service=nothing").await;
    assert_eq!(fault(&page, "application").as_deref(), Some("No application has this client id or name."));
    assert_eq!(fault(&page, "service").as_deref(), Some("No service has this name or id."));
    assert_eq!(
        browser.get("/console/tokens/revoke?application=nothing").await.location,
        "/console/tokens?application=nothing"
    );
    assert_eq!(browser.get("/console/tokens/revoke").await.location, "/console/tokens");
}

#[tokio::test]
async fn a_name_with_several_credentials_is_asked_about() {
    let stage = Stage::open().await;
    tokens(&stage).await;
    let more = format!("/applications/{}/credentials/oauth2", stage.application.id);
    let second = stage.desk.made(&more, json!({})).await;
    let mut browser = stage.desk.logged_in().await;
    let page = browser.page("/console/tokens?application=Shop&user=ada").await;
    assert!(page.contains("Several credentials have this name") && !page.contains("Revoke them all"));
    let client_id = second["client_id"].as_str().unwrap();
    assert!(page.contains(&format!("/console/tokens?application={client_id}&#38;user=ada")), "{page}");
}

#[tokio::test]
async fn one_token_is_revoked_or_all_that_were_counted() {
    let stage = Stage::open().await;
    let desk = &stage.desk;
    let mut browser = desk.logged_in().await;
    let approve = format!("/console/contracts/{}/approve", stage.contract);
    let page = browser.page("/console/requests").await;
    browser.done(&form_to(&page, &approve)).await;
    let tokens = tokens(&stage).await;
    for token in &tokens[..2] {
        assert_eq!(stage.call(token).await, 200);
    }
    let page = browser.page("/console/tokens?application=Shop&user=ada").await;
    let (_, listed) = desk.api("/oauth2_tokens?authenticated_userid=ada").await;
    let one =
        listed["data"].as_array().unwrap().iter().find(|token| token["access_token"] == tokens[0].as_str()).unwrap();
    let page = browser.done(&form_to(&page, &format!("/console/tokens/{}/revoke", id(one)))).await;
    assert!(text(&page).contains("The token was revoked.") && text(&page).contains("Nothing found"), "{}", text(&page));
    assert_eq!(stage.call(&tokens[0]).await, 401);

    let page = browser.page("/console/tokens?user=bob+%3Cb%3E").await;
    assert!(text(&page).contains("2 tokens"));
    let confirm = "/console/tokens/revoke?user=bob+%3Cb%3E";
    assert!(page.contains("href=\"/console/tokens/revoke?user=bob+%3Cb%3E\""), "{page}");
    let page = browser.page(confirm).await;
    assert!(
        text(&page).contains("Revoke 2 tokens?") && text(&page).contains("Every token of user bob <b>"),
        "{}",
        text(&page)
    );
    assert_eq!(stage.call(&tokens[1]).await, 200, "counting ends nothing");
    let seen = browser.send(&form_to(&page, "/console/tokens/revoke")).await;
    assert_eq!(seen.status, 200);
    assert!(text(&seen.html).contains("2 tokens ended."), "{}", text(&seen.html));
    assert_eq!(stage.call(&tokens[1]).await, 401);
    assert_eq!(desk.api("/oauth2_tokens").await.1["total"], 1);
    for fields in [vec![], vec![("credential", "x")], vec![("service", "x"), ("user", "ada")]] {
        let mut form = form_to(&page, "/console/tokens/revoke");
        form.fields.retain(|(name, _)| name == "csrf_token");
        form.fields.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!((400..500).contains(&browser.send(&form).await.status));
    }
    assert_eq!(desk.api("/oauth2_tokens").await.1["total"], 1, "a filter that does not read revokes nothing");
}

#[tokio::test]
async fn a_mail_that_failed_is_tried_again_by_hand() {
    // A mail server that nobody runs.
    let desk = Desk::open_with(|start| start.env("TOLLGATE_SMTP_URL", "smtp://127.0.0.1:9"));
    let mut browser = desk.logged_in().await;
    let page = browser.page("/console/developers").await;
    let seen = browser.send(&form_to(&page, "/console/developers/invite").set("emails", "eve@example.com")).await;
    assert_eq!(seen.status, 200);
    let page = loop {
        let page = browser.page("/console/mails?state=waiting").await;
        if page.contains("/retry\"") {
            break page;
        }
    };
    assert!(text(&page).contains("eve@example.com"), "{}", text(&page));
    let form = crate::html::forms(&page).into_iter().find(|form| form.action.ends_with("/retry")).unwrap();
    let page = browser.done(&form).await;
    assert!(text(&page).contains("The mail is tried now."));
    loop {
        let page = browser.page("/console/mails").await;
        if page.contains("data-label=\"Attempts\" class=\"number\">2<") {
            break;
        }
    }
    let mut unknown = form;
    unknown.action = "/console/mails/0191c5a4-0000-7000-8000-000000000000/retry".to_owned();
    assert_eq!(browser.send(&unknown).await.status, 404);
}
