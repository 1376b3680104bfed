//! The keyring on disk, and its commands.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::cli::Source;
use super::error::Failure;
use super::{migrate, private_file};
use crate::config::Settings;
use crate::domain::Keyring;
use crate::storage::Role;

/// Rows sealed anew per step: each step is one short transaction.
const RESEAL_BATCH: usize = 500;
/// Running gateways look at the keyring file every second; after this pause each knows the new key.
const SPREAD: Duration = Duration::from_secs(3);

#[derive(Subcommand)]
pub(super) enum What {
    /// Make a keyring file
    Init {
        /// Where; default: `keyring.file` of the settings
        file: Option<PathBuf>,
        /// Keep the keyring that is there already, if it is one
        #[arg(long)]
        if_missing: bool,
        #[command(flatten)]
        source: Source,
    },
    /// Add a key, and seal everything anew with it
    Rotate {
        /// Only add the key, held back: give the file to every gateway, then seal with --reseal-only
        #[arg(long, conflicts_with = "reseal_only")]
        add_only: bool,
        /// Add no key: let the newest one seal, and seal everything anew with it. Goes on where a rotation was interrupted
        #[arg(long)]
        reseal_only: bool,
        #[command(flatten)]
        source: Source,
    },
    /// Show the numbers of the keys, never the keys
    List {
        #[command(flatten)]
        source: Source,
    },
}

pub(super) fn run(what: What) -> Result<(), Failure> {
    match what {
        What::Init { file, if_missing, source } => {
            let path = file.map_or_else(|| keyring_file(&source), Ok)?;
            if if_missing && path.exists() { keep(&path) } else { init(&path) }
        }
        What::Rotate { add_only: true, source, .. } => add(&source),
        What::Rotate { reseal_only: true, source, .. } => seal_with_newest(&source),
        What::Rotate { source, .. } => rotate(&source),
        What::List { source } => list(&source),
    }
}

fn keyring_file(source: &Source) -> Result<PathBuf, Failure> {
    let path = source.layers().text("keyring.file").to_owned();
    if path.is_empty() {
        return Err(Failure::setting("keyring.file is not set: name the file, or set TOLLGATE_KEYRING_FILE"));
    }
    Ok(PathBuf::from(path))
}

/// What is there already stays, so that a start that is repeated makes no second keyring.
fn keep(path: &Path) -> Result<(), Failure> {
    read(path)?;
    println!("kept {}", path.display());
    Ok(())
}

fn init(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        let why = "already exists; without its keys nothing sealed with them can be read again";
        return Err(Failure::Failed(format!("{} {why}", path.display())));
    }
    create(path)?;
    println!("wrote {}; keep a copy: without it no stored token can be read", path.display());
    Ok(())
}

/// Makes a fresh keyring file.
pub(super) fn create(path: &Path) -> Result<Keyring, Failure> {
    let keyring = Keyring::new(rand::random(), rand::random());
    store(path, &keyring)?;
    Ok(keyring)
}

fn store(path: &Path, keyring: &Keyring) -> Result<(), Failure> {
    private_file::write(path, keyring.to_text().reveal().as_bytes())
        .map_err(|error| Failure::Failed(format!("cannot write the keyring {}: {error}", path.display())))
}

/// The keyring that the settings name.
///
/// # Errors
/// None is named, or what is named is not a keyring.
pub(super) fn load(settings: &Settings) -> Result<Keyring, Failure> {
    if let Some(keys) = &settings.keyring_keys {
        return Keyring::parse(keys.reveal()).map_err(|error| Failure::setting(format!("keyring.keys: {error}")));
    }
    let Some(path) = &settings.keyring_file else {
        return Err(Failure::setting(
            "keyring.file or keyring.keys must be set (make one: tollgate keyring init FILE)",
        ));
    };
    read(path)
}

pub(super) fn read(path: &Path) -> Result<Keyring, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let hint = "make one with: tollgate keyring init, or put the old one back";
        Failure::setting(format!("cannot read the keyring {}: {error} ({hint})", path.display()))
    })?;
    Keyring::parse(&text).map_err(|error| Failure::setting(format!("{}: {error}", path.display())))
}

fn list(source: &Source) -> Result<(), Failure> {
    let keyring = load(&source.settings()?)?;
    for id in keyring.key_ids() {
        println!("{id}{}", if id == keyring.primary() { "  seals" } else { "" });
    }
    Ok(())
}

/// The keyring's file, where there is one.
fn own_file(settings: &Settings, source: &Source) -> Result<PathBuf, Failure> {
    if settings.keyring_keys.is_some() {
        return Err(Failure::setting(
            "keyring.keys cannot be rewritten from here: add a key to it and run this with --reseal-only, or use keyring.file",
        ));
    }
    keyring_file(source)
}

fn add(source: &Source) -> Result<(), Failure> {
    let path = own_file(&source.settings()?, source)?;
    let keyring = read(&path)?.with_another(rand::random());
    store(&path, &keyring)?;
    println!(
        "added a key to {}; key {} seals until `tollgate keyring rotate --reseal-only`: give every gateway this file before",
        path.display(),
        keyring.primary()
    );
    Ok(())
}

fn seal_with_newest(source: &Source) -> Result<(), Failure> {
    let settings = source.settings()?;
    let keyring = load(&settings)?;
    let newest = keyring.with_newest_sealing();
    if newest.primary() != keyring.primary() {
        return seal(&settings, &own_file(&settings, source)?, newest);
    }
    migrate::block_on(reseal(&settings, Arc::new(newest)))
}

/// First every gateway learns the key, then it seals: none meets a value that it cannot open.
fn rotate(source: &Source) -> Result<(), Failure> {
    let settings = source.settings()?;
    let path = own_file(&settings, source)?;
    let keyring = read(&path)?.with_another(rand::random());
    store(&path, &keyring)?;
    let newest = keyring.with_newest_sealing();
    eprintln!("key {} added to {}; giving running gateways time to read it", newest.primary(), path.display());
    std::thread::sleep(SPREAD);
    seal(&settings, &path, newest)
}

fn seal(settings: &Settings, path: &Path, newest: Keyring) -> Result<(), Failure> {
    store(path, &newest)?;
    eprintln!("key {} seals from now on; giving running gateways time to read it", newest.primary());
    std::thread::sleep(SPREAD);
    migrate::block_on(reseal(settings, Arc::new(newest)))
}

async fn reseal(settings: &Settings, keyring: Arc<Keyring>) -> Result<(), Failure> {
    let primary = keyring.primary();
    let store = migrate::open_store(settings, keyring, Role::Tool).await?;
    store.check_schema().await?;
    let registry = crate::schema::Registry::new(crate::plugins::schemas());
    let tables: Vec<_> = registry.entities.iter().collect();
    let bar = ProgressBar::new(store.count_stale_seals(&tables).await?);
    let style = ProgressStyle::with_template("sealing anew {bar:40} {pos}/{len} {eta}").expect("the template is good");
    bar.set_style(style);
    let (mut next, mut total) = (None, 0);
    loop {
        let step = store.reseal(&tables, next, RESEAL_BATCH).await?;
        total += step.done;
        bar.inc(step.done as u64);
        next = step.next;
        if next.is_none() {
            break;
        }
    }
    bar.finish_and_clear();
    println!("{total} values sealed anew with key {primary}");
    Ok(())
}
