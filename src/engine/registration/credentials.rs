//! Credentials of applications, and their secrets.

use serde_json::{Value, json};
use tracing::info;
use uuid::Uuid;

use super::Registration;
use super::applications::{Application, Issued, Keeping, is_unset};
use crate::actors::Event;
use crate::config::AppAuth;
use crate::domain::{MOST_SECRETS, Secret, Timestamp};
use crate::engine::catalog::{CatalogError, Key, ListRequest, Listing, Parent, confine_to, id_of, judged};
use crate::schema::{APPLICATIONS_CREDENTIAL, Body, Entity, Schema, Violations, Write, entities};
use crate::storage::{Holder, Removal};

/// Seconds that the secrets before a new one may live on: 30 days.
const LONGEST_OVERLAP: i64 = 30 * 24 * 3600;

/// A further secret that was just made.
#[derive(Debug)]
pub struct NewSecret {
    pub id: Uuid,
    /// Told this once.
    pub secret: Secret,
    pub created_at: Timestamp,
    /// `None`: it does not end.
    pub expires_at: Option<Timestamp>,
}

impl Registration {
    /// Makes one more credential of an application; name and redirect URI are the application's where the body names
    /// none. A secret that we make and hash is told this once.
    ///
    /// # Errors
    /// All violations at once; [`CatalogError::Unique`] for a `client_id` that is taken; [`CatalogError::NotFound`]
    /// where an identity provider keeps credentials.
    pub async fn create_credential(
        &self,
        application: &Application,
        mut body: Body,
        keeping: Keeping,
    ) -> Result<Issued, CatalogError> {
        let (schema, _) = self.credentials_of(application)?;
        let (posted, _) = APPLICATIONS_CREDENTIAL;
        let violations = confine_to(posted, schema, Write::Insert, &mut body);
        self.make_credential(application, body, violations, keeping).await
    }

    /// Makes a credential as the developer may, who says of it whether it is public and nothing else. Its secret is
    /// hashed; that of a public one is not told, for it is good for nothing.
    ///
    /// # Errors
    /// As [`Registration::create_credential`].
    pub async fn create_own_credential(
        &self,
        application: &Application,
        mut body: Body,
    ) -> Result<Issued, CatalogError> {
        let (schema, _) = self.credentials_of(application)?;
        let violations = confine_to(&["client_type"], schema, Write::Insert, &mut body);
        let mut issued = self.make_credential(application, body, violations, Keeping::Hashed).await?;
        if is_public(&issued.credential) {
            issued.secret = None;
        }
        Ok(issued)
    }

    async fn make_credential(
        &self,
        application: &Application,
        mut body: Body,
        violations: Violations,
        keeping: Keeping,
    ) -> Result<Issued, CatalogError> {
        let (schema, parent) = self.credentials_of(application)?;
        let fields = &mut body.fields;
        if fields.get("name").is_none_or(is_unset) {
            fields.insert("name".to_owned(), application.entity.get("name").cloned().unwrap_or_default());
        }
        if let (None, Some(uri @ Value::String(_))) =
            (fields.get("redirect_uris"), application.entity.get("redirect_uri"))
        {
            fields.insert("redirect_uris".to_owned(), json!([uri]));
        }
        if keeping == Keeping::Hashed {
            fields.insert("hash_secret".to_owned(), true.into());
        }
        let hashed = fields.get("hash_secret").is_some_and(|value| *value == true || *value == "true");
        let secret = (hashed && fields.get("client_secret").is_none_or(is_unset)).then(|| self.new_secret());
        if let Some(secret) = &secret {
            fields.insert("client_secret".to_owned(), secret.reveal().into());
        }
        let drafted = self.catalog.drafted(schema, Write::Insert, body, None, Some(&parent)).await;
        let made = self.catalog.insert(schema, judged(violations, drafted)?).await?;
        let credential = self.with_secrets(made).await?;
        if let Some(id) = id_of(&credential) {
            info!(credential.id = %id, application.id = %application.id, "credential {id} was made");
        }
        Ok(Issued { credential, secret })
    }

    /// # Errors
    /// As [`Catalog::list`](crate::engine::catalog::Catalog::list); [`CatalogError::NotFound`] where an identity
    /// provider keeps credentials.
    pub async fn credentials(&self, application: &Application, request: &ListRequest) -> Result<Listing, CatalogError> {
        let (schema, parent) = self.credentials_of(application)?;
        let mut request = request.clone();
        request.filters.push((format!("{}.id", parent.field), parent.id.to_string().into()));
        let mut listing = self.catalog.list(schema, &request).await?;
        let mut data = Vec::with_capacity(listing.data.len());
        for credential in listing.data {
            data.push(self.with_secrets(credential).await?);
        }
        listing.data = data;
        Ok(listing)
    }

