//! From a path to a page.

use super::refusal::{Answer, Refusal};
use super::visit::Visit;
use super::{applications, audit, contracts, developers, documents, entities, home, mails, requests, services, tokens};

/// Answers a GET. `path`: the decoded segments after `/console`.
pub(super) async fn read(visit: &Visit, path: &[&str]) -> Answer {
    match path {
        [] => home::page(visit).await,
        ["requests"] => requests::page(visit).await,
        ["contracts", id, "withdraw"] => contracts::confirm_withdrawal(visit, id).await,
        ["developers"] => developers::list(visit).await,
        ["developers", id] => developers::one(visit, id).await,
        ["developers", id, "delete"] => developers::confirm_deletion(visit, id).await,
        ["applications"] => applications::list(visit).await,
        ["applications", id] => applications::one(visit, id).await,
        ["applications", id, "delete"] => applications::confirm_deletion(visit, id).await,
        ["services"] => services::list(visit).await,
        ["services", id] => services::one(visit, id).await,
        ["services", id, "document"] => documents::page(visit, id).await,
        ["services", id, "document", "edit"] => documents::form(visit, id).await,
        ["services", id, "document", "delete"] => documents::confirm_deletion(visit, id).await,
        ["tokens"] => tokens::list(visit).await,
        ["tokens", "revoke"] => tokens::confirm_revocation(visit).await,
        ["mails"] => mails::list(visit).await,
        ["audit"] => audit::list(visit).await,
        ["entities"] => Ok(entities::collections(visit)),
        ["entities", collection] => entities::list(visit, collection).await,
        ["entities", collection, "new"] => entities::new(visit, collection).await,
        ["entities", collection, id] => entities::one(visit, collection, id).await,
        ["entities", collection, id, "delete"] => entities::confirm_deletion(visit, collection, id).await,
        _ => Err(Refusal::NoSuchPath),
    }
}
