//! Applications, each with its hidden consumer and, where we keep credentials, a first one.

use serde_json::{Value, json};
use tracing::info;
use uuid::Uuid;

use super::Registration;
use super::rows::{Row, borrowed, reference, refused_of, text_of};
use crate::actors::Event;
use crate::config::AppAuth;
use crate::domain::{ConsumerType, Secret};
use crate::engine::catalog::{
    CatalogError, Happened, Key, ListRequest, Listing, Parent, confine, confine_to, id_of, judged, reference_to,
    refused,
};
use crate::schema::{Body, Entity, Violations, Write};
use crate::storage::{Handed, Holder};

/// Whose applications a caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All: the Admin API and the console.
    All,
    /// Those of one developer: the portal, and what stands below a developer in the Admin API.
    Developer(Uuid),
}

/// An application that its holder may see.
#[derive(Clone, Debug)]
pub struct Application {
    pub id: Uuid,
    pub developer: Uuid,
    /// The hidden consumer.
    pub consumer: Uuid,
    /// As clients see it.
    pub entity: Entity,
}

impl Application {
    /// One of a list that its holder was given. `None`: it has no id, so it is none.
    pub fn of(entity: Entity) -> Option<Self> {
        let (developer, consumer) = (reference(&entity, "developer").ok()?, reference(&entity, "consumer").ok()?);
        Some(Self { id: id_of(&entity)?, developer, consumer, entity })
    }
}

/// How a credential's secret is kept when the caller does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Sealed: it can be shown again, as Kong's Admin API does.
    Sealed,
    /// Hashed: it is told once.
    Hashed,
}

/// An application that was just made, with its first credential under kong-oauth2.
#[derive(Debug)]
pub struct Created {
    pub application: Entity,
    pub credential: Option<Issued>,
}

/// A credential that was just made.
#[derive(Debug)]
pub struct Issued {
    /// As clients see it; of a hashed secret it holds the hash.
    pub credential: Entity,
    /// The clear secret where it is told this once.
    pub secret: Option<Secret>,
}

impl Registration {
    /// Makes an application of `developer`, or of the one that the body names.
    ///
    /// # Errors
    /// All violations at once; [`CatalogError::Unique`] for a name the developer has or a `custom_id` that is taken.
    pub async fn create_application(
        &self,
        developer: Option<Uuid>,
        mut body: Body,
        keeping: Keeping,
    ) -> Result<Created, CatalogError> {
        let violations = confine(self.catalog.schema("applications")?, Write::Insert, &mut body);
        self.make_application(developer, body, violations, keeping).await
    }

    /// Makes an application as its developer may: with what [`Registration::own_fields`] names, and a hashed secret.
    ///
    /// # Errors
    /// As [`Registration::create_application`].
    pub async fn create_own_application(&self, developer: Uuid, mut body: Body) -> Result<Created, CatalogError> {
        let schema = self.catalog.schema("applications")?;
        let violations = confine_to(&self.own_fields(), schema, Write::Insert, &mut body);
        self.make_application(Some(developer), body, violations, Keeping::Hashed).await
    }

    /// What developers say of their own applications. The `custom_id` is told to upstreams, so it is theirs to say only
    /// where an identity provider vouches for it.
    pub fn own_fields(&self) -> [&'static str; 3] {
        ["name", "description", self.needed()]
    }

