//! What pages read of entities.

use serde_json::Value;

use super::views::{Badge, Fact, Leads, Shown, When};
use crate::domain::{ContractStatus, DeveloperStatus};
use crate::pages::Tone;
use crate::schema::Entity;

/// A field's text; empty where it is unset.
pub(super) fn text<'e>(entity: &'e Entity, field: &str) -> &'e str {
    entity.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The id that a reference holds, expanded or not.
pub(super) fn reference<'e>(entity: &'e Entity, field: &str) -> &'e str {
    entity.get(field).and_then(|target| target.get("id")?.as_str()).unwrap_or_default()
}

pub(super) fn when(entity: &Entity, field: &str) -> When {
    When::seconds(entity.get(field).and_then(Value::as_i64)).unwrap_or_default()
}

pub(super) fn fact(name: &str, shown: Shown) -> Fact {
    Fact { name: name.to_owned(), shown }
}

/// A text, or nothing.
pub(super) fn told(text: &str) -> Shown {
    if text.is_empty() { Shown::Nothing } else { Shown::Text(text.to_owned()) }
}

/// A text in the typewriter's letters, or nothing.
pub(super) fn code(text: &str) -> Shown {
    if text.is_empty() { Shown::Nothing } else { Shown::Code(text.to_owned()) }
}

pub(super) fn leads(path: impl Into<String>, text: impl Into<String>) -> Leads {
    Leads { path: path.into(), text: text.into() }
}

/// The texts of a list.
pub(super) fn texts(entity: &Entity, field: &str) -> Vec<String> {
    let items = entity.get(field).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn contract_status(contract: &Entity) -> Option<ContractStatus> {
    contract.get("status").and_then(Value::as_i64).and_then(ContractStatus::of_code)
}

pub(super) fn is_suspended(contract: &Entity) -> bool {
    contract.get("suspended").and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn developer_status(developer: &Entity) -> Option<DeveloperStatus> {
    developer.get("status").and_then(Value::as_i64).and_then(DeveloperStatus::of_code)
}

pub(super) fn contract_badge(contract: &Entity) -> Badge {
    let (text, tone) = match (contract_status(contract), is_suspended(contract)) {
        (Some(ContractStatus::Approved), true) => ("suspended", Tone::Bad),
        (Some(ContractStatus::Approved), false) => ("approved", Tone::Good),
        (Some(ContractStatus::Requested), _) => ("requested", Tone::Wait),
        (Some(ContractStatus::Rejected), _) => ("rejected", Tone::Bad),
        (Some(ContractStatus::Revoked), _) => ("revoked", Tone::Bad),
        (None, _) => ("unknown", Tone::Wait),
    };
    Badge { text: text.to_owned(), tone }
}

pub(super) fn developer_badge(developer: &Entity) -> Badge {
    let status = developer_status(developer);
    let tone = match status {
        Some(DeveloperStatus::Approved) => Tone::Good,
        Some(DeveloperStatus::Requested | DeveloperStatus::Unverified) | None => Tone::Wait,
        Some(DeveloperStatus::Rejected | DeveloperStatus::Revoked) => Tone::Bad,
    };
    Badge { text: status.map_or("unknown", DeveloperStatus::word).to_owned(), tone }
}
