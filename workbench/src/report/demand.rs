//! The part of a plan that says which machine suits which demand, why the others were rejected, and what it costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;

/// Machines over the demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DemandInfo {
    /// The target; or the lowest, the likely and the highest one. Commands per second, ascending.
    pub targets_per_second: Vec<f64>,
    /// Growth of the demand, compound.
    pub growth_percent_per_month: f64,
    /// Months over which costs are compared.
    pub months: f64,
    /// What durability costs per month, in the currency of the catalogue: the cheapest machine with it less the cheapest
    /// without; absent unless both modes have a machine with a price.
    pub durability_per_month: Option<f64>,
    /// One entry per durability mode.
    pub modes: Vec<DemandMode>,
}

/// Machines over the demand in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DemandMode {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// Every candidate, cheapest first, then those without a price, smallest first.
    pub machines: Vec<MachineStanding>,
    /// The machine for each rate, ascending, up to the highest that any candidate is known to sustain.
    pub steps: Vec<DemandStep>,
    /// The machine for each target.
    pub targets: Vec<TargetMachine>,
    /// The machine to order if the demand is uncertain or grows; absent without prices, or if no machine is enough.
    pub least_regret: Option<LeastRegret>,
}

/// A candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineStanding {
    /// Its name.
    pub profile: String,
    /// Whether it is the recommended one.
    pub is_chosen: bool,
    /// The highest target of today that it is known to be enough for with the headroom until the horizon, its disk included where
    /// the catalogue gives it; absent if none is. It may be enough for more where it was not measured itself.
    pub usable_per_second: Option<f64>,
    /// Price per month of 730 hours, if it is known.
    pub price_per_month: Option<f64>,
    /// Why it is recommended or rejected, in one line.
    pub reason: String,
}

/// Demand from above the end of the step before up to `to_per_second`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DemandStep {
    /// Above this, commands per second.
    pub from_per_second: f64,
    /// Up to this.
    pub to_per_second: f64,
    /// The smallest machine that is known to sustain it with the headroom.
    pub smallest: String,
    /// The cheapest one; absent if none of them has a price.
    pub cheapest: Option<String>,
    /// Price of the cheapest per month.
    pub price_per_month: Option<f64>,
}

/// The machine for a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetMachine {
    /// The target, commands per second.
    pub per_second: f64,
    /// The cheapest machine that is known to sustain it, without prices the smallest; absent if none is.
    pub profile: Option<String>,
    /// Its price per month.
    pub price_per_month: Option<f64>,
    /// Months until the growing demand exceeds what it is known to sustain, or its disk is full; absent if neither is before the
    /// horizon.
    pub enough_for_months: Option<f64>,
}

/// The machine whose choice is regretted least.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeastRegret {
    /// Its name.
    pub profile: String,
    /// Its price per month.
    pub price_per_month: f64,
    /// What it costs more than always having the cheapest machine that is enough, per target, over the months; in the
    /// currency of the catalogue.
    pub regrets: Vec<f64>,
    /// Months until it is too small, per target; absent if it is not before the horizon.
    pub enough_for_months: Vec<Option<f64>>,
    /// In words.
    pub sentence: String,
}
