//! Ending tokens by what they have in common: a user's, a client's, those for a service.

use tracing::info;

use super::Registration;
use crate::actors::Event;
use crate::domain::TokenDigest;
use crate::engine::catalog::{CatalogError, across};
use crate::storage::{Holder, TokenFilter};

/// Tokens deleted by one statement.
const BITE: usize = 1000;
/// Beyond this many, emptying the caches costs less than naming each token.
const NAMED: usize = 64;
/// Above this a number of tokens is not counted out.
const MOST_COUNTED: usize = 1_000_000;

impl Registration {
    /// Deletes the tokens that fit, in bites, and the codes that nobody has redeemed; gives the number of tokens. No
    /// cache answers one of them any more.
    ///
    /// # Errors
    /// Without any filter; the store failed, or a cache did not obey: then some may be deleted, and none of those is
    /// answered.
    pub async fn delete_tokens(&self, filter: &TokenFilter) -> Result<usize, CatalogError> {
        if filter.is_empty() {
            let text =
                "at least one of these filters must be given: 'authenticated_userid', 'credential.id', 'service.id'";
            return Err(across(text.to_owned()));
        }
        self.catalog.store.delete_codes(filter).await?;
        let mut some = Vec::new();
        let (mut deleted, mut again) = (0, false);
        let outcome = loop {
            match self.catalog.store.delete_tokens(filter, BITE).await {
                Ok(gone) => {
                    let full = gone.len() == BITE;
                    deleted += gone.len();
                    some.extend(gone.into_iter().take(NAMED.saturating_sub(some.len())));
                    if again && !full {
                        break Ok(deleted);
                    }
                    // Once more after the last bite: by then what was being refreshed meanwhile is there, too.
                    again = !full;
                }
                Err(error) => break Err(error),
            }
        };
        self.forget_tokens(filter, deleted, some).await?;
        let deleted = outcome?;
        info!(tokens = deleted, credential.id = ?filter.credential, service.id = ?filter.service, "{deleted} tokens were deleted");
        Ok(deleted)
    }

    /// How many live tokens fit, at most a million.
    ///
    /// # Errors
    /// The store failed.
    pub async fn count_tokens(&self, filter: &TokenFilter) -> Result<u64, CatalogError> {
        let most = u64::try_from(MOST_COUNTED).unwrap_or(u64::MAX);
        Ok(self.catalog.store.count_tokens(filter, MOST_COUNTED).await?.min(most))
    }

    /// Deletes most tokens of a holder in bites, before the transaction that ends them all: that one is short then.
    pub(super) async fn drain(&self, holder: Holder) -> Result<(), CatalogError> {
        while self.catalog.store.drain_tokens(holder, BITE).await? == BITE {}
        Ok(())
    }

    async fn forget_tokens(
        &self,
        filter: &TokenFilter,
        deleted: usize,
        some: Vec<TokenDigest>,
    ) -> Result<(), CatalogError> {
        if let Some(credential) = filter.credential {
            return self.announce(Event::Credential(credential)).await;
        }
        if let Some(service) = filter.service {
            return self.announce(Event::Service(service)).await;
        }
        if deleted > some.len() {
            return self.announce(Event::Everything).await;
        }
        for token in some {
            self.announce(Event::Token(token)).await?;
        }
        Ok(())
    }
}