    /// # Errors
    /// [`CatalogError::NotFound`]
    pub async fn credential(&self, application: &Application, key: &Key) -> Result<Entity, CatalogError> {
        let (schema, parent) = self.credentials_of(application)?;
        let found = self.catalog.find(schema, key, Some(&parent)).await?.ok_or(CatalogError::NotFound)?;
        self.with_secrets(found).await
    }

    /// Changes the redirect URIs of a credential.
    ///
    /// # Errors
    /// All violations at once; [`CatalogError::NotFound`]
    pub async fn patch_credential(
        &self,
        application: &Application,
        key: &Key,
        mut body: Body,
    ) -> Result<Entity, CatalogError> {
        let catalog = &self.catalog;
        let (schema, parent) = self.credentials_of(application)?;
        let (old, _turn) = catalog.load_to_change(schema, key).await?;
        let old = old.filter(|old| parent.owns(old)).ok_or(CatalogError::NotFound)?;
        let (_, patched) = APPLICATIONS_CREDENTIAL;
        let violations = confine_to(patched, schema, Write::Patch, &mut body);
        let drafted = catalog.drafted(schema, Write::Patch, body, Some(&old), Some(&parent)).await;
        let changed = catalog.update(schema, old, judged(violations, drafted)?).await?;
        self.with_secrets(changed).await
    }

    /// Deletes a credential with its tokens; also the last one.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`]
    pub async fn delete_credential(&self, application: &Application, key: &Key) -> Result<(), CatalogError> {
        let (schema, parent) = self.credentials_of(application)?;
        let credential = self.credential_id(application, key).await?;
        self.drain(Holder::Credential(credential)).await?;
        self.catalog.delete(schema, &Key::Id(credential), Some(&parent)).await?;
        info!(application.id = %application.id, "a credential of application {} was deleted", application.id);
        Ok(())
    }

    /// Makes one more secret of a credential; the others stay good.
    ///
    /// # Errors
    /// An end that is not to come, a client that keeps no secrets; [`CatalogError::Conflict`] when it has as many as a
    /// client may have.
    pub async fn add_secret(
        &self,
        application: &Application,
        key: &Key,
        body: Body,
    ) -> Result<NewSecret, CatalogError> {
        let credential = self.secretive(application, key).await?;
        let created_at = self.catalog.clock.now();
        let expires_at = self.end_of_secret(body, created_at)?;
        let secret = self.new_secret();
        let phc = self.catalog.ports.hash(secret.clone()).await?;
        let added = self.catalog.store.add_client_secret(credential, &phc, expires_at, MOST_SECRETS).await?;
        let full = || CatalogError::Conflict(format!("a credential has at most {MOST_SECRETS} secrets"));
        let id = added.ok_or_else(full)?;
        self.announce(Event::Credential(credential)).await?;
        info!(credential.id = %credential, secret.id = %id, "credential {credential} has a new secret");
        Ok(NewSecret { id, secret, created_at, expires_at })
    }

    /// Makes a secret in the place of those there are, which live on for `overlap` seconds.
    ///
    /// # Errors
    /// An overlap that is negative or longer than 30 days; [`CatalogError::NotFound`]
    pub async fn regenerate_secret(
        &self,
        application: &Application,
        key: &Key,
        overlap: i64,
    ) -> Result<NewSecret, CatalogError> {
        if !(0..=LONGEST_OVERLAP).contains(&overlap) {
            let text = format!("value should be between 0 and {LONGEST_OVERLAP}");
            return Err(Violations::of("overlap_seconds", text).into());
        }
        let credential = self.secretive(application, key).await?;
        let created_at = self.catalog.clock.now();
        let secret = self.new_secret();
        let phc = self.catalog.ports.hash(secret.clone()).await?;
        let ends = created_at.plus_seconds(overlap);
        let replace = async {
            let replaced = self.catalog.store.replace_client_secret(credential, &phc, ends).await?;
            let id = replaced.ok_or(CatalogError::NotFound)?;
            self.announce(Event::Credential(credential)).await?;
            Ok(id)
        };
        let id = self.catalog.in_time(replace).await?;
        info!(credential.id = %credential, secret.id = %id, overlap_s = overlap, "credential {credential} has a new secret");
        Ok(NewSecret { id, secret, created_at, expires_at: None })
    }

