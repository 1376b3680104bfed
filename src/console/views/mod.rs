//! Pages as data: what each template prints.
//!
//! **Invariant:** no secret gets into a view but [`Made`], which is printed once.

mod entities;
mod form;
mod login;
mod parts;

pub use entities::{
    ChoosePluginPage, CollectionCard, CollectionPage, CollectionsPage, ItemPage, ItemRow, Made, MadePage,
};
pub use form::{Control, Input, Leads, Section, Word};
pub use login::LoginPage;
pub use parts::{Badge, Cell, Choice, ConfirmPage, Fact, Paging, Shown, Tab, When};
