//! A recorder that writes the storage operations of a running system as a trace, light enough for production.
//!
//! A [`RecordingManager`] wraps the manager of the store, of this crate or any other, and forwards every call. It puts a
//! record of 40 bytes per call into a queue: actor, time, operation, bytes. One thread assembles the records into commands
//! and writes them to files. Values are never recorded. Replay a trace, or size a machine for it, with `ave-workbench`.
//!
//! ```
//! use ave_actors_rocksdb::{Recorder, RecorderOptions, RecordingManager};
//! use ave_actors_store::database::{Collection, DbManager};
//! use ave_actors_store::memory::MemoryManager;
//!
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path();
//! let recorder = Recorder::start(RecorderOptions::new(directory).name("bank").keep_parts(10))?;
//! let manager = RecordingManager::new(MemoryManager::default(), Some(recorder.clone()));
//! // Usually done by the actor system, to which `manager` is passed:
//! manager.create_collection("account_events", "account-1")?.put("00000000000000000000", b"opened")?;
//! // After it has stopped:
//! let stats = recorder.finish()?;
//! assert_eq!((stats.recorded, stats.dropped, stats.parts), (2, 0, 1));
//! assert!(directory.join("bank-00001.trace.csv").exists());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Cost
//!
//! On the actor's thread, one or two readings of the clock and one push to a lock-free queue: no lock, no allocation, no
//! system call. If the queue is full, the operation is dropped and counted, and the trace has a comment at that position.
//! Memory is bounded: the queue (3 MiB by default), 65,536 operations of incomplete commands, one entry per actor with open
//! handles.
//!
//! # Contents
//!
//! A trace is a CSV file with a header row, plain or zstd-compressed, after one comment line with version and provenance.
//! It has one line per operation: the creation of an actor's handles (one line for the three), `put`, `get`, `del`, `last`
//! and `purge`, with the bytes written or found, 0 for an absent entry. Actors' names are keyed hashes by default, see
//! [`NameRule`]; the key is not stored. [`RecorderStats`] counts the calls that are not recorded: failed ones, and those
//! without an operation in the format.
//!
//! # Recognition of commands
//!
//! A call does not say which command it belongs to. But the store issues the calls of each command in a fixed order, and an
//! actor issues one call after the other:
//!
//! | command | calls |
//! |---|---|
//! | `recover` | `open`, `last`, `states.get`, `metadata.get`, `states.get`, `last`; if events follow the snapshot: a `get` for each up to the newest, and a snapshot |
//! | `persist` | `events.put`; if the state is written with it: a snapshot |
//! | `snapshot` | `states.put`, `metadata.put`; when compacting: `events.del` for each event, `metadata.put`. A stopping actor issues a `states.get` and `get`s before |
//! | `events` | `events.get` with ascending numbers |
//! | `last_event` | `last` |
//! | `purge` | the three purges |
//!
//! If two readings are possible, the pause between two calls decides (5 ms, see [`RecorderOptions::pause`]): without a
//! pause, a snapshot belongs to the event before it, and a `get` to the query before it. If actors of a type usually write
//! their state with each event, a snapshot always belongs to the event.
//!
//! Limits of the recognition:
//!
//! - A requested snapshot within the pause after an event looks like an automatic one; if an actor requests one after each
//!   event, like light persistence.
//! - Two queries within the pause, the second of which starts where the first ended, look like one.
//! - Concurrent calls of several threads in the name of one actor are not a sequence.
//! - After dropped operations, a command may lack its beginning; its name then follows from the remaining calls.
//! - A command of more than 65,536 operations may be written as several of the same kind.
//!
//! The time of a line is that of the first call of its command, and commands are in order of time. A command recognised too
//! late, because a call took longer than the flush interval, has the time of the one before.
//!
//! # Parts
//!
//! The files are `NAME-00001.trace.csv` (or `.csv.zst`) and so on. Each is a trace by itself; times, command numbers and
//! hashed names continue. A recording never overwrites a file: it begins with the next free number. After the death of the
//! process a part is usable up to its last complete line; calls of the last two flush intervals may be missing.
//! [`Recorder::finish`] syncs the last part; the others are left to the kernel's writeback, so that syncs do not disturb
//! the store.
//!
//! After a write error, for instance on a full disk, the part ends with its last readable line, and operations are dropped
//! and counted. The recorder tries to create a new part every second; once that succeeds, the recording continues, with a
//! comment on the number of missing operations.

mod command;
mod line;
mod names;
mod recorder;

// For `ave-workbench` only, without any promise of stability.
#[doc(hidden)]
pub mod format;
#[doc(hidden)]
pub use command::{CommandKind, Op, OpKind, UnknownName};
#[doc(hidden)]
pub use format::{Provenance, Recording, Shard};

pub use names::NameRule;
pub use recorder::{
    Compression, Recorder, RecorderError, RecorderOptions, RecorderStats, RecordingCollection, RecordingManager,
    RecordingState,
};
#[cfg(feature = "rocksdb")]
pub(crate) use recorder::{EventCalls, StateCalls};
