//! Forms made of schemas.

use serde_json::{Value, json};

use crate::browser::Desk;
use crate::html::{fault, form_to, text};

#[tokio::test]
async fn a_service_is_made_changed_and_deleted() {
    let desk = Desk::open();
    let mut browser = desk.logged_in().await;
    let path = "/console/entities/services/new";
    let form = form_to(&browser.page(path).await, path);
    assert_eq!((form.get("protocol"), form.get("port"), form.get("retries")), ("http", "80", "5"));
    let seen = browser.send(&form.clone().set("port", "x").set("tags", "a\nb")).await;
    assert_eq!(seen.status, 400);
    assert_eq!(fault(&seen.html, "port").as_deref(), Some("expected an integer"));
    assert_eq!(fault(&seen.html, "host").as_deref(), Some("required field missing"));
    assert_eq!(form_to(&seen.html, path).get("tags"), "a\nb", "what was typed comes back");

    let form = form_to(&seen.html, path).set("port", "8080").set("host", "a.example").set("name", "orders");
    let page = browser.done(&form).await;
    assert!(text(&page).contains("It was created"), "{page}");
    let (_, service) = desk.api("/services/orders").await;
    assert_eq!((&service["port"], &service["tags"]), (&json!(8080), &json!(["a", "b"])));
    let own = format!("/console/entities/services/{}", service["id"].as_str().unwrap());
    let page = browser.done(&form_to(&page, &own).set("path", "/x").set("tags", "")).await;
    assert!(text(&page).contains("The changes were saved"));
    let (_, service) = desk.api("/services/orders").await;
    assert_eq!((&service["path"], &service["tags"]), (&json!("/x"), &Value::Null));

    let delete = format!("{own}/delete");
    let page = browser.page(&delete).await;
    let page = browser.done(&form_to(&page, &delete)).await;
    assert!(text(&page).contains("It was deleted."));
    assert_eq!(desk.api("/services/orders").await.0, 404);
    assert_eq!(browser.get(&own).await.status, 404);
}
