//! The load generator: issues commands against a backend on a schedule and measures them.
//!
//! It is generic over [`Target`], that is over any `DbManager`. It prints nothing and knows nothing of reports or of the
//! search for a rate. Progress goes to an [`Observer`].

mod ack_log;
mod actor_types;
mod arrivals;
#[cfg(feature = "rocksdb")]
mod block_reads;
mod clock;
mod control;
mod crash;
mod drive;
mod engine;
mod error;
mod fill;
mod handles;
mod measurement;
mod null;
mod objective;
mod observer;
mod outcome;
pub(crate) mod page_cache;
mod preflight;
mod rate;
mod requests;
mod schedule;
mod session;
mod slices;
mod source;
mod spec;
mod sync_times;
mod target;
mod turn;
mod verify;
mod walk;
mod warmup;
mod watch;
mod window;
mod write_volume;
mod writers;

pub use actor_types::ActorTypeLoad;
pub use arrivals::arrival_times;
#[cfg(feature = "rocksdb")]
pub use block_reads::{BlockGeometry, BlockReads, Knee, ReadCurve, ReadPoint};
pub use clock::{Clock, SystemClock};
pub use control::Control;
pub use crash::{CrashTask, Crashed, Victim, VictimError, crash_check, drive_until_killed};
pub use engine::{EngineCounters, EngineFigure, FamilySize};
pub use error::RunError;
pub use fill::fill_database;
pub use measurement::{CommandLatency, Measurement};
pub(crate) use measurement::{GENERATOR_SHARE, GeneratorLag};
pub use null::NullBackend;
pub use objective::{Objective, ObjectiveError};
pub use observer::{JobContext, Observer, Phase, Silent, Stage, StageTime};
pub use outcome::{HarnessCost, ModeOutcome, Round, harness_ns_per_operation};
pub(crate) use preflight::{disturbance_text, disturbances_now, require_idle_host};
pub use rate::Rate;
pub use requests::RequestKind;
pub use session::{
    Inventory, PreparedRestarts, Restart, RestartRound, RestartSpec, RestartTask, Session, SessionSize,
    SuspendedSession, directory_bytes, measure_restart,
};
pub use source::Source;
pub use spec::{DriveSpec, Load};
pub use sync_times::{DurableSecond, WalSyncs};
#[cfg(feature = "rocksdb")]
pub use target::RocksDbTarget;
pub use target::{LoadWriter, Loader, Target};
pub use verify::Verified;
pub use walk::{Walk, WalkStep};
pub use warmup::WarmUp;
pub use watch::{Drive, Sample};
pub(crate) use writers::MOST_WRITERS;
pub use writers::Writers;
