//! What each grant earns.

use super::*;
use std::sync::Arc;

use crate::domain::{ApplicationView, ContractStatus, ContractView, DeveloperStatus, NewCode, TokenDigest};
use crate::oauth2::fixtures::{client, place, policy};

const NOW: Timestamp = Timestamp::from_seconds(1000);
const SERVICE: Uuid = Uuid::from_u128(7);
const PLUGIN: Uuid = Uuid::from_u128(8);

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
    let asked = |form: &str| scope(&Params::from_form(form.as_bytes()), place(&policy()));
    assert_eq!(asked("scope=phone+email"), Ok(Some("phone email".into())));
    assert_eq!(asked(""), Ok(None));
    assert_eq!(asked("scope=wot"), Err(OAuthError::UnknownScope("wot".into())));
    assert_eq!(asked("scope=email&scope=phone"), Err(OAuthError::ScopeNotText));
    let mandatory = Policy { mandatory_scope: true, ..policy() };
    assert_eq!(scope(&Params::from_form(b"scope=+"), place(&mandatory)), Err(OAuthError::ScopeRequired));
}

#[test]
fn a_user_id_needs_the_provision_key() {
    let asked = |form: &str| client_credentials(&Params::from_form(form.as_bytes()), place(&policy()));
    assert_eq!(asked("authenticated_userid=u"), Err(OAuthError::InvalidProvisionKey));
    let granted = asked("authenticated_userid=u&provision_key=provision").unwrap();
    assert_eq!(granted.authenticated_userid.as_deref(), Some("u"));
    assert_eq!(asked("provision_key=wrong").unwrap().authenticated_userid, None);
    let password = |form: &str| password(&Params::from_form(form.as_bytes()), place(&policy()));
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

fn contract(status: ContractStatus, scopes: Option<&[&str]>) -> Standing {
    let scopes = scopes.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
    let contract = Some(ContractView { status, suspended: false, scopes });
    let developer = DeveloperStatus::Approved;
    Standing::Application(Arc::new(ApplicationView { id: Uuid::nil(), name: "a".into(), developer, contract }))
}

#[test]
fn a_gate_settles_what_a_client_may_have() {
    let policy = policy();
    let gated = |consumers| Place { gate: Some(Gate { consumers, reasons: false }), ..place(&policy) };
    let approved = contract(ContractStatus::Approved, None);
    assert_eq!(gated(false).of(&approved).check(), Ok(()));
    let pending = contract(ContractStatus::Requested, None);
    let refused = OAuthError::NotApproved(Refused::Requested);
    assert_eq!(refused.code(), "unauthorized_client");
    assert_eq!(gated(true).of(&pending).check(), Err(refused));
    let stranger = Err(OAuthError::NotApproved(Refused::NotAnApplication));
    assert_eq!(gated(false).of(&Standing::Stranger).check(), stranger);
    assert_eq!(gated(true).of(&Standing::Stranger).check(), Ok(()));
    assert_eq!(place(&policy).of(&pending).check(), Ok(()), "without a gate nobody asks");
}

#[test]
fn scopes_are_those_of_policy_and_contract() {
    let policy = policy();
    let gated = Place { gate: Some(Gate { consumers: false, reasons: false }), ..place(&policy) };
    let standing = contract(ContractStatus::Approved, Some(&["email", "admin"]));
    let place = gated.of(&standing);
    let asked = |form: &str| scope(&Params::from_form(form.as_bytes()), place);
    assert_eq!(asked("scope=email"), Ok(Some("email".into())));
    assert_eq!(asked("scope=phone"), Err(OAuthError::UnknownScope("phone".into())), "not the contract's");
    assert_eq!(asked("scope=admin"), Err(OAuthError::UnknownScope("admin".into())), "not the plugin's");
    let mut presented = code();
    presented.issued.scope = Some("email phone".into());
    let exchanged = exchange(&Params::default(), place, &client(), Some(&presented), NOW);
    assert_eq!(exchanged, Err(OAuthError::ScopeMismatch), "the contract has lost a scope since");
    let row = |scope: &str| RefreshView {
        id: Uuid::from_u128(9),
        credential_id: client().credential_id,
        service_id: Some(SERVICE),
        scope: Some(scope.into()),
        authenticated_userid: None,
        family_id: None,
        access_token: TokenDigest([0; 32]),
        expires_at: None,
    };
    assert!(refresh(place, &client(), Some(&row("email")), false).is_ok());
    assert_eq!(refresh(place, &client(), Some(&row("phone")), false), Err(OAuthError::ScopeMismatch));
    let none = contract(ContractStatus::Approved, Some(&[]));
    assert_eq!(scope(&Params::from_form(b""), gated.of(&none)), Ok(None));
}
