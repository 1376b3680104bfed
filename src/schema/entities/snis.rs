//! Server names and the certificate shown for each.

use crate::schema::{Field, OnDelete, Schema, checks};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("name").required().unique().rule(checks::wildcard_sni).describe("A host name; `*` at one end."),
        Field::foreign("certificate", "certificates", OnDelete::Cascade).required().describe("What is shown for it."),
        Field::tags(),
    ];
    Schema::new("snis", "A server name of the TLS handshake.", fields).key("name")
}
