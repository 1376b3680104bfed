//! `tollgate export`: the configuration as a declarative file, on standard output.

use std::io::{self, Write};

use clap::Args;

use super::cli::Source;
use super::error::Failure;
use super::import::{in_system, open};
use crate::exchange::export;

#[derive(Args)]
pub(super) struct What {
    /// With client secrets, keys and private keys: keep the file as you keep the keyring
    #[arg(long)]
    with_secrets: bool,
    #[command(flatten)]
    source: Source,
}

pub(super) fn run(what: What) -> Result<(), Failure> {
    let settings = what.source.settings()?;
    in_system(async {
        let (_, catalog, _) = open(&settings).await?;
        let exported = export(&catalog, what.with_secrets).await.map_err(Failure::failed)?;
        let written = io::stdout().lock().write_all(exported.text.as_bytes());
        written.map_err(|error| Failure::failed(format!("cannot write: {error}")))?;
        if exported.omitted > 0 {
            eprintln!("{} secrets were left out, each with a comment in its place (--with-secrets)", exported.omitted);
        }
        Ok(())
    })
}
