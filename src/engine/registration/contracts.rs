//! Contracts (application instances): which application may call which service.

use serde_json::Value;
use tracing::info;
use uuid::Uuid;

use super::Registration;
use super::applications::Application;
use super::rows::reference;
use crate::domain::ContractStatus;
use crate::engine::catalog::{
    CatalogError, Happened, Key, ListRequest, Listing, Parent, confine, confine_to, id_of, judged, reference_to,
    referred, refused, restored,
};
use crate::schema::{Body, Entity, Violations, Write};
use crate::storage::{ListQuery, Lookup};

/// The plugin that makes a service one that applications have contracts with.
pub(super) const PLUGIN: &str = "application-registration";

/// From where contracts are looked at.
#[derive(Clone, Copy, Debug)]
pub enum Side<'a> {
    Application(&'a Application),
    /// The id of a service.
    Service(Uuid),
}

impl Side<'_> {
    fn parent(&self) -> Parent {
        match self {
            Self::Application(application) => Parent { field: "application", id: application.id },
            Self::Service(id) => Parent { field: "service", id: *id },
        }
    }
}

impl Registration {
    /// Makes the contract of an application with the service that the body names: approved where the service approves
    /// by itself, else requested.
    ///
    /// # Errors
    /// All violations at once, among them a service that takes no applications; [`CatalogError::ForeignKey`] for one
    /// that does not exist; [`CatalogError::Unique`] for a contract that there is.
    pub async fn create_contract(&self, application: &Application, mut body: Body) -> Result<Entity, CatalogError> {
        let violations = confine(self.catalog.schema("application_instances")?, Write::Insert, &mut body);
        self.make_contract(application, body, violations).await
    }

    /// Asks for a contract as the developer may, who says with which service (by its id) and nothing else.
    ///
    /// # Errors
    /// As [`Registration::create_contract`].
    pub async fn request_contract(&self, application: &Application, mut body: Body) -> Result<Entity, CatalogError> {
        let schema = self.catalog.schema("application_instances")?;
        let mut violations = confine_to(&["service"], schema, Write::Insert, &mut body);
        let service = body.fields.get("service").and_then(Value::as_object);
        // By names those could be found out that are in no catalogue.
        if service.is_some_and(|service| service.keys().any(|key| key != "id")) {
            body.fields.remove("service");
            violations.add("service", "expected an id");
        }
        self.make_contract(application, body, violations).await
    }

