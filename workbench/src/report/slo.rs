//! Service level objectives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load::{Objective, Source};
use crate::measure::Percentile;

/// A service level objective: a percentile of a command's response time and its limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SloInfo {
    /// Name of the command or transaction.
    pub command: String,
    /// The percentile of its response time.
    pub percentile: Percentile,
    /// Longest response time allowed at that percentile.
    pub limit_ns: u64,
}

/// The objective on what a source issues; `None` if the source issues nothing of the kind.
pub(crate) fn slo_info(source: &Source, objective: &Objective) -> Option<SloInfo> {
    let command = source.request_name(objective.check(source).ok()?).to_owned();
    Some(SloInfo { command, percentile: objective.percentile, limit_ns: objective.limit_ns })
}
