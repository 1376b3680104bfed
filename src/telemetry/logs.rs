//! The log: one line per event, JSON or text, on standard error or in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::config::{LogFormat, LogLevel};

/// The log while the program runs, for what SIGHUP asks of it.
pub struct LogHandle {
    level: reload::Handle<Targets, Registry>,
    /// `None`: standard error.
    file: Option<(PathBuf, LogFile)>,
}

impl LogHandle {
    /// # Errors
    /// The log is not the one that was started.
    pub fn set_level(&self, level: LogLevel) -> Result<(), reload::Error> {
        self.level.reload(filter(level))
    }

    /// Opens the file again: what was under its name may have been moved away.
    ///
    /// # Errors
    /// It cannot be opened; the old one stays in use.
    pub fn reopen(&self) -> io::Result<()> {
        if let Some((path, file)) = &self.file {
            let opened = open(path)?;
            *file.lock() = opened;
        }
        Ok(())
    }
}

/// The file that lines go to; clones share it. A line is one write.
#[derive(Clone)]
struct LogFile(Arc<Mutex<File>>);

impl LogFile {
    fn lock(&self) -> MutexGuard<'_, File> {
        // A panic between two writes leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Starts the log of this process; call once. JSON lines carry the fields beside `message`.
///
/// # Errors
/// The file cannot be opened for appending.
pub fn start_logs(format: LogFormat, level: LogLevel, file: Option<&Path>) -> io::Result<LogHandle> {
    let file = match file {
        Some(path) => Some((path.to_owned(), LogFile(Arc::new(Mutex::new(open(path)?))))),
        None => None,
    };
    let writer = match &file {
        Some((_, file)) => {
            let file = file.clone();
            BoxMakeWriter::new(move || file.clone())
        }
        None => BoxMakeWriter::new(io::stderr),
    };
    let (filter, level) = reload::Layer::new(filter(level));
    // A line that cannot be written (full disk, reader gone) is lost: telling so on standard error would panic when that
    // is what is gone.
    let layer = fmt::layer().log_internal_errors(false).with_target(false).with_writer(writer);
    let layer = match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Text => layer.compact().with_ansi(false).boxed(),
    };
    // A second start (tests of several apps in one process) keeps the first log.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    Ok(LogHandle { level, file })
}

/// Our own events from `level` on; what libraries say only when it is a warning.
fn filter(level: LogLevel) -> Targets {
    let own = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_default(own.min(LevelFilter::WARN)).with_target(env!("CARGO_CRATE_NAME"), own)
}
