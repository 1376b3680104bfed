//! Developers, applications, contracts.

use serde_json::json;

use crate::html::{fault, form_to, forms, text};
use crate::stage::{Stage, id};

fn act(contract: &str, act: &str) -> String {
    format!("/console/contracts/{contract}/{act}")
}

#[tokio::test]
async fn an_approved_contract_lets_calls_pass_at_the_next_request_and_a_revoked_one_refuses_them() {
    let stage = Stage::open().await;
    let mut browser = stage.desk.logged_in().await;
    assert_eq!(stage.token().await["error"], "unauthorized_client");

    let page = browser.page("/console/requests").await;
    assert!(text(&page).contains("Shop on orders") && text(&page).contains("ada@example.com"), "{}", text(&page));
    let approve = act(&stage.contract, "approve");
    let page = browser.done(&form_to(&page, &approve).set("note", "Welcome <b>")).await;
    assert!(text(&page).contains("The contract was approved"), "{page}");
    assert!(text(&page).contains("Nothing waits"));
    let token = stage.token().await["access_token"].as_str().unwrap().to_owned();
    assert_eq!(stage.call(&token).await, 200);

    let page = browser.page("/console/requests?status=approved").await;
    assert!(text(&page).contains("Note Welcome <b>"), "{}", text(&page));
    let page = browser.done(&form_to(&page, &act(&stage.contract, "suspend"))).await;
    assert!(text(&page).contains("The contract was suspended"));
    assert_ne!(stage.call(&token).await, 200);
    let page = browser.page("/console/requests?status=approved").await;
    browser.done(&form_to(&page, &act(&stage.contract, "resume"))).await;
    let token = stage.token().await["access_token"].as_str().unwrap().to_owned();
    assert_eq!(stage.call(&token).await, 200);

    let page = browser.page("/console/requests?status=approved").await;
    let page = browser.done(&form_to(&page, &act(&stage.contract, "revoke")).set("note", "misused")).await;
    assert!(text(&page).contains("The contract was revoked"));
    assert_eq!(stage.call(&token).await, 401);
    assert_eq!(stage.token().await["error"], "unauthorized_client");
    let (_, contract) = stage.desk.api(&format!("/services/orders/application_instances/{}", stage.contract)).await;
    assert_eq!((&contract["status"], &contract["note"]), (&json!(3), &json!("misused")));

    let page = browser.page("/console/mails").await;
    let told = text(&page);
    for subject in ["ada@example.com", "Orders"] {
        assert!(told.contains(subject), "{told}");
    }
    assert!(!told.contains("misused"), "what mails say is not shown");
}

#[tokio::test]
async fn a_contract_is_rejected_and_withdrawn_from_the_page_of_its_application_and_service() {
    let stage = Stage::open().await;
    let mut browser = stage.desk.logged_in().await;
    let own = format!("/console/applications/{}", stage.application.id);
    let page = browser.page(&own).await;
    let form = forms(&page).into_iter().find(|form| form.action == act(&stage.contract, "approve")).unwrap();
    let mut form = form.set("note", "");
    form.action = act(&stage.contract, "reject");
    let page = browser.done(&form).await;
    assert!(text(&page).contains("The contract was rejected."));
    assert!(page.contains(&format!("<h1>{}</h1>", "Shop")), "back on the application's page");

    let service = format!("/console/services/{}?status=rejected", stage.service);
    let page = browser.page(&service).await;
    assert!(text(&page).contains("Shop on orders"), "{}", text(&page));
    let withdraw = format!("{}?from=service", act(&stage.contract, "withdraw"));
    assert!(page.contains(&withdraw));
    let page = browser.page(&withdraw).await;
    let page = browser.done(&form_to(&page, &act(&stage.contract, "withdraw"))).await;
    assert!(text(&page).contains("The contract was withdrawn."));
    assert!(page.contains("<h1>orders</h1>"), "back on the service's page");
    assert_eq!(browser.get(&withdraw).await.status, 404);
    let (_, contracts) = stage.desk.api("/services/orders/application_instances").await;
    assert_eq!(contracts["total"], 0);
}

#[tokio::test]
async fn a_note_that_is_too_long_changes_nothing() {
    let stage = Stage::open().await;
    let mut browser = stage.desk.logged_in().await;
    let page = browser.page("/console/requests").await;
    let seen = browser.send(&form_to(&page, &act(&stage.contract, "approve")).set("note", &"é".repeat(1025))).await;
    assert_eq!(seen.status, 400);
    assert!(text(&seen.html).contains("length must be at most 1024"), "{}", text(&seen.html));
    assert_eq!(stage.token().await["error"], "unauthorized_client");
}

