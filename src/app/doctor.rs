//! `tollgate doctor`: a running gateway's configuration, beside the statements of RFC 9700.

use std::path::PathBuf;

use clap::Args;

use super::admin_client::AdminClient;
use super::cli::environment;
use super::error::Failure;
use super::import::in_system;
use crate::config::{Layers, Mode};
use crate::doctor::{Configuration, report};

#[derive(Args)]
pub(super) struct Wanted {
    /// The Admin API, such as 127.0.0.1:8001; default: where the settings put it
    #[arg(long, value_name = "ADMIN")]
    url: Option<String>,
    /// File with an admin token (read-only is enough)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Fail (exit 1) when a MUST is not kept
    #[arg(long)]
    strict: bool,
}

/// Prints a line per statement and the score.
pub(super) fn run(wanted: &Wanted) -> Result<(), Failure> {
    let url = wanted.url.clone().unwrap_or_else(default_url);
    let admin = AdminClient::new(&url, wanted.token_file.as_deref())?;
    let report = report(&in_system(configuration(&admin))?);
    print!("{}", report.text);
    match report.musts_broken {
        broken if wanted.strict && broken > 0 => {
            Err(Failure::Failed(format!("{broken} statements are a MUST and not kept")))
        }
        _ => Ok(()),
    }
}

async fn configuration(admin: &AdminClient) -> Result<Configuration, Failure> {
    let mut root = admin.get("/").await?;
    let plugins = admin.list("/plugins").await?;
    let routes = admin.list("/routes").await?;
    let services = admin.list("/services").await?;
    let clients = admin.list("/oauth2").await?;
    Ok(Configuration::new(&plugins, &routes, &services, clients, root["configuration"].take()))
}

fn default_url() -> String {
    let layers = Layers::defaults(Mode::Serve).with_environment(environment());
    let first = layers.text("admin.listen").split(',').next().unwrap_or_default().trim();
    first.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
}
