//! Certificates, server names, authorities (contract, section 4), and what is served after a change.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::SignatureScheme;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};

use crate::desk::{Desk, NOBODY, id};
use crate::upstream::{judging, trusting_anyone};

/// A self-signed certificate and its key.
pub fn leaf(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// An authority that names `name`, too.
pub fn authority(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// The certificate that a TLS listener shows for a name.
async fn shown(address: SocketAddr, name: &str) -> CertificateDer<'static> {
    shown_to(trusting_anyone(), address, name).await
}

async fn shown_to(client: rustls::ClientConfig, address: SocketAddr, name: &str) -> CertificateDer<'static> {
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = connector.connect(name, stream).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn a_certificate_is_served_from_the_next_handshake_and_until_its_name_goes() {
    let desk = Desk::open();
    let address = desk.gateway.addresses["proxy_tls"];
    let (cert, key) = leaf("a.com");
    let mine = CertificateDer::from_pem_slice(cert.as_bytes()).unwrap();
    assert_ne!(shown(address, "a.com").await, mine);
    let body = json!({ "cert": cert, "key": key, "snis": ["a.com", "*.a.com"] });
    let made = desk.made("/certificates", body).await;
    assert_eq!(made["snis"], json!(["a.com", "*.a.com"]));
    for name in ["a.com", "x.a.com"] {
        assert_eq!(shown(address, name).await, mine, "{name}");
    }
    assert_ne!(shown(address, "b.com").await, mine);
    assert_eq!(desk.delete("/snis/a.com").await.0, 204);
    assert_ne!(shown(address, "a.com").await, mine);
    assert_eq!(shown(address, "x.a.com").await, mine);
    desk.made(&format!("/certificates/{}/snis", id(&made)), json!({ "name": "b.com" })).await;
    assert_eq!(shown(address, "b.com").await, mine);
    let (other, other_key) = leaf("b.com");
    let path = format!("/certificates/{}", id(&made));
    let (status, _) = desk.patch(&path, json!({ "cert": other, "key": other_key })).await;
    assert_eq!(status, 200);
    assert_eq!(shown(address, "b.com").await, CertificateDer::from_pem_slice(other.as_bytes()).unwrap());
    assert_eq!(desk.delete(&path).await.0, 204);
    assert_eq!(desk.get("/snis").await.1["total"], 0, "its names went with it");
}

#[tokio::test]
async fn a_second_chain_is_shown_to_clients_that_judge_its_kind_only() {
    let desk = Desk::open();
    let address = desk.gateway.addresses["proxy_tls"];
    let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let rsa = CertificateParams::new(vec!["a.com".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    let ((cert, cert_key), rsa_key) = (leaf("a.com"), key.serialize_pem());
    let body = json!({ "cert": cert, "key": cert_key, "cert_alt": rsa, "key_alt": rsa_key, "snis": ["a.*"] });
    let made = desk.made("/certificates", body).await;
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let by = |scheme| shown_to(judging(scheme), address, "a.com");
    assert_eq!(by(SignatureScheme::ECDSA_NISTP256_SHA256).await, der(&cert));
    assert_eq!(by(SignatureScheme::RSA_PSS_SHA256).await, der(&rsa));
    let path = format!("/certificates/{}", id(&made));
    assert_eq!(
        desk.patch(&path, json!({ "cert": rsa, "key": rsa_key, "cert_alt": cert, "key_alt": cert_key })).await.0,
        200
    );
    assert_eq!(by(SignatureScheme::ECDSA_NISTP256_SHA256).await, der(&cert));
    assert_eq!(by(SignatureScheme::RSA_PSS_SHA256).await, der(&rsa));
    let (status, _) = desk.patch(&path, json!({ "cert_alt": null, "key_alt": null })).await;
    assert_eq!(status, 200);
    assert_eq!(shown(address, "a.com").await, der(&rsa), "the only one left");
}

#[tokio::test]
async fn certificates_and_keys_are_judged() {
    let desk = Desk::open();
    let ((cert, key), (other, other_key)) = (leaf("a.com"), leaf("b.com"));
    let missing = "required field missing";
    for (body, wanted) in [
        (json!({}), json!({ "cert": missing, "key": missing })),
        (json!({ "cert": cert, "key": other_key }), json!({ "@entity": ["certificate does not match key"] })),
        (
            json!({ "cert": cert, "key": key, "cert_alt": other }),
            json!({ "@entity": ["all or none of these fields must be set: 'cert_alt', 'key_alt'"] }),
        ),
    ] {
        assert_eq!(desk.faults("/certificates", body).await, wanted);
    }
    let faults = desk.faults("/certificates", json!({ "cert": "x", "key": "y" })).await;
    assert!(faults["cert"].as_str().unwrap().starts_with("invalid certificate: "), "{faults}");
    assert!(faults["key"].as_str().unwrap().starts_with("invalid key: "), "{faults}");
}

#[tokio::test]
async fn a_server_name_belongs_to_one_certificate() {
    let desk = Desk::open();
    let ((cert, key), (other, other_key)) = (leaf("a.com"), leaf("b.com"));
    let made = desk.made("/certificates", json!({ "cert": cert, "key": key, "snis": ["a.com"] })).await;
    let faults = desk.faults("/certificates", json!({ "cert": other, "key": other_key, "snis": ["a.com"] })).await;
    let text = format!("a.com already associated with existing certificate '{}'", id(&made));
    assert_eq!(faults, json!({ "snis": text }));
    let body = json!({ "name": "a.com", "certificate": { "id": id(&made) } });
    let (status, refusal) = desk.post("/snis", body).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "name": "a.com" })));
    let (_, patched) = desk.patch(&format!("/certificates/{}", id(&made)), json!({ "snis": ["c.com"] })).await;
    assert_eq!(patched["snis"], json!(["c.com"]), "the list is replaced");
    assert_eq!(desk.get("/snis/a.com").await.0, 404);
    assert_eq!(desk.get("/snis/c.com/certificate").await.1["id"], made["id"]);
}

