//! Accounts and mail, as the settings ask for them.

use super::error::Failure;
use crate::config::Settings;
use crate::engine::Node;
use crate::engine::accounts::{AccountSettings, Accounts, Outbox};
use crate::engine::catalog::Catalog;
use crate::engine::registration::Registration;
use crate::mail::Transport;

/// `is_shown`: whether mails that nobody sends are logged whole (`tollgate dev`).
///
/// # Errors
/// A setting of mail that cannot be used.
pub(super) fn start(node: &Node, catalog: Catalog, settings: &Settings, is_shown: bool) -> Result<Accounts, Failure> {
    let registration = Registration::new(catalog, settings.portal.app_auth);
    let transport = Transport::of(&settings.mail).map_err(Failure::setting)?;
    let outbox = Outbox::start(node, transport, is_shown);
    let portal = settings.portal.listen.first().map(|address| format!("http://{address}")).unwrap_or_default();
    Ok(Accounts::new(node.clone(), registration, outbox, AccountSettings::of(settings, portal)))
}
