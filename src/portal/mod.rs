//! The developer portal: its API and its pages.
//!
//! The API stands at the paths of Kong's Portal API, and below `/api` once more; pages have other paths. Every request
//! passes [`guard()`], which refuses pages of other origins and gives every answer its headers.
//!
//! **Invariants:** what a developer may see or change is decided by their session, never by an id alone; a page of another
//! origin changes nothing, and reads only what `portal.cors_origins` lets it; answers are kept by nobody; a body is
//! bounded before it is read.
//!
//! **Absent on purpose:** rules of developers, applications and contracts (room `engine`), listeners and TLS (room `app`).

mod api;
mod body;
mod client;
mod errors;
mod guard;
mod lines;
mod pages;
mod reply;
mod session;
mod show;
mod state;
mod views;

use actix_web::web::{Data, ServiceConfig};

pub use guard::guard;
pub use pages::Desk;
pub use state::{Face, PortalState};

/// Makes an App the portal; [`guard()`] must be wrapped around it.
pub fn configure(config: &mut ServiceConfig, state: Data<PortalState>, desk: Data<Desk>) {
    config.app_data(state).configure(api::routes);
    pages::configure(config, desk);
}
