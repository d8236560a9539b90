//! The recorder: what the actors of a running system ask of their store, as a trace.
//!
//! A [`RecordingManager`] stands between the actor system and the manager of its store. It passes every call on, and
//! puts a record of 40 bytes into a queue: which actor, when, what, how many bytes. One thread takes the records out,
//! puts them together into commands, and writes them to one part after the other. It never sees a value.
//!
//! # What it costs
//!
//! One or two readings of the clock and a place in a lock-free queue: no lock, no allocation, no system call on the
//! actor's thread. If the queue is full the operation is dropped and counted, and the trace says where.
//! Memory is bounded: the queue, 65,536 operations in commands that are not complete, one entry per actor that lives.
//!
//! # What is recorded
//!
//! The creation of an actor's handles (one operation for the three), `put`, `get`, `del`, `last` and `purge`, with the
//! bytes written or found; 0 bytes where nothing was there. Calls that failed are counted, not recorded. So are those
//! the format has no operation for: `iter`, `get_by_range`, `State::del`, keys that are not numbers of 20 digits,
//! column families that do not end in `_events`, `_states` or `_metadata`. Never a payload, never the names' key.
//!
//! # How commands are told
//!
//! The calls do not say which command they belong to. But a store makes them in fixed orders, and an actor makes them
//! one after the other:
//!
//! | command | its calls |
//! |---|---|
//! | `recover` | `open`, `last`, `states.get`, `metadata.get`, `states.get`, `last`; if events follow the snapshot: a `get` for each up to the newest, and a snapshot |
//! | `persist` | `events.put`; if the state goes with it: a snapshot |
//! | `snapshot` | `states.put`, `metadata.put`; when compacting: `events.del` for each event, `metadata.put`. The snapshot of a stopping actor has a `states.get` and `get`s in front |
//! | `events` | `events.get` with ascending numbers |
//! | `last_event` | `last` |
//! | `purge` | the three purges |
//!
//! Where two readings are possible, the pause between two calls decides (5 ms, see [`RecorderOptions::pause`]): a
//! snapshot belongs to the event before it, a `get` to the query before it, unless there was a pause. Where actors of
//! a type as a rule write their state with each event, a snapshot always belongs to the event.
//!
//! What cannot be told apart:
//!
//! - A snapshot asked for within the pause after an event looks like one the store takes by itself; and where an actor
//!   always asks for a snapshot right after an event, like light persistence.
//! - Two queries within the pause, the second of which begins where the first ended, look like one.
//! - Calls that several threads make in the name of one actor at the same time are not a sequence.
//! - After operations were dropped, a command may lack its beginning: then it is named after what is left.
//! - A command of more than 65,536 operations may be written as several of the same kind.
//!
//! The time of a line is that of the first call of its command, and the commands are in its order. One that was found out
//! too late, because a call took longer than the flush interval, is written with the time of the one before.
//!
//! # Parts
//!
//! `NAME-00001.trace.csv` (or `.csv.zst`), and so on: each a trace by itself, with times and command numbers going on
//! and the same hashed names. A recording never touches what is there: it begins with the next free number. A part is
//! usable up to its last whole line whenever the process dies; what was called within the last two flush intervals may
//! be missing. [`Recorder::finish`] puts the last part on the disk; the others are left to the kernel, so that syncing
//! them does not disturb the store.
//!
//! If the disk takes nothing more, the part ends with its last safe line, operations are dropped and counted, and a new
//! part is tried every second: when there is space again the recording goes on, and says how much is missing.

mod actors;
mod commands;
mod error;
mod grammar;
mod intake;
mod manager;
mod options;
mod output;
mod part;
mod stats;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

pub use error::RecorderError;
pub use manager::{RecordingCollection, RecordingManager, RecordingState};
pub use options::{Compression, RecorderOptions};
pub use stats::RecorderStats;

