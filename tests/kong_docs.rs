//! The commands of Kong's documentation, run by a real curl, unchanged but for the ports.

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{Folder, Gateway, Start};

/// Runs a documented command line against the gateway; gives status and body.
fn curl(gateway: &Gateway, line: &str) -> (u16, Value) {
    let line = line
        .replace("http://localhost:8001", &gateway.admin(""))
        .replace("https://localhost:8443", &gateway.url("proxy_tls", ""))
        .replace("http://localhost:8000", &gateway.url("proxy", ""));
    let output = Command::new("sh").arg("-c").arg(format!("{line} -s -k -w '\n%{{http_code}}'")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap_or_else(|| panic!("{line}: {text}"));
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap_or(Value::from(body)) };
    (status.parse().unwrap(), body)
}

fn gateway(folder: &Folder) -> Gateway {
    Start::dev(folder.path()).ready()
}

#[test]
fn consumers_and_applications() {
    let folder = Folder::new();
    let gateway = gateway(&folder);
    let (status, consumer) = curl(
        &gateway,
        r#"curl -X POST http://localhost:8001/consumers/ --data "username=user123" --data "custom_id=SOME_CUSTOM_ID""#,
    );
    assert_eq!(
        (status, &consumer["username"], &consumer["custom_id"]),
        (201, &json!("user123"), &json!("SOME_CUSTOM_ID"))
    );
    let (status, application) = curl(
        &gateway,
        r#"curl -X POST http://localhost:8001/consumers/user123/oauth2 --data "name=Test%20Application" --data "client_id=SOME-CLIENT-ID" --data "client_secret=SOME-CLIENT-SECRET" --data "redirect_uris=http://some-domain/endpoint/" --data "hash_secret=true""#,
    );
    assert_eq!(status, 201, "{application}");
    assert_eq!(application["name"], "Test Application");
    assert_eq!(application["client_id"], "SOME-CLIENT-ID");
    assert_eq!(application["redirect_uris"], json!(["http://some-domain/endpoint/"]));
    assert_eq!(application["consumer"], json!({ "id": consumer["id"] }));
    assert_eq!(application["hash_secret"], true);
    assert!(application["client_secret"].as_str().unwrap().starts_with("$argon2id$"), "{application}");
    let (status, found) = curl(&gateway, "curl 'http://localhost:8001/oauth2?client_id=SOME-CLIENT-ID'");
    assert_eq!((status, found["data"].as_array().unwrap().len()), (200, 1), "the filter filters");
    assert_eq!(found["data"][0]["id"], application["id"]);
    let (status, _) = curl(&gateway, "curl -X DELETE http://localhost:8001/consumers/user123/oauth2/SOME-CLIENT-ID");
    assert_eq!(status, 204);
    let (_, none) = curl(&gateway, "curl 'http://localhost:8001/oauth2?client_id=SOME-CLIENT-ID'");
    assert_eq!(none["data"], json!([]));
}

