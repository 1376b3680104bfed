//! Authorization codes, as Kong describes them. They have no collection: the gateway makes, keeps and uses them up itself.

use crate::domain::LONGEST_NAME;
use crate::schema::{Auto, Check, Field, OnDelete, Schema, Seal};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::foreign("service", "services", OnDelete::Cascade)
            .describe("The service it is for; null: a global code."),
        Field::foreign("credential", "oauth2_credentials", OnDelete::Cascade)
            .required()
            .describe("The application it is for."),
        Field::foreign("plugin", "plugins", OnDelete::Cascade).describe("The plugin that made it."),
        Field::string("code").required().unique().auto(Auto::Token).seal(Seal::Lookup).describe("The code itself."),
        Field::string("authenticated_userid").check(Check::MaxLength(LONGEST_NAME)).describe("The user who agreed."),
        Field::string("scope").describe("Its scopes, separated by spaces."),
        Field::string("challenge").describe("What the verifier of PKCE must fit."),
        Field::string("challenge_method").one_of(&["S256"]).describe("How it must fit."),
    ];
    Schema::new("oauth2_authorization_codes", "An authorization code.", fields)
}
