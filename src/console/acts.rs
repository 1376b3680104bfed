//! From a path to an act.

use super::entities;
use super::refusal::{Answer, Refusal};
use super::visit::Visit;
use crate::pages::Form;

/// Answers a POST that was let through. `path`: the decoded segments after `/console`.
pub(super) async fn act(visit: &Visit, path: &[&str], form: &Form) -> Answer {
    match path {
        ["entities", collection, "new"] => entities::create(visit, collection, form).await,
        ["entities", collection, id] => entities::save(visit, collection, id, form).await,
        ["entities", collection, id, "delete"] => entities::delete(visit, collection, id).await,
        _ => Err(Refusal::NoSuchPath),
    }
}
