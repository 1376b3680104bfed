//! The paths of application registration (application-registration.md 6.1), which do not follow from the schemas alone.

use super::{Endpoint, Shape, Verb};

/// What stands at a path of application registration. Whose it is say `{developer}`, `{application}` and `{service}`
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    Developers,
    Developer,
    Invitation,
    Export,
    Roles,
    Role,
    Applications,
    Application,
    Contracts,
    Contract,
    Credentials,
    Credential,
    Secrets,
    Secret,
    Documents,
    Document,
    /// The developer of an application.
    Owner,
    /// The consumer that stands for a developer or an application.
    HiddenConsumer,
    /// What hangs on the hidden consumer of a developer.
    Belongings {
        entity: &'static str,
    },
    Belonging {
        entity: &'static str,
    },
}

const READ: &[Verb] = &[Verb::Get];
const MADE: &[Verb] = &[Verb::Post];
const MANY: &[Verb] = &[Verb::Get, Verb::Post];
const ONE: &[Verb] = &[Verb::Get, Verb::Patch, Verb::Delete];
const KEPT: &[Verb] = &[Verb::Get, Verb::Patch];
const GIVEN: &[Verb] = &[Verb::Get, Verb::Delete];
const GONE: &[Verb] = &[Verb::Delete];

const PATHS: &[(&str, Resource, &[Verb])] = &[
    ("/developers", Resource::Developers, MANY),
    ("/developers/invite", Resource::Invitation, MADE),
    ("/developers/export", Resource::Export, READ),
    ("/developers/roles", Resource::Roles, MANY),
    ("/developers/roles/{developer_role}", Resource::Role, ONE),
    ("/developers/{developer}", Resource::Developer, ONE),
    ("/developers/{developer}/consumer", Resource::HiddenConsumer, READ),
    ("/developers/{developer}/credentials/oauth2", Resource::Belongings { entity: "oauth2_credentials" }, MANY),
    (
        "/developers/{developer}/credentials/oauth2/{oauth2_credential}",
        Resource::Belonging { entity: "oauth2_credentials" },
        ONE,
    ),
    ("/developers/{developer}/credentials/key-auth", Resource::Belongings { entity: "keyauth_credentials" }, MANY),
    (
        "/developers/{developer}/credentials/key-auth/{keyauth_credential}",
        Resource::Belonging { entity: "keyauth_credentials" },
        ONE,
    ),
    ("/developers/{developer}/credentials/jwt", Resource::Belongings { entity: "jwt_secrets" }, MANY),
    ("/developers/{developer}/credentials/jwt/{jwt_secret}", Resource::Belonging { entity: "jwt_secrets" }, ONE),
    ("/developers/{developer}/plugins", Resource::Belongings { entity: "plugins" }, MANY),
    ("/developers/{developer}/plugins/{plugin}", Resource::Belonging { entity: "plugins" }, ONE),
    ("/applications/{application}/developer", Resource::Owner, READ),
    ("/applications/{application}/consumer", Resource::HiddenConsumer, READ),
    ("/services/{service}/applications", Resource::Applications, READ),
    ("/services/{service}/application_instances", Resource::Contracts, READ),
    ("/services/{service}/application_instances/{application_instance}", Resource::Contract, KEPT),
    ("/services/{service}/document_objects", Resource::Documents, MANY),
    ("/services/{service}/document_objects/{document_object}", Resource::Document, GIVEN),
];

/// What stands below a developer, and again at the top.
const APPLICATIONS: &[(&str, Resource, &[Verb])] = &[
    ("/applications", Resource::Applications, MANY),
    ("/applications/{application}", Resource::Application, ONE),
    ("/applications/{application}/application_instances", Resource::Contracts, MANY),
    ("/applications/{application}/application_instances/{application_instance}", Resource::Contract, ONE),
    ("/applications/{application}/credentials/oauth2", Resource::Credentials, MANY),
    ("/applications/{application}/credentials/oauth2/{oauth2_credential}", Resource::Credential, ONE),
    ("/applications/{application}/credentials/oauth2/{oauth2_credential}/secrets", Resource::Secrets, MANY),
    ("/applications/{application}/credentials/oauth2/{oauth2_credential}/secrets/{secret}", Resource::Secret, GONE),
];

pub(super) fn endpoints() -> impl Iterator<Item = Endpoint> {
    let endpoint = |prefix: &str, (path, resource, verbs): &(&str, Resource, &'static [Verb])| Endpoint {
        path: format!("{prefix}{path}"),
        shape: Shape::Registration(*resource),
        verbs,
    };
    let trees = ["/developers/{developer}", ""];
    let applications =
        trees.into_iter().flat_map(move |prefix| APPLICATIONS.iter().map(move |row| endpoint(prefix, row)));
    PATHS.iter().map(move |row| endpoint("", row)).chain(applications)
}
