//! What stands below a service: documents, plugins posted to it; and tokens by what they have in common.

use serde_json::json;

use crate::desk::{Desk, NOBODY, header, id, read};
use crate::people::served;

#[tokio::test]
async fn a_service_has_one_document() {
    let desk = Desk::open();
    desk.service("orders").await;
    let path = "/services/orders/document_objects";
    let first = desk.made(path, json!({ "path": "orders.yaml" })).await;
    assert_eq!(first["contents"], json!(null));
    let text = "openapi: 3.1.0\ninfo: { title: Größe, version: '1' }\n";
    let second = desk.made(path, json!({ "path": "orders.json", "contents": text })).await;
    assert_eq!((&second["contents"], desk.total(path).await), (&json!(text), 1));
    assert_eq!(desk.get(&format!("{path}/{}", id(&first))).await.0, 404, "replaced");
    let one = format!("{path}/{}", id(&second));
    assert_eq!(desk.get(&one).await, (200, second.clone()));
    assert_eq!(desk.faults(path, json!({ "contents": "x" })).await, json!({ "path": "required field missing" }));
    assert_eq!(desk.total(path).await, 1, "a refused one replaces nothing");
    desk.service("other").await;
    let other = format!("/services/other/document_objects/{}", id(&second));
    assert_eq!((desk.get(&other).await.0, desk.delete(&other).await.0), (404, 404));
    assert_eq!(desk.patch(&one, json!({ "path": "x" })).await.0, 405);
    assert_eq!((desk.delete(&one).await.0, desk.total(path).await), (204, 0));
    assert_eq!(desk.post("/services/nobody/document_objects", json!({ "path": "x" })).await.0, 404);
    desk.made(path, json!({ "path": "again" })).await;
    let (_, routes) = desk.get("/services/orders/routes").await;
    desk.delete(&format!("/routes/{}", id(&routes["data"][0]))).await;
    assert_eq!(desk.delete("/services/orders").await.0, 204, "a document does not keep its service");
}

#[tokio::test]
async fn a_plugin_may_be_posted_to_its_service() {
    let desk = Desk::open();
    let service = desk.service("orders").await;
    let form = "name=application-registration&config.display_name=Orders&config.enable_client_credentials=true\
        &config.scopes[]=read write";
    let (status, plugin) = desk.form("POST", &format!("/services/{}", id(&service)), form).await;
    assert_eq!((status, &plugin["service"]), (201, &json!({ "id": id(&service) })), "{plugin}");
    assert_eq!(plugin["config"]["scopes"], json!(["read", "write"]));
    let (status, refusal) = desk.post("/services/orders", json!({ "config": {} })).await;
    assert_eq!((status, &refusal["fields"]["name"]), (400, &json!("required field missing")));
    assert_eq!(desk.post("/services/nobody", json!({ "name": "key-auth" })).await.0, 404);
    assert_eq!(desk.post("/routes/x", json!({})).await.0, 405, "to services only");
}

#[tokio::test]
async fn tokens_are_deleted_by_what_they_have_in_common() {
    let desk = Desk::open();
    let (orders, other) = (desk.gated("orders", true).await, desk.gated("other", true).await);
    let developer = desk.developer("a@b.c").await;
    let (one, two) = (desk.application(&developer, "one").await, desk.application(&developer, "two").await);
    for application in [&one, &two] {
        desk.contract(application, &orders).await;
        desk.contract(application, &other).await;
    }
    let credential = desk.credential(&one).await;
    let body = json!({ "credential": { "id": id(&credential) }, "service": { "id": id(&orders) },
        "authenticated_userid": "Ольга & co", "expires_in": 3600 });
    let users = desk.made("/oauth2_tokens", body).await;
    let users = users["access_token"].as_str().unwrap();
    let (a, b, c) =
        (desk.token(&one, "orders").await, desk.token(&one, "other").await, desk.token(&two, "orders").await);
    let calls = async || {
        let orders = [users, &a, &c].map(|token| desk.call("orders", token));
        let [users, a, c] = orders;
        [users.await, a.await, desk.call("other", &b).await, c.await]
    };
    assert_eq!(calls().await, [200; 4]);
    let deleted = async |query: &str| desk.delete(&format!("/oauth2_tokens?{query}")).await;
    let user = "authenticated_userid=%D0%9E%D0%BB%D1%8C%D0%B3%D0%B0%20%26%20co";
    assert_eq!(deleted(&format!("{user}&service.id={}", id(&other))).await, (200, json!({ "deleted": 0 })));
    assert_eq!(deleted(user).await, (200, json!({ "deleted": 1 })));
    assert_eq!(calls().await, [401, 200, 200, 200]);
    let both = format!("credential.id={}&service.id={}", id(&credential), id(&orders));
    assert_eq!(deleted(&both).await, (200, json!({ "deleted": 1 })));
    assert_eq!(calls().await, [401, 401, 200, 200]);
    assert_eq!(deleted(&format!("service.id={}", id(&orders))).await.1, json!({ "deleted": 1 }));
    assert_eq!(calls().await, [401, 401, 200, 401]);
    assert_eq!(deleted(&format!("credential.id={}", id(&credential))).await.1, json!({ "deleted": 1 }));
    assert_eq!(calls().await, [401; 4]);
    let (status, refusal) = desk.delete("/oauth2_tokens").await;
    let text = "at least one of these filters must be given: 'authenticated_userid', 'credential.id', 'service.id'";
    assert_eq!((status, &refusal["fields"]), (400, &json!({ "@entity": [text] })));
    for bad in ["wat=1", "service.id=x", "authenticated_userid=", "credential.id="] {
        assert_eq!(deleted(bad).await.0, 400, "{bad}");
    }
    assert_eq!(deleted(&format!("service.id={NOBODY}")).await, (200, json!({ "deleted": 0 })));
    assert_eq!(desk.put("/oauth2_tokens", json!({})).await.0, 405);
}