use crate::trace::format::Recording;
use crate::trace::recorder::actors::Registry;
use crate::trace::recorder::commands::Commands;
use crate::trace::recorder::intake::Intake;
use crate::trace::recorder::output::Output;
use crate::trace::recorder::stats::add;
use crate::trace::recorder::writer::Writer;

/// A recording under way. Clones are handles of the same one.
///
/// It ends with [`finish`](Self::finish), or quietly when the last handle is dropped; a [`RecordingManager`] holds one.
///
/// ```
/// use ave_actors_rocksdb::{Recorder, RecorderOptions, RecordingManager};
/// use ave_actors_store::database::{Collection, DbManager};
/// use ave_actors_store::memory::MemoryManager;
///
/// # let directory = std::env::temp_dir().join(format!("ave-recorder-{}", std::process::id()));
/// let recorder = Recorder::start(RecorderOptions::new(&directory).name("bank"))?;
/// let manager = RecordingManager::new(MemoryManager::default(), Some(recorder.clone()));
///
/// // The actor system does this.
/// let mut events = manager.create_collection("account_events", "account-1")?;
/// events.put("00000000000000000000", b"opened")?;
///
/// let stats = recorder.finish()?;
/// assert_eq!((stats.recorded, stats.dropped, stats.parts), (2, 0, 1));
/// assert!(directory.join("bank-00001.trace.csv").exists());
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Recorder {
    session: Arc<Session>,
}

/// What all handles of a recording share; the writer's thread holds none.
#[derive(Debug)]
struct Session {
    intake: Arc<Intake>,
    thread: Mutex<Option<JoinHandle<Result<(), RecorderError>>>>,
}

impl Recorder {
    /// Begins a recording: creates the directory and the first part, and starts the thread that writes.
    ///
    /// # Errors
    ///
    /// [`RecorderError::Name`] for a name that makes no file name, [`RecorderError::File`] if the part cannot be
    /// created, [`RecorderError::Random`] and [`RecorderError::Thread`] if the system refuses what is needed.
    pub fn start(options: RecorderOptions) -> Result<Self, RecorderError> {
        options.check()?;
        let nanos = |duration: std::time::Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let registry = Registry::new(options.names, random()?);
        let intake = Arc::new(Intake::new(options.queue_length, registry));
        let recording = Recording { id: random_id()?, part: 0, began_unix_ms: unix_ms() };
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

    /// How the recording gets on. The writer is behind by up to two flush intervals.
    pub fn stats(&self) -> RecorderStats {
        self.session.intake.counters.read()
    }

    /// Ends the recording: writes what is in the queue, completes the part and puts it on the disk.
    ///
    /// Calls made from then on are passed on and not recorded. A second `finish` does nothing but return the figures.
    ///
    /// # Errors
    ///
    /// [`RecorderError::Incomplete`] if the recording stood still because the disk took nothing more,
    /// [`RecorderError::File`] if the last part could not be put on the disk, [`RecorderError::Panicked`].
    pub fn finish(&self) -> Result<RecorderStats, RecorderError> {
        self.session.finish()?;
        Ok(self.stats())
    }

    fn intake(&self) -> &Arc<Intake> {
        &self.session.intake
    }
}

impl Session {
    fn finish(&self) -> Result<(), RecorderError> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = thread.take() else { return Ok(()) };
        self.intake.close();
        thread.thread().unpark();
        let result = thread.join().unwrap_or(Err(RecorderError::Panicked));
        // Calls that were under way came too late.
        while self.intake.queue.pop().is_some() {
            add(&self.intake.counters.refused, 1);
        }
        result
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // There is nobody to tell; what failed is in the log.
        let _ = self.finish();
    }
}

fn random() -> Result<[u8; 16], RecorderError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| RecorderError::Random { reason: error.to_string() })?;
    Ok(bytes)
}

fn random_id() -> Result<String, RecorderError> {
    Ok(format!("{:032x}", u128::from_ne_bytes(random()?)))
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(0)
}
