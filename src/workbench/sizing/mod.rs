//! Which machine: the search for the highest rate that meets an objective, and what follows from it.
//!
//! Every figure is measured on this host. A profile that nothing measured speaks of is said to be not measured; this
//! module never extrapolates. It knows nothing of reports or the command line.

mod evidence;
mod forecast;
mod objective;
mod plan;
mod scaling;
mod search;

pub use evidence::{Footprint, ProfileVerdict, Support, judge_profiles, smallest_fitting};
pub use objective::{Objective, ObjectiveError};
pub use plan::{ModePlan, PlanOutcome, PlanSpec, plan, required_rate, suffices};
pub use search::{Effort, Held, Probe, Rejection};

pub use forecast::{
    Band, Basis, CompactionHeadroom, DiskFull, DiskSpec, GrowthCurve, GrowthForecast, MOST_WALKED, MemoryForecast,
    MemoryMeasured, MemoryPart, PredictedSize, RestartForecast, TreeRules, WriteWear, restart_forecast,
};
pub use scaling::{Extrapolation, FARTHEST, Scaling, ScalingPoint, ScalingRefusal};
