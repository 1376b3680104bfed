//! Credentials: secrets that are kept hashed.

use serde_json::Value;

use super::{Catalog, CatalogError};
use crate::domain::Secret;
use crate::engine::catalog::write::across;
use crate::schema::Entity;

/// Changing one without the other would leave a secret nobody can tell the form of.
pub(super) fn secret_and_its_kind_together(body: &Entity) -> Result<(), CatalogError> {
    let given = ["hash_secret", "client_secret"].iter().filter(|name| body.contains_key(**name)).count();
    match given {
        1 => Err(across("all or none of these fields must be set: 'hash_secret', 'client_secret'".to_owned())),
        _ => Ok(()),
    }
}

/// Hashes a clear secret where the credential asks for it. A value that is a hash already is kept as it stands, so that
/// a dump can be restored.
pub(super) async fn hash_secret(
    catalog: &Catalog,
    old: Option<&Entity>,
    credential: &mut Entity,
) -> Result<(), CatalogError> {
    let hashed = credential.get("hash_secret").and_then(Value::as_bool).unwrap_or(false);
    let Some(secret) = credential.get("client_secret").and_then(Value::as_str) else { return Ok(()) };
    let unchanged = old.is_some_and(|old| {
        old.get("client_secret").and_then(Value::as_str) == Some(secret)
            && old.get("hash_secret").and_then(Value::as_bool) == Some(true)
    });
    if !hashed || unchanged || is_phc(secret) {
        return Ok(());
    }
    let phc = catalog.ports.hash(Secret::new(secret)).await?;
    credential.insert("client_secret".to_owned(), phc.reveal().into());
    Ok(())
}

/// `$argon2id$v=19$m=…$salt$hash`, or Kong's `$pbkdf2-sha512$i=…,l=…$salt$hash`.
fn is_phc(text: &str) -> bool {
    let parts: Vec<&str> = text.split('$').collect();
    let known = match parts.as_slice() {
        ["", "argon2id", version, parameters, ..] => {
            parts.len() == 6 && version.starts_with("v=") && parameters.starts_with("m=")
        }
        ["", "pbkdf2-sha512", parameters, ..] => parts.len() == 5 && parameters.starts_with("i="),
        _ => false,
    };
    known && parts.iter().skip(1).all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_told_from_clear_secrets() {
        assert!(is_phc("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"));
        assert!(is_phc("$pbkdf2-sha512$i=10000,l=32$salt$hash"));
        for clear in ["secret", "$argon2id$", "$argon2id$v=19$m=1$$x", "$pbkdf2-sha512$i=1$salt", "$2b$12$abc"] {
            assert!(!is_phc(clear), "{clear}");
        }
    }
}
