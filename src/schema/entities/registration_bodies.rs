//! Bodies of application registration that are no entities.

use crate::schema::{Check, Field, Schema, checks};

/// What a body may say of a further secret of a credential.
pub fn client_secret() -> Schema {
    let end = Field::timestamp("expires_at").describe("When it ends, in seconds; null: it does not.");
    Schema::new("client_secrets", "A further secret of a credential.", vec![end]).without_collection()
}

/// Who is to be invited.
pub fn invitation() -> Schema {
    let emails = Field::array("emails", Field::string("email").rule(checks::email))
        .required()
        .check(Check::MinLength(1))
        .check(Check::MaxLength(MOST_INVITED))
        .describe("Their addresses.");
    Schema::new("invitations", "An invitation to the portal.", vec![emails]).without_collection()
}

/// Each is a mail.
const MOST_INVITED: usize = 100;
