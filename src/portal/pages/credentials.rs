//! Credentials and their secrets. A new secret stands in the answer to the form that asked for it, and nowhere else.

use actix_web::HttpResponse;

use super::application::{self, nothing};
use super::applications::contracts_of;
use super::catalog::{client_of, key, lines_of};
use super::guest::{Guest, Posted};
use super::said::Refused;
use crate::domain::{ContractStatus, Secret};
use crate::engine::catalog::CatalogError;
use crate::engine::registration::Application;
use crate::pages;
use crate::portal::show;
use crate::portal::views::ShownOnce;
use crate::schema::Entity;

type Answered = Result<HttpResponse, Refused>;

pub(super) async fn create(Posted { guest, .. }: Posted) -> Answered {
    let application = guest.application().await?;
    let issued = guest.desk.registration.create_own_credential(&application, nothing()).await?;
    let secret = issued.secret.ok_or(Refused::NotFound)?;
    shown_once(&guest, &application, &issued.credential, &secret).await
}

pub(super) async fn add_secret(Posted { guest, .. }: Posted) -> Answered {
    let application = guest.application().await?;
    let (registration, credential) = (&guest.desk.registration, key(guest.id("credential")?));
    let made = match registration.add_secret(&application, &credential, nothing()).await {
        Ok(made) => made,
        Err(CatalogError::Conflict(_)) => {
            return Ok(pages::redirect(&format!("/apps/{}?done=full", application.id)));
        }
        Err(other) => return Err(other.into()),
    };
    let credential = registration.credential(&application, &credential).await?;
    shown_once(&guest, &application, &credential, &made.secret).await
}

pub(super) async fn retire(Posted { guest, .. }: Posted) -> Answered {
    let application = guest.application().await?;
    let (credential, secret) = (key(guest.id("credential")?), key(guest.id("secret")?));
    let done = match guest.desk.registration.delete_secret(&application, &credential, &secret).await {
        Ok(()) => "retired",
        Err(CatalogError::Conflict(_)) => "last-secret",
        Err(other) => return Err(other.into()),
    };
    Ok(pages::redirect(&format!("/apps/{}?done={done}", application.id)))
}

pub(super) async fn delete(Posted { guest, .. }: Posted) -> Answered {
    let application = guest.application().await?;
    let credential = key(guest.id("credential")?);
    guest.desk.registration.delete_credential(&application, &credential).await?;
    Ok(pages::redirect(&format!("/apps/{}?done=credential-deleted", application.id)))
}

/// The application's page with a secret that was just made, and the lines that use it at every service it may call.
async fn shown_once(guest: &Guest, application: &Application, credential: &Entity, secret: &Secret) -> Answered {
    let client = client_of(credential, Some(secret.reveal().to_owned()));
    let mut lines = Vec::new();
    for contract in contracts_of(guest, application).await? {
        let open = show::contract_status(&contract) == Some((ContractStatus::Approved, false));
        let service = show::reference(&contract, "service").parse().ok();
        if let (true, Some(service)) = (open, service)
            && let Ok(offer) = guest.desk.registration.service(None, service).await
        {
            lines.extend(lines_of(&guest.desk, &offer, &client));
        }
    }
    let shown = ShownOnce { client_id: client.client_id, client_secret: secret.reveal().to_owned(), lines };
    application::page(guest, application, Some(shown)).await
}
