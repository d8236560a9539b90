//! What survives when the process that writes is killed.
//!
//! A process of its own loads a database until it is killed with `SIGKILL`, and says of every operation that returned
//! that it did ([`AckLog`]). Then the database is opened again and compared with what was acknowledged: all of that must
//! be there, byte for byte; of each worker the one operation that was under way may be there or not; nothing else may.
//! Another process goes on with the same database, and is killed in its turn.
//!
//! This is about the death of a process. What a loss of power would leave behind it cannot show: the operating system
//! lives on and keeps what it was given.
//!
//! How a process is started and killed is not known here: whoever checks brings a [`Victim`], and the process it starts
//! calls [`drive_until_killed`].

mod check;
mod log;
mod share;
mod task;

pub use check::{CrashSpec, Crashed, crash_check};
pub(super) use log::AckLog;
pub use log::Position;

pub use task::{CrashTask, Death, Victim, drive_until_killed};
