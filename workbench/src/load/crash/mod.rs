//! What survives when the process that writes is killed.
//!
//! A process loads a database until it is killed with `SIGKILL`, and logs every operation that returned
//! ([`AckLog`](super::ack_log::AckLog)). Then the database is opened again and compared with the log: everything
//! acknowledged must be there, byte for byte; of each worker the one operation in flight may be there or not; nothing else
//! may. The next process continues with the same database and is killed in turn.
//!
//! By itself this is the death of a process: the operating system survives and keeps what it was given. A [`Victim`] may
//! also cut the power of the file system. Then writes with durability off may be lost, but only the last ones.
//!
//! How a process is started and killed is not known here: the caller brings a [`Victim`], whose process calls
//! [`drive_until_killed`].

mod check;
mod prefix;
mod share;
mod task;

pub use check::{Crashed, crash_check};
pub use task::{CrashTask, Victim, VictimError, drive_until_killed};
