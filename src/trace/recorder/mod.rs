//! The recorder: forwards the calls of actors to their store and writes them to a trace. The documentation is that of the
//! module [`trace`](super).

mod actors;
mod commands;
mod error;
mod grammar;
mod handle_calls;
mod intake;
mod manager;
mod options;
mod output;
mod part;
mod session;
mod stats;
mod writer;

pub use error::RecorderError;
#[cfg(feature = "rocksdb")]
pub(crate) use handle_calls::{EventCalls, StateCalls};
pub use manager::{RecordingCollection, RecordingManager, RecordingState};
pub use options::{Compression, RecorderOptions};
pub use session::Recorder;
pub use stats::RecorderStats;
