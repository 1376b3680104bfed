//! API keys of a consumer.

use crate::schema::{Auto, Field, OnDelete, Schema, Seal};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::foreign("consumer", "consumers", OnDelete::Cascade).required().describe("Whose key it is."),
        Field::string("key")
            .required()
            .unique()
            .auto(Auto::Token)
            .seal(Seal::Lookup)
            .describe("Generated when missing."),
        Field::timestamp("expires_at").internal(),
        Field::tags(),
    ];
    Schema::new("keyauth_credentials", "An API key.", fields)
        .key("key")
        .path("key-auths")
        .nested("key-auth")
        .filters(&["key", "consumer.id"])
        .virtual_field(
            Field::integer("ttl").between(0, 100_000_000_000).describe("Seconds until the key ends; null: never."),
        )
}
