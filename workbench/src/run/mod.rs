//! How fast: both durability modes in alternating rounds, and the report of it.

mod certainty;
mod engine;
mod report;

pub use engine::{RunOutcome, RunSpec, run};
pub use report::run_report;
