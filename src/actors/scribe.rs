//! The scribe: writes the access log to a file or to standard output, on a thread of its own.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix::prelude::*;
use tracing::{error, info, warn};

use crate::telemetry::{Batch, HandOver, Meter, Meters, Owner, Spares, Waiting};

/// Batches that may wait: with those under way at most a few MiB.
const MAILBOX: usize = 64;

/// Writes a batch.
#[derive(Message)]
#[rtype(result = "()")]
struct Lines(Batch, Waiting);

/// Opens the file again: what was under its name may have been moved away.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reopen;

/// Answered when everything that was handed over before is written.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Settle;

/// The actor; one per node.
pub struct Scribe {
    /// `None`: standard output.
    path: Option<PathBuf>,
    file: File,
    meters: Arc<Meters>,
    spares: Spares,
    /// The last write failed; that was told.
    is_failing: bool,
    /// A line was begun and not ended.
    is_torn: bool,
}

impl Scribe {
    /// Starts it on a thread of its own. `path`: where lines are appended; `None` = standard output.
    ///
    /// # Errors
    /// The file cannot be opened for appending.
    pub fn start_with(path: Option<PathBuf>, meters: Arc<Meters>, spares: Spares) -> io::Result<Addr<Self>> {
        let file = open(path.as_ref())?;
        let scribe = Self { path, file, meters, spares, is_failing: false, is_torn: false };
        Ok(Self::start_in_arbiter(&Arbiter::new().handle(), |context| {
            context.set_mailbox_capacity(MAILBOX);
            scribe.meters.set_capacity(Owner::Scribe, MAILBOX);
            scribe
        }))
    }

    /// How workers hand their batches over: when too many wait, they get theirs back.
    /// `meters`: of the scribe.
    pub fn hand_over(address: Addr<Self>, meters: Arc<Meters>) -> HandOver {
        Arc::new(move |batch| {
            let lines = Lines(batch, meters.waiting(Owner::Scribe));
            address.try_send(lines).map_err(|refused| match refused {
                SendError::Full(Lines(batch, _)) | SendError::Closed(Lines(batch, _)) => batch,
            })
        })
    }

    fn write(&mut self, batch: &Batch) {
        let (written, result) = self.write_bytes(&batch.bytes);
        let lost = batch.bytes[written..].iter().filter(|byte| **byte == b'\n').count();
        if let Err(failure) = result {
            self.meters.add(Meter::AccessLogDropped, lost as u64);
            if !self.is_failing {
                error!(error = %failure, "the access log cannot be written; its lines are dropped until it can");
            }
            self.is_failing = true;
        } else if std::mem::take(&mut self.is_failing) {
            info!("the access log is written again");
        }
    }

    /// How many bytes were written, and why not all.
    fn write_bytes(&mut self, bytes: &[u8]) -> (usize, io::Result<()>) {
        if self.is_torn {
            if let Err(failure) = self.file.write_all(b"\n") {
                return (0, Err(failure));
            }
            self.is_torn = false;
        }
        let mut written = 0;
        while written < bytes.len() {
            match self.file.write(&bytes[written..]) {
                Ok(0) => break,
                Ok(length) => written += length,
                Err(failure) if failure.kind() == io::ErrorKind::Interrupted => {}
                Err(failure) => {
                    self.is_torn = written > 0 && bytes[written - 1] != b'\n';
                    return (written, Err(failure));
                }
            }
        }
        let whole = if written == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) };
        (written, whole)
    }
}

fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|known| known.file_type().is_fifo())
}

/// Neither is buffered: a batch is written at once.
fn open(path: Option<&PathBuf>) -> io::Result<File> {
    match path {
        // A pipe that is open for reading, too, needs no reader to be opened for writing.
        Some(path) if is_pipe(path) => OpenOptions::new().read(true).append(true).open(path),
        Some(path) => OpenOptions::new().create(true).append(true).open(path),
        None => Ok(io::stdout().as_fd().try_clone_to_owned()?.into()),
    }
}

