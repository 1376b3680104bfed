//! The log: one line per event, JSON or text, on standard error or in a file.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::config::{LogFormat, LogLevel};

/// Changes the level while the program runs (SIGHUP).
pub type LevelHandle = reload::Handle<Targets, Registry>;

/// Starts the log of this process; call once. JSON lines carry the fields beside `message`.
///
/// # Errors
/// The file cannot be opened for appending.
pub fn start_logs(format: LogFormat, level: LogLevel, file: Option<&Path>) -> io::Result<LevelHandle> {
    let writer = match file {
        Some(path) => BoxMakeWriter::new(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?)),
        None => BoxMakeWriter::new(io::stderr),
    };
    let (filter, handle) = reload::Layer::new(filter(level));
    // A line that cannot be written (full disk, reader gone) is lost: telling so on standard error would panic when that
    // is what is gone.
    let layer = fmt::layer().log_internal_errors(false).with_target(false).with_writer(writer);
    let layer = match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Text => layer.compact().with_ansi(false).boxed(),
    };
    // A second start (tests of several apps in one process) keeps the first log.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    Ok(handle)
}

/// Our own events from `level` on; what libraries say only when it is a warning.
pub fn filter(level: LogLevel) -> Targets {
    let own = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_default(own.min(LevelFilter::WARN)).with_target(env!("CARGO_CRATE_NAME"), own)
}
