//! The part of a report that sets a plan beside the same plan with changed inputs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;

/// A plan with changed inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfInfo {
    /// `actors=2x,event_size=3x`.
    pub changes: String,
    /// The target under it.
    pub target_per_second: f64,
    /// One entry per durability mode.
    pub modes: Vec<WhatIfMode>,
}

/// One durability mode with changed inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfMode {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// The machine recommended as it is; absent for none.
    pub machine_before: Option<String>,
    /// The machine recommended under the change; absent for none.
    pub machine_after: Option<String>,
    /// Whether that was measured.
    pub machine_basis: Basis,
    /// Figures, before and after.
    pub figures: Vec<WhatIfFigure>,
}

/// A figure before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfFigure {
    /// Which figure.
    pub name: FigureName,
    /// As it is; absent where it is not known.
    pub before: Option<f64>,
    /// Under the change; absent where it is not known.
    pub after: Option<f64>,
    /// Whether `after` was measured.
    pub basis: Basis,
}

/// The figures of a plan that are compared; the unit stands at the end of the name in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FigureName {
    /// Closed-loop ceiling.
    SaturationPerSecond,
    /// Highest rate that met the objective.
    SustainedPerSecond,
    /// Median response time at the target.
    P50AtTargetNs,
    /// 99th percentile of the response time at the target.
    P99AtTargetNs,
    /// Most memory of process and page cache together.
    MemoryPeakBytes,
    /// Growth of the database per day at the target.
    DatabaseGrowthPerDayBytes,
    /// Days until the disk is full at the target.
    DaysUntilDiskFull,
    /// Memory of the process with the handles of all actors.
    MemoryOfTheProcessBytes,
    /// Time of a restart with all actors.
    RestartSeconds,
}

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Measured under the change.
    Measured,
    /// Scaled from what was measured.
    Modelled,
}