    async fn make_application(
        &self,
        developer: Option<Uuid>,
        mut body: Body,
        mut violations: Violations,
        keeping: Keeping,
    ) -> Result<Created, CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("applications")?;
        let parent = developer.map(|id| Parent { field: "developer", id });
        let consumer = catalog.ports.uuid();
        let missing = |field: &str| body.fields.get(field).is_none_or(is_unset);
        self.require(missing, &mut violations);
        body.fields.insert("consumer".to_owned(), reference_to(&consumer.to_string()));
        let drafted = catalog.drafted(schema, Write::Insert, body, None, parent.as_ref()).await;
        let application = judged(violations, drafted)?.entity;
        let owner = reference(&application, "developer")?;
        let hidden = self.hidden_consumer(consumer, ConsumerType::Application, &application).await?;
        let mut rows = vec![(catalog.schema("consumers")?, hidden)];
        let secret = match self.app_auth() {
            AppAuth::KongOauth2 => self.add_first_credential(&mut rows, &application, consumer, keeping).await?,
            AppAuth::ExternalOauth2 => None,
        };
        rows.push((schema, application));
        let stored = catalog.store.insert_application(owner, &borrowed(&rows)).await;
        stored.map_err(|error| refused_of(schema, &rows, error))?;
        self.tell_created(&rows).await?;
        let (made, credential) = (rows.pop(), rows.get(1));
        let made = made.map(|(_, application)| application).unwrap_or_default();
        info!(application.id = %text_of(&made, "id"), developer.id = %owner, "an application was made");
        let credential = match credential {
            Some((schema, credential)) => Some(Issued { credential: catalog.shown(schema, credential).await?, secret }),
            None => None,
        };
        Ok(Created { application: catalog.shown(schema, &made).await?, credential })
    }

    /// The credential that an application begins with, of the same instant.
    async fn add_first_credential<'r>(
        &'r self,
        rows: &mut Vec<Row<'r>>,
        application: &Entity,
        consumer: Uuid,
        keeping: Keeping,
    ) -> Result<Option<Secret>, CatalogError> {
        let secret = Secret::new(self.catalog.ports.token().reveal());
        let value = |field: &str| application.get(field).cloned().unwrap_or_default();
        let fields = [
            ("consumer", reference_to(&consumer.to_string())),
            ("created_at", value("created_at")),
            ("name", value("name")),
            ("redirect_uris", json!([value("redirect_uri")])),
            ("client_secret", secret.reveal().into()),
            ("hash_secret", (keeping == Keeping::Hashed).into()),
        ];
        rows.push(self.row("oauth2_credentials", fields).await?);
        Ok((keeping == Keeping::Hashed).then_some(secret))
    }

    /// What an application must have depends on who keeps its credentials.
    fn needed(&self) -> &'static str {
        match self.app_auth() {
            AppAuth::KongOauth2 => "redirect_uri",
            AppAuth::ExternalOauth2 => "custom_id",
        }
    }

    fn require(&self, missing: impl Fn(&str) -> bool, violations: &mut Violations) {
        let field = self.needed();
        if missing(field) {
            violations.add(field, "required field missing");
        }
    }

    /// # Errors
    /// [`CatalogError::NotFound`], also for one of another developer.
    pub async fn application(&self, scope: Scope, key: &Key) -> Result<Application, CatalogError> {
        let schema = self.catalog.schema("applications")?;
        let entity = self.catalog.find(schema, key, parent_of(scope).as_ref()).await?.ok_or(CatalogError::NotFound)?;
        Application::of(entity).ok_or(CatalogError::NotFound)
    }

    /// # Errors
    /// As [`Catalog::list`](crate::engine::catalog::Catalog::list).
    pub async fn applications(&self, scope: Scope, request: &ListRequest) -> Result<Listing, CatalogError> {
        let mut request = request.clone();
        if let Scope::Developer(id) = scope {
            request.filters.push(("developer.id".to_owned(), id.to_string().into()));
        }
        self.catalog.list(self.catalog.schema("applications")?, &request).await
    }

    /// Changes an application. Its credentials keep its name and redirect URI as long as they have those.
    ///
    /// # Errors
    /// All violations at once; [`CatalogError::Unique`]; [`CatalogError::NotFound`] when it went meanwhile.
    pub async fn patch_application(&self, application: &Application, mut body: Body) -> Result<Entity, CatalogError> {
        let violations = confine(self.catalog.schema("applications")?, Write::Patch, &mut body);
        self.change_application(application, body, violations).await
    }

    /// The same as its developer may.
    ///
    /// # Errors
    /// As [`Registration::patch_application`].
    pub async fn patch_own_application(
        &self,
        application: &Application,
        mut body: Body,
    ) -> Result<Entity, CatalogError> {
        let schema = self.catalog.schema("applications")?;
        let violations = confine_to(&self.own_fields(), schema, Write::Patch, &mut body);
        self.change_application(application, body, violations).await
    }

    async fn change_application(
        &self,
        application: &Application,
        body: Body,
        mut violations: Violations,
    ) -> Result<Entity, CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("applications")?;
        let (old, _turn) = catalog.load_to_change(schema, &Key::Id(application.id)).await?;
        let old = old.ok_or(CatalogError::NotFound)?;
        self.require(|field| body.fields.get(field).is_some_and(is_unset), &mut violations);
        let drafted = catalog.drafted(schema, Write::Patch, body, Some(&old), None).await;
        let new = judged(violations, drafted)?.entity;
        let handed = handed(application.consumer, &old, &new);
        let change = async {
            let changed = catalog.store.update_application(schema, application.id, &new, &handed).await;
            if !changed.map_err(|error| refused(schema, &new, error))? {
                return Err(CatalogError::NotFound);
            }
            // Its name, its credentials and its consumer's `custom_id` are in views of calls.
            self.announce(Event::Consumer(application.consumer)).await
        };
        catalog.in_time(change).await?;
        let happened = Happened::Updated { id: application.id, old, new: new.clone() };
        catalog.tell(schema, happened).await?;
        catalog.shown(schema, &new).await
    }

    /// Deletes an application with its contracts, credentials and tokens.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] for one that is no developer's own; without a scope nothing there is no error.
    pub async fn delete_application(&self, scope: Scope, key: &Key) -> Result<(), CatalogError> {
        let catalog = &self.catalog;
        let schema = catalog.schema("applications")?;
        let (old, _turn) = catalog.load_to_change(schema, key).await?;
        let seen = old.filter(|old| parent_of(scope).is_none_or(|parent| parent.owns(old)));
        let Some((id, old)) = seen.and_then(|old| Some((id_of(&old)?, old))) else {
            return match scope {
                // Deleted before, perhaps by a call that did not live to tell.
                Scope::All => self.announce(Event::Everything).await,
                Scope::Developer(_) => Err(CatalogError::NotFound),
            };
        };
        self.drain(Holder::Application(id)).await?;
        let delete = async {
            let consumer = catalog.store.delete_application(id).await?;
            self.forget_consumers(consumer.as_slice()).await
        };
        catalog.in_time(delete).await?;
        info!(application.id = %id, "application {id} was deleted");
        catalog.tell(schema, Happened::Deleted { id, old }).await
    }
}