#[tokio::test]
async fn more_tokens_than_a_bite_go_at_once() {
    let desk = Desk::open();
    let orders = desk.gated("orders", true).await;
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    desk.contract(&application, &orders).await;
    let credential = desk.credential(&application).await;
    let mut last = String::new();
    for _ in 0..1100 {
        let body = json!({ "credential": { "id": id(&credential) }, "service": { "id": id(&orders) },
            "authenticated_userid": "bob", "expires_in": 3600 });
        last = desk.made("/oauth2_tokens", body).await["access_token"].as_str().unwrap().to_owned();
    }
    assert_eq!(desk.call("orders", &last).await, 200);
    assert_eq!(desk.delete("/oauth2_tokens?authenticated_userid=bob").await, (200, json!({ "deleted": 1100 })));
    assert_eq!((desk.call("orders", &last).await, desk.total("/oauth2_tokens").await), (401, 0));
}

#[tokio::test]
async fn developers_are_exported_for_spreadsheets() {
    let desk = Desk::open();
    for (email, status) in [("a@b.c", 0), ("=cmd@b.c", 1), ("ж@b.c", 2), ("d@b.c", 3), ("e@b.c", 5)] {
        assert_eq!(desk.post("/developers", json!({ "email": email, "status": status })).await.0, 200);
    }
    let answer = desk.ask("GET", "/developers/export").await;
    assert_eq!(header(&answer, "content-type"), "text/csv; charset=utf-8");
    let text = "Email,Status\r\na@b.c,APPROVED\r\n\"'=cmd@b.c\",PENDING\r\nж@b.c,REJECTED\r\nd@b.c,REVOKED\r\n\
        e@b.c,UNVERIFIED\r\n";
    assert_eq!(read(answer).await, (200, json!(text)));
    assert_eq!(desk.post("/developers/export", json!({})).await.0, 405);
}

#[tokio::test]
async fn without_a_mail_server_nobody_is_invited() {
    let desk = served();
    let (status, refusal) = desk.post("/developers/invite", json!({ "emails": ["a@b.c"] })).await;
    assert_eq!((status, refusal), (501, json!({ "message": "no SMTP server is set" })));
    let faults = desk.faults("/developers/invite", json!({ "emails": ["a@b.c", "nobody"], "wat": 1 })).await;
    assert_eq!(faults, json!({ "emails": [null, "invalid email 'nobody'"], "wat": "unknown field" }));
    assert_eq!(desk.faults("/developers/invite", json!({})).await, json!({ "emails": "required field missing" }));
    let empty = desk.faults("/developers/invite", json!({ "emails": [] })).await;
    assert_eq!(empty, json!({ "emails": "length must be at least 1" }));
}

#[tokio::test]
async fn where_mails_are_looked_at_people_are_invited_all_the_same() {
    let desk = Desk::open();
    desk.developer("known@b.c").await;
    let form = "emails[]=A@b.c&emails[]=known@b.c&emails[]=a@b.c";
    let (status, invited) = desk.form("POST", "/developers/invite", form).await;
    let failed = json!({ "count": 1, "emails": { "known@b.c": "has an account already" } });
    assert_eq!((status, &invited["error"], &invited["smtp_mock"]), (200, &failed, &json!(true)));
    assert_eq!(invited["sent"], json!({ "count": 1, "emails": { "a@b.c": true } }));
}
