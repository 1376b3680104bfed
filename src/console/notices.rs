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
}

impl Done {
    const ALL: [Self; 5] = [Self::Created, Self::Saved, Self::Unchanged, Self::Deleted, Self::LoggedOut];

    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Saved => "saved",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::LoggedOut => "logged-out",
        }
    }

    fn notice(self) -> Notice {
        match self {
            Self::Created => Notice::good("It was created, and is in force."),
            Self::Saved => Notice::good("The changes were saved, and are in force."),
            Self::Unchanged => Notice::wait("Nothing was changed."),
            Self::Deleted => Notice::good("It was deleted."),
            Self::LoggedOut => Notice::good("You are logged out."),
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
