//! Operations and schemas of application registration.

use serde_json::{Map, Value, json};

use super::paths::{body_of, content, failures, operation_id, query};
use super::types::{self, name, reference};
use crate::schema::{APPLICATIONS_CREDENTIAL, Endpoint, Registry, Resource, Verb};

/// What an operation answers when all is well.
enum Answer {
    Page(&'static str),
    /// A schema of `components`.
    One(String),
    Text(&'static str),
    Gone,
}

pub(super) fn operation(registry: &Registry, endpoint: &Endpoint, resource: Resource, verb: Verb) -> Value {
    let (status, answer) = answer(resource, verb);
    let entity = entity(resource);
    let mut responses = failures(verb, endpoint.path.contains('{'));
    if resource == Resource::Invitation {
        responses.insert("501".to_owned(), content("No mail server is set.", &reference("Message")));
    }
    if resource == Resource::Secret {
        responses.insert("409".to_owned(), content("It is the last one.", &reference("Message")));
    }
    let good = match &answer {
        Answer::Page(entity) => content("A page.", &reference(&format!("{}Page", name(entity)))),
        Answer::One(schema) => content("The answer.", &reference(schema)),
        Answer::Text(kind) => {
            json!({ "description": "The text.", "content": { *kind: { "schema": { "type": "string" } } } })
        }
        Answer::Gone => json!({ "description": "Gone, or never there." }),
    };
    responses.insert(status.to_owned(), good);
    let mut operation = json!({
        "operationId": operation_id(&endpoint.path, verb),
        "summary": summary(resource, verb),
        "tags": [entity],
        "responses": responses,
    });
    if let Answer::Page(entity) = answer {
        operation["parameters"] = query(registry, entity).into();
    }
    if let Some(body) = body(resource, verb) {
        operation["requestBody"] = body_of(&body);
    }
    operation
}

/// The entity that a path is about.
fn entity(resource: Resource) -> &'static str {
    match resource {
        Resource::Developers | Resource::Developer | Resource::Invitation | Resource::Export | Resource::Owner => {
            "developers"
        }
        Resource::Roles | Resource::Role => "developer_roles",
        Resource::Applications | Resource::Application => "applications",
        Resource::Contracts | Resource::Contract => "application_instances",
        Resource::Credentials | Resource::Credential | Resource::Secrets | Resource::Secret => "oauth2_credentials",
        Resource::Documents | Resource::Document => "document_objects",
        Resource::HiddenConsumer => "consumers",
        Resource::Belongings { entity } | Resource::Belonging { entity } => entity,
    }
}

fn answer(resource: Resource, verb: Verb) -> (&'static str, Answer) {
    let of = || Answer::One(name(entity(resource)));
    match (resource, verb) {
        (Resource::Export, _) => ("200", Answer::Text("text/csv")),
        (Resource::Invitation, _) => ("200", Answer::One("Invited".to_owned())),
        (_, Verb::Delete) => ("204", Answer::Gone),
        // As Kong: made, and yet 200; changed, and wrapped.
        (Resource::Developers, Verb::Post) => ("200", of()),
        (Resource::Developer, Verb::Patch) => ("200", Answer::One("ChangedDeveloper".to_owned())),
        (Resource::Secrets, Verb::Post) => ("201", Answer::One("NewClientSecret".to_owned())),
        (Resource::Secrets, _) => ("200", Answer::One("ClientSecrets".to_owned())),
        (Resource::Credentials, Verb::Post) => ("201", Answer::One("ApplicationCredential".to_owned())),
        (Resource::Credentials, _) => ("200", Answer::One("ApplicationCredentialPage".to_owned())),
        (Resource::Credential, _) => ("200", Answer::One("ApplicationCredential".to_owned())),
        (_, Verb::Post) => ("201", of()),
        (
            Resource::Developers
            | Resource::Roles
            | Resource::Applications
            | Resource::Contracts
            | Resource::Documents
            | Resource::Belongings { .. },
            _,
        ) => ("200", Answer::Page(entity(resource))),
        _ => ("200", of()),
    }
}

fn body(resource: Resource, verb: Verb) -> Option<String> {
    let of = |suffix: &str| Some(format!("{}{suffix}", name(entity(resource))));
    match (resource, verb) {
        (_, Verb::Get | Verb::Delete) => None,
        (Resource::Invitation, _) => Some("Invitation".to_owned()),
        (Resource::Secrets, _) => Some("NewClientSecretBody".to_owned()),
        (Resource::Credentials, _) => Some("ApplicationCredentialBody".to_owned()),
        (Resource::Credential, _) => Some("ApplicationCredentialPatch".to_owned()),
        (Resource::Developer | Resource::Application | Resource::Contract, Verb::Patch) => of("Patch"),
        _ => of("Body"),
    }
}

fn summary(resource: Resource, verb: Verb) -> String {
    let entity = entity(resource);
    match (resource, verb) {
        (Resource::Export, _) => "Addresses and statuses of all developers, as CSV.".to_owned(),
        (Resource::Invitation, _) => "Invites people by mail.".to_owned(),
        (Resource::Secrets, Verb::Post) => "Makes one more secret of a credential; told this once.".to_owned(),
        (Resource::Secrets, _) => "Lists the secrets of a credential, without their values.".to_owned(),
        (Resource::Secret, _) => "Ends a secret of a credential.".to_owned(),
        (Resource::Documents, Verb::Post) => "Puts a document in the place of the one a service has.".to_owned(),
        (Resource::Owner, _) => "Shows whose an application is.".to_owned(),
        (Resource::HiddenConsumer, _) => "Shows the consumer that stands for it.".to_owned(),
        (_, Verb::Post) => format!("Creates one of {entity}."),
        (_, Verb::Patch) => format!("Changes one of {entity}."),
        (_, Verb::Delete) => format!("Deletes one of {entity}."),
        (Resource::Developer | Resource::Role | Resource::Application | Resource::Contract, _) => {
            format!("Shows one of {entity}.")
        }
        (Resource::Credential | Resource::Document | Resource::Belonging { .. }, _) => {
            format!("Shows one of {entity}.")
        }
        _ => format!("Lists {entity}."),
    }
}

/// `DELETE /oauth2_tokens?…`
pub(super) fn bulk(registry: &Registry, endpoint: &Endpoint, entity: &str) -> Value {
    let mut responses = failures(Verb::Delete, false);
    responses.insert("200".to_owned(), content("How many were deleted.", &reference("Deleted")));
    let by = ["authenticated_userid", "credential.id", "service.id"];
    let known =
        query(registry, entity).into_iter().filter(|parameter| by.iter().any(|name| parameter["name"] == *name));
    json!({
        "operationId": operation_id(&endpoint.path, Verb::Delete),
        "summary": format!("Deletes {entity} by what they have in common; at least one filter is needed."),
        "tags": [entity],
        "parameters": known.collect::<Vec<_>>(),
        "responses": responses,
    })
}

/// `POST /services/{service}`
pub(super) fn posted_to_its_service(endpoint: &Endpoint) -> Value {
    let mut responses = failures(Verb::Post, true);
    responses.insert("201".to_owned(), content("Created.", &reference(&name("plugins"))));
    json!({
        "operationId": operation_id(&endpoint.path, Verb::Post),
        "summary": "Creates a plugin on the service, as `/plugins` below it.",
        "tags": ["plugins"],
        "requestBody": body_of("PluginBody"),
        "responses": responses,
    })
}

/// What no entity describes.
pub(super) fn schemas(registry: &Registry) -> Map<String, Value> {
    let mut schemas = Map::new();
    let mut put = |name: &str, schema: Value| {
        schemas.insert(name.to_owned(), schema);
    };
    let count = json!({ "type": "integer" });
    put("ChangedDeveloper", record(&[("developer", reference("Developer"))]));
    put("Deleted", record(&[("deleted", count.clone())]));
    let emails = json!({ "type": "array", "items": { "type": "string" } });
    put("Invitation", record(&[("emails", emails)]));
    let told = record(&[("count", count), ("emails", json!({ "type": "object" }))]);
    put("Invited", record(&[("error", told.clone()), ("sent", told), ("smtp_mock", json!({ "type": "boolean" }))]));
    let instant = json!({ "type": ["integer", "null"], "format": "int64" });
    let id = json!({ "type": "string", "format": "uuid" });
    let secret = [("id", id), ("created_at", instant.clone()), ("expires_at", instant.clone())];
    put("ClientSecret", record(&secret));
    let secrets = json!({ "type": "array", "items": reference("ClientSecret") });
    put("ClientSecrets", record(&[("data", secrets.clone()), ("next", json!({ "type": ["string", "null"] }))]));
    let clear = ("client_secret", json!({ "type": "string", "description": "Told this once." }));
    put("NewClientSecret", record(&[secret.as_slice(), &[clear]].concat()));
    let end = json!({ "type": "object", "additionalProperties": false, "properties": { "expires_at": instant } });
    put("NewClientSecretBody", end);
    if let Some(credentials) = registry.entity("oauth2_credentials") {
        let mut credential = types::answer(registry, credentials);
        credential["properties"]["secrets"] = secrets;
        credential["required"].as_array_mut().into_iter().for_each(|names| names.push("secrets".into()));
        put("ApplicationCredential", credential);
        put("ApplicationCredentialPage", types::page("ApplicationCredential"));
        let (posted, patched) = APPLICATIONS_CREDENTIAL;
        // Name and redirect URIs are the application's where the body names none.
        put("ApplicationCredentialBody", types::patch(registry, credentials, Some(posted)));
        put("ApplicationCredentialPatch", types::patch(registry, credentials, Some(patched)));
    }
    schemas
}

fn record(fields: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "required": names, "properties": properties })
}
