//! Mails: to be sent, sent, given up, or kept because there is no mail server.

use uuid::Uuid;

use crate::domain::{Keyring, Secret, Timestamp};

use super::rows::{context, open, seal};
use super::store::Outcome;
use super::value::{Columns, Row, Statement, Value, count};
use super::{Page, Store};

pub(super) const STATEMENTS: &[&str] = &[INSERT, CLAIM, SENT, PUT_OFF, FAIL, HASTEN, LIST, LIST_STATE, FIND];

const INSERT: &str = "INSERT INTO mails (id, recipient, subject, body_sealed, state, attempts, created_at, due_at)
    VALUES ($1, $2, $3, $4, $5, 0, $6, $6)";
/// The outer condition is the inner one again: of two nodes that ask at once, the second finds `due_at` moved when the
/// first lets go of the row.
const CLAIM: &str = "UPDATE mails SET attempts = attempts + 1, due_at = $2
    WHERE state = 'waiting' AND due_at <= $1 AND id IN
        (SELECT id FROM mails WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at LIMIT $3)
    RETURNING id, recipient, subject, body_sealed, attempts, created_at";
/// The text goes with its use: links in it are secrets.
const SENT: &str = "UPDATE mails SET state = 'sent', sent_at = $2, body_sealed = NULL, error = NULL
    WHERE id = $1 AND state = 'waiting'";
const PUT_OFF: &str = "UPDATE mails SET due_at = $2, error = $3 WHERE id = $1 AND state = 'waiting'";
const FAIL: &str =
    "UPDATE mails SET state = 'failed', body_sealed = NULL, error = $2 WHERE id = $1 AND state = 'waiting'";
/// Asked for while it is being sent again, it may be sent twice.
const HASTEN: &str =
    "UPDATE mails SET due_at = $2 WHERE id = $1 AND state = 'waiting' AND error IS NOT NULL RETURNING id";
/// Ids are UUID v7, so their order is the order of time.
const LIST: &str = "SELECT id, recipient, subject, state, attempts, error, created_at, due_at, sent_at FROM mails
    WHERE id < $1 ORDER BY id DESC LIMIT $2";
const LIST_STATE: &str = "SELECT id, recipient, subject, state, attempts, error, created_at, due_at, sent_at FROM mails
    WHERE id < $1 AND state = $3 ORDER BY id DESC LIMIT $2";
const FIND: &str = "SELECT id, recipient, subject, state, attempts, error, created_at, due_at, sent_at, body_sealed
    FROM mails WHERE id = $1";

/// What has become of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// To be sent, for the first time or again.
    Waiting,
    Sent,
    /// Given up.
    Failed,
    /// There was no mail server when it was written, so it is only looked at.
    Kept,
}

impl MailState {
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Failed, Self::Kept];

    /// `waiting`, `sent`, `failed`, `kept`
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Kept => "kept",
        }
    }
}

/// A mail as it is written.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// UUID v7.
    pub id: Uuid,
    pub recipient: String,
    pub subject: String,
    pub body: Secret,
    /// Waiting or kept.
    pub state: MailState,
    pub created_at: Timestamp,
}

/// A mail that this node is to send now.
#[derive(Clone, Debug)]
pub struct DueMail {
    pub id: Uuid,
    pub recipient: String,
    pub subject: String,
    /// `None`: it cannot be opened any more, for its key has left the keyring.
    pub body: Option<Secret>,
    /// This one included.
    pub attempts: i64,
    pub created_at: Timestamp,
}

/// A mail as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailRecord {
    pub id: Uuid,
    pub recipient: String,
    pub subject: String,
    pub state: MailState,
    pub attempts: i64,
    /// Why it was not sent the last time.
    pub error: Option<String>,
    pub created_at: Timestamp,
    /// When it is tried next, while it waits.
    pub due_at: Timestamp,
    pub sent_at: Option<Timestamp>,
}

impl Store {
    /// Keeps mails, all or none.
    pub async fn insert_mails(&self, mails: &[NewMail]) -> Outcome<()> {
        if mails.is_empty() {
            return Ok(());
        }
        let statements = mails.iter().map(|mail| insert(mail, &self.keyring())).collect();
        self.driver().write(statements).await.map(drop)
    }

