//! Developers: who registers applications, and the roles they may have.

use serde_json::Value;

use crate::domain::{DeveloperStatus, LONGEST_NAME};
use crate::schema::{Check, Entity, Field, OnDelete, Schema, Seal, Write, checks};

const STATUSES: &[i64] = &[0, 1, 2, 3, 5];

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("email")
            .required()
            .unique()
            .rule(checks::email)
            .describe("Their address, usable in place of the id."),
        Field::integer("status")
            .required()
            .default(DeveloperStatus::Requested.code())
            .check(Check::OneOfIntegers(STATUSES))
            .describe("0 approved, 1 requested, 2 rejected, 3 revoked, 5 unverified; words are read too."),
        Field::string("meta")
            .check(Check::MaxLength(LONGEST_META))
            .rule(checks::json_object)
            .describe("What they told of themselves: a text that holds a JSON object."),
        Field::string("custom_id").unique().describe("Their id in another system."),
        Field::set("roles", Field::string("role"))
            .check(Check::MaxLength(MOST_ROLES))
            .describe("Names of the roles they have."),
        Field::foreign("consumer", "consumers", OnDelete::Cascade)
            .required()
            .unique()
            .immutable()
            .describe("The hidden consumer that stands for them."),
        Field::string("password_hash").seal(Seal::Sealed).internal(),
    ];
    Schema::new("developers", "A person who registers applications.", fields)
        .key("email")
        .without_collection()
        .filters(&["email", "status", "custom_id", "role"])
        .sorts(&["created_at", "email"])
        .confined(
            &["id", "email", "status", "meta", "custom_id", "roles", "password", "key"],
            &["email", "status", "meta", "custom_id", "roles"],
        )
        .shorthand(
            Field::string("password")
                .check(Check::MinLength(SHORTEST_PASSWORD))
                .check(Check::MaxLength(LONGEST_NAME))
                .describe("Write-only: what they log in with; stored hashed."),
        )
        .shorthand(
            Field::string("key")
                .check(Check::MaxLength(LONGEST_NAME))
                .describe("Write-only: an API key for the portal."),
        )
        .expand(readable)
}

pub(super) fn roles() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::string("name").required().unique().rule(checks::name).describe("Its name, usable in place of the id."),
        Field::string("comment").check(Check::MaxLength(LONGEST_NAME)).describe("What it is for."),
    ];
    Schema::new("developer_roles", "A role that developers may have.", fields)
        .key("name")
        .without_collection()
        .sorts(&["created_at", "name"])
}

/// Each is looked up when it is given.
const MOST_ROLES: usize = 100;
/// Characters of `meta`: a form's worth of answers.
const LONGEST_META: usize = 16 * 1024;
/// Characters of a password; longer counts for more than more kinds of characters (NIST SP 800-63B).
const SHORTEST_PASSWORD: usize = 8;

/// Addresses differ in no letter's case; a status may be said by its word, `meta` as the object itself.
fn readable(_: Write, body: &mut Entity) {
    if let Some(Value::String(email)) = body.get_mut("email") {
        *email = email.trim().to_lowercase();
    }
    if let Some(Value::String(word)) = body.get("status")
        && let Some(status) = DeveloperStatus::of_word(word)
    {
        body.insert("status".to_owned(), status.code().into());
    }
    if let Some(meta @ Value::Object(_)) = body.get("meta") {
        let text = meta.to_string();
        body.insert("meta".to_owned(), text.into());
    }
}
