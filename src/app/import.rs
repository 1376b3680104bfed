//! `tollgate import`: a declarative file, or what a running Admin API tells, into this gateway's database.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::cli::Source;
use super::error::Failure;
use super::{gateway, keyring, migrate};
use crate::config::Settings;
use crate::domain::{Clock, NewToken, Secret};
use crate::engine::Outside;
use crate::engine::catalog::{Catalog, Judged};
use crate::exchange::live::{Admin, TokenPages};
use crate::exchange::{BATCH, Input, Plan, Problem, Refusal, Tally, document, live, plan, store_batch, text};
use crate::schema::Registry;
use crate::storage::{Role, Store};

/// Problems shown at once.
const MOST_SHOWN: usize = 100;

#[derive(Args)]
pub(super) struct What {
    /// A declarative file (decK's format, YAML or JSON), `-` for standard input, or the URL of an Admin API
    #[arg(value_name = "FILE|URL")]
    from: String,
    /// Show what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Refuse a source of which something cannot be taken, before anything is written
    #[arg(long)]
    strict: bool,
    /// The token that the Admin API asks for; better in a file, where no list of processes shows it
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file with that token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The header that the token is sent in
    #[arg(long, value_name = "NAME", default_value = "Kong-Admin-Token")]
    token_header: String,
    #[command(flatten)]
    source: Source,
}

pub(super) fn run(what: What) -> Result<(), Failure> {
    let settings = what.source.settings()?;
    in_system(import(&what, &settings))
}

/// Runs a command that needs actors; Ctrl-C ends it.
pub(super) fn in_system<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    actix_rt::System::new().block_on(async {
        tokio::select! {
            result = command => result,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    })
}

/// The store, and the catalog over it as a command beside gateways has it.
pub(super) async fn open(settings: &Settings) -> Result<(Store, Catalog, Arc<Outside>), Failure> {
    let store = migrate::open_store(settings, Arc::new(keyring::load(settings)?), Role::Tool).await?;
    store.check_schema().await?;
    let outside = Arc::new(Outside::new(&store));
    let registry = Arc::new(Registry::new(crate::plugins::schemas()));
    let catalog = Catalog::new(registry, store.clone(), Clock::System, outside.clone());
    Ok((store, catalog, outside))
}

async fn import(what: &What, settings: &Settings) -> Result<(), Failure> {
    let (input, admin) = read(what).await?;
    let (store, catalog, outside) = open(settings).await?;
    let mut plan = plan(&catalog, &outside, input).await.map_err(|refusal| refused(&what.from, refusal))?;
    let told = report(&plan, 0);
    if what.strict && !plan.untaken.is_empty() {
        return Err(Failure::failed(format!("{} things cannot be taken, nothing was written", plan.untaken.len())));
    }
    show(&plan);
    let judged: Vec<Judged> = plan.steps.iter().map(|step| step.judged.clone()).collect();
    if !what.dry_run {
        catalog.put_all(&judged).await.map_err(|error| {
            // All or nothing, but for what somebody else deletes in this moment: neither is told apart here.
            Failure::failed(format!("the configuration was not stored as planned: {error}; start the import again"))
        })?;
    }
    let stored = import_tokens(&store, &catalog, &mut plan, admin.as_ref(), what.dry_run).await;
    report(&plan, told);
    if !what.dry_run {
        // Also when tokens failed: the configuration is stored.
        let told = outside.tell(gateway::membership(settings), settings.cluster_lease).await;
        told.map_err(|error| {
            Failure::failed(format!("stored, but running gateways may not know yet: {error}; start the import again"))
        })?;
    }
    let tally = stored?;
    println!("{}", summary(&plan, &judged, tally, what.dry_run));
    Ok(())
}

/// The source's configuration; and the API that it came from, when there are tokens to be had.
async fn read(what: &What) -> Result<(Input, Option<Admin>), Failure> {
    let about = |problem: Problem| Failure::failed(format!("{}: {problem}", shown(&what.from)));
    if what.from.starts_with("http://") || what.from.starts_with("https://") {
        let admin = Admin::new(&what.from, &what.token_header, token(what)?).map_err(about)?;
        let bar = spinner("reading");
        let input = live::read(&admin, |count| bar.set_position(count)).await.map_err(about)?;
        bar.finish_and_clear();
        return Ok((input, Some(admin)));
    }
    let bytes = bytes(&what.from).map_err(|error| Failure::failed(format!("cannot read {}: {error}", what.from)))?;
    let document = text::read(&bytes, |name| std::env::var(name).ok()).map_err(about)?;
    let input = document::read(document).map_err(|problems| refused(&what.from, Refusal::Problems(problems)))?;
    Ok((input, None))
}