/// A service with the plugin and an application, made as the documentation makes them.
fn protected(gateway: &Gateway) {
    let upstream = gateway.admin("");
    for line in [
        &format!(r#"curl -X POST http://localhost:8001/services --data "name=orders" --data "url={upstream}/status""#),
        r#"curl -X POST http://localhost:8001/services/orders/routes --data "paths[]=/orders""#,
        r#"curl -X POST http://localhost:8001/services/orders/plugins --data "name=oauth2" --data "config.scopes=email" --data "config.scopes=phone" --data "config.scopes=address" --data "config.mandatory_scope=true" --data "config.enable_client_credentials=true""#,
        r#"curl -X POST http://localhost:8001/consumers/ --data "username=thefosk""#,
        r#"curl -X POST http://localhost:8001/consumers/thefosk/oauth2 --data "name=Hello World App" --data "client_id=XXX" --data "client_secret=YYY" --data "redirect_uris[]=http://getkong.org/""#,
    ] {
        let (status, body) = curl(gateway, line);
        assert_eq!(status, 201, "{line}: {body}");
    }
}

#[test]
fn client_credentials_in_form_json_and_query() {
    let folder = Folder::new();
    let gateway = gateway(&folder);
    protected(&gateway);
    let requests = [
        r#"curl -X POST https://localhost:8443/orders/oauth2/token --data "grant_type=client_credentials" --data "client_id=XXX" --data "client_secret=YYY" --data "scope=email""#,
        r#"curl -X POST https://localhost:8443/orders/oauth2/token -H "Content-Type: application/json" --data '{"grant_type":"client_credentials","client_id":"XXX","client_secret":"YYY","scope":"email phone"}'"#,
        r#"curl -X POST 'https://localhost:8443/orders/oauth2/token?grant_type=client_credentials&client_id=XXX&client_secret=YYY&scope=email'"#,
        r#"curl -X POST https://localhost:8443/orders/oauth2/token -u XXX:YYY -F grant_type=client_credentials -F scope=email"#,
    ];
    for request in requests {
        let (status, body) = curl(&gateway, request);
        assert_eq!(status, 200, "{request}: {body}");
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("bearer"), &json!(7200)));
        assert!(body.get("refresh_token").is_none(), "client credentials come without a refresh token");
        let token = body["access_token"].as_str().unwrap();
        assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
        for call in [
            format!(r#"curl http://localhost:8000/orders -H "Authorization: bearer {token}""#),
            format!("curl 'http://localhost:8000/orders?access_token={token}'"),
            format!("curl -X GET http://localhost:8000/orders -d access_token={token}"),
        ] {
            let (status, body) = curl(&gateway, &call);
            assert_eq!(status, 200, "{call}: {body}");
        }
    }
}

#[test]
fn refusals_are_kongs() {
    let folder = Folder::new();
    let gateway = gateway(&folder);
    protected(&gateway);
    let form = |extra: &str| {
        format!(
            r#"curl -X POST https://localhost:8443/orders/oauth2/token --data "grant_type=client_credentials&client_id=XXX&{extra}""#
        )
    };
    let cases = [
        (form("client_secret=YYY"), 400, "invalid_scope", "You must specify a scope"),
        (form("client_secret=YYY&scope=wot"), 400, "invalid_scope", "\"wot\" is an invalid scope"),
        (form("client_secret=no&scope=email"), 400, "invalid_client", "Invalid client authentication"),
        (form("scope=email"), 400, "invalid_client", "Invalid client authentication"),
        (form("grant_type=password"), 400, "unsupported_grant_type", "Invalid grant_type"),
        (
            form("client_secret=YYY&scope=email").replace("https://localhost:8443", "http://localhost:8000"),
            400,
            "access_denied",
            "You must use HTTPS",
        ),
        (
            "curl https://localhost:8443/orders/oauth2/token".to_owned(),
            405,
            "invalid_method",
            "The HTTP method GET is invalid for the token endpoint",
        ),
        (
            "curl -X POST https://localhost:8443/orders/oauth2/token -u XXX:no -d grant_type=client_credentials"
                .to_owned(),
            401,
            "invalid_client",
            "Invalid client authentication",
        ),
        ("curl http://localhost:8000/orders".to_owned(), 401, "invalid_request", "The access token is missing"),
        (
            "curl http://localhost:8000/orders -H 'Authorization: bearer no'".to_owned(),
            401,
            "invalid_token",
            "The access token is invalid or has expired",
        ),
    ];
    for (line, status, code, description) in cases {
        let (told, body) = curl(&gateway, &line);
        assert_eq!(
            (told, &body["error"], &body["error_description"]),
            (status, &json!(code), &json!(description)),
            "{line}"
        );
    }
    let (_, body) = curl(&gateway, &form("client_secret=YYY&state=xyz"));
    assert_eq!(body["state"], "xyz", "state is echoed in errors too");
}

