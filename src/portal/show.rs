//! From entities to what pages print.

use serde_json::Value;

use super::lines::Ways;
use super::views::{
    ApplicationRow, ApplicationView, ContractBadge, ContractRow, CredentialView, Fact, SecretRow, ServiceCard, Status,
};
use crate::domain::{ContractStatus, Timestamp};
use crate::engine::registration::Offer;
use crate::pages;
use crate::schema::Entity;

/// A field's text; empty where it is unset.
pub fn text(entity: &Entity, field: &str) -> String {
    entity.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A field's instant, for people and for machines; empty where it is unset.
pub fn time(entity: &Entity, field: &str) -> (String, String) {
    let Some(seconds) = entity.get(field).and_then(Value::as_i64) else { return Default::default() };
    let at = Timestamp::from_seconds(seconds);
    (pages::shown(at), pages::iso(at))
}

/// The id that a reference holds, or that of the entity in its place.
pub fn reference(entity: &Entity, field: &str) -> String {
    let id = entity.get(field).and_then(|target| target.get("id")?.as_str());
    id.unwrap_or_default().to_owned()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Where a contract stands, and whether it is suspended.
pub fn contract_status(contract: &Entity) -> Option<(ContractStatus, bool)> {
    let status = contract.get("status").and_then(Value::as_i64).and_then(ContractStatus::of_code)?;
    Some((status, contract.get("suspended").and_then(Value::as_bool).unwrap_or(false)))
}

/// A service of the catalogue as a card. `application`: whether one was chosen, whose status is shown.
pub fn service_card(offer: &Offer, application: bool) -> ServiceCard {
    let status = Status::of(offer.contract.map(|(_, status)| (status, false)));
    let ways = match offer.auth.as_ref().map(|(name, _)| name.as_str()) {
        Some("oauth2") => vec!["OAuth 2.0"],
        Some("key-auth") => vec!["API key"],
        _ => Vec::new(),
    };
    ServiceCard {
        id: offer.service.to_string(),
        name: offer.title().to_owned(),
        description: offer.description.clone().unwrap_or_default(),
        ways,
        auto_approve: offer.auto_approve,
        status: application.then_some(status),
    }
}

/// How a service of the catalogue is called.
pub fn ways(offer: &Offer) -> Ways {
    let Some((_, config)) = &offer.auth else { return Ways::default() };
    let is_on = |field: &str| config.get(field).and_then(Value::as_bool).unwrap_or(false);
    let header = text(config, "auth_header_name");
    Ways {
        client_credentials: is_on("enable_client_credentials"),
        authorization_code: is_on("enable_authorization_code"),
        implicit: is_on("enable_implicit_grant"),
        password: is_on("enable_password_grant"),
        scopes: strings(config.get("scopes")),
        token_header: if header.is_empty() { "authorization".to_owned() } else { header },
        key_header: strings(config.get("key_names")).into_iter().next(),
    }
}

/// What a developer asks first of a service.
pub fn facts(offer: &Offer) -> Vec<Fact> {
    let ways = ways(offer);
    let grants = [
        (ways.client_credentials, "client credentials"),
        (ways.authorization_code, "authorization code"),
        (ways.implicit, "implicit"),
        (ways.password, "password"),
    ];
    let grants: Vec<&str> = grants.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    let mut facts = Vec::new();
    if !grants.is_empty() {
        facts.push(Fact { name: "Grants", value: grants.join(", ") });
        facts.push(Fact { name: "Token header", value: ways.token_header.clone() });
    }
    if !ways.scopes.is_empty() {
        facts.push(Fact { name: "Scopes", value: ways.scopes.join(" ") });
    }
    if let Some(key) = ways.key_header {
        facts.push(Fact { name: "API key header", value: key });
    }
    facts
}

/// An application in one's list, with the display names of the services it has contracts with.
pub fn application_row(application: &Entity, contracts: &[Entity], name_of: impl Fn(&str) -> String) -> ApplicationRow {
    let (created, created_iso) = time(application, "created_at");
    let contracts = contracts.iter().map(|contract| ContractBadge {
        service: name_of(&reference(contract, "service")),
        status: Status::of(contract_status(contract)),
    });
    ApplicationRow {
        id: text(application, "id"),
        name: text(application, "name"),
        description: text(application, "description"),
        created,
        created_iso,
        contracts: contracts.collect(),
    }
}

pub fn application(application: &Entity) -> ApplicationView {
    let (created, created_iso) = time(application, "created_at");
    ApplicationView {
        id: text(application, "id"),
        name: text(application, "name"),
        description: text(application, "description"),
        redirect_uri: text(application, "redirect_uri"),
        custom_id: text(application, "custom_id"),
        created,
        created_iso,
    }
}

pub fn contract_row(contract: &Entity, name_of: impl Fn(&str) -> String) -> ContractRow {
    let (since, since_iso) = time(contract, "updated_at");
    let service_id = reference(contract, "service");
    ContractRow {
        id: text(contract, "id"),
        service: name_of(&service_id),
        service_id,
        status: Status::of(contract_status(contract)),
        note: text(contract, "note"),
        since,
        since_iso,
    }
}

/// A credential without its secrets, of which only the ages are shown.
pub fn credential(credential: &Entity) -> CredentialView {
    let secrets =
        credential.get("secrets").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let secrets = secrets.map(|secret| {
        let ((created, created_iso), (ends, ends_iso)) = (time(secret, "created_at"), time(secret, "expires_at"));
        SecretRow { id: text(secret, "id"), created, created_iso, ends, ends_iso }
    });
    CredentialView {
        id: text(credential, "id"),
        client_id: text(credential, "client_id"),
        client_type: text(credential, "client_type"),
        redirect_uris: strings(credential.get("redirect_uris")),
        secrets: secrets.collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn offer(auth: Option<(&str, Value)>) -> Offer {
        Offer {
            service: uuid::Uuid::nil(),
            name: Some("orders".into()),
            display_name: "Orders".into(),
            description: None,
            auto_approve: true,
            show_issuer: false,
            auth: auth.map(|(name, config)| (name.to_owned(), config.as_object().unwrap().clone())),
            document: None,
            contract: Some((uuid::Uuid::nil(), ContractStatus::Requested)),
            entrance: None,
        }
    }

    #[test]
    fn an_offer_is_a_card() {
        let config = json!({"enable_client_credentials": true, "scopes": ["read"], "auth_header_name": "x-token"});
        let tokens = offer(Some(("oauth2", config)));
        let card = service_card(&tokens, true);
        assert_eq!((card.name.as_str(), card.ways.as_slice(), card.auto_approve), ("Orders", &["OAuth 2.0"][..], true));
        assert_eq!(card.status.unwrap().text, "Pending approval");
        let facts: Vec<_> = facts(&tokens).into_iter().map(|fact| fact.value).collect();
        assert_eq!(facts, ["client credentials", "x-token", "read"]);
        let keys = offer(Some(("key-auth", json!({"key_names": ["apikey"]}))));
        assert_eq!(
            (service_card(&keys, false).ways, ways(&keys).key_header.as_deref()),
            (vec!["API key"], Some("apikey"))
        );
        assert_eq!(ways(&offer(None)), Ways::default());
    }

    #[test]
    fn unset_fields_are_empty() {
        let shown = application(json!({"id": "a", "created_at": 1_795_347_228}).as_object().unwrap());
        assert_eq!((shown.name.as_str(), shown.created_iso.as_str()), ("", "2026-11-22T11:33:48Z"));
        assert_eq!(time(json!({"created_at": null}).as_object().unwrap(), "created_at"), Default::default());
    }
}
