//! From entities to what pages print.

use serde_json::Value;

use super::lines::Ways;
use super::views::{
    ApplicationRow, ApplicationView, ContractBadge, ContractRow, CredentialView, Fact, SecretRow, ServiceCard, Status,
};
use crate::domain::{ContractStatus, Timestamp};
use crate::pages;
use crate::schema::Entity;

/// A field's text; empty where it is unset.
pub fn text(entity: &Value, field: &str) -> String {
    entity.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A field's instant, for people and for machines; empty where it is unset.
pub fn time(entity: &Value, field: &str) -> (String, String) {
    let Some(seconds) = entity.get(field).and_then(Value::as_i64) else { return Default::default() };
    let at = Timestamp::from_seconds(seconds);
    (pages::shown(at), pages::iso(at))
}

fn reference(entity: &Value, field: &str) -> String {
    entity.get(field).map(|target| text(target, "id")).unwrap_or_default()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Where a contract (or its short form in the catalogue) stands.
pub fn contract_status(contract: &Value) -> Option<(ContractStatus, bool)> {
    let status = contract.get("status").and_then(Value::as_i64).and_then(ContractStatus::of_code)?;
    Some((status, contract.get("suspended").and_then(Value::as_bool).unwrap_or(false)))
}

/// A row of the catalogue as a card. `application`: whether one was chosen, whose status is shown.
pub fn service_card(row: &Value, application: bool) -> ServiceCard {
    let none = Value::Null;
    let config = row.get("app_registration_config").unwrap_or(&none);
    let status = Status::of(row.get("instance").and_then(contract_status));
    let ways = ways(row);
    let mut shown = Vec::new();
    if ways.client_credentials || ways.authorization_code || ways.implicit || ways.password {
        shown.push("OAuth 2.0");
    }
    if ways.key_header.is_some() {
        shown.push("API key");
    }
    ServiceCard {
        id: text(row, "id"),
        name: text(config, "display_name"),
        description: text(config, "description"),
        ways: shown,
        auto_approve: config.get("auto_approve").and_then(Value::as_bool).unwrap_or(false),
        status: application.then_some(status),
    }
}

/// How a service of the catalogue is called.
pub fn ways(row: &Value) -> Ways {
    let none = Value::Null;
    let config = row.get("auth_plugin_config").unwrap_or(&none);
    let is_on = |field: &str| config.get(field).and_then(Value::as_bool).unwrap_or(false);
    let header = text(config, "auth_header_name");
    Ways {
        client_credentials: is_on("enable_client_credentials"),
        authorization_code: is_on("enable_authorization_code"),
        implicit: is_on("enable_implicit_grant"),
        password: is_on("enable_password_grant"),
        scopes: strings(config.get("scopes")),
        token_header: if header.is_empty() { "Authorization".to_owned() } else { header },
        key_header: strings(config.get("key_names")).into_iter().next(),
    }
}

/// What a developer asks first of a service.
pub fn facts(row: &Value) -> Vec<Fact> {
    let ways = ways(row);
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
    if let Some(key) = &ways.key_header {
        facts.push(Fact { name: "API key header", value: key.clone() });
    }
    let issuer = row.get("auth_plugin_config").map(|config| text(config, "issuer")).unwrap_or_default();
    if !issuer.is_empty() {
        facts.push(Fact { name: "Issuer", value: issuer });
    }
    facts
}

/// An application in one's list, with the display names of the services it has contracts with.
pub fn application_row(application: &Value, contracts: &[Value], name_of: impl Fn(&str) -> String) -> ApplicationRow {
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

pub fn application(application: &Value) -> ApplicationView {
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

pub fn contract_row(contract: &Value, name_of: impl Fn(&str) -> String) -> ContractRow {
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
pub fn credential(credential: &Value) -> CredentialView {
    let secrets = credential.get("secrets").and_then(Value::as_array).into_iter().flatten();
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

/// An entity as the JSON that the functions here read.
pub fn json(entity: Entity) -> Value {
    Value::Object(entity)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_of_the_catalogue_is_a_card() {
        let row = json!({
            "id": "s", "name": "orders",
            "app_registration_config": {"display_name": "Orders", "description": "All orders", "auto_approve": true},
            "auth_plugin_config": {"enable_client_credentials": true, "scopes": ["read"], "auth_header_name": "x-token"},
            "instance": {"id": "i", "status": 1},
        });
        let card = service_card(&row, true);
        assert_eq!((card.name.as_str(), card.ways.as_slice(), card.auto_approve), ("Orders", &["OAuth 2.0"][..], true));
        assert_eq!(card.status.unwrap().text, "Pending approval");
        let facts: Vec<_> = facts(&row).into_iter().map(|fact| fact.value).collect();
        assert_eq!(facts, ["client credentials", "x-token", "read"]);
        let keys = json!({"id": "s", "auth_plugin_config": {"key_names": ["apikey"]}});
        assert_eq!(
            (service_card(&keys, false).ways, ways(&keys).key_header.as_deref()),
            (vec!["API key"], Some("apikey"))
        );
    }

    #[test]
    fn unset_fields_are_empty() {
        let shown = application(&json!({"id": "a", "created_at": 1_795_347_228}));
        assert_eq!((shown.name.as_str(), shown.created_iso.as_str()), ("", "2026-11-22T11:33:48Z"));
        assert_eq!(time(&json!({"created_at": null}), "created_at"), Default::default());
    }
}
