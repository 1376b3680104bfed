//! A policy and a client for this room's tests.

use std::sync::Arc;

use uuid::Uuid;

use super::{Allowed, Pkce, Place, Policy, Profile};
use crate::domain::{ClientSecret, ClientType, ClientView, Consumer, LiveSecret, Secret};

pub fn policy() -> Policy {
    Policy {
        scopes: vec!["email".into(), "phone".into()],
        mandatory_scope: false,
        provision_key: Secret::new("provision"),
        token_expiration: 7200,
        authorization_code: true,
        implicit: true,
        client_credentials: true,
        password: true,
        global_credentials: false,
        refresh_token_ttl: 1_209_600,
        refresh_grace: 10,
        reuse_refresh_token: false,
        pkce: Pkce::Lax,
        profile: Profile::Kong,
    }
}

pub fn client() -> ClientView {
    ClientView {
        credential_id: Uuid::from_u128(1),
        client_id: "app".into(),
        name: "App".into(),
        secrets: vec![secret(ClientSecret::Clear(Secret::new("secret")))],
        client_type: ClientType::Confidential,
        redirect_uris: vec!["https://client/cb".into(), "https://client/other".into()],
        consumer: Arc::new(Consumer { id: Uuid::from_u128(2), username: Some("bob".into()), custom_id: None }),
    }
}

/// A secret that does not end.
pub fn secret(secret: ClientSecret) -> LiveSecret {
    LiveSecret { secret, expires_at: None }
}

/// A place that everything of the policy can be had at.
pub fn place(policy: &Policy) -> Place<'_> {
    let (plugin, service) = (Uuid::from_u128(8), Some(Uuid::from_u128(7)));
    Place { policy, plugin, service, gate: None, allowed: Allowed::All }
}
