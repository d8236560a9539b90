//! A running recording: start, state, end.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use super::actors::Registry;
use super::commands::Commands;
use super::error::RecorderError;
use super::intake::Intake;
use super::options::RecorderOptions;
use super::output::Output;
use super::stats::{RecorderStats, add};
use super::writer::Writer;
use crate::trace::format::Recording;

/// A running recording. Clones refer to the same recording.
///
/// [`finish`](Self::finish) ends it, and so does the drop of the last clone, which ignores errors. A
/// [`RecordingManager`](super::manager::RecordingManager) has a clone. The example of the [module](crate::trace) shows its use.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(super) session: Arc<Session>,
}

/// Shared by all clones of a [`Recorder`], not by the writer thread.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) intake: Arc<Intake>,
    thread: Mutex<Option<JoinHandle<Result<(), RecorderError>>>>,
}

impl Recorder {
    /// Starts a recording: creates the directory and the first part, and starts the writer thread.
    ///
    /// # Errors
    ///
    /// [`RecorderError::Name`] if the name is not a file name, [`RecorderError::File`] if the part cannot be created,
    /// [`RecorderError::Random`] without random numbers, [`RecorderError::Thread`] if no thread can be started.
    pub fn start(options: RecorderOptions) -> Result<Self, RecorderError> {
        options.check()?;
        let nanos = |duration: std::time::Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let registry = Registry::new(options.names, random()?);
        let intake = Arc::new(Intake::new(options.queue_length, registry));
        let id = format!("{:032x}", u128::from_ne_bytes(random()?));
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began_unix_ms = u64::try_from(since_1970.as_millis()).unwrap_or(0);
        let recording = Recording { id, part: 0, began_unix_ms };
        let commands = Commands::new(nanos(options.pause), nanos(options.flush_interval));
        let flush_interval = options.flush_interval;
        let output = Output::start(options, Arc::clone(&intake), recording)?;
        let known = intake.registry.known();
        let writer = Writer { intake: Arc::clone(&intake), known, commands, output, flush_interval };
        let thread = std::thread::Builder::new()
            .name("ave-recorder".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| RecorderError::Thread { source })?;
        Ok(Self { session: Arc::new(Session { intake, thread: Mutex::new(Some(thread)) }) })
    }

    /// The counters. The writer is behind by up to two flush intervals.
    pub fn stats(&self) -> RecorderStats {
        self.session.intake.counters.read()
    }

    /// Ends the recording: writes the queued operations and completes the last part durably.
    ///
    /// Later calls are forwarded and not recorded. A second `finish` only returns the counters.
    ///
    /// # Errors
    ///
    /// [`RecorderError::Incomplete`] if writing was interrupted by an error and had not resumed, [`RecorderError::File`] if
    /// the last part could not be synced, [`RecorderError::Panicked`] if the writer thread panicked.
    pub fn finish(&self) -> Result<RecorderStats, RecorderError> {
        self.session.finish()?;
        Ok(self.stats())
    }
}

impl Session {
    fn finish(&self) -> Result<(), RecorderError> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = thread.take() else { return Ok(()) };
        self.intake.close();
        thread.thread().unpark();
        let result = thread.join().unwrap_or(Err(RecorderError::Panicked));
        // Calls that were concurrent with the end.
        while self.intake.queue.pop().is_some() {
            add(&self.intake.counters.refused, 1);
        }
        result
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A drop cannot report an error; write errors were logged.
        let _ = self.finish();
    }
}

fn random() -> Result<[u8; 16], RecorderError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| RecorderError::Random { reason: error.to_string() })?;
    Ok(bytes)
}
