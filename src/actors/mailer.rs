//! The mailer: sends what waits in the outbox, and tries again with growing pauses.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use futures_util::future::join_all;
use tracing::{debug, error, warn};

use crate::domain::{Clock, Timestamp};
use crate::mail::{LIMIT, Mail, SendError, Smtp};
use crate::storage::{DueMail, StorageError, Store};
use crate::telemetry::{Meter, Meters, Owner};

const MAILBOX: usize = 64;
/// How often it looks by itself: for mails to be tried again, and for those that another node left behind.
const PERIOD: Duration = Duration::from_secs(10);
/// Mails sent at once.
const BATCH: usize = 8;
/// How long a mail is this node's: longer than sending takes, so that no other node sends it meanwhile.
const LEASE_SECONDS: i64 = 4 * LIMIT.as_secs() as i64;
/// Seconds before the second, third… attempt; the last one stands for all that follow.
const PAUSES: [i64; 4] = [30, 120, 600, 3600];
/// Seconds after which a mail is given up.
const GIVEN_UP_AFTER: i64 = 24 * 3600;

/// Something was put into the outbox.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Wake;

/// The actor; one per node. A mail is sent at least once: when a node dies between sending and writing that down,
/// another one sends it again, under the same `Message-ID`.
pub struct Mailer {
    store: Store,
    clock: Clock,
    smtp: Smtp,
    meters: Arc<Meters>,
    is_busy: bool,
    is_awaited: bool,
}

impl Mailer {
    pub fn start_with(store: Store, clock: Clock, smtp: Smtp, meters: Arc<Meters>) -> Addr<Self> {
        Self::create(|context| {
            context.set_mailbox_capacity(MAILBOX);
            meters.set_capacity(Owner::Mailer, BATCH);
            Self { store, clock, smtp, meters, is_busy: false, is_awaited: false }
        })
    }

    fn round(&mut self, context: &mut Context<Self>) {
        if self.is_busy {
            self.is_awaited = true;
            return;
        }
        self.is_busy = true;
        self.is_awaited = false;
        let round = Round {
            store: self.store.clone(),
            clock: self.clock.clone(),
            smtp: self.smtp.clone(),
            meters: Arc::clone(&self.meters),
        };
        context.spawn(async move { round.run().await }.into_actor(self).map(|taken, actor, context| {
            actor.is_busy = false;
            if taken == BATCH || actor.is_awaited {
                actor.round(context);
            }
        }));
    }
}

impl Actor for Mailer {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.round(context);
        context.run_interval(PERIOD, Self::round);
    }
}

impl Handler<Wake> for Mailer {
    type Result = ();

    fn handle(&mut self, _: Wake, context: &mut Self::Context) {
        self.round(context);
    }
}

/// What sending a batch needs.
struct Round {
    store: Store,
    clock: Clock,
    smtp: Smtp,
    meters: Arc<Meters>,
}

impl Round {
    /// Gives how many mails were taken.
    async fn run(&self) -> usize {
        let now = self.clock.now();
        match self.store.claim_mails(now, now.plus_seconds(LEASE_SECONDS), BATCH).await {
            Ok(due) => {
                let taken = due.len();
                self.meters.set_depth(Owner::Mailer, taken);
                if taken > 0 {
                    self.meters.count_batch_of(Owner::Mailer, taken);
                }
                join_all(due.into_iter().map(|mail| self.send(mail))).await;
                self.meters.set_depth(Owner::Mailer, 0);
                taken
            }
            Err(error) => {
                debug!(%error, "the outbox cannot be read, trying again soon");
                0
            }
        }
    }

    async fn send(&self, due: DueMail) {
        let (id, attempts, created_at) = (due.id, due.attempts, due.created_at);
        let outcome = match opened(due) {
            Some(mail) => self.smtp.send(&mail, id).await,
            None => Err(unreadable()),
        };
        let now = self.clock.now();
        let settled = match outcome {
            Ok(()) => {
                self.meters.count(Meter::MailsSent);
                self.store.mail_sent(id, now).await
            }
            Err(error) => match next(&error, attempts, created_at, now) {
                Some(due_at) => {
                    self.meters.count(Meter::MailsPutOff);
                    warn!(mail.id = %id, attempts, error = error.summary, "mail {id} was not sent, trying again");
                    self.store.put_off_mail(id, due_at, &error.detail).await
                }
                None => {
                    self.meters.count(Meter::MailsFailed);
                    error!(mail.id = %id, attempts, error = error.summary, "mail {id} was given up");
                    self.store.fail_mail(id, &error.detail).await
                }
            },
        };
        if let Err(error) = settled {
            tell_unsettled(id, &error);
        }
    }
}

fn tell_unsettled(id: uuid::Uuid, error: &StorageError) {
    warn!(mail.id = %id, %error, "what became of mail {id} could not be written down, it may be sent twice");
}

fn opened(due: DueMail) -> Option<Mail> {
    Mail::of_body(due.recipient, due.subject, &due.body?)
}

fn unreadable() -> SendError {
    let text = "the keyring no longer has the key that sealed the mail".to_owned();
    SendError { permanent: true, summary: text.clone(), detail: text }
}

/// When to try again; `None`: never.
fn next(error: &SendError, attempts: i64, created_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let nth = usize::try_from(attempts - 1).unwrap_or(0).min(PAUSES.len() - 1);
    let due_at = now.plus_seconds(PAUSES[nth]);
    (!error.permanent && due_at < created_at.plus_seconds(GIVEN_UP_AFTER)).then_some(due_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_after_a_day() {
        let written = Timestamp::from_seconds(0);
        let passing = SendError { permanent: false, summary: String::new(), detail: String::new() };
        let (mut now, mut attempts, mut pauses) = (written, 1, Vec::new());
        while let Some(due_at) = next(&passing, attempts, written, now) {
            pauses.push(due_at.seconds() - now.seconds());
            (now, attempts) = (due_at, attempts + 1);
        }
        assert_eq!(pauses[..5], [30, 120, 600, 3600, 3600]);
        assert!(now < written.plus_seconds(GIVEN_UP_AFTER) && now > written.plus_seconds(GIVEN_UP_AFTER - 3600));
        let lasting = SendError { permanent: true, ..passing };
        assert_eq!(next(&lasting, 1, written, written), None);
    }
}
