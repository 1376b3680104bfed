//! `jwt` alone.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::domain::Clock;

use crate::api::{Api, sent};

fn now() -> i64 {
    Clock::System.now().seconds()
}

pub fn signed(claims: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, key).unwrap()
}

/// A token of an issuer with a shared secret.
pub fn hs256(issuer: &str, secret: &str) -> String {
    signed(&json!({ "iss": issuer }), Algorithm::HS256, &EncodingKey::from_secret(secret.as_bytes()))
}

fn encoded(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

/// An API behind `jwt`, and the issuer `alice-app` with the secret `s3cret`.
async fn protected(config: Value) -> Api {
    let api = Api::start().await;
    api.plugin("jwt", config).await;
    api.made("/consumers/alice/jwt", json!({ "key": "alice-app", "secret": "s3cret" })).await;
    api
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn a_token_in_header_query_or_cookie_tells_who_calls() {
    let api = protected(json!({ "cookie_names": ["session"], "header_names": ["authorization", "x-token"] })).await;
    let token = hs256("alice-app", "s3cret");
    for reply in [
        api.call_with("/api", "authorization", &bearer(&token)).await,
        api.call_with("/api", "x-token", &bearer(&token)).await,
        api.call_with("/api", "cookie", &format!("a=b; session={token}")).await,
        api.call(&format!("/api?jwt={token}")).await,
        api.call_with(&format!("/api?jwt={token}"), "authorization", &bearer(&token)).await,
    ] {
        assert_eq!((reply.consumer(), reply.upstream("x-consumer-custom-id")), (Some("alice"), Some("a-1")));
        assert_eq!(reply.upstream("x-credential-identifier"), Some("alice-app"));
    }
    let two = api.call_with("/api?jwt=other", "authorization", &bearer(&token)).await;
    two.is_refused("Multiple tokens provided");
}

#[tokio::test]
async fn refusals_are_kongs() {
    let api = protected(json!({ "realm": "api" })).await;
    let missing = api.call("/api").await;
    missing.is_refused("Unauthorized");
    assert_eq!(missing.challenge.as_deref(), Some("Bearer realm=\"api\""));
    let (header, claims) = (encoded(r#"{"alg":"HS256"}"#), encoded(r#"{"iss":"alice-app"}"#));
    let secret = EncodingKey::from_secret(b"s3cret");
    let good = hs256("alice-app", "s3cret");
    let cases = [
        ("nonsense".to_owned(), "Bad token; invalid JSON"),
        (format!("{header}.{claims}"), "Bad token; invalid JSON"),
        (format!("{}.{claims}.", encoded(r#"{"alg":"none"}"#)), "Bad token; invalid alg"),
        (format!("{header}.{}.", encoded("[]")), "Bad token; invalid claims"),
        (signed(&json!({}), Algorithm::HS256, &secret), "No mandatory 'iss' in claims"),
        (signed(&json!({ "iss": 7 }), Algorithm::HS256, &secret), "Invalid 'iss' in claims"),
        (hs256("nobody", "s3cret"), "No credentials found for given 'iss'"),
        (hs256(&"x".repeat(5000), "s3cret"), "No credentials found for given 'iss'"),
        (signed(&json!({ "iss": "alice-app" }), Algorithm::HS384, &secret), "Invalid algorithm"),
        (hs256("alice-app", "guess"), "Invalid signature"),
        (format!("{header}.{claims}."), "Invalid signature"),
        (good[..good.len() - 4].to_owned(), "Invalid signature"),
        ("x".repeat(20_000), "Bad token; too long"),
    ];
    for (token, message) in cases {
        let reply = api.call_with("/api", "authorization", &bearer(&token)).await;
        reply.is_refused(message);
        assert_eq!(reply.challenge.as_deref(), Some("Bearer realm=\"api\", error=\"invalid_token\""), "{message}");
    }
}

#[tokio::test]
async fn every_algorithm_is_verified_and_only_its_own() {
    let api = protected(json!({})).await;
    let rsa = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let p256 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let shared = EncodingKey::from_secret(b"a secret of some length");
    let rsa_key = EncodingKey::from_rsa_pem(rsa.serialize_pem().as_bytes()).unwrap();
    let ec = |pair: &KeyPair| EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
    let ed = EncodingKey::from_ed_pem(ed25519.serialize_pem().as_bytes()).unwrap();
    let (p256_key, p384_key) = (ec(&p256), ec(&p384));
    let cases = [
        ("HS256", Algorithm::HS256, None, &shared),
        ("HS384", Algorithm::HS384, None, &shared),
        ("HS512", Algorithm::HS512, None, &shared),
        ("RS256", Algorithm::RS256, Some(&rsa), &rsa_key),
        ("RS384", Algorithm::RS384, Some(&rsa), &rsa_key),
        ("RS512", Algorithm::RS512, Some(&rsa), &rsa_key),
        ("PS256", Algorithm::PS256, Some(&rsa), &rsa_key),
        ("PS384", Algorithm::PS384, Some(&rsa), &rsa_key),
        ("PS512", Algorithm::PS512, Some(&rsa), &rsa_key),
        ("ES256", Algorithm::ES256, Some(&p256), &p256_key),
        ("ES384", Algorithm::ES384, Some(&p384), &p384_key),
        ("EdDSA", Algorithm::EdDSA, Some(&ed25519), &ed),
    ];
    for (name, algorithm, public, key) in cases {
        let mut secret = json!({ "key": name, "algorithm": name, "secret": "a secret of some length" });
        secret["rsa_public_key"] = public.map_or(Value::Null, |pair| pair.public_key_pem().into());
        api.made("/consumers/alice/jwt", secret).await;
        let token = signed(&json!({ "iss": name }), algorithm, key);
        let reply = api.call_with("/api", "authorization", &bearer(&token)).await;
        assert_eq!(reply.upstream("x-credential-identifier"), Some(name));
        let other = if name == "HS256" { Algorithm::HS384 } else { Algorithm::HS256 };
        // The public key as a shared secret: the confusion that the credential's algorithm rules out.
        let pem = public.map_or("a secret of some length".to_owned(), KeyPair::public_key_pem);
        let confused = signed(&json!({ "iss": name }), other, &EncodingKey::from_secret(pem.as_bytes()));
        api.call_with("/api", "authorization", &bearer(&confused)).await.is_refused("Invalid algorithm");
        let (message, _) = token.rsplit_once('.').unwrap();
        let (_, foreign) = confused.rsplit_once('.').unwrap();
        let forged = api.call_with("/api", "authorization", &bearer(&format!("{message}.{foreign}"))).await;
        forged.is_refused("Invalid signature");
    }
}

#[tokio::test]
async fn es512_is_verified_too() {
    let api = protected(json!({})).await;
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
    let secret = json!({ "key": "wide", "algorithm": "ES512", "rsa_public_key": pair.public_key_pem() });
    api.made("/consumers/alice/jwt", secret).await;
    let message = format!("{}.{}", encoded(r#"{"alg":"ES512"}"#), encoded(r#"{"iss":"wide"}"#));
    let signer = EcdsaKeyPair::from_pkcs8(&ECDSA_P521_SHA512_FIXED_SIGNING, &pair.serialize_der()).unwrap();
    let signature = signer.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
    assert_eq!(api.call(&format!("/api?jwt={token}")).await.consumer(), Some("alice"));
}

#[tokio::test]
async fn claims_are_verified_where_asked() {
    let api = protected(json!({ "claims_to_verify": ["exp", "nbf"], "maximum_expiration": 600 })).await;
    let key = EncodingKey::from_secret(b"s3cret");
    let answer = |exp: Value, nbf: Value| {
        let claims = json!({ "iss": "alice-app", "exp": exp, "nbf": nbf });
        let token = signed(&claims, Algorithm::HS256, &key);
        async { api.call(&format!("/api?jwt={}", { token })).await }
    };
    let now = now();
    assert_eq!(answer(json!(now + 60), json!(now - 1)).await.consumer(), Some("alice"));
    let cases = [
        (json!(now - 1), json!(now - 1), json!({ "exp": "token expired" })),
        (json!(now + 60), json!(now + 60), json!({ "nbf": "token not valid yet" })),
        (json!("soon"), json!(now), json!({ "exp": "must be a number" })),
        (json!(now + 6000), json!(now), json!({ "exp": "exceeds maximum allowed expiration" })),
    ];
    for (exp, nbf, faults) in cases {
        let reply = answer(exp, nbf).await;
        assert_eq!((reply.status, &reply.body), (401, &faults));
        assert_eq!(reply.challenge.as_deref(), Some("Bearer error=\"invalid_token\""));
    }
}

#[tokio::test]
async fn secrets_may_be_base64_and_the_key_may_stand_in_the_header() {
    let api = protected(json!({ "secret_is_base64": true, "key_claim_name": "kid" })).await;
    let raw = [0u8, 1, 2, 250, 251, 252, 253, 254, 255];
    for (key, secret) in [("padded", STANDARD.encode(&raw[..8])), ("url", URL_SAFE_NO_PAD.encode(raw))] {
        api.made("/consumers/alice/jwt", json!({ "key": key, "secret": secret })).await;
        let bytes = if key == "padded" { &raw[..8] } else { &raw };
        let header = Header { kid: Some(key.to_owned()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &json!({}), &EncodingKey::from_secret(bytes)).unwrap();
        assert_eq!(api.call(&format!("/api?jwt={token}")).await.consumer(), Some("alice"), "{key}");
        let literal = EncodingKey::from_secret(secret.as_bytes());
        let token = signed(&json!({ "kid": key }), Algorithm::HS256, &literal);
        api.call(&format!("/api?jwt={token}")).await.is_refused("Invalid signature");
    }
    let none = signed(&json!({ "iss": "padded" }), Algorithm::HS256, &EncodingKey::from_secret(b"x"));
    api.call(&format!("/api?jwt={none}")).await.is_refused("No mandatory 'kid' in claims");
}

#[tokio::test]
async fn changes_take_effect_on_the_next_call() {
    let api = protected(json!({})).await;
    let call = |token: String| async { api.call_with("/api", "authorization", &bearer(&{ token })).await };
    let generated = api.made("/consumers/alice/jwt", json!({})).await;
    let (key, secret) = (generated["key"].as_str().unwrap(), generated["secret"].as_str().unwrap());
    assert_eq!((key.len(), secret.len(), &generated["algorithm"]), (32, 32, &json!("HS256")));
    assert_eq!(call(hs256(key, secret)).await.consumer(), Some("alice"));
    assert_eq!(api.admin(Method::PATCH, &format!("/jwts/{key}"), json!({ "secret": "other" })).await.0, 200);
    call(hs256(key, secret)).await.is_refused("Invalid signature");
    assert_eq!(call(hs256(key, "other")).await.consumer(), Some("alice"));
    api.deleted(&format!("/consumers/alice/jwt/{key}")).await;
    call(hs256(key, "other")).await.is_refused("No credentials found for given 'iss'");
    assert_eq!(call(hs256("alice-app", "s3cret")).await.consumer(), Some("alice"));
    api.deleted("/consumers/alice").await;
    call(hs256("alice-app", "s3cret")).await.is_refused("No credentials found for given 'iss'");
    assert_eq!(api.admin(Method::GET, "/jwts", Value::Null).await.1["data"], json!([]));
}

#[tokio::test]
async fn a_preflight_passes_where_it_may() {
    let api = protected(json!({ "run_on_preflight": false })).await;
    let options = api.http.request(Method::OPTIONS, api.gateway.url("proxy", "/api"));
    assert_eq!(sent(options).await.consumer(), None);
}

#[tokio::test]
async fn the_admin_api_judges_public_keys_and_settings() {
    let api = protected(json!({})).await;
    let fields = |body: Value| async {
        let (status, answer) = api.admin(Method::POST, "/consumers/alice/jwt", body).await;
        assert_eq!(status, 400, "{answer}");
        answer["fields"].clone()
    };
    let conditional = json!(["failed conditional validation given value of field 'algorithm'"]);
    assert_eq!(
        fields(json!({ "algorithm": "RS256" })).await,
        json!({ "@entity": conditional, "rsa_public_key": "required field missing" })
    );
    let p256 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    for (algorithm, pem) in
        [("RS256", "test".to_owned()), ("ES384", p256.public_key_pem()), ("ES256", p256.serialize_pem())]
    {
        assert_eq!(
            fields(json!({ "algorithm": algorithm, "rsa_public_key": pem })).await,
            json!({ "@entity": conditional, "rsa_public_key": "invalid key" }),
            "{algorithm}"
        );
    }
    let unknown = fields(json!({ "algorithm": "none" })).await;
    assert!(unknown["algorithm"].as_str().unwrap().starts_with("expected one of: HS256, HS384"), "{unknown}");
    let config = json!({ "name": "jwt", "config": { "maximum_expiration": 60 } });
    let (status, answer) = api.admin(Method::POST, "/plugins", config).await;
    assert_eq!((status, &answer["fields"]["config"]["claims_to_verify"]), (400, &json!("expected to contain: exp")));
    let found = api.admin(Method::GET, "/jwts/alice-app/consumer", Value::Null).await.1;
    assert_eq!(found["username"], "alice");
}
