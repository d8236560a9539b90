//! The part of a plan that says how long its answer is valid: the database grows, and with it what a machine must read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::certainty::CertaintyLevel;
use super::forecast::Band;
use super::what_if::Basis;
use crate::actor::Durability;
use crate::units;

/// Largest errors of the model of larger databases that leave a high certainty, percent.
const MOST_RATE_ERROR_PERCENT: f64 = 15.0;
const MOST_RESPONSE_ERROR_PERCENT: f64 = 25.0;

/// The plan until its horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HorizonInfo {
    /// Days until the horizon: `--horizon`, by default the retention, or a year; the day on which the disk is full if that
    /// comes first.
    pub days: f64,
    /// Its date (`2027-03-01`); absent beyond the calendar.
    pub on: Option<String>,
    /// Size of the database then.
    pub database_bytes: Band,
    /// Size of the largest database that rates were measured on.
    pub measured_bytes: f64,
    /// Events by which that database had grown: `run --grown-by` builds it again.
    pub measured_grown_events_count: u64,
    /// Bytes of the values that a command writes now. 1 if no state grows with the events of its actor.
    pub written_now_bytes_per_command: f64,
    /// The same at the horizon.
    pub written_then_bytes_per_command: f64,
    /// Whether commands read more as the database grows.
    pub working_set: WorkingSet,
    /// Memory for blocks beyond which more is of no use at the horizon; absent if commands read nothing.
    pub knee_bytes: Option<f64>,
    /// One entry per durability mode with a recommended machine.
    pub modes: Vec<HorizonMode>,
}

/// How what commands read depends on the size of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkingSet {
    /// It stays the same however large the database becomes, as in a log of which the end alone is read.
    Bounded,
    /// It grows with the database.
    Growing,
    /// The reads are known for one size only: a trace does not grow.
    Unknown,
}

impl HorizonInfo {
    pub(crate) fn mode(&self, durability: Durability) -> Option<&HorizonMode> {
        self.modes.iter().find(|mode| mode.durability == durability)
    }
}

/// How the rate of a machine falls as its database grows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HorizonMode {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// The machine of the points.
    pub profile: String,
    /// Its memory for blocks: RAM less what the kernel and the process keep.
    pub block_memory_bytes: f64,
    /// What a read from the disk adds to the time of a command as fast as the writers go, seconds: measured with a cold page
    /// cache, with durability off if that is planned. Absent if it was not, or a cold page cache made nothing slower.
    #[serde(default)]
    pub disk_read_seconds: Option<f64>,
    /// Whether what commands write at the horizon, states that grow, leaves too little of the rate.
    pub is_bound_by_writes: bool,
    /// Ascending by size.
    pub points: Vec<SizeRate>,
    /// The same on databases beyond the horizon's, modelled: those of higher targets.
    #[serde(default)]
    pub beyond: Vec<SizeRate>,
    /// How far the model was off at a size that it was not fitted on; absent if there was none, as in a quick plan.
    pub error: Option<ModelErrorInfo>,
    /// The smallest machine that sustains the required rate, over the time until the horizon.
    pub periods: Vec<MachinePeriod>,
}

impl HorizonMode {
    /// `nano until 2027-03-01, then small until 2027-11-29`.
    pub(crate) fn machines_over_time(&self) -> String {
        let part = |period: &MachinePeriod| {
            let name = period.profile.as_deref().unwrap_or("none of the candidates");
            format!("{name} {}", until(period.until.as_deref(), period.until_days))
        };
        self.periods.iter().map(part).collect::<Vec<_>>().join(", then ")
    }
}

#[cfg(test)]
impl HorizonMode {
    /// Rates of nano on databases of these sizes, and beyond the horizon.
    pub(crate) fn of_nano(durability: Durability, points: &[(f64, f64)], beyond: &[(f64, f64)]) -> Self {
        let rate = |&(database_bytes, per_second): &(f64, f64)| SizeRate {
            database_bytes,
            basis: Basis::Modelled,
            per_second,
            disk_reads_per_command: 1.0,
        };
        Self {
            durability,
            profile: "nano".to_owned(),
            block_memory_bytes: 1e8,
            disk_read_seconds: None,
            is_bound_by_writes: false,
            points: points.iter().map(rate).collect(),
            beyond: beyond.iter().map(rate).collect(),
            error: None,
            periods: Vec::new(),
        }
    }
}

#[cfg(test)]
impl HorizonInfo {
    /// A database of a gigabyte that was measured, and of so many bytes in a year.
    pub(crate) fn of_growing_reads(bytes: f64, modes: Vec<HorizonMode>) -> Self {
        Self {
            days: 365.0,
            on: None,
            database_bytes: Band { expected: bytes, low: bytes, high: bytes },
            measured_bytes: 1e9,
            measured_grown_events_count: 1,
            written_now_bytes_per_command: 1.0,
            written_then_bytes_per_command: 1.0,
            working_set: WorkingSet::Growing,
            knee_bytes: None,
            modes,
        }
    }
}

/// `until 2027-03-01`, or `for 12 h` where no date is given.
pub(crate) fn until(date: Option<&str>, days: f64) -> String {
    date.map_or_else(|| format!("for {}", units::about_days(days)), |date| format!("until {date}"))
}

/// The rate that meets the objective on a database of one size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SizeRate {
    /// Size of the database when it was opened.
    pub database_bytes: f64,
    /// Measured, or modelled from those that were.
    pub basis: Basis,
    /// Highest rate that meets the objective, commands per second.
    pub per_second: f64,
    /// Reads from the disk per command, by the workload's reuse distances.
    pub disk_reads_per_command: f64,
}

/// How far a model was off at a size of the database that it was not fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelErrorInfo {
    /// Of the highest rate that meets the objective: 20 is a fifth too high.
    pub rate_percent: f64,
    /// Of the response time at the percentile of the objective; absent if no load of that size was completed.
    pub response_percent: Option<f64>,
}

impl ModelErrorInfo {
    /// How certain an answer is at most that relies on the model: beyond 25 % for the response time or 15 % for the rate it is
    /// moderate.
    pub(crate) fn certainty(self) -> CertaintyLevel {
        let is_close = self.rate_percent.abs() <= MOST_RATE_ERROR_PERCENT
            && self.response_percent.is_some_and(|percent| percent.abs() <= MOST_RESPONSE_ERROR_PERCENT);
        if is_close { CertaintyLevel::High } else { CertaintyLevel::Moderate }
    }
}

/// A time in which one machine is enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachinePeriod {
    /// The smallest candidate that sustains the required rate; absent if none does.
    pub profile: Option<String>,
    /// Days from now until it begins.
    pub from_days: f64,
    /// Days from now until it ends.
    pub until_days: f64,
    /// The date of its end; absent beyond the calendar.
    pub until: Option<String>,
}
