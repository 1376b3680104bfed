//! The catalogue as a developer browses it.

use serde_json::json;

use super::*;

fn asked(query: &[(&str, &str)]) -> ListRequest {
    let mut request = ListRequest::default();
    for (name, value) in query {
        let value = (*value).to_owned();
        match *name {
            "size" => request.size = Some(value),
            "offset" => request.offset = Some(value),
            "sort_by" => request.sort_by = Some(value),
            "sort_desc" => request.sort_desc = Some(value),
            name => request.filters.push((name.to_owned(), value.into())),
        }
    }
    request
}

async fn titles(bench: &Bench, application: Option<Uuid>, query: &[(&str, &str)]) -> Vec<String> {
    let offers = bench.registration.services(application, &asked(query)).await.unwrap();
    assert_eq!(offers.total, offers.data.len());
    offers.data.iter().map(|offer| offer.title().to_owned()).collect()
}

#[tokio::test]
async fn services_are_filtered_sorted_and_paged() {
    let bench = Bench::new().await;
    let orders = bench.offered("orders", "Заказы", false).await;
    let users = bench.offered("users", "Users", true).await;
    bench.offered("bills", "invoices", false).await;
    bench.made("services", json!({ "name": "internal", "host": "h" })).await;
    let application = bench.application(bench.developer("a@b.c").await, "app").await;
    for service in [orders, users] {
        bench.contract(&application, service).await;
    }
    let of = Some(application.id);
    assert_eq!(titles(&bench, of, &[]).await, ["Заказы", "Users", "invoices"]);
    assert_eq!(titles(&bench, of, &[("sort_by", "name")]).await, ["invoices", "Users", "Заказы"]);
    assert_eq!(titles(&bench, of, &[("sort_desc", "true")]).await, ["invoices", "Users", "Заказы"]);
    for (query, wanted) in [
        (("name", "зАКАз"), "Заказы"),
        (("name", "BILL"), "invoices"),
        (("status", "1"), "Заказы"),
        (("status", "approved"), "Users"),
        (("status", "-1"), "invoices"),
    ] {
        assert_eq!(titles(&bench, of, &[query]).await, [wanted], "{query:?}");
    }
    assert!(titles(&bench, of, &[("status", "3")]).await.is_empty());
    assert_eq!(titles(&bench, None, &[("status", "inactive")]).await.len(), 3, "nobody has a contract");
    for bad in [("status", "9"), ("sort_by", "host"), ("size", "0"), ("offset", "x"), ("sort_desc", "maybe")] {
        let refused = bench.registration.services(of, &asked(&[bad])).await;
        assert!(refused.is_err(), "{bad:?}");
    }
    for order in [&[("sort_by", "name")][..], &[("sort_by", "name"), ("sort_desc", "1")], &[("sort_desc", "1")], &[]] {
        let (mut seen, mut request) = (Vec::new(), asked(order));
        request.size = Some("1".to_owned());
        loop {
            let page = bench.registration.services(of, &request).await.unwrap();
            assert_eq!(page.total, 3);
            seen.extend(page.data.iter().map(|offer| offer.title().to_owned()));
            match page.offset {
                Some(offset) => request.offset = Some(offset),
                None => break,
            }
        }
        assert_eq!(seen, titles(&bench, of, order).await, "{order:?}");
    }
}

#[tokio::test]
async fn a_service_is_shown_with_what_a_developer_needs_and_no_more() {
    let bench = Bench::new().await;
    let service = bench.offered("orders", "Orders", true).await;
    let config = json!({ "enable_client_credentials": true, "scopes": ["read"], "provision_key": "hunter2" });
    let place = json!({ "id": service.to_string() });
    bench.made("plugins", json!({ "name": "oauth2", "service": place, "config": config })).await;
    bench.made("routes", json!({ "service": place, "hosts": ["api.test"], "paths": ["/orders"] })).await;
    let document = body(json!({ "path": "orders.yaml", "contents": "openapi: 3.1.0" }));
    bench.registration.create_document(service, document).await.unwrap();
    assert_eq!(bench.registration.document(service).await.unwrap().unwrap()["contents"], "openapi: 3.1.0");
    let application = bench.application(bench.developer("a@b.c").await, "app").await;
    let contract = bench.contract(&application, service).await;
    let offer = bench.registration.service(Some(application.id), service).await.unwrap();
    let entrance = Entrance { host: Some("api.test".to_owned()), path: Some("/orders".to_owned()) };
    assert_eq!(offer.entrance, Some(entrance));
    let wanted = json!({
        "id": service.to_string(),
        "name": "orders",
        "app_registration_config":
            { "display_name": "Orders", "description": null, "auto_approve": true, "show_issuer": false },
        "auth_plugin_config": {
            "name": "oauth2",
            "enable_authorization_code": false,
            "enable_client_credentials": true,
            "enable_implicit_grant": false,
            "enable_password_grant": false,
            "auth_header_name": "authorization",
            "scopes": ["read"],
        },
        "document_route": "/specs/orders",
        "instance": { "id": contract["id"], "status": 0 },
    });
    assert_eq!(Value::Object(offer.to_json(Some("/specs/orders"))), wanted);
    let nobody = bench.registration.service(None, Uuid::nil()).await;
    assert!(matches!(nobody, Err(CatalogError::NotFound)));
}

#[tokio::test]
async fn under_external_oauth2_there_are_no_credentials() {
    let bench = Bench::under(AppAuth::ExternalOauth2).await;
    let developer = bench.developer("a@b.c").await;
    let fields = body(json!({ "name": "app", "custom_id": "idp" }));
    let created = bench.registration.create_application(Some(developer), fields, Keeping::Hashed).await.unwrap();
    assert!(created.credential.is_none());
    let application = Application::of(created.application).unwrap();
    let listed = bench.registration.credentials(&application, &ListRequest::default()).await;
    assert!(matches!(listed, Err(CatalogError::NotFound)));
    let made = bench.registration.create_credential(&application, body(json!({})), Keeping::Hashed).await;
    assert!(matches!(made, Err(CatalogError::NotFound)));
}
