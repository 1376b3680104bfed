//! Developers, their applications, and the contracts of those with services (application-registration.md sections 2.2
//! and 6).

use std::sync::Arc;

use uuid::Uuid;

/// Where a developer stands; in JSON a number, and read as its word too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeveloperStatus {
    Approved = 0,
    Requested = 1,
    Rejected = 2,
    Revoked = 3,
    /// The e-mail address is not known to be theirs yet. 4 is nobody's.
    Unverified = 5,
}

impl DeveloperStatus {
    pub const ALL: [Self; 5] = [Self::Approved, Self::Requested, Self::Rejected, Self::Revoked, Self::Unverified];

    pub fn code(self) -> i64 {
        self as i64
    }

    pub fn of_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// `approved`, `requested`, `rejected`, `revoked`, `unverified`
    pub fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Requested => "requested",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
            Self::Unverified => "unverified",
        }
    }

    /// Reads a word in any case; `pending` is `requested`.
    pub fn of_word(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("pending") {
            return Some(Self::Requested);
        }
        Self::ALL.into_iter().find(|status| status.word().eq_ignore_ascii_case(word))
    }
}

/// Where a contract (an application instance) stands; in JSON a number, and read as its word too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContractStatus {
    Approved = 0,
    Requested = 1,
    Rejected = 2,
    Revoked = 3,
}

impl ContractStatus {
    pub const ALL: [Self; 4] = [Self::Approved, Self::Requested, Self::Rejected, Self::Revoked];

    pub fn code(self) -> i64 {
        self as i64
    }

    pub fn of_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// `approved`, `requested`, `rejected`, `revoked`
    pub fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Requested => "requested",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
        }
    }

    /// Reads a word in any case; `pending` is `requested`.
    pub fn of_word(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("pending") {
            return Some(Self::Requested);
        }
        Self::ALL.into_iter().find(|status| status.word().eq_ignore_ascii_case(word))
    }
}

/// What a consumer stands for (`consumers.type`). Only parties of their own are listed and changed as consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerType {
    Party = 0,
    Developer = 1,
    Application = 2,
}

impl ConsumerType {
    pub fn code(self) -> i64 {
        self as i64
    }
}

/// How a consumer stands to a service, as the gate sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A consumer that is no application.
    Stranger,
    Application(Arc<ApplicationView>),
}

/// An application and its contract with one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationView {
    pub id: Uuid,
    pub name: String,
    pub developer: DeveloperStatus,
    /// `None`: no contract with this service.
    pub contract: Option<ContractView>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractView {
    pub status: ContractStatus,
    pub suspended: bool,
    /// The scopes its tokens may have; `None`: those of the plugin.
    pub scopes: Option<Vec<String>>,
}

/// Why an application may not call a service. Callers are told one text for all (no oracle); the word is for logs and
/// for the header that `config.show_refusal_reason` switches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not an application, and the plugin does not let other consumers through.
    NotAnApplication,
    NoContract,
    Requested,
    Rejected,
    Revoked,
    Suspended,
    DeveloperNotApproved,
}

/// That an `application-registration` plugin stands on a service: who may call it, and be given tokens for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Whether consumers that are no applications pass (`enable_proxy_with_consumer_credential`).
    pub consumers: bool,
    /// Whether refusals tell why, in a header (`show_refusal_reason`).
    pub reasons: bool,
}

impl Refused {
    pub fn word(self) -> &'static str {
        match self {
            Self::NotAnApplication => "not-an-application",
            Self::NoContract => "no-contract",
            Self::Requested => "contract-requested",
            Self::Rejected => "contract-rejected",
            Self::Revoked => "contract-revoked",
            Self::Suspended => "contract-suspended",
            Self::DeveloperNotApproved => "developer-not-approved",
        }
    }
}

impl Standing {
    /// Whether a call may pass (the admission table of application-registration.md 1.5). `consumers`: whether
    /// consumers that are no applications may (`enable_proxy_with_consumer_credential`).
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, consumers: bool) -> Result<(), Refused> {
        let application = match self {
            Self::Stranger if consumers => return Ok(()),
            Self::Stranger => return Err(Refused::NotAnApplication),
            Self::Application(application) => application,
        };
        let contract = application.contract.as_ref().ok_or(Refused::NoContract)?;
        match contract.status {
            ContractStatus::Approved => {}
            ContractStatus::Requested => return Err(Refused::Requested),
            ContractStatus::Rejected => return Err(Refused::Rejected),
            ContractStatus::Revoked => return Err(Refused::Revoked),
        }
        if contract.suspended {
            return Err(Refused::Suspended);
        }
        if application.developer != DeveloperStatus::Approved {
            return Err(Refused::DeveloperNotApproved);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(developer: DeveloperStatus, contract: Option<(ContractStatus, bool)>) -> Standing {
        let contract = contract.map(|(status, suspended)| ContractView { status, suspended, scopes: None });
        Standing::Application(Arc::new(ApplicationView { id: Uuid::nil(), name: "a".into(), developer, contract }))
    }

    #[test]
    fn the_admission_table() {
        use ContractStatus as Contract;
        use DeveloperStatus as Developer;
        assert_eq!(Standing::Stranger.admit(false), Err(Refused::NotAnApplication));
        assert_eq!(Standing::Stranger.admit(true), Ok(()));
        assert_eq!(standing(Developer::Approved, None).admit(true), Err(Refused::NoContract));
        let of = |status| standing(Developer::Approved, Some((status, false))).admit(false);
        assert_eq!(of(Contract::Approved), Ok(()));
        assert_eq!(of(Contract::Requested), Err(Refused::Requested));
        assert_eq!(of(Contract::Rejected), Err(Refused::Rejected));
        assert_eq!(of(Contract::Revoked), Err(Refused::Revoked));
        let suspended = standing(Developer::Approved, Some((Contract::Approved, true)));
        assert_eq!(suspended.admit(false), Err(Refused::Suspended));
        for developer in DeveloperStatus::ALL.into_iter().filter(|status| *status != Developer::Approved) {
            let refused = standing(developer, Some((Contract::Approved, false))).admit(true);
            assert_eq!(refused, Err(Refused::DeveloperNotApproved));
        }
    }

    #[test]
    fn statuses_are_numbers_and_words() {
        for status in DeveloperStatus::ALL {
            assert_eq!(DeveloperStatus::of_code(status.code()), Some(status));
            assert_eq!(DeveloperStatus::of_word(&status.word().to_uppercase()), Some(status));
        }
        for status in ContractStatus::ALL {
            assert_eq!(ContractStatus::of_code(status.code()), Some(status));
            assert_eq!(ContractStatus::of_word(status.word()), Some(status));
        }
        assert_eq!(ContractStatus::of_word("pending"), Some(ContractStatus::Requested));
        assert_eq!(DeveloperStatus::of_code(4), None);
        assert_eq!(ContractStatus::of_code(5), None);
        assert_eq!(ContractStatus::of_word("unverified"), None);
    }
}