    /// Takes at most `limit` mails that are due. No other node gets them before `until`.
    pub async fn claim_mails(&self, now: Timestamp, until: Timestamp, limit: usize) -> Outcome<Vec<DueMail>> {
        let found = self.write(CLAIM, vec![now.into(), until.into(), count(limit)]).await?;
        found.into_iter().map(|row| due(row, &self.keyring())).collect()
    }

    pub async fn mail_sent(&self, id: Uuid, at: Timestamp) -> Outcome<()> {
        self.write(SENT, vec![id.into(), at.into()]).await.map(drop)
    }

    /// It is to be tried again at `due_at`.
    pub async fn put_off_mail(&self, id: Uuid, due_at: Timestamp, error: &str) -> Outcome<()> {
        self.write(PUT_OFF, vec![id.into(), due_at.into(), text(error)]).await.map(drop)
    }

    /// One that failed and waits is to be tried at `due_at` already. False: it does not wait.
    pub async fn hasten_mail(&self, id: Uuid, due_at: Timestamp) -> Outcome<bool> {
        Ok(!self.write(HASTEN, vec![id.into(), due_at.into()]).await?.is_empty())
    }

    /// It is not tried again.
    pub async fn fail_mail(&self, id: Uuid, error: &str) -> Outcome<()> {
        self.write(FAIL, vec![id.into(), text(error)]).await.map(drop)
    }

    /// One page, newest first, of mails (in this state) before the given one.
    pub async fn list_mails(
        &self,
        state: Option<MailState>,
        before: Option<Uuid>,
        size: usize,
    ) -> Outcome<Page<MailRecord>> {
        let mut params: Vec<Value> = vec![before.unwrap_or(Uuid::max()).into(), count(size.saturating_add(1))];
        params.extend(state.map(|state| Value::from(state.word())));
        let mut found = self.read(if state.is_some() { LIST_STATE } else { LIST }, params).await?;
        let more = found.len() > size;
        found.truncate(size);
        let read = |row: Row| record(&mut row.read("mails"));
        let data = found.into_iter().map(read).collect::<Outcome<Vec<_>>>()?;
        let next = data.last().filter(|_| more).map(|record| record.id);
        Ok(Page { data, next })
    }

    /// A mail and its text, which is there until it is sent or given up.
    pub async fn find_mail(&self, id: Uuid) -> Outcome<Option<(MailRecord, Option<Secret>)>> {
        let Some(row) = self.read(FIND, vec![id.into()]).await?.pop() else { return Ok(None) };
        let mut columns = row.read("mails");
        let record = record(&mut columns)?;
        let body = columns.maybe_bytes()?.map(|sealed| open(&self.keyring(), sealed, &context("mails", "body")));
        Ok(Some((record, body.transpose()?.map(Secret::new))))
    }
}

/// A NUL is shown as a replacement character: the mail matters more than its letter.
fn text(text: &str) -> Value {
    Value::Text(text.replace('\0', "\u{fffd}"))
}

/// Writes a mail beside what it tells of.
pub(super) fn insert(mail: &NewMail, keyring: &Keyring) -> Statement {
    let params = vec![
        mail.id.into(),
        text(&mail.recipient),
        text(&mail.subject),
        seal(keyring, mail.body.reveal(), &context("mails", "body")),
        mail.state.word().into(),
        mail.created_at.into(),
    ];
    Statement::new(INSERT, params)
}

fn due(row: Row, keyring: &Keyring) -> Outcome<DueMail> {
    let mut columns = row.read("mails");
    let (id, recipient, subject) = (columns.uuid()?, columns.text()?, columns.text()?);
    let body = columns.maybe_bytes()?.and_then(|sealed| open(keyring, sealed, &context("mails", "body")).ok());
    let (attempts, created_at) = (columns.int()?, columns.time()?);
    Ok(DueMail { id, recipient, subject, body: body.map(Secret::new), attempts, created_at })
}

fn record(columns: &mut Columns) -> Outcome<MailRecord> {
    let (id, recipient, subject, state) = (columns.uuid()?, columns.text()?, columns.text()?, columns.text()?);
    let state = MailState::ALL.into_iter().find(|known| known.word() == state);
    Ok(MailRecord {
        id,
        recipient,
        subject,
        state: state.ok_or_else(|| columns.fault("its state is none"))?,
        attempts: columns.int()?,
        error: columns.maybe_text()?,
        created_at: columns.time()?,
        due_at: columns.time()?,
        sent_at: columns.maybe_time()?,
    })
}
