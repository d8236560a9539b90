//! Which machine: the search for the highest rate that meets an objective, the evidence for each machine, the forecast
//! and the recommendation that follow.
//!
//! Rates are tried on a [`Testbed`](crate::process::Testbed), which emulates a machine. This module knows nothing of how it
//! does that, of pages or of the command line.

mod binding;
#[cfg(feature = "rocksdb")]
mod candidate_hosts;
mod certainty;
#[cfg(feature = "rocksdb")]
mod changed_demand;
mod comparison;
mod demand;
mod demand_growth;
#[cfg(feature = "rocksdb")]
mod disk;
mod engine;
#[cfg(feature = "rocksdb")]
mod error;
mod evidence;
#[cfg(feature = "rocksdb")]
mod forecast;
mod hold_out;
#[cfg(feature = "rocksdb")]
mod horizon;
mod journal;
mod judge;
mod limits;
mod machine_disk;
#[cfg(feature = "rocksdb")]
mod other_host;
mod outcome;
#[cfg(feature = "rocksdb")]
mod outlook;
#[cfg(feature = "rocksdb")]
mod predict;
#[cfg(feature = "rocksdb")]
mod predicted;
mod price;
#[cfg(feature = "rocksdb")]
mod ranked;
mod regret;
mod report;
#[cfg(feature = "rocksdb")]
mod request;
#[cfg(feature = "rocksdb")]
mod rerank;
#[cfg(feature = "rocksdb")]
mod resume;
#[cfg(feature = "rocksdb")]
mod run;
mod scaling;
mod search;
mod sentences;
mod size_rates;
#[cfg(feature = "rocksdb")]
mod sizes;
mod spec;
mod stages;
mod stored_data;
#[cfg(feature = "rocksdb")]
mod sync_scaling;
#[cfg(feature = "rocksdb")]
mod watched;
mod what_if;

pub use engine::search_machines;
#[cfg(feature = "rocksdb")]
pub(crate) use error::PlanError;
#[cfg(feature = "rocksdb")]
pub use forecast::GrowthCurve;
pub use journal::{Journal, JournaledTestbed};
pub use outcome::{
    AtTarget, Footprint, MachineFindings, MachineVerdict, ModeFindings, ModelledGrowth, Outlook, PlanOutcome,
    ResponseTimes, SizeFindings, SustainedRate,
};
pub use report::{ReportInput, plan_report};
#[cfg(feature = "rocksdb")]
pub(crate) use request::PlanRequest;
#[cfg(feature = "rocksdb")]
pub(crate) use rerank::{RerankRequest, rerank};
#[cfg(feature = "rocksdb")]
pub(crate) use run::run;
pub use spec::{Breadth, Demand, Effort, PlanSpec};
pub use what_if::{WhatIf, WhatIfError};
