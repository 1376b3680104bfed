//! Plugins: what happens to requests on a route, on a service, for a consumer, or everywhere.

use crate::schema::plugin::{DEFAULT_PROTOCOLS, PROTOCOLS};
use crate::schema::{Field, OnDelete, Schema, Seal, checks};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("name").required().describe("Which plugin it is."),
        Field::string("instance_name").unique().rule(checks::name).describe("Its name, usable in place of the id."),
        Field::foreign("service", "services", OnDelete::Cascade).describe("The service it stands on; null: all."),
        Field::foreign("route", "routes", OnDelete::Cascade).describe("The route it stands on; null: all."),
        Field::foreign("consumer", "consumers", OnDelete::Cascade).describe("The consumer it is for; null: all."),
        Field::json("config").describe("The plugin's settings; see `/schemas/plugins/{name}`."),
        Field::set("protocols", Field::string("protocol").one_of(PROTOCOLS))
            .required()
            .default(DEFAULT_PROTOCOLS.to_vec())
            .describe("The protocols it runs on."),
        Field::boolean("enabled").required().default(true).describe("Whether it runs."),
        Field::tags(),
        Field::string("provision_key").unique().seal(Seal::Lookup).internal(),
        Field::string("cache_key").unique().internal(),
        Field::string("display_name").unique().internal(),
    ];
    Schema::new("plugins", "Behaviour added to requests.", fields).key("instance_name")
}
