//! `tollgate dev`: everything on this machine, made on first start.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::cli::{Source, environment};
use super::error::Failure;
use super::gateway::{self, Demo};
use super::{keyring, tls};
use crate::config::{Layers, Mode, Settings};

/// The settings of `dev` in this folder. Environment and flags work as in `serve`.
pub(super) fn layers(folder: &Path, flags: &[String]) -> Layers {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let layers = Layers::defaults(Mode::Dev).with_environment(environment()).with_flags(flags);
    let layers = layers.with_default("database.url", format!("sqlite:{}", text(&folder.join("tollgate.db"))));
    let layers = if layers.text("keyring.keys").is_empty() {
        layers.with_default("keyring.file", text(&folder.join("keyring")))
    } else {
        layers
    };
    layers
        .with_default("proxy.tls_cert", text(&folder.join("tls/cert.pem")))
        .with_default("proxy.tls_key", text(&folder.join("tls/key.pem")))
}

pub(super) fn run(folder: &Path, empty: bool, source: Source) -> Result<(), Failure> {
    let settings = source.settings()?;
    prepare(folder, &settings)?;
    let demo = if empty { Demo::Empty(folder.to_owned()) } else { Demo::In(folder.to_owned()) };
    gateway::run_with(settings, source, demo)
}

/// Makes what a first start lacks: folder, keyring, certificate. (The admin token needs the database; see `gateway`.)
fn prepare(folder: &Path, settings: &Settings) -> Result<(), Failure> {
    let made = fs::create_dir_all(folder).and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)));
    made.map_err(|error| Failure::Failed(format!("cannot make the data folder {}: {error}", folder.display())))?;
    if let Some(path) = &settings.keyring_file
        && !path.exists()
    {
        if folder.join("tollgate.db").exists() {
            let why = "is missing, but the database exists: put the keyring back, or start with another folder";
            return Err(Failure::setting(format!("the keyring {} {why}", path.display())));
        }
        keyring::create(path)?;
    }
    tls::ensure_self_signed(&folder.join("tls"))
}
