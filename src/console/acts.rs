//! From a path to an act.

use super::refusal::{Answer, Refusal};
use super::visit::Visit;
use super::{applications, contracts, developers, documents, entities, mails, tokens};
use crate::pages::Form;

/// Answers a POST that was let through. `path`: the decoded segments after `/console`.
pub(super) async fn act(visit: &Visit, path: &[&str], form: &Form) -> Answer {
    match path {
        ["contracts", id, act] => contracts::act(visit, id, act, form).await,
        ["developers", "invite"] => developers::invite(visit, form).await,
        ["developers", id, act] => developers::act(visit, id, act, form).await,
        ["applications", id, "delete"] => applications::delete(visit, id).await,
        ["services", id, "document"] => documents::save(visit, id, form).await,
        ["services", id, "document", "delete"] => documents::delete(visit, id).await,
        ["tokens", "revoke"] => tokens::revoke_all(visit, form).await,
        ["tokens", id, "revoke"] => tokens::revoke_one(visit, id, form).await,
        ["mails", id, "retry"] => mails::retry(visit, id).await,
        ["entities", collection, "new"] => entities::create(visit, collection, form).await,
        ["entities", collection, id] => entities::save(visit, collection, id, form).await,
        ["entities", collection, id, "delete"] => entities::delete(visit, collection, id).await,
        _ => Err(Refusal::NoSuchPath),
    }
}
