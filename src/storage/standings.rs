//! How a consumer stands to a service: its application, the developer of that, and the contract.

use std::sync::Arc;

use serde_json::Value as Json;
use uuid::Uuid;

use crate::domain::{ApplicationView, ContractStatus, ContractView, DeveloperStatus, Standing};

use super::Store;
use super::store::Outcome;
use super::value::{Columns, Row};

pub(super) const STATEMENTS: &[&str] = &[FIND];

const FIND: &str = "SELECT a.id, a.name, d.status, i.status, i.suspended, i.scopes
    FROM applications AS a JOIN developers AS d ON d.id = a.developer_id
    LEFT JOIN application_instances AS i ON i.application_id = a.id AND i.service_id = $2
    WHERE a.consumer_id = $1";

impl Store {
    /// A consumer that nothing is known of stands as a stranger.
    pub async fn find_standing(&self, consumer: Uuid, service: Uuid) -> Outcome<Standing> {
        let found = self.read(FIND, vec![consumer.into(), service.into()]).await?.pop();
        found.map_or(Ok(Standing::Stranger), |row| application(row).map(|view| Standing::Application(Arc::new(view))))
    }
}

fn application(row: Row) -> Outcome<ApplicationView> {
    let mut columns = row.read("applications");
    let (id, name) = (columns.uuid()?, columns.text()?);
    let developer = DeveloperStatus::of_code(columns.int()?);
    let developer = developer.ok_or_else(|| columns.fault("its developer's status is none we know"))?;
    let status = columns.maybe_int()?;
    let contract = status.map(|status| contract(status, &mut columns)).transpose()?;
    Ok(ApplicationView { id, name, developer, contract })
}

fn contract(status: i64, columns: &mut Columns) -> Outcome<ContractView> {
    let status = ContractStatus::of_code(status);
    let status = status.ok_or_else(|| columns.fault("the status of its contract is none we know"))?;
    let suspended = columns.bool()?;
    let scopes = match columns.maybe_json()? {
        None => None,
        Some(Json::Array(words)) => Some(words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()),
        Some(_) => return Err(columns.fault("the scopes of its contract are not an array")),
    };
    Ok(ContractView { status, suspended, scopes })
}
