//! `run`: measures a source in both durability modes in alternating rounds, and reports it.

mod certainty;
mod engine;
#[cfg(feature = "rocksdb")]
mod power_cuts;
mod report;
mod spec;

pub(crate) use engine::check_after_kills;
pub use engine::{RunOutcome, run};
#[cfg(feature = "rocksdb")]
pub(crate) use power_cuts::{CUTS_PER_DATABASE, check_after_power_cuts};
pub use report::run_report;
pub use spec::RunSpec;