impl Actor for Scribe {
    type Context = Context<Self>;
}

impl Handler<Lines> for Scribe {
    type Result = ();

    fn handle(&mut self, Lines(batch, _waiting): Lines, _: &mut Self::Context) {
        self.meters.count_batch_of(Owner::Scribe, usize::try_from(batch.lines).unwrap_or(usize::MAX));
        self.write(&batch);
        self.spares.give(batch.bytes);
    }
}

impl Handler<Reopen> for Scribe {
    type Result = ();

    fn handle(&mut self, _: Reopen, _: &mut Self::Context) {
        let Some(path) = &self.path else { return };
        match open(Some(path)) {
            Ok(file) => (self.file, self.is_torn) = (file, false),
            Err(failure) => warn!(error = %failure, "the access log cannot be opened again, keeping the old file"),
        }
    }
}

impl Handler<Settle> for Scribe {
    type Result = ();

    fn handle(&mut self, _: Settle, _: &mut Self::Context) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Registry;

    fn batch(text: &str) -> Batch {
        Batch { bytes: text.as_bytes().to_vec(), lines: text.lines().count() as u64 }
    }

    #[actix::test]
    async fn lines_are_appended_and_a_moved_file_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("tollgate-scribe-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let (path, moved) = (folder.join("access.log"), folder.join("access.log.1"));
        std::fs::write(&path, "before\n").unwrap();
        let registry = Registry::default();
        let scribe = Scribe::start_with(Some(path.clone()), registry.worker(), Spares::default()).unwrap();
        let hand_over = Scribe::hand_over(scribe.clone(), registry.worker());
        hand_over(batch("a\nb\n")).unwrap();
        scribe.send(Settle).await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before\na\nb\n");
        std::fs::rename(&path, &moved).unwrap();
        scribe.send(Reopen).await.unwrap();
        hand_over(batch("c\n")).unwrap();
        scribe.send(Settle).await.unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "before\na\nb\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "c\n");
        assert_eq!(registry.total(Meter::AccessLogDropped), 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[actix::test]
    async fn what_cannot_be_written_is_counted() {
        let registry = Registry::default();
        let full = Some(PathBuf::from("/dev/full"));
        let scribe = Scribe::start_with(full, registry.worker(), Spares::default()).unwrap();
        Scribe::hand_over(scribe.clone(), registry.worker())(batch("a\nb\nc\n")).unwrap();
        scribe.send(Settle).await.unwrap();
        assert_eq!(registry.total(Meter::AccessLogDropped), 3);
        let nowhere = Scribe::start_with(Some("/nowhere/at/all".into()), registry.worker(), Spares::default());
        assert_eq!(nowhere.err().map(|failure| failure.kind()), Some(io::ErrorKind::NotFound));
    }

    #[actix::test]
    async fn batches_beyond_the_mailbox_are_given_back() {
        // A pipe that nobody reads takes 64 KiB, then makes its writer wait.
        let (reader, writer) = io::pipe().unwrap();
        let registry = Registry::default();
        let scribe = Scribe {
            path: None,
            file: std::os::fd::OwnedFd::from(writer).into(),
            meters: registry.worker(),
            spares: Spares::default(),
            is_failing: false,
            is_torn: false,
        };
        let scribe = Scribe::start_in_arbiter(&Arbiter::new().handle(), |context| {
            context.set_mailbox_capacity(MAILBOX);
            scribe
        });
        let hand_over = Scribe::hand_over(scribe.clone(), registry.worker());
        let line = "x".repeat(70_000) + "\n";
        let refused = (0..2 * MAILBOX + 16).find_map(|_| hand_over(batch(&line)).err());
        assert_eq!(refused.map(|batch| batch.lines), Some(1), "more waits than may");
        // The reader goes: what waits is lost, and counted.
        drop(reader);
        scribe.send(Settle).await.unwrap();
        assert!(registry.total(Meter::AccessLogDropped) > 0);
    }
}
