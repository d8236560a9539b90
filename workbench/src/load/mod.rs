//! The runner: issues commands against a backend on a schedule and measures what they take.
//!
//! It is generic over [`Target`], that is over any `DbManager`; it prints nothing and knows nothing of reports or of
//! how a rate is searched for. Whoever wants to see progress passes an [`Observer`].

mod appetite;
mod arrivals;
mod clock;
mod crash;
mod drive;
mod engine;
mod error;
mod handles;
mod measurement;
mod null;
mod objective;
mod observer;
mod outcome;
mod page_cache;
mod schedule;
mod session;
mod slices;
mod source;
mod target;
mod verify;
mod walk;
mod warmup;
mod watch;

pub use appetite::Appetite;
pub use arrivals::arrival_times;
pub use clock::{Clock, SystemClock};
pub use crash::{CrashSpec, CrashTask, Crashed, Death, Position, Victim, crash_check, drive_until_killed};
pub use drive::{Control, DriveSpec};
pub use engine::{EngineCounters, EngineFigure, FamilySize};
pub use error::RunError;
pub use measurement::{CommandLatency, GENERATOR_SHARE, GeneratorLag, Measurement};
pub use null::{NullManager, NullStore, NullTarget};
pub use objective::{Objective, ObjectiveError};
pub use observer::{JobContext, Observer, Phase, Silent};
pub use outcome::{MOST_WORKERS, ModeOutcome, Round, harness_ns_per_operation};
pub use schedule::Load;
pub use session::{
    Drive, Inventory, LeftOff, Restart, RestartRound, RestartSpec, Session, SessionSize, directory_bytes,
};
pub use source::Source;
#[cfg(feature = "rocksdb")]
pub use target::RocksDbTarget;
pub use target::Target;
pub use verify::Verified;
pub use walk::{Step, Walk};
pub use warmup::WarmUp;
pub use watch::Sample;