#[test]
fn tokens_of_the_admin_api() {
    let folder = Folder::new();
    let gateway = gateway(&folder);
    protected(&gateway);
    let (_, application) = curl(&gateway, "curl http://localhost:8001/oauth2/XXX");
    let id = application["id"].as_str().unwrap();
    let (status, token) = curl(
        &gateway,
        &format!(
            r#"curl -X POST http://localhost:8001/oauth2_tokens --data 'credential.id={id}' --data "token_type=bearer" --data "access_token=SOME-TOKEN" --data "refresh_token=SOME-TOKEN-2" --data "expires_in=3600""#
        ),
    );
    assert_eq!(status, 201, "{token}");
    assert_eq!(
        (&token["access_token"], &token["credential"]["id"], &token["expires_in"]),
        (&json!("SOME-TOKEN"), &json!(id), &json!(3600))
    );
    assert_eq!(
        (&token["credential_id"], &token["service_id"], &token["service"]),
        (&json!(id), &json!(null), &json!(null))
    );
    let (status, listed) = curl(&gateway, &format!("curl 'http://localhost:8001/oauth2_tokens?credential.id={id}'"));
    assert_eq!((status, &listed["data"][0]["id"]), (200, &token["id"]));
    let (status, _) = curl(&gateway, "curl 'http://localhost:8001/oauth2_tokens?color=red'");
    assert_eq!(status, 400, "an unknown filter is told");
    // A global token opens no door of a plugin without `global_credentials`.
    let (status, body) = curl(&gateway, "curl http://localhost:8000/orders -H 'Authorization: Bearer SOME-TOKEN'");
    assert_eq!((status, &body["error"]), (401, &json!("invalid_token")));
    assert!(body["error_description"].as_str().unwrap().contains("global"), "{body}");
    let (_, service) = curl(&gateway, "curl http://localhost:8001/services/orders");
    let patch = format!(
        "curl -X PATCH http://localhost:8001/oauth2_tokens/SOME-TOKEN -d service.id={}",
        service["id"].as_str().unwrap()
    );
    assert_eq!(curl(&gateway, &patch).0, 200);
    assert_eq!(curl(&gateway, "curl http://localhost:8000/orders -H 'Authorization: Bearer SOME-TOKEN'").0, 200);
    assert_eq!(curl(&gateway, "curl -X DELETE http://localhost:8001/oauth2_tokens/SOME-TOKEN").0, 204);
    assert_eq!(curl(&gateway, "curl http://localhost:8000/orders -H 'Authorization: Bearer SOME-TOKEN'").0, 401);
    assert_eq!(curl(&gateway, "curl -X DELETE http://localhost:8001/oauth2_tokens/SOME-TOKEN").0, 204);
    assert_eq!(curl(&gateway, "curl http://localhost:8001/oauth2_tokens/SOME-TOKEN").0, 404);
}

#[test]
fn a_deleted_token_consumer_or_application_is_refused_on_the_very_next_call() {
    let folder = Folder::new();
    let gateway = gateway(&folder);
    protected(&gateway);
    let ask = r#"curl -X POST https://localhost:8443/orders/oauth2/token -d "grant_type=client_credentials&client_id=XXX&client_secret=YYY&scope=email""#;
    for target in ["oauth2_tokens/TOKEN", "oauth2/XXX", "consumers/thefosk"] {
        if target.starts_with("consumers") {
            // The application went in the round before.
            assert_eq!(curl(&gateway, r#"curl -X POST http://localhost:8001/consumers/thefosk/oauth2 -d name=app -d client_id=XXX -d client_secret=YYY -d redirect_uris=http://x.y/"#).0, 201);
        }
        let (_, body) = curl(&gateway, ask);
        let token = body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
        let call = format!("curl http://localhost:8000/orders -H 'Authorization: Bearer {token}'");
        for _ in 0..8 {
            assert_eq!(curl(&gateway, &call).0, 200);
        }
        let target = target.replace("TOKEN", &token);
        assert_eq!(curl(&gateway, &format!("curl -X DELETE http://localhost:8001/{target}")).0, 204);
        for _ in 0..8 {
            assert_eq!(curl(&gateway, &call).0, 401, "after deleting {target}");
        }
    }
}
