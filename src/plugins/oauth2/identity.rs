//! What the upstream is told of a token, beside whose it is.

use super::Config;
use crate::domain::TokenView;
use crate::plugins::{Call, identity};

pub(super) fn authenticated(config: &Config, view: &TokenView, call: &mut Call<'_>) {
    identity::authenticated(&view.consumer, view.credential_id, &view.client_id, call);
    if let Some(scope) = &view.scope {
        if config.scope_header_separator == " " {
            identity::set(call, "X-Authenticated-Scope", scope);
        } else {
            let words: Vec<&str> = scope.split_whitespace().collect();
            identity::set(call, "X-Authenticated-Scope", &words.join(&config.scope_header_separator));
        }
    }
    if let Some(user) = &view.authenticated_userid {
        identity::set(call, "X-Authenticated-Userid", user);
    }
}
