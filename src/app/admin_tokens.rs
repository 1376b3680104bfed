//! Tokens for the Admin API: made here, shown once, kept as digests.

use clap::{Subcommand, ValueEnum};
use uuid::Uuid;

use std::sync::Arc;

use super::cli::Source;
use super::error::Failure;
use super::{keyring, migrate};
use crate::domain::{Clock, PlainToken};
use crate::storage::{AdminRole, AdminToken, Role, StorageError, Store};

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    Admin,
    ReadOnly,
}

#[derive(Subcommand)]
pub(super) enum What {
    /// Make a token and print it, this once
    Create {
        /// Whose it is, for the audit log
        name: String,
        #[arg(long, value_enum, default_value = "admin")]
        role: RoleName,
        #[command(flatten)]
        source: Source,
    },
    /// Names and roles
    List {
        #[command(flatten)]
        source: Source,
    },
    /// End a token
    Revoke {
        name: String,
        #[command(flatten)]
        source: Source,
    },
}

pub(super) fn run(what: What) -> Result<(), Failure> {
    migrate::block_on(async {
        match what {
            What::Create { name, role, source } => {
                let role = match role {
                    RoleName::Admin => AdminRole::Admin,
                    RoleName::ReadOnly => AdminRole::ReadOnly,
                };
                let token = create(&store_of(&source).await?, &name, role).await?;
                println!("{}", token.reveal());
            }
            What::List { source } => {
                for (token, _) in store_of(&source).await?.list_admin_tokens().await? {
                    println!("{}  {}", role_name(token.role), token.name);
                }
            }
            What::Revoke { name, source } => {
                if !store_of(&source).await?.delete_admin_token(&name).await? {
                    return Err(Failure::Failed(format!("there is no admin token `{name}`")));
                }
                println!("revoked `{name}`");
            }
        }
        Ok(())
    })
}

fn role_name(role: AdminRole) -> &'static str {
    match role {
        AdminRole::Admin => "admin    ",
        AdminRole::ReadOnly => "read-only",
    }
}

async fn store_of(source: &Source) -> Result<Store, Failure> {
    let settings = source.settings()?;
    let keyring = keyring::load(&settings)?;
    let store = migrate::open_store(&settings, Arc::new(keyring), Role::Tool).await?;
    store.check_schema().await?;
    Ok(store)
}

/// Stores a new token's digest and gives the token.
///
/// # Errors
/// The name is taken, or the store is away.
pub(super) async fn create(store: &Store, name: &str, role: AdminRole) -> Result<PlainToken, Failure> {
    let keyring = store.keyring();
    let token = keyring.mint(rand::random());
    let row = AdminToken { id: Uuid::now_v7(), name: name.to_owned(), role, created_at: Clock::System.now() };
    match store.insert_admin_token(&row, keyring.digest(token.reveal().as_bytes())).await {
        Ok(()) => Ok(token),
        Err(StorageError::Unique { .. }) => Err(Failure::Failed(format!(
            "there is an admin token `{name}` already: revoke it first, or take another name"
        ))),
        Err(error) => Err(error.into()),
    }
}
