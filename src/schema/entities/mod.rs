//! The built-in entities, one file each.
//!
//! **Invariants:** every entity has `id` and `created_at`; a reference's schema stands before the one that refers.
//!
//! **Absent on purpose:** plugins' configurations (they belong to the plugins), rules that need the store.

mod application_instances;
mod applications;
mod ca_certificates;
mod certificates;
mod consumers;
mod developers;
mod document_objects;
mod jwt_secrets;
mod keyauth_credentials;
mod oauth2_authorization_codes;
mod oauth2_credentials;
mod oauth2_tokens;
mod plugins;
mod registration_bodies;
mod routes;
mod services;
mod snis;

use super::Schema;

pub use oauth2_credentials::APPLICATIONS_CREDENTIAL;
pub use registration_bodies::{client_secret, invitation};

/// Every built-in entity; what refers stands after what it refers to.
pub fn all() -> Vec<Schema> {
    vec![
        certificates::schema(),
        ca_certificates::schema(),
        snis::schema(),
        services::schema(),
        routes::schema(),
        consumers::schema(),
        plugins::schema(),
        oauth2_credentials::schema(),
        oauth2_tokens::schema(),
        keyauth_credentials::schema(),
        jwt_secrets::schema(),
        developers::roles(),
        developers::schema(),
        applications::schema(),
        application_instances::schema(),
        document_objects::schema(),
    ]
}

/// Entities that are described and judged, and have no collection of their own.
pub fn without_collection() -> Vec<Schema> {
    vec![oauth2_authorization_codes::schema()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Kind;

    #[test]
    fn references_come_after_what_they_refer_to() {
        let mut seen = Vec::new();
        for schema in all() {
            for field in &schema.fields {
                if let Kind::Foreign { entity, .. } = field.kind {
                    assert!(seen.contains(&entity), "{}.{} refers to {entity}", schema.name, field.name);
                }
            }
            seen.push(schema.name);
        }
    }

    #[test]
    fn keys_are_unique_fields() {
        for schema in all() {
            if let Some(key) = schema.key {
                assert!(schema.field(key).unwrap().unique, "{}.{key}", schema.name);
            }
        }
    }
}
