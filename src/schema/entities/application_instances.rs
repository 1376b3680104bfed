//! Contracts: which application may call which service.

use serde_json::Value;

use crate::domain::{ContractStatus, LONGEST_NAME};
use crate::schema::{Check, Entity, Field, OnDelete, Schema, Write};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("composite_id").unique().describe("Computed: `<application id>_<service id>`."),
        Field::foreign("application", "applications", OnDelete::Cascade).required().immutable().describe("Who asks."),
        Field::foreign("service", "services", OnDelete::Cascade).required().immutable().describe("What is asked for."),
        Field::integer("status")
            .required()
            .default(ContractStatus::Requested.code())
            .check(Check::OneOfIntegers(&[0, 1, 2, 3]))
            .describe("0 approved, 1 requested, 2 rejected, 3 revoked; words are read too."),
        Field::boolean("suspended").required().default(false).describe("Whether it is closed for a while."),
        Field::set("scopes", Field::string("scope").rule(one_word))
            .check(Check::MaxLength(MOST_SCOPES))
            .describe("The scopes its tokens may have; null: the plugin's."),
        Field::string("note")
            .check(Check::MaxLength(LONGEST_NAME))
            .describe("What the administrator tells the developer."),
    ];
    Schema::new("application_instances", "A contract of an application with a service.", fields)
        .without_collection()
        .filters(&["status", "application.id", "service.id"])
        .sorts(&["created_at"])
        .confined(&["id", "service", "scopes"], &["status", "suspended", "scopes", "note"])
        .expand(words)
        .derive(compose)
}

const MOST_SCOPES: usize = 100;

/// Scopes are told apart by white space.
fn one_word(scope: &Value) -> Option<String> {
    scope.as_str()?.contains(char::is_whitespace).then(|| "must be one word".to_owned())
}

/// One contract per application and service.
fn compose(contract: &mut Entity) {
    let id = |field: &str| contract.get(field)?.get("id")?.as_str().map(str::to_owned);
    if let (Some(application), Some(service)) = (id("application"), id("service")) {
        contract.insert("composite_id".to_owned(), format!("{application}_{service}").into());
    }
}

/// A status may be said by its word.
fn words(_: Write, body: &mut Entity) {
    if let Some(Value::String(word)) = body.get("status")
        && let Some(status) = ContractStatus::of_word(word)
    {
        body.insert("status".to_owned(), status.code().into());
    }
}
