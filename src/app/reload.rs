//! What a running gateway reads again: the keyring when its file changes; log level and certificates on SIGHUP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing::{error, info, warn};

use super::cli::Source;
use super::keyring;
use crate::config::Settings;
use crate::storage::Store;
use crate::telemetry::LogHandle;

/// `keyring rotate` waits longer than this before it uses a new key.
const LOOK: Duration = Duration::from_secs(1);

/// Watches the keyring file; a changed one takes effect without restart. Ends never.
pub(super) async fn watch_keyring(path: PathBuf, store: Store) {
    let changed_at = |path: &PathBuf| -> Option<SystemTime> { std::fs::metadata(path).ok()?.modified().ok() };
    let mut seen = changed_at(&path);
    loop {
        actix_rt::time::sleep(LOOK).await;
        let now = changed_at(&path);
        if now.is_none() || now == seen {
            continue;
        }
        seen = now;
        match keyring::read(&path) {
            Ok(keyring) => {
                info!(key = keyring.primary(), "keyring read again");
                store.replace_keyring(Arc::new(keyring));
            }
            Err(failure) => error!(%failure, "the changed keyring cannot be used, keeping the old one"),
        }
    }
}

/// Reads the settings again and applies the log level. Certificates are the caller's to reload.
pub(super) fn settings(source: &Source, log: &LogHandle) -> Option<Settings> {
    match source.settings() {
        Ok(settings) => {
            if log.set_level(settings.log_level).is_err() {
                warn!("the log level could not be changed");
            }
            Some(settings)
        }
        Err(failure) => {
            error!(%failure, "the settings have faults, keeping the old ones");
            None
        }
    }
}
