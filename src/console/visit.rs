//! A request of somebody who is logged in.

use actix_web::web::Data;
use uuid::Uuid;

use super::notices;
use super::refusal::Refusal;
use super::state::ConsoleState;
use crate::admin::{AdminIdentity, AdminRole};
use crate::engine::catalog::Catalog;
use crate::engine::registration::Registration;
use crate::pages::{Csrf, Form, Page};
use crate::schema::Schema;

/// Who asks, and what.
#[derive(Clone)]
pub(super) struct Visit {
    pub state: Data<ConsoleState>,
    pub who: AdminIdentity,
    pub csrf: Csrf,
    pub query: Form,
}

impl Visit {
    pub(super) fn catalog(&self) -> &Catalog {
        &self.state.admin.catalog
    }

    pub(super) fn registration(&self) -> &Registration {
        &self.state.admin.registration
    }

    pub(super) fn schema(&self, name: &str) -> Result<&Schema, Refusal> {
        Ok(self.catalog().schema(name)?)
    }

    /// Whether the token may change anything.
    pub(super) fn writes(&self) -> bool {
        self.who.role == AdminRole::Admin
    }

    /// The frame of a page under a menu entry, with the notice that the query asks for.
    pub(super) fn page(&self, title: impl Into<String>, section: &'static str) -> Page {
        let page = Page::new(&super::frame::SITE, title, self.csrf.token()).of(self.who.name.clone());
        page.section(section).notice(notices::of(&self.query.text("done")))
    }
}

/// The id in a path.
pub(super) fn id(text: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36).ok_or(Refusal::NoSuchPath)
}
