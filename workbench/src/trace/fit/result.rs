//! The result of a fit.

use serde::Serialize;

use super::likeness::Aspect;
use crate::workload::Workload;

/// A workload that resembles a trace.
#[derive(Debug, Clone, Serialize)]
pub struct Fit {
    /// Generated with seed 1 for the comparison.
    pub workload: Workload,
    /// Mean rate of the trace, commands per second; a workload has no rate. `None` if all commands came at once.
    pub commands_per_second: Option<f64>,
    /// How well the workload resembles the trace.
    pub aspects: Vec<Aspect>,
    /// What the trace does not show, and what the workload does not resemble.
    pub notes: Vec<String>,
    /// Commands of the generated trace that was compared.
    pub compared_commands_count: u64,
    /// Name and source of the trace, as a phrase.
    pub origin: String,
}
