//! Why a gate refuses (`config.show_refusal_reason`).

use crate::domain::{Gate, Refused};
use crate::message::Answer;

/// Tells why, where the gate is to tell it; the text of the answer is the same for every reason.
pub(super) fn with_reason(gate: Gate, why: Refused, answer: Answer) -> Answer {
    if gate.reasons { answer.with_header("x-refusal-reason", why.word()) } else { answer }
}
