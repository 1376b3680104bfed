//! Mails on their way: a real mail server, and such as fail.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::databases::{Postgres, serve};
use crate::house::{House, PASSWORD, wish};
use crate::mail_servers::{Python, nobody, refusing, silent};
use crate::support::Folder;

const CONFIRM: &str = "Confirm your e-mail address";

fn smtp(address: SocketAddr) -> String {
    format!("smtp://{address}")
}

/// State, attempts and error of every mail, the oldest first.
fn outbox(house: &House) -> Vec<(String, i64, Option<String>)> {
    let database = rusqlite::Connection::open(house.folder.join("data/tollgate.db")).unwrap();
    let mut statement = database.prepare("SELECT state, attempts, error FROM mails ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

async fn until(house: &House, fits: impl Fn(&[(String, i64, Option<String>)]) -> bool) {
    let begun = Instant::now();
    while !fits(&outbox(house)) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", outbox(house));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_mail_arrives_as_text_and_html_under_its_subject() {
    let server = Python::start(&[]);
    let settings =
        [("SMTP_URL", server.url("smtp")), ("SMTP_FROM", "Portál Ünïcode <no-reply@portal.example>".to_owned())];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let house = House::open_with(&settings);
    house.register("ana@b.test").await;
    let mail = server.whole("ana@b.test", CONFIRM).await;
    assert_eq!((&mail["from"], &mail["to"]), (&json!("no-reply@portal.example"), &json!(["ana@b.test"])));
    assert_eq!(mail["head"]["from"], "Portál Ünïcode <no-reply@portal.example>");
    assert_eq!(mail["head"]["auto-submitted"], "auto-generated");
    assert!(mail["head"]["message-id"].as_str().unwrap().ends_with("@portal.example>"), "{mail}");
    assert_eq!(mail["client"], "portal.example");
    let head = mail["raw"].as_str().unwrap().split("\r\n\r\n").next().unwrap();
    assert!(head.is_ascii(), "{head}");
    let link = format!("{}?token=", house.gateway.url("portal", "/account/verify"));
    for body in ["text", "html"] {
        assert!(mail[body].as_str().unwrap().contains(&link), "{mail}");
    }
    until(&house, |mails| mails == [("sent".to_owned(), 1, None)]).await;
    assert_eq!(house.sql("UPDATE mails SET id = id WHERE body_sealed IS NULL"), 1, "its text is gone");
    let log = house.gateway.log_text();
    assert!(!log.contains("token=") && !log.contains("ana@b.test"), "{log}");
}

#[tokio::test]
async fn a_server_that_wants_tls_and_a_password_gets_both() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    for (options, scheme, query) in
        [(&["--tls", cert, key, "--required"][..], "smtp", "?tls=required"), (&["--smtps", cert, key], "smtps", "")]
    {
        let server = Python::start(options);
        let url = format!("{scheme}://gate:p%2Bss%3Aw%40rd@localhost:{}{query}", server.port);
        let folder = Folder::new();
        let start = crate::support::Start::dev(folder.path()).arg("--empty").env("TOLLGATE_SMTP_URL", &url);
        let gateway = start.env("SSL_CERT_FILE", cert).ready();
        let house = House { gateway, client: crate::support::client(), folder };
        house.register("ana@b.test").await;
        let mail = server.whole("ana@b.test", CONFIRM).await;
        assert_eq!((&mail["tls"], &mail["login"]), (&json!(true), &json!("gate")));
        // A certificate that nobody vouches for is not spoken to.
        let strict = House::open_with(&[("SMTP_URL", &url)]);
        strict.register("eve@b.test").await;
        until(&strict, |mails| mails[0].1 == 1 && mails[0].2.is_some()).await;
        assert!(server.taken().iter().all(|mail| mail["to"][0] != "eve@b.test"));
    }
}

#[tokio::test]
async fn a_mail_server_that_is_down_stops_nobody_and_gets_the_mail_later() {
    let address = nobody();
    let house = House::open_with(&[("SMTP_URL", &smtp(address))]);
    let answer = house.register("ana@b.test").await;
    assert_eq!((answer.status, &answer.body["email"]["sent"]), (200, &json!(true)));
    until(&house, |mails| mails[0].0 == "waiting" && mails[0].1 == 1 && mails[0].2.is_some()).await;
    let log = house.gateway.log_text();
    assert!(log.contains("was not sent, trying again") && !log.contains("ana@b.test"), "{log}");
    let server = Python::start_at(address.port(), &[]);
    // The pause before the second attempt passes.
    house.sql("UPDATE mails SET due_at = 0");
    let token = server.mail("ana@b.test", CONFIRM).await.token();
    until(&house, |mails| mails == [("sent".to_owned(), 2, None)]).await;
    assert_eq!(house.post("/verify-account", json!({ "token": token })).await.status, 200);
    let metrics = house.client.get(house.gateway.url("status", "/metrics")).send().await.unwrap().text().await.unwrap();
    for line in ["tollgate_mails_total{outcome=\"sent\"} 1", "tollgate_mails_total{outcome=\"put_off\"} 1"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[tokio::test]
async fn a_refusal_for_good_ends_it_and_one_for_now_does_not() {
    let refused = House::open_with(&[("SMTP_URL", &smtp(refusing("550 5.1.1 <ana@b.test> is nobody here")))]);
    assert_eq!(refused.register("ana@b.test").await.status, 200);
    until(&refused, |mails| mails[0].0 == "failed").await;
    let (_, attempts, error) = outbox(&refused).remove(0);
    assert!(attempts == 1 && error.unwrap().contains("5.1.1"));
    let log = refused.gateway.log_text();
    assert!(log.contains("was given up") && log.contains("answered 550") && !log.contains("ana@b.test"), "{log}");
    for (answer, state) in [("451 4.3.0 later", "waiting"), ("535 5.7.8 who are you", "waiting")] {
        let house = House::open_with(&[("SMTP_URL", &smtp(refusing(answer)))]);
        house.register("ana@b.test").await;
        until(&house, |mails| mails[0].2.is_some()).await;
        assert_eq!(outbox(&house)[0].0, state, "{answer}");
    }
}

#[tokio::test]
async fn a_mail_server_that_says_nothing_holds_nobody_up() {
    let house = House::open_with(&[("SMTP_URL", &smtp(silent()))]);
    assert_eq!(house.register("ana@b.test").await.status, 200);
    until(&house, |mails| mails[0].1 == 1).await;
    assert_eq!(house.post("/resend-account-verification", json!({ "email": "ana@b.test" })).await.status, 204);
    assert_eq!(house.log_in("ana@b.test", PASSWORD).await.status, 403);
    // Its time limit passes, and it is tried again later.
    until(&house, |mails| {
        mails[0].0 == "waiting" && mails[0].2.as_deref().is_some_and(|error| error.contains("too long"))
    })
    .await;
}

#[tokio::test]
async fn without_a_mail_server_serve_keeps_mails_and_tells_their_text_to_nobody() {
    let folder = Folder::new();
    let url = format!("sqlite:{}", folder.join("data/tollgate.db").display());
    std::fs::create_dir(folder.join("data")).unwrap();
    let house = serve(folder, &url, &[]);
    assert_eq!(house.register("ana@b.test").await.status, 200);
    until(&house, |mails| mails == [("kept".to_owned(), 0, None)]).await;
    let log = house.gateway.log_text();
    assert!(log.contains("smtp.url is not set"), "{log}");
    assert!(!log.contains("token=") && !log.contains("ana@b.test"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_one_sends_each_mail() {
    let database = Postgres::new().await;
    let server = Python::start(&[]);
    let url = server.url("smtp");
    let folders = [Folder::new(), Folder::new()];
    let keyring = folders[0].join("keyring");
    let made = crate::support::tollgate().args(["keyring", "init"]).arg(&keyring).output().unwrap();
    assert!(made.status.success());
    std::fs::copy(&keyring, folders[1].join("keyring")).unwrap();
    let nodes: Vec<House> =
        folders.into_iter().map(|folder| serve(folder, &database.url, &[("SMTP_URL", &url)])).collect();
    let wishes = (0..40).map(|number| {
        let (node, email) = (&nodes[number % 2], format!("{number}@b.test"));
        async move {
            let ask = node.ask("POST", "/register").from(&format!("6.6.{number}.6")).json(&wish(&email));
            assert_eq!(ask.send().await.status, 200);
        }
    });
    for wish in wishes {
        wish.await;
    }
    for number in 0..40 {
        server.mail(&format!("{number}@b.test"), CONFIRM).await;
    }
    let mut ids: Vec<Value> = server.taken().into_iter().map(|mail| mail["head"]["message-id"].clone()).collect();
    let taken = ids.len();
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!((taken, ids.len()), (40, 40));
    drop(nodes);
    database.clear().await;
}

#[tokio::test]
async fn settings_of_mail_that_cannot_be_used_are_told_at_the_start() {
    for (name, value, told) in [
        ("TOLLGATE_SMTP_URL", "smtp://gate:hunter2@localhost?tls=perhaps", "smtp.url"),
        ("TOLLGATE_SMTP_FROM", "nobody", "smtp.from"),
    ] {
        let folder = Folder::new();
        let mut command = crate::support::tollgate();
        command.arg("dev").arg("--data-dir").arg(folder.path()).env(name, value);
        for listener in ["PROXY_LISTEN", "PROXY_LISTEN_TLS", "ADMIN_LISTEN", "STATUS_LISTEN", "PORTAL_LISTEN"] {
            command.env(format!("TOLLGATE_{listener}"), "127.0.0.1:0");
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{text}");
        assert!(text.contains(told) && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn passwords_and_tokens_stay_out_of_the_log_of_a_gateway_that_sends() {
    let server = Python::start(&[]);
    let house = House::open_with(&[("SMTP_URL", &server.url("smtp")), ("LOG_LEVEL", "trace")]);
    house.register("ana@b.test").await;
    let token = server.mail("ana@b.test", CONFIRM).await.token();
    house.post("/verify-account", json!({ "token": token })).await;
    let cookie = house.session_of("ana@b.test").await;
    house.log_in("ana@b.test", "a wrong guess").await;
    let log = house.gateway.log_text();
    for secret in [PASSWORD, token.as_str(), cookie.as_str(), "a wrong guess"] {
        assert!(!log.contains(secret), "{secret}");
    }
}
