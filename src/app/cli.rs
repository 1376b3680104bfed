//! The command line (runtime.md, "Commands").

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use super::error::Failure;
use super::{admin_tokens, dev, doctor, export, gateway, health, import, keyring, migrate};
use crate::config::{self, Layers, Mode, Settings};

#[derive(Parser)]
#[command(name = "tollgate", version, about = "An OAuth 2.0 API gateway", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where the settings come from.
#[derive(Args, Clone)]
pub(super) struct Source {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use the settings that `tollgate dev` has for this folder
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

/// Settings given on the command line, over file and environment.
#[derive(Args, Clone, Default)]
struct Flags {
    /// A setting, over file and environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine, with a demo: no other program needed
    Dev {
        /// Folder for the data
        #[arg(long, value_name = "DIR", default_value = ".tollgate")]
        data_dir: PathBuf,
        /// Without the demo service, consumer and credential
        #[arg(long)]
        empty: bool,
        #[command(flatten)]
        flags: Flags,
    },
    /// Run the gateway
    Serve {
        /// Settings file (TOML)
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        flags: Flags,
    },
    /// Database migrations
    Migrate {
        #[command(subcommand)]
        what: migrate::What,
    },
    /// Check or explain the settings
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Bring a Kong's configuration along: a declarative file, or a running Admin API
    Import(import::What),
    /// Write the configuration as a declarative file on standard output
    Export(export::What),
    /// Tokens for the Admin API
    AdminToken {
        #[command(subcommand)]
        what: admin_tokens::What,
    },
    /// The keys that seal tokens at rest
    Keyring {
        #[command(subcommand)]
        what: keyring::What,
    },
    /// Score a running gateway against the statements of RFC 9700
    Doctor {
        #[command(flatten)]
        wanted: doctor::Wanted,
    },
    /// Exit 0 when the gateway is ready
    Health {
        /// The status listener, such as 127.0.0.1:8100; default: where the settings put it
        #[arg(long, value_name = "STATUS")]
        url: Option<String>,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Report every fault at once
    Check {
        #[command(flatten)]
        source: Source,
    },
    /// Print each value and where it came from, secrets masked
    Explain {
        #[command(flatten)]
        source: Source,
    },
}

impl Source {
    /// The layers of settings as the program would start with.
    pub(super) fn layers(&self) -> Layers {
        match &self.data_dir {
            Some(folder) => dev::layers(folder, &self.flags.set),
            None => serve_layers(self.config.as_deref()).with_flags(&self.flags.set),
        }
    }

    /// # Errors
    /// Every fault of the settings.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        Settings::read(&self.layers()).map_err(Failure::Settings)
    }
}

fn serve_layers(file: Option<&Path>) -> Layers {
    let layers = Layers::defaults(Mode::Serve);
    let layers = match file {
        Some(path) => layers.with_file(path),
        None => layers,
    };
    layers.with_environment(environment())
}

/// The environment's variables that are text.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Runs the program: reads the command line, does what it asks, gives the exit code.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no faults; everything else is a bad command line.
            let code = if error.use_stderr() { 64 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Dev { data_dir, empty, flags } => {
            dev::run(&data_dir, empty, Source { config: None, data_dir: Some(data_dir.clone()), flags })
        }
        Command::Serve { config, flags } => {
            let source = Source { config, data_dir: None, flags };
            gateway::run_with(source.settings()?, source, gateway::Demo::None)
        }
        Command::Migrate { what } => migrate::run(what),
        Command::Config { what: ConfigCommand::Check { source } } => {
            source.settings()?;
            println!("configuration is good");
            Ok(())
        }
        Command::Config { what: ConfigCommand::Explain { source } } => {
            print!("{}", config::explain(&source.layers()));
            source.settings().map(drop)
        }
        Command::Import(what) => import::run(what),
        Command::Export(what) => export::run(what),
        Command::AdminToken { what } => admin_tokens::run(what),
        Command::Keyring { what } => keyring::run(what),
        Command::Doctor { wanted } => doctor::run(&wanted),
        Command::Health { url } => health::run(url.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
