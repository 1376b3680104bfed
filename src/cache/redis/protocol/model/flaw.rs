//! Rules of the protocol, each of which can be left out.

/// A rule left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Redis goes on in its epoch with an old copy of its data.
    EpochOutlivesItsProcess,
    EpochsAreEnteredWithoutARow,
    RowsAreWrittenAfterForgetting,
    /// An epoch is entered with what was remembered before.
    NothingIsForgottenOnEntering,
    LostEventsAreForgiven,
    ObeyedOnceHeard,
    LeaseCountsFromTheAnswer,
    /// Also when the answer names events that this node has not obeyed.
    RenewalsCountAtOnce,
    /// Who does not find its row goes on as if it had.
    StruckNodesGoOn,
    RowsNeverRunOut,
    /// A line in Redis is removed because it is not new, although its node may be trusting still.
    SilenceIsTakenForDeath,
    PublisherDoesNotWaitForLeases,
    AcknowledgementsOfAnyEpochCount,
    RollIsCalledBeforePublishing,
    /// Who goes by another epoch than the open one is taken to go by none.
    NodesElsewhereAreNotWaitedFor,
    /// The publisher takes every epoch to have begun after its change.
    EveryEpochIsLater,
    ClosedEpochsAreEntered,
    /// The publisher does not ask which epoch can be entered still.
    EpochsStayOpen,
    OldFillsLand,
    EveryValueIsBelieved,
    StampIsTakenAfterTheDatabase,
    /// What Redis has given up of the events is taken to be about nothing.
    WhatIsHeldIsAllThereWas,
}

impl Flaw {
    pub const ALL: [Self; 22] = [
        Self::EpochOutlivesItsProcess,
        Self::EpochsAreEnteredWithoutARow,
        Self::RowsAreWrittenAfterForgetting,
        Self::NothingIsForgottenOnEntering,
        Self::LostEventsAreForgiven,
        Self::ObeyedOnceHeard,
        Self::LeaseCountsFromTheAnswer,
        Self::RenewalsCountAtOnce,
        Self::StruckNodesGoOn,
        Self::RowsNeverRunOut,
        Self::SilenceIsTakenForDeath,
        Self::PublisherDoesNotWaitForLeases,
        Self::AcknowledgementsOfAnyEpochCount,
        Self::RollIsCalledBeforePublishing,
        Self::NodesElsewhereAreNotWaitedFor,
        Self::EveryEpochIsLater,
        Self::ClosedEpochsAreEntered,
        Self::EpochsStayOpen,
        Self::OldFillsLand,
        Self::EveryValueIsBelieved,
        Self::StampIsTakenAfterTheDatabase,
        Self::WhatIsHeldIsAllThereWas,
    ];
}
