//! Mails about what others decide: invitations, contracts, developers let in.

use tracing::warn;
use uuid::Uuid;

use super::developer::normal;
use super::{AccountError, Accounts, MailRecord};
use crate::domain::{ContractStatus, DeveloperStatus, Secret};
use crate::engine::EngineError;
use crate::engine::catalog::Pending;
use crate::engine::registration::{ContractMove, Invite, InviteError, Invited, Tell};
use crate::mail::{Access, Letter, Mail};
use crate::schema::checks;
use crate::storage::{MailState, Page};

impl Invite for Accounts {
    fn invite(&self, emails: Vec<String>) -> Pending<'_, Result<Invited, InviteError>> {
        Box::pin(async move {
            if !self.sends_mail() && !self.shows_mails() {
                return Err(InviteError::NoSmtp);
            }
            self.mail_invitations(&emails).await.map_err(|error| match error {
                AccountError::Catalog(error) => error.into(),
                other => InviteError::Catalog(EngineError::Failed(other.to_string()).into()),
            })
        })
    }
}

impl Tell for Accounts {
    fn contract_moved<'t>(&'t self, moved: ContractMove<'t>) -> Pending<'t, ()> {
        Box::pin(self.notify_contract(moved))
    }

    fn developer_moved<'t>(&'t self, email: &'t str, status: DeveloperStatus) -> Pending<'t, ()> {
        Box::pin(self.notify_developer(email, status))
    }
}

impl Accounts {
    /// Mails a link to the page where one registers. A repeated address gets one mail.
    ///
    /// # Errors
    /// The store failed: nobody is invited.
    pub async fn mail_invitations(&self, emails: &[String]) -> Result<Invited, AccountError> {
        let (mut invited, mut mails) = (Invited { smtp_mock: !self.sends_mail(), ..Invited::default() }, Vec::new());
        for given in emails {
            let email = normal(given);
            if let Some(fault) = checks::email(&email.as_str().into()) {
                invited.failed.push((given.clone(), fault));
            } else if self.find_by_email(&email).await?.is_some() {
                invited.failed.push((given.clone(), "has an account already".to_owned()));
            } else if !invited.sent.contains(&email) {
                mails.push(Letter::Invitation { link: &self.0.links.register(&email) }.to(&email));
                invited.sent.push(email);
            }
        }
        self.0.outbox.post(&mails).await?;
        Ok(invited)
    }

    /// Tells by mail that a contract came to a status: the developer, and for a request the administrators as well. The
    /// contract is what it is: a mail that cannot be kept is logged and forgotten.
    pub async fn notify_contract(&self, moved: ContractMove<'_>) {
        let ContractMove { email, application, application_name, service, status, note } = moved;
        let access = Access { application: application_name, service };
        let link = self.0.links.application(application);
        let mut mails = Vec::new();
        let letter = match status {
            ContractStatus::Approved => Letter::AccessApproved { access, note, link: &link },
            ContractStatus::Rejected => Letter::AccessRejected { access, note, link: &link },
            ContractStatus::Revoked => Letter::AccessRevoked { access, note, link: &link },
            ContractStatus::Requested => {
                mails.extend(self.to_administrators(Letter::AccessRequested { email, access }));
                Letter::AccessPending { access }
            }
        };
        mails.push(letter.to(email));
        self.tell(&mails).await;
    }

    /// Tells by mail that a developer was let in, or (to the administrators) waits to be. Other moves are not told.
    pub async fn notify_developer(&self, email: &str, status: DeveloperStatus) {
        let mails = match status {
            DeveloperStatus::Approved => {
                vec![Letter::DeveloperApproved { log_in: &self.0.links.log_in() }.to(email)]
            }
            DeveloperStatus::Requested => self.to_administrators(Letter::DeveloperRequested { email }),
            DeveloperStatus::Rejected | DeveloperStatus::Revoked | DeveloperStatus::Unverified => Vec::new(),
        };
        self.tell(&mails).await;
    }

    fn to_administrators(&self, letter: Letter<'_>) -> Vec<Mail> {
        self.0.settings.admin_emails.iter().map(|email| letter.to(email)).collect()
    }

    async fn tell(&self, mails: &[Mail]) {
        if let Err(error) = self.0.outbox.post(mails).await {
            warn!(%error, "mails about a decision were not kept");
        }
    }

    /// Whether a page may show the mails, links included: in `dev`, where nobody sends them.
    pub fn shows_mails(&self) -> bool {
        !self.sends_mail() && self.0.outbox.is_shown()
    }

    /// Whether mails are sent; else they are kept to be looked at.
    pub fn sends_mail(&self) -> bool {
        self.0.outbox.sends()
    }

    /// One page of the outbox, newest first, of mails (in this state) before the given one; and where the next begins.
    ///
    /// # Errors
    /// The store failed.
    pub async fn mails(
        &self,
        state: Option<MailState>,
        before: Option<Uuid>,
        size: usize,
    ) -> Result<(Vec<MailRecord>, Option<Uuid>), AccountError> {
        let Page { data, next } = self.0.node.store.list_mails(state, before, size).await?;
        Ok((data, next))
    }

    /// Has a mail tried now that failed and waits to be tried again. False: it does not wait for that.
    ///
    /// # Errors
    /// The store failed.
    pub async fn retry_mail(&self, id: Uuid) -> Result<bool, AccountError> {
        let node = &self.0.node;
        let hastened = node.store.hasten_mail(id, node.clock.now()).await?;
        if hastened {
            self.0.outbox.wake();
        }
        Ok(hastened)
    }

    /// A mail, and text and HTML while they are there: until it is sent or given up. The text holds links that log in
    /// whoever follows them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn mail(&self, id: Uuid) -> Result<Option<(MailRecord, Option<(Secret, Secret)>)>, AccountError> {
        let Some((record, body)) = self.0.node.store.find_mail(id).await? else { return Ok(None) };
        let mail = body.and_then(|body| Mail::of_body(record.recipient.clone(), record.subject.clone(), &body));
        Ok(Some((record, mail.map(|mail| (mail.text, mail.html)))))
    }
}
