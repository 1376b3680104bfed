//! A thread that owns a connection, and the bounded queue that feeds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::storage::StorageError;
use crate::storage::driver::MIGRATION_WAIT;

use super::open::Opened;

/// Jobs that may wait for one thread.
const QUEUE: usize = 1024;
/// Longest wait for a place in the queue, and then for the answer.
const WAIT: Duration = Duration::from_secs(10);

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

enum Job {
    Work(Work),
    Stop(oneshot::Sender<()>),
}

pub(super) struct Lane {
    jobs: mpsc::Sender<Job>,
    is_busy: Arc<AtomicBool>,
}

impl Lane {
    /// Starts the thread; it opens the connection itself, since a connection does not change threads.
    pub async fn start(
        name: &str,
        open: impl FnOnce() -> Result<Opened, StorageError> + Send + 'static,
    ) -> Result<Self, StorageError> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let (report, reported) = oneshot::channel();
        let is_busy = Arc::new(AtomicBool::new(false));
        let busy = Arc::clone(&is_busy);
        let body = move || match open() {
            Ok(opened) => {
                if report.send(Ok(())).is_ok() {
                    serve(&mut queue, opened, &busy);
                }
            }
            Err(error) => drop(report.send(Err(error))),
        };
        let started = thread::Builder::new().name(name.to_owned()).spawn(body);
        started.map_err(|error| StorageError::Unavailable(format!("thread {name} does not start: {error}")))?;
        reported.await.map_err(|_| ended())??;
        Ok(Self { jobs, is_busy })
    }

    /// Free places in the queue.
    pub fn room(&self) -> usize {
        self.jobs.capacity()
    }

    /// Jobs that wait.
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Whether a job is being done.
    pub fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::Relaxed)
    }

    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.run_within(WAIT, work).await
    }

    /// As [`Lane::run`], for a migration.
    pub async fn run_long<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.run_within(MIGRATION_WAIT * 10, work).await
    }

    async fn run_within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&mut Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (answer, answered) = oneshot::channel();
        let job: Work = Box::new(move |connection| {
            if !answer.is_closed() {
                drop(answer.send(work(connection)));
            }
        });
        let queued = timeout(WAIT, self.jobs.send(Job::Work(job))).await;
        queued.map_err(|_| StorageError::Unavailable("queue is full".into()))?.map_err(|_| ended())?;
        let answer = timeout(limit, answered).await;
        answer.map_err(|_| StorageError::Unavailable("no answer in time".into()))?.map_err(|_| ended())?
    }

    /// Ends the thread after what is queued, and waits until its connection is closed.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if timeout(WAIT, self.jobs.send(Job::Stop(done))).await.is_ok_and(|sent| sent.is_ok()) {
            drop(timeout(WAIT, stopped).await);
        }
    }
}

fn ended() -> StorageError {
    StorageError::Unavailable("the store is closed".into())
}

fn serve(queue: &mut mpsc::Receiver<Job>, mut opened: Opened, is_busy: &AtomicBool) {
    while let Some(job) = queue.blocking_recv() {
        match job {
            Job::Work(work) => {
                is_busy.store(true, Ordering::Relaxed);
                work(&mut opened.connection);
                is_busy.store(false, Ordering::Relaxed);
            }
            Job::Stop(done) => {
                queue.close();
                drop(opened);
                done.send(()).ok();
                return;
            }
        }
    }
}
