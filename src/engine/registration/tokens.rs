//! Ending tokens by what they have in common: a user's, a client's, those for a service.

use tracing::info;

use super::Registration;
use crate::actors::Event;
use crate::engine::catalog::{CatalogError, across};
use crate::storage::{Holder, Revocation, TokenFilter};

/// Tokens removed by one statement.
const BITE: usize = 1000;
/// Above this a number of tokens is not counted out.
const MOST_COUNTED: usize = 1_000_000;

impl Registration {
    /// Ends every token and code that fits and was issued before, at once and everywhere; then removes them, in bites, and
    /// gives the number of live tokens it removed.
    ///
    /// # Errors
    /// Without any filter; the store failed, or a cache did not obey. Where the revocation was stored it holds all the
    /// same, and what is left of the rows is removed later.
    pub async fn delete_tokens(&self, filter: &TokenFilter) -> Result<usize, CatalogError> {
        if filter.is_empty() {
            let text =
                "at least one of these filters must be given: 'authenticated_userid', 'credential.id', 'service.id'";
            return Err(across(text.to_owned()));
        }
        let revoke = async {
            let revocation = self.catalog.store.revoke_tokens(filter).await?;
            if revocation.is_some() {
                // By what was asked, not by what was found: a call that is repeated completes one that did not live to
                // tell.
                self.announce(ended_by(filter)).await?;
            }
            Ok(revocation)
        };
        let Some(revocation) = self.catalog.in_time(revoke).await? else { return Ok(0) };
        let deleted = self.remove_revoked(&revocation).await?;
        info!(tokens = deleted, credential.id = ?filter.credential, service.id = ?filter.service, "{deleted} tokens were deleted");
        Ok(deleted)
    }

    async fn remove_revoked(&self, revocation: &Revocation) -> Result<usize, CatalogError> {
        let store = &self.catalog.store;
        let mut live = 0;
        loop {
            let bite = store.remove_revoked_tokens(revocation, BITE).await?;
            live += bite.live;
            if bite.removed < BITE {
                break;
            }
        }
        while store.remove_revoked_codes(revocation, BITE).await? == BITE {}
        Ok(live)
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
}

/// The event that names the fewest of all tokens, and every one that fits.
fn ended_by(filter: &TokenFilter) -> Event {
    match filter {
        TokenFilter { authenticated_userid: Some(user), .. } => Event::User(user.clone()),
        TokenFilter { consumer: Some(consumer), service: Some(service), .. } => {
            Event::Grants { consumer: *consumer, service: *service }
        }
        TokenFilter { credential: Some(credential), .. } => Event::Credential(*credential),
        TokenFilter { consumer: Some(consumer), .. } => Event::Consumer(*consumer),
        TokenFilter { service: Some(service), .. } => Event::Service(*service),
        TokenFilter { .. } => Event::Everything,
    }
}
