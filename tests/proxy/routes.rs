use serde_json::json;
use tollgate::proxy::Configuration;

use crate::house::{House, ROUTE, configured, echo, field, put_in_force, run};

#[test]
fn what_matches_nothing_is_told_so_in_the_form_asked_for() {
    run(async {
        let house = House::build(configured(echo().await, json!({}), json!({"paths": ["/a"]})));
        let reply = house.ask("GET /b HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(reply.status, 404);
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["message"], "no Route matched with those values");
        assert_eq!(body["request_id"].as_str(), reply.field("x-request-id"));
        assert!(reply.field("server").unwrap().starts_with("tollgate/"));
        let reply = house.ask("GET /b HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\n\r\n").await;
        assert!(reply.text().starts_with("no Route matched"));
        let mut client = house.connect().await;
        client.send(b"HEAD /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(field(&client.head().await.unwrap(), "content-length").is_some());
        assert!(client.is_closed().await);
    });
}

#[test]
fn protocols_of_a_route_are_kept() {
    run(async {
        let address = echo().await;
        let house = House::build(configured(address, json!({}), json!({"protocols": ["https"]})));
        let reply = house.ask("GET /x?y HTTP/1.1\r\nHost: a:80\r\n\r\n").await;
        assert_eq!((reply.status, reply.field("upgrade")), (426, Some("TLS/1.2, HTTP/1.1")));
        assert!(reply.text().contains("Please use HTTPS protocol"));
        let route = json!({"protocols": ["https"], "https_redirect_status_code": 301});
        put_in_force(&house.gateway, configured(address, json!({}), route));
        let reply = house.ask("GET /x?y HTTP/1.1\r\nHost: a:80\r\n\r\n").await;
        assert_eq!((reply.status, reply.field("location")), (301, Some("https://a/x?y")));
        let reply = house
            .ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n\r\n")
            .await;
        assert_eq!((reply.status, reply.field("grpc-status")), (200, Some("2")));
        assert_eq!(reply.field("grpc-message"), Some("gRPC request matched non-gRPC route"));
    });
}

#[test]
fn a_new_configuration_holds_for_the_next_request_of_an_open_connection() {
    run(async {
        let house = House::build(Configuration::default());
        let mut client = house.connect().await;
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.reply().await.status, 404);
        put_in_force(&house.gateway, configured(echo().await, json!({}), json!({})));
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.reply().await.status, 200);
        put_in_force(&house.gateway, configured(echo().await, json!({"enabled": false}), json!({})));
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.reply().await.status, 404);
    });
}

#[test]
fn a_route_without_a_service_says_so() {
    run(async {
        let mut configuration = Configuration::default();
        let route = json!({"id": ROUTE, "paths": ["/"]});
        configuration.add("routes", route.as_object().unwrap()).unwrap();
        let house = House::build(configuration);
        assert_eq!(house.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 503);
    });
}
