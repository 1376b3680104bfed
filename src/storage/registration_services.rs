//! The services that applications may have contracts with, as the portal shows them.

use serde_json::Value as Json;
use uuid::Uuid;

use crate::domain::ContractStatus;

use super::Store;
use super::store::Outcome;
use super::value::{Row, Statement};

pub(super) const STATEMENTS: &[&str] = &[OFFERS, GUARDS, ENTRANCES];

/// `$1` is the application whose contract is told. The stored configuration has no provision key: that rests sealed in a
/// column of its own.
const OFFERS: &str = "SELECT s.id, s.name, p.config, d.path, i.id, i.status
    FROM plugins AS p JOIN services AS s ON s.id = p.service_id
    LEFT JOIN document_objects AS d ON d.service_id = s.id
    LEFT JOIN application_instances AS i ON i.service_id = s.id AND i.application_id = $1
    WHERE p.name = 'application-registration' AND p.enabled = TRUE ORDER BY s.id";
const GUARDS: &str = "SELECT p.service_id, p.name, p.config FROM plugins AS p
    WHERE p.name IN ('oauth2', 'key-auth') AND p.enabled = TRUE AND p.route_id IS NULL AND p.consumer_id IS NULL
    AND p.service_id IN (SELECT service_id FROM plugins WHERE name = 'application-registration' AND enabled = TRUE)
    ORDER BY p.id";
const ENTRANCES: &str = "SELECT service_id, hosts, paths FROM routes
    WHERE service_id IN (SELECT service_id FROM plugins WHERE name = 'application-registration' AND enabled = TRUE)
    ORDER BY id";

/// A service with an enabled application-registration plugin.
#[derive(Clone, Debug)]
pub struct OfferRow {
    pub service: Uuid,
    pub name: Option<String>,
    /// The plugin's, without provision key.
    pub config: Json,
    /// Of the document that describes it.
    pub document: Option<String>,
    /// The contract of the application that was asked for.
    pub contract: Option<(Uuid, ContractStatus)>,
}

/// A plugin on such a service that asks for credentials; its configuration is without provision key.
#[derive(Clone, Debug)]
pub struct GuardRow {
    pub service: Uuid,
    pub name: String,
    pub config: Json,
}

/// A route to such a service.
#[derive(Clone, Debug)]
pub struct EntranceRow {
    pub service: Uuid,
    pub hosts: Vec<String>,
    pub paths: Vec<String>,
}

/// All of one moment.
#[derive(Clone, Debug, Default)]
pub struct OfferRows {
    pub offers: Vec<OfferRow>,
    /// In the order in which they were made.
    pub guards: Vec<GuardRow>,
    /// In the order in which they were made.
    pub entrances: Vec<EntranceRow>,
}

impl Store {
    /// Every service that takes applications, in the order of ids, with the contract of this application.
    pub async fn offers(&self, application: Option<Uuid>) -> Outcome<OfferRows> {
        let statements = vec![
            Statement::new(OFFERS, vec![application.unwrap_or_default().into()]),
            Statement::new(GUARDS, Vec::new()),
            Statement::new(ENTRANCES, Vec::new()),
        ];
        let mut found = self.driver().read(statements).await?.into_iter();
        let mut rows = || found.next().unwrap_or_default().into_iter();
        Ok(OfferRows {
            offers: rows().map(offer).collect::<Outcome<_>>()?,
            guards: rows().map(guard).collect::<Outcome<_>>()?,
            entrances: rows().map(entrance).collect::<Outcome<_>>()?,
        })
    }
}

fn offer(row: Row) -> Outcome<OfferRow> {
    let mut columns = row.read("services");
    let (service, name) = (columns.uuid()?, columns.maybe_text()?);
    let (config, document) = (columns.maybe_json()?.unwrap_or_default(), columns.maybe_text()?);
    let (contract, status) = (columns.maybe_uuid()?, columns.maybe_int()?);
    let contract = match contract.zip(status) {
        Some((id, status)) => {
            let status = ContractStatus::of_code(status);
            Some((id, status.ok_or_else(|| columns.fault("the status of its contract is none we know"))?))
        }
        None => None,
    };
    Ok(OfferRow { service, name, config, document, contract })
}

fn guard(row: Row) -> Outcome<GuardRow> {
    let mut columns = row.read("plugins");
    let (service, name) = (columns.uuid()?, columns.text()?);
    Ok(GuardRow { service, name, config: columns.maybe_json()?.unwrap_or_default() })
}

fn entrance(row: Row) -> Outcome<EntranceRow> {
    let mut columns = row.read("routes");
    Ok(EntranceRow {
        service: columns.uuid()?,
        hosts: texts(columns.maybe_json()?),
        paths: texts(columns.maybe_json()?),
    })
}

fn texts(given: Option<Json>) -> Vec<String> {
    match given {
        Some(Json::Array(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}
