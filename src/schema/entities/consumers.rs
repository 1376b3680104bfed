//! Consumers: the parties calls are made for.

use crate::schema::checks::at_least_one_of;
use crate::schema::{Field, Schema};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("username").unique().describe("Its name, usable in place of the id."),
        Field::string("custom_id").unique().describe("Its id in another system."),
        Field::tags(),
        Field::integer("type").default(0).internal(),
    ];
    Schema::new("consumers", "A party that calls are made for.", fields)
        .key("username")
        .filters(&["username", "custom_id"])
        .check(|consumer| at_least_one_of(consumer, &["custom_id", "username"]))
}
