//! Pages as data: what each template prints.
//!
//! **Invariant:** no secret gets into a view but [`Made`], which is printed once.

mod contracts;
mod entities;
mod form;
mod login;
mod logs;
mod parts;
mod people;
mod services;

pub use contracts::{ContractCard, DeveloperCard, Move, RequestsPage};
pub use entities::{
    ChoosePluginPage, CollectionCard, CollectionPage, CollectionsPage, ItemPage, ItemRow, Made, MadePage,
};
pub use form::{Control, Input, Leads, Section, Word};
pub use login::LoginPage;
pub use logs::{
    AuditPage, AuditRow, Count, HomePage, MailRow, MailsPage, OutcomePage, TokenRow, TokenSearch, TokensPage,
};
pub use parts::{Badge, Cell, Choice, ConfirmPage, Fact, Paging, Shown, Tab, When};
pub use people::{
    ApplicationPage, ApplicationRow, ApplicationsPage, CredentialCard, DeveloperPage, DeveloperRow, DevelopersPage,
    InvitedPage, Role, SecretRow,
};
pub use services::{DocumentFacts, DocumentForm, DocumentPage, Part, ServicePage, ServiceRow, ServicesPage};
