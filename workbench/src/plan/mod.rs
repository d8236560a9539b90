//! Which machine: the search for the highest rate that meets an objective, the evidence for each machine, the forecast
//! and the recommendation that follow.
//!
//! Rates are tried on a [`Testbed`](crate::process::Testbed) that emulates a machine; how it does that, this module does
//! not know. It knows nothing of pages or of the command line.

mod advice;
mod agenda;
mod binding;
mod certainty;
mod comparison;
mod engine;
mod evidence;
mod forecast;
mod journal;
mod judge;
#[cfg(feature = "rocksdb")]
mod outlook;
mod report;
mod scaling;
mod search;
mod what_if;

pub(crate) use advice::outgrown_after_days;
pub use binding::{Binding, Resource};
pub use engine::{ModePlan, PlanOutcome, PlanSpec, plan, required_rate, suffices};
pub use evidence::{Footprint, MachineVerdict, Support};
pub use forecast::{
    CompactionHeadroom, DiskFull, DiskSpec, GrowthCurve, GrowthForecast, MOST_WALKED, MemoryForecast, MemoryMeasured,
    MemoryPart, PredictedSize, RestartForecast, SizeAt, TreeRules, WriteWear, restart_forecast,
};
pub use journal::{Journal, Remembering};
pub use judge::Rejection;
#[cfg(feature = "rocksdb")]
pub use outlook::{Deployment, forecast};
pub use report::{PlanFacts, WhatIfPlan, plan_report};
pub use scaling::{Extrapolation, Scaling, ScalingPoint, ScalingRefusal};
pub use search::{Breadth, Effort, Findings, Held, Probe};
pub use what_if::{WhatIf, WhatIfError};
