//! Opening the database, and its migrations.

use std::sync::Arc;

use clap::Subcommand;

use super::cli::Source;
use super::error::Failure;
use super::keyring;
use crate::config::{DatabaseUrl, Settings};
use crate::domain::{Clock, Keyring};
use crate::storage::{Location, PostgresOptions, Role, SqliteOptions, Store};

#[derive(Subcommand)]
pub(super) enum What {
    /// Bring the database to this program's schema
    Up {
        #[command(flatten)]
        source: Source,
    },
    /// Show which migrations have been applied
    Status {
        #[command(flatten)]
        source: Source,
    },
}

pub(super) fn run(what: What) -> Result<(), Failure> {
    block_on(async {
        match what {
            What::Up { source } => {
                let store = store_of(&source).await?;
                let before = store.migrate_status().await?;
                let pending = |version| before.iter().any(|old| old.version == version && old.applied_at.is_none());
                let mut applied = store.migrate_up().await?;
                applied.retain(|migration| pending(migration.version));
                for migration in &applied {
                    println!("applied {}", migration.name);
                }
                if applied.is_empty() {
                    println!("nothing to do: the database is up to date");
                }
            }
            What::Status { source } => {
                for migration in store_of(&source).await?.migrate_status().await? {
                    let state = if migration.applied_at.is_some() { "applied" } else { "pending" };
                    println!("{state}  {}", migration.name);
                }
            }
        }
        Ok(())
    })
}

async fn store_of(source: &Source) -> Result<Store, Failure> {
    let settings = source.settings()?;
    let keyring = keyring::load(&settings)?;
    open_store(&settings, Arc::new(keyring), Role::Tool).await
}

/// Opens the database that the settings name.
pub(super) async fn open_store(settings: &Settings, keyring: Arc<Keyring>, role: Role) -> Result<Store, Failure> {
    let location = match &settings.database_url {
        DatabaseUrl::Postgres(url) => {
            Location::Postgres(PostgresOptions { pool: settings.database_pool, ..PostgresOptions::new(url.reveal()) })
        }
        DatabaseUrl::Sqlite(path) => {
            Location::Sqlite(SqliteOptions { path: Some(path.clone()), role, max_pages: None })
        }
    };
    Ok(Store::open(location, keyring, Clock::System).await?)
}

/// Runs a command's future on a runtime of its own.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::failed)?;
    runtime.block_on(async {
        tokio::select! {
            result = future => result,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    })
}
