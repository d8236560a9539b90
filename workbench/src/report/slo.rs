//! Service level objectives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load::{Objective, Source};
use crate::measure::Percentile;

/// A service level objective: a percentile of a command's response time and its limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SloInfo {
    /// Name of the command.
    pub command: String,
    /// The percentile of its response time.
    pub percentile: Percentile,
    /// Longest response time allowed at that percentile.
    pub limit_ns: u64,
}

/// The objective on the commands of a source.
pub(crate) fn slo_info(source: &Source, objective: Objective) -> SloInfo {
    SloInfo {
        command: objective.command_of(source).name().to_owned(),
        percentile: objective.percentile,
        limit_ns: objective.limit_ns,
    }
}
