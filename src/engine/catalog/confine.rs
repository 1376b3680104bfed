//! What a caller may say of an entity that has fields of the gateway's own.

use super::{CatalogError, Draft};
use crate::schema::{Body, Schema, Violations, Write};

/// Takes from a body what the schema does not let it say; each such field is a violation.
pub(in crate::engine) fn confine(schema: &Schema, write: Write, body: &mut Body) -> Violations {
    let allowed = if write == Write::Patch { schema.patched } else { schema.posted };
    allowed.map_or_else(Violations::new, |allowed| confine_to(allowed, schema, write, body))
}

/// The same for entities that may say more elsewhere.
pub(in crate::engine) fn confine_to(allowed: &[&str], schema: &Schema, write: Write, body: &mut Body) -> Violations {
    let mut violations = Violations::new();
    body.fields.retain(|name, _| {
        let text = match (schema.field(name).is_some_and(|field| !field.internal), write) {
            _ if allowed.contains(&name.as_str()) => return true,
            (true, Write::Patch) => "immutable field cannot be updated",
            (true, Write::Insert | Write::Replace) => "cannot be set",
            (false, _) => "unknown field",
        };
        violations.add(name, text);
        false
    });
    violations
}

/// A judged body, unless more is wrong with it than the schema knows; all of that at once.
pub(in crate::engine) fn judged(
    mut violations: Violations,
    drafted: Result<Draft, CatalogError>,
) -> Result<Draft, CatalogError> {
    match drafted {
        Ok(draft) if violations.is_empty() => Ok(draft),
        Ok(_) => Err(violations.into()),
        Err(CatalogError::Violations(more)) => {
            violations.merge(more);
            Err(violations.into())
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Entity, Field};
    use serde_json::json;

    #[test]
    fn what_is_not_allowed_is_told_and_taken_out() {
        let schema = Schema::new("things", "", vec![Field::string("name"), Field::string("owner")]);
        let fields: Entity = json!({"name": "a", "owner": "b", "wat": 1}).as_object().unwrap().clone();
        let mut body = Body::json(fields);
        let violations = confine(&schema.confined(&["owner"], &["name"]), Write::Patch, &mut body);
        assert_eq!(violations.to_json(), json!({"owner": "immutable field cannot be updated", "wat": "unknown field"}));
        assert_eq!(json!(body.fields), json!({"name": "a"}));
    }
}
