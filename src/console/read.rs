//! From a path to a page.

use super::entities;
use super::refusal::{Answer, Refusal};
use super::visit::Visit;

/// Answers a GET. `path`: the decoded segments after `/console`.
pub(super) async fn read(visit: &Visit, path: &[&str]) -> Answer {
    match path {
        ["entities"] => Ok(entities::collections(visit)),
        ["entities", collection] => entities::list(visit, collection).await,
        ["entities", collection, "new"] => entities::new(visit, collection).await,
        ["entities", collection, id] => entities::one(visit, collection, id).await,
        ["entities", collection, id, "delete"] => entities::confirm_deletion(visit, collection, id).await,
        _ => Err(Refusal::NoSuchPath),
    }
}
