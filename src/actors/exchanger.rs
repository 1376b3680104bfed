//! The life of codes and refresh tokens: kept, used up once, revoked. What they end is forgotten before the answer.

use actix::prelude::*;
use uuid::Uuid;

use super::issuer::IssueError;
use super::link::{Announce, Link};
use crate::cache::redis::Event;
use crate::domain::{NewCode, NewToken, RefreshView, Timestamp, TokenDigest};
use crate::storage::{StorageError, Store};

/// Something to be used up. The answer: whether this request was the one that did it.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<bool, IssueError>")]
pub enum Exchange {
    /// Stores a fresh code.
    Keep(NewCode),
    /// A code for a token.
    Code { digest: TokenDigest, token: NewToken, now: Timestamp },
    /// A refresh token for a new pair; `old` is the access token that goes.
    Rotate { digest: TokenDigest, old: TokenDigest, token: NewToken, now: Timestamp },
    /// A new access token beside a refresh token that stays.
    Renew { row: RefreshView, token: NewToken },
    /// Everything of a family ends.
    Revoke { family: Uuid },
}

/// The actor; one per node. The store decides who wins; this actor sees to it that no worker of any node answers from
/// what was replaced once the winner has its answer.
pub struct Exchanger {
    store: Store,
    link: Addr<Link>,
    under_way: usize,
}

impl Exchanger {
    /// Requests that may be under way; beyond it a client is told to come back.
    pub const MOST: usize = 1024;

    pub fn start_with(store: Store, link: Addr<Link>) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(Self::MOST);
            Self { store, link, under_way: 0 }
        })
    }
}

impl Actor for Exchanger {
    type Context = Context<Self>;
}

impl Handler<Exchange> for Exchanger {
    type Result = ResponseActFuture<Self, Result<bool, IssueError>>;

    fn handle(&mut self, exchange: Exchange, _: &mut Self::Context) -> Self::Result {
        if self.under_way >= Self::MOST {
            return Box::pin(actix::fut::ready(Err(IssueError::Full)));
        }
        self.under_way += 1;
        let done = run(self.store.clone(), self.link.clone(), exchange);
        Box::pin(done.into_actor(self).map(|result, actor: &mut Self, _| {
            actor.under_way -= 1;
            result
        }))
    }
}

async fn run(store: Store, link: Addr<Link>, exchange: Exchange) -> Result<bool, IssueError> {
    let (won, ended) = match exchange {
        Exchange::Keep(code) => {
            store.insert_code(&code).await?;
            (true, Vec::new())
        }
        Exchange::Code { digest, token, now } => (store.exchange_code(digest, &token, now).await?, Vec::new()),
        Exchange::Rotate { digest, old, token, now } => {
            (store.rotate(digest, &token, now).await?, vec![Event::Token(old)])
        }
        // By the row too: of an earlier renewal, whose answer was lost, not every node may have heard.
        Exchange::Renew { row, token } => {
            let ended = vec![Event::Token(row.access_token), Event::TokenRow(row.id)];
            (store.renew(&row, &token).await?, ended)
        }
        Exchange::Revoke { family } => {
            let ended = store.revoke_family(family).await?.into_iter().map(Event::Token);
            // By the family too: of an earlier replay, whose answer was lost or is on its way, not every node may have
            // heard.
            (true, ended.chain([Event::Family(family)]).collect())
        }
    };
    if won {
        announce(&link, ended).await?;
    }
    Ok(won)
}

async fn announce(link: &Addr<Link>, events: Vec<Event>) -> Result<(), IssueError> {
    if events.is_empty() {
        return Ok(());
    }
    match link.send(Announce(events)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(unconfirmed)) => Err(StorageError::Unavailable(unconfirmed.to_string()).into()),
        Err(_) => Err(IssueError::Full),
    }
}
