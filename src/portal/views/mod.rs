//! Pages as data: what each template prints.

mod account;
mod applications;
mod services;

pub use account::{
    AccountPage, ConfirmPage, EmailForm, LoginPage, Mail, MailsPage, MetaField, Part, RegisterPage, ResetPage,
    VerifyPage,
};
pub use applications::{
    ApplicationForm, ApplicationPage, ApplicationRow, ApplicationView, ApplicationsPage, ContractBadge, ContractRow,
    CredentialView, Range, SecretRow, ShownOnce,
};
pub use services::{CatalogPage, Choice, Fact, HomePage, OwnApplication, ServiceCard, ServicePage, SpecPage, Status};

#[cfg(test)]
mod tests;