fn parent_of(scope: Scope) -> Option<Parent> {
    match scope {
        Scope::All => None,
        Scope::Developer(id) => Some(Parent { field: "developer", id }),
    }
}

/// Nothing, or an empty field of a form.
pub(super) fn is_unset(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// What changed of what consumer and credentials have of an application.
fn handed(consumer: Uuid, old: &Entity, new: &Entity) -> Handed {
    let changed = |field: &str| {
        let (old, new) = (old.get(field).and_then(Value::as_str), new.get(field).and_then(Value::as_str));
        (old != new).then(|| (old.map(str::to_owned), new.map(str::to_owned)))
    };
    let both = |(old, new): (Option<String>, Option<String>)| old.zip(new);
    Handed {
        consumer,
        name: changed("name").and_then(both),
        redirect_uris: changed("redirect_uri").and_then(both).map(|(old, new)| (json!([old]), json!([new]))),
        custom_id: changed("custom_id").map(|(_, new)| new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_handed_on() {
        let entity = |value: Value| value.as_object().unwrap().clone();
        let old = entity(json!({"name": "a", "redirect_uri": "https://a.example", "custom_id": null}));
        let new = entity(json!({"name": "a", "redirect_uri": "https://b.example", "custom_id": "x"}));
        let handed = handed(Uuid::nil(), &old, &new);
        assert_eq!(handed.name, None);
        assert_eq!(handed.redirect_uris, Some((json!(["https://a.example"]), json!(["https://b.example"]))));
        assert_eq!(handed.custom_id, Some(Some("x".to_owned())));
    }
}
