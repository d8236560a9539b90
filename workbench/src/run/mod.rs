//! `run`: measures a source in both durability modes in alternating rounds, and reports it.

mod certainty;
mod engine;
mod report;
mod spec;

pub use engine::{RunOutcome, check_after_kills, run};
pub use report::run_report;
pub use spec::RunSpec;
