//! Documents: the OpenAPI text of a service, one each.

use crate::schema::{Check, Field, OnDelete, Schema};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::foreign("service", "services", OnDelete::Cascade)
            .required()
            .unique()
            .immutable()
            .describe("What it describes."),
        Field::string("path")
            .required()
            .check(Check::MinLength(1))
            .check(Check::MaxLength(LONGEST_PATH))
            .describe("What the document is called, as `specs/orders.yaml`."),
        Field::string("contents")
            .check(Check::MaxLength(LONGEST_DOCUMENT))
            .describe("The OpenAPI document itself, JSON or YAML."),
    ];
    Schema::new("document_objects", "The OpenAPI document of a service.", fields).without_collection()
}

const LONGEST_PATH: usize = 1024;
/// Characters; the longest published descriptions have about five million.
const LONGEST_DOCUMENT: usize = 6 * 1024 * 1024;
