//! The configuration schema.

use super::{NAME, PRIORITY};
use crate::schema::{Field, PluginSchema, checks};

pub fn schema() -> PluginSchema {
    PluginSchema::new(NAME, PRIORITY, fields()).without_consumer()
}

fn flag(name: &'static str, default: bool) -> Field {
    Field::boolean(name).default(default).required()
}

fn fields() -> Vec<Field> {
    vec![
        Field::array("key_names", Field::string("key_name").rule(checks::header_field))
            .default(vec!["apikey"])
            .required()
            .describe("Under which names a key may come; the first one found counts."),
        flag("hide_credentials", false).describe("Whether the key is removed before the upstream sees the request."),
        Field::string("anonymous").describe("Consumer (id or username) that calls without a good key are made as."),
        flag("key_in_header", true).describe("Whether keys are looked for in header fields."),
        flag("key_in_query", true).describe("Whether keys are looked for in the query."),
        flag("key_in_body", false).describe("Whether keys are looked for in form and JSON bodies."),
        flag("run_on_preflight", true).describe("Whether OPTIONS requests need a key too."),
        Field::string("realm").describe("The realm of WWW-Authenticate challenges."),
    ]
}
