//! OAuth 2.0 credentials: applications of a consumer.

use crate::schema::checks::redirect_uri;
use crate::schema::{Auto, Check, Field, OnDelete, Schema, Seal};

/// What a body may say of the credential of an application when it is made, and to change it.
pub const APPLICATIONS_CREDENTIAL: (&[&str], &[&str]) = (
    &["id", "name", "client_id", "client_secret", "redirect_uris", "hash_secret", "client_type", "tags"],
    &["redirect_uris"],
);

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::foreign("consumer", "consumers", OnDelete::Cascade).required().describe("Whose application it is."),
        Field::string("name").required().describe("The application's name."),
        Field::string("client_id").required().unique().auto(Auto::Token).describe("Generated when missing."),
        Field::string("client_secret")
            .required()
            .auto(Auto::Token)
            .seal(Seal::Sealed)
            // Of a secret that was removed, or has ended, the empty text is left; nobody may give it.
            .check(Check::MinLength(0))
            .describe("Generated when missing; a PHC string when hashed."),
        Field::boolean("hash_secret").required().default(false).describe("Whether the secret is stored hashed."),
        Field::array("redirect_uris", Field::string("redirect_uri").rule(redirect_uri))
            .describe("Where answers may be sent; the first one is the default."),
        Field::string("client_type")
            .required()
            .default("confidential")
            .one_of(&["confidential", "public"])
            .describe("Whether the application can keep a secret."),
        Field::tags(),
        Field::timestamp("client_secret_expires_at").internal(),
    ];
    Schema::new("oauth2_credentials", "An application that asks for tokens.", fields)
        .key("client_id")
        .path("oauth2")
        .filters(&["client_id", "consumer.id"])
}