#[tokio::test]
async fn developers_are_let_in_shut_out_given_roles_and_deleted() {
    let stage = Stage::open().await;
    let desk = &stage.desk;
    let mut browser = desk.logged_in().await;
    let bob = id(&desk.made("/developers", json!({ "email": "bob@example.com" })).await);
    desk.made("/developers/roles", json!({ "name": "partner" })).await;
    desk.made("/developers/roles", json!({ "name": "tester" })).await;
    let own = format!("/console/developers/{bob}");
    let page = browser.page("/console/requests").await;
    assert!(text(&page).contains("bob@example.com"));
    let page = browser.done(&form_to(&page, &format!("{own}/approve"))).await;
    assert!(text(&page).contains("The developer was let in.") && text(&page).contains("Nobody waits"));
    let page = browser.page("/console/developers?status=approved").await;
    assert!(page.contains(&own) && page.contains(&stage.developer));
    let page = browser.page("/console/developers?email=BOB@example.com").await;
    assert!(page.contains(&own) && !page.contains(&stage.developer));

    let page = browser.page(&own).await;
    browser.done(&form_to(&page, &format!("{own}/roles")).tick_value("role", "tester")).await;
    assert_eq!(desk.api("/developers/bob@example.com").await.1["roles"], json!(["tester"]));
    let page = browser.page(&own).await;
    let mut form = form_to(&page, &format!("{own}/roles"));
    assert_eq!(form.get("role"), "tester");
    form.fields.retain(|(name, _)| name != "role");
    browser.done(&form).await;
    assert_eq!(desk.api("/developers/bob@example.com").await.1["roles"], json!([]));

    let page = browser.page(&own).await;
    let page = browser.done(&form_to(&page, &format!("{own}/revoke"))).await;
    assert!(text(&page).contains("The developer was shut out"));
    assert_eq!(desk.api("/developers/bob@example.com").await.1["status"], 3);
    let delete = format!("{own}/delete");
    let page = browser.page(&delete).await;
    browser.done(&form_to(&page, &delete)).await;
    assert_eq!(desk.api("/developers/bob@example.com").await.0, 404);
}

#[tokio::test]
async fn several_developers_are_invited_at_once() {
    let stage = Stage::open().await;
    let mut browser = stage.desk.logged_in().await;
    let page = browser.page("/console/developers").await;
    let form = form_to(&page, "/console/developers/invite");
    let page = browser.done(&form).await;
    assert!(text(&page).contains("No address was given"));
    let emails = "eve@example.com\nEVE@example.com, ada@example.com\nnobody";
    let seen = browser.send(&form.set("emails", emails)).await;
    assert_eq!(seen.status, 200);
    let told = text(&seen.html);
    assert_eq!(told.matches("eve@example.com").count(), 1, "{told}");
    assert!(told.contains("ada@example.com: has an account already") && told.contains("nobody:"), "{told}");
    let page = browser.page("/console/mails?state=kept").await;
    assert!(text(&page).contains("eve@example.com"));
}

#[tokio::test]
async fn an_application_shows_credentials_without_secrets_and_its_calls() {
    let stage = Stage::open().await;
    let mut browser = stage.desk.logged_in().await;
    let page = browser.page("/console/requests").await;
    browser.done(&form_to(&page, &act(&stage.contract, "approve"))).await;
    let token = stage.token().await["access_token"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        assert_eq!(stage.call(&token).await, 200);
    }
    let own = format!("/console/applications/{}", stage.application.id);
    for range in ["hour", "day", "week"] {
        // Calls are added up a little later.
        let page = loop {
            let page = browser.page(&format!("{own}?range={range}")).await;
            if text(&page).contains("let through: 3") {
                break page;
            }
        };
        assert!(page.contains("<svg class=\"chart\"") && page.contains("3 let through, 0 refused"));
    }
    let page = browser.page(&own).await;
    assert!(page.contains(&stage.application.client_id) && !page.contains(&stage.application.client_secret));
    assert!(text(&page).contains("https://shop.example/cb") && text(&page).contains("never"), "{}", text(&page));
    let page = browser.page("/console/applications?name=Shop").await;
    assert!(page.contains(&own) && text(&page).contains("ada@example.com"));
    assert!(text(&browser.page("/console/applications?name=Shopp").await).contains("Nothing found"));

    let delete = format!("{own}/delete");
    let page = browser.page(&delete).await;
    browser.done(&form_to(&page, &delete)).await;
    assert_eq!(stage.call(&token).await, 401);
}

#[tokio::test]
async fn a_document_is_added_shown_replaced_and_deleted() {
    let stage = Stage::open().await;
    let mut browser = stage.desk.logged_in().await;
    let own = format!("/console/services/{}/document", stage.service);
    let edit = format!("{own}/edit");
    assert_eq!(browser.get(&own).await.status, 404);
    let form = form_to(&browser.page(&edit).await, &own);
    let seen = browser.send(&form.clone().set("path", "")).await;
    assert_eq!((seen.status, fault(&seen.html, "path").as_deref()), (400, Some("required field missing")));
    let contents = "openapi: 3.0.0\ninfo: {title: Orders <b>, version: '1'}\npaths:\n  /o: {get: {summary: día}}\n";
    let page = browser.done(&form.set("contents", contents).set("path", "specs/orders.yaml")).await;
    assert!(text(&page).contains("GET /o día") && !page.contains("Orders <b>"), "{}", text(&page));
    let form = form_to(&browser.page(&edit).await, &own);
    assert_eq!((form.get("contents"), form.get("path")), (contents, "specs/orders.yaml"));
    let page = browser.done(&form.set("contents", "not: a document")).await;
    assert!(text(&page).contains("The document cannot be shown"), "{}", text(&page));

    let delete = format!("{own}/delete");
    let page = browser.page(&delete).await;
    let page = browser.done(&form_to(&page, &delete)).await;
    assert!(text(&page).contains("The service has no OpenAPI document"));
}

#[tokio::test]
async fn a_service_shows_its_contracts_routes_and_plugins() {
    let stage = Stage::open().await;
    let mut browser = stage.desk.logged_in().await;
    let page = browser.page("/console/services").await;
    assert!(text(&page).contains("orders Orders – 1 waiting"), "{}", text(&page));
    let page = text(&browser.page(&format!("/console/services/{}", stage.service)).await);
    for part in ["Shop on orders", "application-registration on", "oauth2 on", "/orders", "In the portal Orders"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
