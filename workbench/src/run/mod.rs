//! `run`: measures a source in both durability modes in alternating rounds, and reports it.

mod certainty;
mod engine;
mod report;
mod spec;

pub(crate) use engine::check_after_kills;
pub use engine::{RunOutcome, run};
pub use report::run_report;
pub use spec::RunSpec;