#[tokio::test]
async fn an_authority_is_one_certificate_in_force_that_may_sign() {
    let desk = Desk::open();
    let ((one, _), (two, _)) = (authority("a.com"), authority("b.com"));
    let expired = {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["c.com".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.self_signed(&key).unwrap().pem()
    };
    for (cert, text) in [
        (format!("{one}{two}"), "please submit only one certificate at a time"),
        (expired, "certificate expired, \"Not After\" time is in the past"),
        (leaf("a.com").0, "certificate does not appear to be a CA because it is missing the \"CA\" basic constraint"),
    ] {
        assert_eq!(desk.faults("/ca_certificates", json!({ "cert": cert })).await, json!({ "@entity": [text] }));
    }
    let made = desk.made("/ca_certificates", json!({ "cert": one })).await;
    assert_eq!(made["cert_digest"].as_str().unwrap().len(), 64);
    assert_eq!(desk.post("/ca_certificates", json!({ "cert": one })).await.0, 409, "once is enough");
}

#[tokio::test]
async fn what_a_service_refers_to_exists_and_stays() {
    let desk = Desk::open();
    let ca = desk.made("/ca_certificates", json!({ "cert": authority("a.com").0 })).await;
    let (cert, key) = leaf("a.com");
    let identity = desk.made("/certificates", json!({ "cert": cert, "key": key })).await;
    let faults =
        desk.faults("/services", json!({ "url": "https://a.com", "ca_certificates": [id(&ca), NOBODY] })).await;
    let text =
        format!("the foreign key '{{id=\"{NOBODY}\"}}' does not reference an existing 'ca_certificates' entity.");
    assert_eq!(faults, json!({ "ca_certificates": [Value::Null, text] }));
    let body = json!({ "name": "s", "url": "https://a.com", "ca_certificates": [id(&ca)], "tls_verify": true,
                       "client_certificate": { "id": id(&identity) } });
    desk.made("/services", body).await;
    for (entity, of) in [("ca_certificates", &ca), ("certificates", &identity)] {
        let (status, refusal) = desk.delete(&format!("/{entity}/{}", id(of))).await;
        assert_eq!((status, &refusal["fields"]), (400, &json!({ "@referenced_by": "services" })), "{entity}");
        let message = format!("an existing 'services' entity references this '{entity}' entity");
        assert_eq!((&refusal["code"], &refusal["message"]), (&json!(4), &json!(message)));
    }
    assert_eq!(desk.delete("/services/s").await.0, 204);
    for (entity, of) in [("ca_certificates", &ca), ("certificates", &identity)] {
        assert_eq!(desk.delete(&format!("/{entity}/{}", id(of))).await.0, 204, "{entity}");
    }
}

#[tokio::test]
async fn the_admin_api_speaks_tls_with_the_default_certificate_read_again_on_sighup() {
    let desk = Desk::open_with(|start| start.env("TOLLGATE_ADMIN_LISTEN_TLS", "127.0.0.1:0"));
    let response = desk.client.get(desk.gateway.url("admin_tls", "/status")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let (cert, key) = leaf("localhost");
    let tls = desk.folder.join("data/tls");
    std::fs::write(tls.join("cert.pem"), &cert).unwrap();
    std::fs::write(tls.join("key.pem"), &key).unwrap();
    let mine = CertificateDer::from_pem_slice(cert.as_bytes()).unwrap();
    let hang_up = std::process::Command::new("kill").arg("-HUP").arg(desk.gateway.pid().to_string()).status();
    assert!(hang_up.unwrap().success());
    for listener in ["admin_tls", "proxy_tls"] {
        let begun = std::time::Instant::now();
        while shown(desk.gateway.addresses[listener], "localhost").await != mine {
            assert!(begun.elapsed().as_secs() < 10, "{listener} shows the old one:\n{}", desk.gateway.log_text());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_faulty_certificate_on_sighup_is_told_and_the_old_one_stays() {
    let desk = Desk::open_with(|start| start.env("TOLLGATE_ADMIN_LISTEN_TLS", "127.0.0.1:0"));
    let before = shown(desk.gateway.addresses["admin_tls"], "localhost").await;
    let path = desk.folder.join("data/tls/cert.pem");
    for faulty in ["nonsense".to_owned(), leaf("localhost").0] {
        std::fs::write(&path, faulty).unwrap();
        let told = desk.gateway.log_text().matches("keeping the old one").count();
        let hang_up = std::process::Command::new("kill").arg("-HUP").arg(desk.gateway.pid().to_string()).status();
        assert!(hang_up.unwrap().success());
        let begun = std::time::Instant::now();
        while desk.gateway.log_text().matches("keeping the old one").count() == told {
            assert!(begun.elapsed().as_secs() < 10, "nothing is told:\n{}", desk.gateway.log_text());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        for listener in ["admin_tls", "proxy_tls"] {
            assert_eq!(shown(desk.gateway.addresses[listener], "localhost").await, before, "{listener}");
        }
    }
}