    async fn make_contract(
        &self,
        application: &Application,
        mut body: Body,
        mut violations: Violations,
    ) -> Result<Entity, CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("application_instances")?;
        let parent = Parent { field: "application", id: application.id };
        catalog.resolve_references(schema, &mut body.fields).await?;
        let service = referred(&body.fields, "service").and_then(|id| id.parse::<Uuid>().ok());
        match self.terms(service).await? {
            Terms::Unknown => {}
            Terms::None => {
                violations.add("service", "does not take applications: it has no application-registration plugin")
            }
            Terms::Some { auto_approve } => {
                let status = if auto_approve { ContractStatus::Approved } else { ContractStatus::Requested };
                body.fields.insert("status".to_owned(), status.code().into());
            }
        }
        let drafted = catalog.drafted(schema, Write::Insert, body, None, Some(&parent)).await;
        let draft = judged(violations, drafted)?;
        let status = status(&draft.entity);
        let made = catalog.insert(schema, draft).await?;
        self.forget_standing(application.consumer).await?;
        if let (Some(status), Some(id)) = (status, id_of(&made)) {
            let (application, to) = (application.id, status.word());
            info!(contract.id = %id, application.id = %application, to, "contract {id} was made and is {to}");
            self.tell_contract(&made, status).await;
        }
        Ok(made)
    }

    /// What a service asks of applications.
    async fn terms(&self, service: Option<Uuid>) -> Result<Terms, CatalogError> {
        let Some(service) = service else { return Ok(Terms::Unknown) };
        let catalog = &self.catalog;
        if catalog.store.find(catalog.schema("services")?, &Lookup::Id(service)).await?.is_none() {
            return Ok(Terms::Unknown);
        }
        let filters = vec![
            ("name".to_owned(), PLUGIN.into()),
            ("service".to_owned(), reference_to(&service.to_string())),
            ("enabled".to_owned(), true.into()),
        ];
        let query = ListQuery { filters, size: 1, ..ListQuery::default() };
        let Some(plugin) = catalog.store.list(catalog.schema("plugins")?, &query).await?.data.pop() else {
            return Ok(Terms::None);
        };
        let plugin = restored(&catalog.registry, "plugins", plugin);
        let auto_approve = plugin.get("config").and_then(|config| config.get("auto_approve")).and_then(Value::as_bool);
        Ok(Terms::Some { auto_approve: auto_approve.unwrap_or(false) })
    }

    /// # Errors
    /// As [`Catalog::list`](crate::engine::catalog::Catalog::list).
    pub async fn contracts(&self, side: Side<'_>, request: &ListRequest) -> Result<Listing, CatalogError> {
        let parent = side.parent();
        let mut request = request.clone();
        request.filters.push((format!("{}.id", parent.field), parent.id.to_string().into()));
        self.catalog.list(self.catalog.schema("application_instances")?, &request).await
    }

    /// # Errors
    /// [`CatalogError::NotFound`], also for one of another application or service.
    pub async fn contract(&self, side: Side<'_>, key: &Key) -> Result<Entity, CatalogError> {
        let schema = self.catalog.schema("application_instances")?;
        self.catalog.find(schema, key, Some(&side.parent())).await?.ok_or(CatalogError::NotFound)
    }

    /// Changes a contract. Unless it was open and stays so with the same scopes, the application's tokens and codes for
    /// the service end with it: who is approved again gets new ones.
    ///
    /// # Errors
    /// All violations at once; [`CatalogError::NotFound`]
    pub async fn patch_contract(&self, side: Side<'_>, key: &Key, mut body: Body) -> Result<Entity, CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("application_instances")?;
        let (old, _turn) = catalog.load_to_change(schema, key).await?;
        let old = old.filter(|old| side.parent().owns(old)).ok_or(CatalogError::NotFound)?;
        let violations = confine(schema, Write::Patch, &mut body);
        let drafted = catalog.drafted(schema, Write::Patch, body, Some(&old), None).await;
        let new = judged(violations, drafted)?.entity;
        let ends = self.parties(&old).await?;
        let id = id_of(&old).ok_or(CatalogError::NotFound)?;
        let same = is_open(&old) && is_open(&new) && old.get("scopes") == new.get("scopes");
        let close = (!same).then_some((ends.application, ends.service));
        let change = async {
            let changed = catalog.store.update_contract(schema, id, &new, close).await;
            if !changed.map_err(|error| refused(schema, &new, error))? {
                return Err(CatalogError::NotFound);
            }
            self.forget_grants(ends.consumer, ends.service).await
        };
        catalog.in_time(change).await?;
        let moved = told_move(id, &old, &new);
        catalog.tell(schema, Happened::Updated { id, old, new: new.clone() }).await?;
        if let Some(status) = moved {
            self.tell_contract(&new, status).await;
        }
        catalog.shown(schema, &new).await
    }

    /// Withdraws a contract: it goes with the application's tokens and codes for the service.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`]
    pub async fn delete_contract(&self, side: Side<'_>, key: &Key) -> Result<(), CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("application_instances")?;
        let (old, _turn) = catalog.load_to_change(schema, key).await?;
        let old = old.filter(|old| side.parent().owns(old)).ok_or(CatalogError::NotFound)?;
        let (ends, id) = (self.parties(&old).await?, id_of(&old).ok_or(CatalogError::NotFound)?);
        let delete = async {
            catalog.store.delete_contract(id, ends.application, ends.service).await?;
            self.forget_grants(ends.consumer, ends.service).await
        };
        catalog.in_time(delete).await?;
        info!(contract.id = %id, "contract {id} was withdrawn");
        catalog.tell(schema, Happened::Deleted { id, old }).await
    }

    async fn parties(&self, contract: &Entity) -> Result<Parties, CatalogError> {
        let application = reference(contract, "application")?;
        let schema = self.catalog.schema("applications")?;
        let consumer = self.catalog.follow(schema, &Key::Id(application), "consumer").await?;
        Ok(Parties { application, consumer, service: reference(contract, "service")? })
    }
}

/// What a service asks of applications.
enum Terms {
    /// There is no such service.
    Unknown,
    /// It takes none.
    None,
    Some {
        auto_approve: bool,
    },
}

/// Whom a contract binds.
struct Parties {
    application: Uuid,
    consumer: Uuid,
    service: Uuid,
}

fn status(contract: &Entity) -> Option<ContractStatus> {
    contract.get("status").and_then(Value::as_i64).and_then(ContractStatus::of_code)
}

fn is_suspended(contract: &Entity) -> bool {
    contract.get("suspended").and_then(Value::as_bool).unwrap_or(false)
}

/// Whether calls are let through by it.
fn is_open(contract: &Entity) -> bool {
    status(contract) == Some(ContractStatus::Approved) && !is_suspended(contract)
}

/// Logs a move; gives the status that was come to.
fn told_move(id: Uuid, old: &Entity, new: &Entity) -> Option<ContractStatus> {
    let (before, after) = (status(old)?, status(new)?);
    let (from, to, suspended) = (before.word(), after.word(), is_suspended(new));
    if before != after || is_suspended(old) != suspended {
        info!(contract.id = %id, from, to, suspended, "contract {id} was {from} and is {to}");
    }
    (before != after).then_some(after)
}
