//! An `oauth2` plugin's configuration, as the protocol sees it (oauth2.md section 1).

use crate::domain::Secret;

/// One plugin instance's rules.
#[derive(Clone, Debug)]
pub struct Policy {
    pub scopes: Vec<String>,
    pub mandatory_scope: bool,
    pub provision_key: Secret,
    /// Seconds; 0 = never expires.
    pub token_expiration: i64,
    pub authorization_code: bool,
    pub implicit: bool,
    pub client_credentials: bool,
    pub password: bool,
    pub global_credentials: bool,
    /// Seconds; 0 = the row never ends.
    pub refresh_token_ttl: i64,
    pub reuse_refresh_token: bool,
    /// Seconds in which a rotated refresh token gets the same new pair again.
    pub refresh_grace: i64,
    /// As configured; [`Policy::pkce`] is what holds.
    pub pkce: Pkce,
    pub profile: Profile,
}

impl Policy {
    /// Who must use PKCE: rfc9700 asks it of everybody.
    pub fn pkce(&self) -> Pkce {
        match self.profile {
            Profile::Kong => self.pkce,
            Profile::Rfc9700 => Pkce::Strict,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkce {
    None,
    Lax,
    Strict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Kong,
    Rfc9700,
}
