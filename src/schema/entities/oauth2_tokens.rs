//! OAuth 2.0 tokens: an access token and the refresh token that came with it.

use serde_json::{Map, Value};

use crate::domain::LONGEST_NAME;
use crate::schema::{Auto, Check, Entity, Field, OnDelete, Schema, Seal, Write};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::foreign("credential", "oauth2_credentials", OnDelete::Cascade)
            .required()
            .describe("The application it was issued to."),
        Field::foreign("service", "services", OnDelete::Cascade)
            .describe("The service it is for; null: a global token."),
        Field::string("token_type").required().default("bearer").one_of(&["bearer"]).describe("Always `bearer`."),
        Field::integer("expires_in").required().describe("Seconds after `created_at`; 0 never expires."),
        Field::string("access_token")
            .required()
            .unique()
            .auto(Auto::Token)
            .seal(Seal::Lookup)
            .describe("Generated when missing."),
        Field::string("refresh_token").unique().seal(Seal::Lookup).describe("Null: it cannot be refreshed."),
        Field::string("authenticated_userid").check(Check::MaxLength(LONGEST_NAME)).describe("The user it speaks for."),
        Field::string("scope").describe("Its scopes, separated by spaces."),
        Field::uuid("family_id").internal(),
        Field::timestamp("expires_at").internal(),
        Field::boolean("custom").internal(),
        Field::integer("issued_after").internal(),
    ];
    Schema::new("oauth2_tokens", "An access token.", fields)
        .key("access_token")
        .filters(&["credential.id", "service.id", "authenticated_userid", "refresh_token", "access_token"])
        .strict_filters()
        .virtual_field(
            Field::integer("ttl").between(0, 100_000_000_000).describe("Seconds until the row ends; null: never."),
        )
        .virtual_field(Field::uuid("credential_id").describe("Older spelling of `credential.id`."))
        .virtual_field(Field::uuid("service_id").describe("Older spelling of `service.id`."))
        .virtual_field(Field::integer("expires_at").describe("Read-only: when the access token expires."))
        .expand(older_names)
}

/// Answers carry the older names beside the new ones; sent back they must not be faults, and not win either.
fn older_names(_: Write, body: &mut Entity) {
    for (older, name) in [("credential_id", "credential"), ("service_id", "service")] {
        if let Some(Value::String(id)) = body.get(older).cloned()
            && !body.contains_key(name)
        {
            body.insert(name.to_owned(), Value::Object(Map::from_iter([("id".to_owned(), id.into())])));
        }
    }
}
