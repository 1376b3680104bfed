//! Where things are: flags with defaults that fit `tollgate dev`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};

pub struct Settings {
    /// The Admin API, asked for applications and, unless it is in the environment, for the provision key.
    pub admin: String,
    /// The gateway's TLS listener.
    pub proxy: String,
    /// The data folder of `tollgate dev`: the certificate to trust is in it.
    pub data_dir: PathBuf,
    /// The service whose API is given access to.
    pub service: String,
    pub listen: SocketAddr,
    /// From `PROVISION_KEY`; for an owner who keeps it in a vault and not within reach of the Admin API.
    pub provision_key: Option<String>,
    /// From `ADMIN_TOKEN`, where the Admin API wants one.
    pub admin_token: Option<String>,
}

impl Settings {
    pub fn from_args(mut args: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut settings = Self {
            admin: "http://127.0.0.1:8001".to_owned(),
            proxy: "https://127.0.0.1:8443".to_owned(),
            data_dir: PathBuf::from(".tollgate"),
            service: "demo".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8005)),
            provision_key: std::env::var("PROVISION_KEY").ok(),
            admin_token: std::env::var("ADMIN_TOKEN").ok(),
        };
        while let Some(flag) = args.next() {
            let mut value = || args.next().with_context(|| format!("{flag} needs a value"));
            match flag.as_str() {
                "--admin" => settings.admin = value()?.trim_end_matches('/').to_owned(),
                "--proxy" => settings.proxy = value()?.trim_end_matches('/').to_owned(),
                "--data-dir" => settings.data_dir = PathBuf::from(value()?),
                "--service" => settings.service = value()?,
                "--listen" => settings.listen = value()?.parse().context("--listen wants ADDRESS:PORT")?,
                _ => bail!("unknown flag {flag}; there are --admin, --proxy, --data-dir, --service and --listen"),
            }
        }
        Ok(settings)
    }
}
