//! Which machine: the search for the highest rate that meets an objective, and what follows from it.
//!
//! Rates are tried on a testbed that pretends to be the machine in question; how it does that, this module does not know.
//! What cannot be tried is extrapolated where the points carry that, and said to be not measured where they do not. It
//! knows nothing of reports or the command line.

mod agenda;
mod binding;
pub mod certify;
mod evidence;
mod forecast;
mod journal;
mod judge;
mod machine;
mod objective;
mod plan;
mod scaling;
mod search;
mod testbed;
mod what_if;

pub use binding::{Binding, Resource};
pub use evidence::{Footprint, MachineVerdict, Support};
pub use forecast::{
    Band, Basis, CompactionHeadroom, DiskFull, DiskSpec, GrowthCurve, GrowthForecast, MOST_WALKED, MemoryForecast,
    MemoryMeasured, MemoryPart, PredictedSize, RestartForecast, SizeAt, TreeRules, WriteWear, restart_forecast,
};
pub use journal::{Journal, Remembering};
pub use judge::Rejection;
pub use machine::{HOST, LEAST_RAM_MB, Machine};
pub use objective::{Objective, ObjectiveError};
pub use plan::{ModePlan, PlanOutcome, PlanSpec, plan, required_rate, suffices};
pub use scaling::{Extrapolation, Scaling, ScalingPoint, ScalingRefusal};
pub use search::{Breadth, Effort, Findings, Held, Probe};
pub use testbed::{Attempt, Driven, Emulation, Finished, InProcess, Rig, Survey, Testbed, survey};
pub use what_if::{WhatIf, WhatIfError};