fn bytes(from: &str) -> io::Result<Vec<u8>> {
    let longest = text::LONGEST_FILE as u64 + 1;
    let mut bytes = Vec::new();
    if from == "-" {
        io::stdin().lock().take(longest).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(from)?.take(longest).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn token(what: &What) -> Result<Option<Secret>, Failure> {
    if let Some(path) = &what.token_file {
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
        return Ok(Some(Secret::new(text.trim())));
    }
    Ok(what.token.clone().map(Secret::new))
}

/// A URL without what may be a password in it.
fn shown(from: &str) -> String {
    if from == "-" {
        return "standard input".to_owned();
    }
    match (from.find("://"), from.find('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://{}", &from[..scheme], &from[at + 1..]),
        _ => from.to_owned(),
    }
}

fn refused(from: &str, refusal: Refusal) -> Failure {
    let problems = match refusal {
        Refusal::Engine(error) => return Failure::failed(error),
        Refusal::Problems(problems) => problems,
    };
    let mut lines: Vec<String> =
        problems.iter().take(MOST_SHOWN).map(|problem| format!("{}: {problem}", shown(from))).collect();
    if problems.len() > MOST_SHOWN {
        lines.push(format!("and {} more", problems.len() - MOST_SHOWN));
    }
    lines.push("nothing was written".to_owned());
    Failure::failed(lines.join("\ntollgate: "))
}

/// What is otherwise here, and what is not here at all, on standard error; gives how many were told so far.
fn report(plan: &Plan, told: usize) -> usize {
    for note in plan.notes.iter().filter(|_| told == 0) {
        eprintln!("note: {note}");
    }
    for untaken in plan.untaken.iter().skip(told) {
        eprintln!("not taken: {}: {}", untaken.place, untaken.reason);
    }
    plan.untaken.len()
}

fn show(plan: &Plan) {
    for step in &plan.steps {
        let (entity, label) = (step.judged.schema, &step.label);
        if step.judged.is_new {
            println!("+ {entity} {label}");
        } else {
            let changes: Vec<String> =
                step.differences.iter().map(|(name, old, new)| format!("{name} {old} -> {new}")).collect();
            println!("~ {entity} {label}: {}", changes.join(", "));
        }
    }
}

fn summary(plan: &Plan, judged: &[Judged], tally: Tally, is_dry: bool) -> String {
    let created = judged.iter().filter(|one| one.is_new).count();
    let (changed, unchanged) = (judged.len() - created, plan.unchanged);
    let mut text = format!("{created} created, {changed} changed, {unchanged} unchanged");
    if tally != Tally::default() {
        text.push_str(&format!("; tokens: {} created, {} unchanged", tally.created, tally.unchanged));
    }
    if tally.refused > 0 {
        text.push_str(&format!(", {} refused (their id or refresh token is another's)", tally.refused));
    }
    if !plan.untaken.is_empty() {
        text.push_str(&format!("; {} not taken", plan.untaken.len()));
    }
    if is_dry { format!("dry run, nothing was written: {text}") } else { text }
}

fn spinner(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(&format!("{what} {{pos}} {{elapsed}}")).expect("the template is good");
    ProgressBar::new_spinner().with_style(style)
}

fn bar(total: Option<u64>) -> ProgressBar {
    let Some(total) = total else { return spinner("tokens") };
    let style = ProgressStyle::with_template("tokens {bar:40} {pos}/{len} {eta}").expect("the template is good");
    ProgressBar::new(total).with_style(style)
}

/// The tokens that came with a file, then those of an API, page by page: no more than a page is held.
async fn import_tokens(
    store: &Store,
    catalog: &Catalog,
    plan: &mut Plan,
    admin: Option<&Admin>,
    is_dry: bool,
) -> Result<Tally, Failure> {
    let given = std::mem::take(&mut plan.tokens);
    let bar = bar(Some(given.len() as u64));
    let mut tally = store_tokens(store, given, is_dry, |count| bar.inc(count)).await?;
    let Some(admin) = admin else { return Ok(tally) };
    let mut pages = TokenPages::new(admin);
    let mut shown = None;
    while let Some(page) = pages.next().await.map_err(Failure::failed)? {
        let bar = shown.get_or_insert_with(|| self::bar(page.total));
        bar.inc(page.rows.len() as u64);
        let tokens = live::tokens(catalog, plan, page.rows).await.map_err(|refusal| refused("", refusal))?;
        tally.add(store_tokens(store, tokens, is_dry, |_| {}).await?);
    }
    Ok(tally)
}

async fn store_tokens(
    store: &Store,
    tokens: Vec<NewToken>,
    is_dry: bool,
    progress: impl Fn(u64),
) -> Result<Tally, Failure> {
    let (mut tally, mut tokens) = (Tally::default(), tokens.into_iter().peekable());
    while tokens.peek().is_some() {
        let batch: Vec<NewToken> = tokens.by_ref().take(BATCH).collect();
        progress(batch.len() as u64);
        tally.add(store_batch(store, batch, is_dry).await?);
    }
    Ok(tally)
}
