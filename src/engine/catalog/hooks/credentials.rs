//! Credentials: secrets that are kept hashed.

use serde_json::Value;

use super::{Catalog, CatalogError};
use crate::domain::{Secret, SecretHash};
use crate::engine::catalog::write::across;
use crate::schema::{Entity, Violations};

/// Changing one without the other would leave a secret nobody can tell the form of.
pub(super) fn secret_and_its_kind_together(body: &Entity) -> Result<(), CatalogError> {
    let given = ["hash_secret", "client_secret"].iter().filter(|name| body.contains_key(**name)).count();
    match given {
        1 => Err(across("all or none of these fields must be set: 'hash_secret', 'client_secret'".to_owned())),
        _ => Ok(()),
    }
}

/// The empty text is what is left of a secret that was removed: it may be sent back, but not given.
pub(super) fn check_secret(old: Option<&Entity>, credential: &Entity) -> Result<(), CatalogError> {
    let is_empty = |credential: &Entity| credential.get("client_secret").and_then(Value::as_str) == Some("");
    if is_empty(credential) && !old.is_some_and(is_empty) {
        return Err(Violations::of("client_secret", "length must be at least 1").into());
    }
    Ok(())
}

/// A new secret does not end when the one before it would have.
pub(super) fn end_with_its_secret(old: Option<&Entity>, credential: &mut Entity) {
    let secret = |credential: &Entity| credential.get("client_secret").cloned();
    if old.is_some_and(|old| secret(old) != secret(credential)) {
        credential.insert("client_secret_expires_at".to_owned(), Value::Null);
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
    // An empty secret fits nothing; the hash of one would fit what is left out.
    if !hashed || unchanged || secret.is_empty() {
        return Ok(());
    }
    match SecretHash::read(secret) {
        Some(hash) if hash.is_affordable() => return Ok(()),
        Some(_) => return Err(Violations::of("client_secret", "hash is too costly to verify").into()),
        None => {}
    }
    let phc = catalog.ports.hash(Secret::new(secret)).await?;
    credential.insert("client_secret".to_owned(), phc.reveal().into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_secret_stays_and_is_not_given() {
        let entity = |secret: &str| json!({"client_secret": secret}).as_object().unwrap().clone();
        let (empty, full) = (entity(""), entity("s"));
        assert!(check_secret(Some(&empty), &empty).is_ok() && check_secret(Some(&empty), &full).is_ok());
        assert!(check_secret(Some(&full), &empty).is_err() && check_secret(None, &empty).is_err());
    }

    #[test]
    fn the_end_of_a_secret_goes_with_it() {
        let entity = |secret: &str| json!({"client_secret": secret, "client_secret_expires_at": 7});
        let ended_by = |old: &str, new: &str| {
            let (old, mut new) = (entity(old), entity(new));
            end_with_its_secret(old.as_object(), new.as_object_mut().unwrap());
            new["client_secret_expires_at"].clone()
        };
        assert_eq!(ended_by("a", "a"), 7);
        assert_eq!(ended_by("a", "b"), Value::Null);
    }
}
