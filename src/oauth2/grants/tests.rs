//! What each grant earns.

use super::*;
use crate::domain::{NewCode, TokenDigest};
use crate::oauth2::fixtures::{client, policy};

const NOW: Timestamp = Timestamp::from_seconds(1000);
const SERVICE: Uuid = Uuid::from_u128(7);
const PLUGIN: Uuid = Uuid::from_u128(8);

fn place(policy: &Policy) -> Place<'_> {
    Place { policy, plugin: PLUGIN, service: Some(SERVICE) }
}

fn code() -> Code {
    let issued = NewCode {
        id: Uuid::from_u128(3),
        digest: TokenDigest([0; 32]),
        credential_id: client().credential_id,
        service_id: Some(SERVICE),
        plugin_id: PLUGIN,
        scope: Some("email".into()),
        authenticated_userid: Some("user".into()),
        challenge: None,
        challenge_method: None,
        redirect_uri: None,
        family_id: Uuid::from_u128(4),
        created_at: NOW,
        expires_at: NOW.plus_seconds(300),
    };
    Code { issued, state: CodeState::Unused }
}

fn exchanged(code: &Code, policy: &Policy, form: &str) -> Result<Decision, OAuthError> {
    exchange(&Params::from_form(form.as_bytes()), place(policy), &client(), Some(code), NOW)
}

#[test]
fn a_grant_that_is_off_is_unknown() {
    let asked = |form: &str, policy: &Policy| grant_type(&Params::from_form(form.as_bytes()), policy);
    assert_eq!(asked("grant_type=client_credentials", &policy()), Ok(GrantType::ClientCredentials));
    let off = Policy { client_credentials: false, password: false, authorization_code: false, ..policy() };
    for form in ["grant_type=client_credentials", "grant_type=password", "", "grant_type=wot"] {
        assert_eq!(asked(form, &off), Err(OAuthError::UnsupportedGrantType), "{form}");
    }
    assert_eq!(asked("grant_type=authorization_code", &off), Ok(GrantType::AuthorizationCode));
    assert_eq!(asked("grant_type=refresh_token", &off), Ok(GrantType::RefreshToken));
}

#[test]
fn scopes_must_be_the_plugins() {
    let asked = |form: &str| scope(&Params::from_form(form.as_bytes()), &policy());
    assert_eq!(asked("scope=phone+email"), Ok(Some("phone email".into())));
    assert_eq!(asked(""), Ok(None));
    assert_eq!(asked("scope=wot"), Err(OAuthError::UnknownScope("wot".into())));
    assert_eq!(asked("scope=email&scope=phone"), Err(OAuthError::ScopeNotText));
    let mandatory = Policy { mandatory_scope: true, ..policy() };
    assert_eq!(scope(&Params::from_form(b"scope=+"), &mandatory), Err(OAuthError::ScopeRequired));
}

#[test]
fn a_user_id_needs_the_provision_key() {
    let asked = |form: &str| client_credentials(&Params::from_form(form.as_bytes()), &policy());
    assert_eq!(asked("authenticated_userid=u"), Err(OAuthError::InvalidProvisionKey));
    let granted = asked("authenticated_userid=u&provision_key=provision").unwrap();
    assert_eq!(granted.authenticated_userid.as_deref(), Some("u"));
    assert_eq!(asked("provision_key=wrong").unwrap().authenticated_userid, None);
    let password = |form: &str| password(&Params::from_form(form.as_bytes()), &policy());
    assert_eq!(password("authenticated_userid=u"), Err(OAuthError::InvalidProvisionKey));
    assert_eq!(password("provision_key=provision"), Err(OAuthError::MissingUserid));
    assert!(password("provision_key=provision&authenticated_userid=u").is_ok());
}

#[test]
fn a_code_is_good_for_its_client_service_and_time() {
    let earned = Earned { scope: Some("email".into()), authenticated_userid: Some("user".into()) };
    assert_eq!(exchanged(&code(), &policy(), ""), Ok(Decision::Issue(earned)));
    let mut other = code();
    other.issued.credential_id = Uuid::from_u128(99);
    assert_eq!(exchanged(&other, &policy(), ""), Err(OAuthError::InvalidCode));
    let mut other = code();
    other.issued.service_id = Some(Uuid::from_u128(99));
    assert_eq!(exchanged(&other, &policy(), ""), Err(OAuthError::InvalidCode));
    let mut ended = code();
    ended.issued.expires_at = NOW;
    assert_eq!(exchanged(&ended, &policy(), ""), Err(OAuthError::InvalidCode));
    let missing = exchange(&Params::default(), place(&policy()), &client(), None, NOW);
    assert_eq!(missing, Err(OAuthError::InvalidCode));
}

#[test]
fn a_global_code_is_bound_to_its_plugin_instead() {
    let global = Policy { global_credentials: true, ..policy() };
    let mut anywhere = code();
    anywhere.issued.service_id = None;
    assert!(matches!(exchanged(&anywhere, &global, ""), Ok(Decision::Issue(_))));
    anywhere.issued.plugin_id = Uuid::from_u128(99);
    assert_eq!(exchanged(&anywhere, &global, ""), Err(OAuthError::InvalidCode));
}

#[test]
fn a_used_code_is_a_replay_also_after_its_end() {
    let mut used = code();
    used.state = CodeState::Redeemed { at: NOW };
    used.issued.expires_at = NOW;
    assert_eq!(exchanged(&used, &policy(), ""), Ok(Decision::Replay));
}

#[test]
fn rfc9700_binds_a_code_to_its_redirect_uri_and_wants_pkce() {
    let strict = Policy { profile: Profile::Rfc9700, ..policy() };
    assert_eq!(exchanged(&code(), &strict, ""), Err(OAuthError::VerifierMissing));
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let mut bound = code();
    bound.issued.challenge = Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into());
    bound.issued.redirect_uri = Some("https://client/cb".into());
    let form = |uri: &str| format!("code_verifier={verifier}&redirect_uri={uri}");
    assert!(exchanged(&bound, &strict, &form("https://client/cb")).is_ok());
    assert_eq!(exchanged(&bound, &strict, &form("https://client/other")), Err(OAuthError::InvalidCode));
}

#[test]
fn a_refresh_token_is_good_for_its_client_service_and_scopes() {
    let row = RefreshView {
        id: Uuid::from_u128(5),
        credential_id: client().credential_id,
        service_id: Some(SERVICE),
        scope: Some("email".into()),
        authenticated_userid: Some("user".into()),
        family_id: None,
        access_token: TokenDigest([0; 32]),
        expires_at: None,
    };
    let asked = |row: &RefreshView| refresh(place(&policy()), &client(), Some(row), true);
    assert_eq!(asked(&row).unwrap().scope.as_deref(), Some("email"));
    let foreign = RefreshView { credential_id: Uuid::from_u128(99), ..row.clone() };
    assert_eq!(asked(&foreign), Err(OAuthError::InvalidClient { in_header: true }));
    let elsewhere = RefreshView { service_id: Some(Uuid::from_u128(99)), ..row.clone() };
    assert_eq!(asked(&elsewhere), Err(OAuthError::InvalidRefreshToken));
    let outgrown = RefreshView { scope: Some("email gone".into()), ..row };
    assert_eq!(asked(&outgrown), Err(OAuthError::ScopeMismatch));
    assert_eq!(refresh(place(&policy()), &client(), None, false), Err(OAuthError::InvalidRefreshToken));
}