    /// Ends a secret of a credential.
    ///
    /// # Errors
    /// [`CatalogError::Conflict`] for the last one; [`CatalogError::NotFound`]
    pub async fn delete_secret(&self, application: &Application, key: &Key, secret: &Key) -> Result<(), CatalogError> {
        let credential = self.credential_id(application, key).await?;
        let Key::Id(id) = secret else { return Err(CatalogError::NoUuid) };
        let delete = async {
            let removal = self.catalog.store.delete_client_secret(credential, *id).await?;
            if removal != Removal::LastOne {
                // Also of one deleted before, perhaps by a call that did not live to tell.
                self.announce(Event::Credential(credential)).await?;
            }
            Ok(removal)
        };
        match self.catalog.in_time(delete).await? {
            Removal::Removed => {
                info!(credential.id = %credential, secret.id = %id, "secret {id} has ended");
                Ok(())
            }
            Removal::NotFound => Err(CatalogError::NotFound),
            Removal::LastOne => {
                Err(CatalogError::Conflict("the last secret of a credential cannot be deleted".to_owned()))
            }
        }
    }

    /// A credential as its developer may see it later: without the hash that is kept of its secret.
    pub fn without_hash(mut credential: Entity) -> Entity {
        if credential.get("hash_secret").and_then(Value::as_bool) == Some(true) {
            credential.shift_remove("client_secret");
        }
        credential
    }

    fn new_secret(&self) -> Secret {
        Secret::new(self.catalog.ports.token().reveal())
    }

    /// Where credentials of an application are kept, if we keep any.
    fn credentials_of(&self, application: &Application) -> Result<(&Schema, Parent), CatalogError> {
        match self.app_auth() {
            AppAuth::KongOauth2 => {
                let parent = Parent { field: "consumer", id: application.consumer };
                Ok((self.catalog.schema("oauth2_credentials")?, parent))
            }
            AppAuth::ExternalOauth2 => Err(CatalogError::NotFound),
        }
    }

    async fn credential_id(&self, application: &Application, key: &Key) -> Result<Uuid, CatalogError> {
        let (schema, parent) = self.credentials_of(application)?;
        let found = self.catalog.load(schema, key).await?.filter(|credential| parent.owns(credential));
        found.as_ref().and_then(id_of).ok_or(CatalogError::NotFound)
    }

    /// The id of a credential that may have secrets.
    async fn secretive(&self, application: &Application, key: &Key) -> Result<Uuid, CatalogError> {
        let (schema, parent) = self.credentials_of(application)?;
        let found = self.catalog.load(schema, key).await?.filter(|credential| parent.owns(credential));
        let credential = found.ok_or(CatalogError::NotFound)?;
        if is_public(&credential) {
            return Err(Violations::of("client_type", "a public client has no secrets").into());
        }
        id_of(&credential).ok_or(CatalogError::NotFound)
    }

    fn end_of_secret(&self, body: Body, now: Timestamp) -> Result<Option<Timestamp>, CatalogError> {
        let catalog = &self.catalog;
        let schema = entities::client_secret();
        let judged = catalog.registry.insert(&schema, body, &mut catalog.generator())?;
        let end =
            judged.entity.get("expires_at").and_then(Value::as_f64).map(|end| Timestamp::from_seconds(end as i64));
        match end {
            Some(end) if end <= now => Err(Violations::of("expires_at", "must be in the future").into()),
            end => Ok(end),
        }
    }

    /// Adds what can be told of a credential's secrets.
    async fn with_secrets(&self, mut credential: Entity) -> Result<Entity, CatalogError> {
        let id = id_of(&credential).ok_or(CatalogError::NotFound)?;
        let secrets = self.catalog.store.client_secrets(id).await?;
        let told = secrets.iter().map(|secret| {
            let end = secret.expires_at.map(Timestamp::seconds);
            json!({ "id": secret.id.to_string(), "created_at": secret.created_at.seconds(), "expires_at": end })
        });
        credential.insert("secrets".to_owned(), told.collect());
        Ok(credential)
    }
}

/// Whether a client keeps no secrets.
fn is_public(credential: &Entity) -> bool {
    credential.get("client_type").and_then(Value::as_str) == Some("public")
}
