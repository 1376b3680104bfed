//! What a page says of the act that led to it: a word in the query stands for a sentence of this list, so that nobody's
//! link can make a page say something else.

use crate::pages::Notice;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Created,
    Saved,
    Unchanged,
    Deleted,
    LoggedOut,
    Approved,
    Rejected,
    Revoked,
    Suspended,
    Resumed,
    Withdrawn,
    DeveloperApproved,
    DeveloperRejected,
    DeveloperRevoked,
    Nobody,
    TokenRevoked,
    MailRetried,
}

impl Done {
    const ALL: [Self; 17] = [
        Self::Created,
        Self::Saved,
        Self::Unchanged,
        Self::Deleted,
        Self::LoggedOut,
        Self::Approved,
        Self::Rejected,
        Self::Revoked,
        Self::Suspended,
        Self::Resumed,
        Self::Withdrawn,
        Self::DeveloperApproved,
        Self::DeveloperRejected,
        Self::DeveloperRevoked,
        Self::Nobody,
        Self::TokenRevoked,
        Self::MailRetried,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Saved => "saved",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::LoggedOut => "logged-out",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Withdrawn => "withdrawn",
            Self::DeveloperApproved => "developer-approved",
            Self::DeveloperRejected => "developer-rejected",
            Self::DeveloperRevoked => "developer-revoked",
            Self::Nobody => "nobody",
            Self::TokenRevoked => "token-revoked",
            Self::MailRetried => "mail-retried",
        }
    }

    fn notice(self) -> Notice {
        match self {
            Self::Created => Notice::good("It was created, and is in force."),
            Self::Saved => Notice::good("The changes were saved, and are in force."),
            Self::Unchanged => Notice::wait("Nothing was changed."),
            Self::Deleted => Notice::good("It was deleted."),
            Self::LoggedOut => Notice::good("You are logged out."),
            Self::Approved => Notice::good("The contract was approved: calls pass from now on."),
            Self::Rejected => Notice::good("The contract was rejected."),
            Self::Revoked => Notice::good("The contract was revoked: calls are refused from now on."),
            Self::Suspended => Notice::good("The contract was suspended: calls are refused until it is resumed."),
            Self::Resumed => Notice::good("The contract was resumed."),
            Self::Withdrawn => Notice::good("The contract was withdrawn."),
            Self::DeveloperApproved => Notice::good("The developer was let in."),
            Self::DeveloperRejected => Notice::good("The developer was rejected."),
            Self::DeveloperRevoked => Notice::good("The developer was shut out, with all applications."),
            Self::Nobody => Notice::bad("No address was given, so nobody was invited."),
            Self::TokenRevoked => Notice::good("The token was revoked."),
            Self::MailRetried => Notice::good("The mail is tried now."),
        }
    }

    /// A path that says it.
    pub(super) fn at(self, path: &str) -> String {
        let separator = if path.contains('?') { '&' } else { '?' };
        format!("{path}{separator}done={}", self.word())
    }
}

/// The notice that a query asks for.
pub(super) fn of(word: &str) -> Option<Notice> {
    Done::ALL.into_iter().find(|done| done.word() == word).map(Done::notice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_notices() {
        for done in Done::ALL {
            let path = done.at("/console?a=b");
            let word = path.strip_prefix("/console?a=b&done=").unwrap();
            assert_eq!(of(word), Some(done.notice()));
        }
        assert_eq!(of("<b>"), None);
        assert_eq!(of(""), None);
    }
}
