//! The part of a report that a plan adds: capacity, machines, recommendations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::catalogue::{CatalogueInfo, MachineCost};
use super::demand::DemandInfo;
use super::disk::PlanDisk;
use super::forecast::{Band, DiskOrigin, ForecastInfo};
use super::horizon::{HorizonInfo, until};
use super::latency::LatencyInfo;
use super::prediction::{PredictionInfo, one_or_several};
use super::slo::SloInfo;
use super::what_if::WhatIfInfo;
use super::writers::WriterSweep;
use crate::actor::Durability;
use crate::host::{HOST, MILLI, Machine};
use crate::load::{RequestKind, Source};
use crate::measure::Trials;
use crate::units;

/// What `plan` adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanResult {
    /// Rate that the deployment must sustain, commands per second.
    pub target_per_second: f64,
    /// Share of the capacity to keep free, percent.
    pub headroom_percent: f64,
    /// Rate that leaves the headroom at the target, commands per second: what a machine must sustain.
    pub required_per_second: f64,
    /// How machines were emulated, in words.
    pub emulation: String,
    /// The objective.
    pub slo: SloInfo,
    /// Capacity of one machine per durability mode.
    pub capacities: Vec<Capacity>,
    /// Growth of the database at the target; independent of machine and durability.
    pub growth: GrowthInfo,
    /// Every candidate machine and this host: cheapest first where the catalogue has prices, else smallest.
    pub profiles: Vec<ProfileEvidence>,
    /// The machine recommended per durability mode.
    pub recommendations: Vec<Recommendation>,
    /// Conditions that the evidence does not cover; empty if no machine is recommended.
    pub not_covered: Vec<String>,
    /// How the ceiling depends on the writers in flight; empty if no machine is recommended.
    pub writers: Vec<WriterSweep>,
    /// How this host scales with cores; empty unless a candidate has more of them.
    pub scaling: Vec<ScalingInfo>,
    /// Database, disk, memory and restarts at the target; absent if no machine is recommended.
    pub forecast: Option<ForecastInfo>,
    /// How long the answer is valid as the database grows; absent if no machine is recommended.
    pub horizon: Option<HorizonInfo>,
    /// What ends first; absent if no machine is recommended or nothing ends within a hundred years.
    pub valid_until: Option<ValidUntil>,
    /// The disk while the plan ran; absent where it was not watched.
    pub disk: Option<PlanDisk>,
    /// The same plan with changed inputs; absent without `--what-if`.
    pub what_if: Option<WhatIfInfo>,
    /// Where the machines come from; absent without `--machines`.
    pub catalogue: Option<CatalogueInfo>,
    /// Machines over the demand.
    pub demand: Option<DemandInfo>,
    /// The plan whose rates were ranked again without measuring; absent if this plan measured them.
    pub ranked_from: Option<RankedFrom>,
    /// What other hosts will sustain, in the order of `profiles`; empty without `--host`.
    #[serde(default, alias = "prediction", deserialize_with = "one_or_several")]
    pub predictions: Vec<PredictionInfo>,
    /// How many commands each kind of request is: what rates of transactions are converted by. Empty in earlier reports.
    #[serde(default)]
    pub requests: Vec<RequestCommands>,
}

impl PlanResult {
    /// The rate of a recommended machine on the database of the horizon, commands per second; `None` if none was modelled for it.
    pub(crate) fn rate_at_horizon(&self, recommendation: &Recommendation) -> Option<f64> {
        let mode = self.horizon.as_ref()?.mode(recommendation.durability)?;
        let last = mode.points.last().filter(|_| recommendation.profile.as_ref() == Some(&mode.profile))?;
        Some(last.per_second)
    }

    /// The transaction that the objective is on; `None` if it is on a command, and in earlier reports.
    pub(crate) fn transaction(&self) -> Option<&RequestCommands> {
        self.requests.iter().find(|one| one.is_transaction && one.name == self.slo.command)
    }

    /// When the disk is full, or what one to attach must have: by the forecast, without one by the growth that was measured.
    pub(crate) fn disk_full_text(&self) -> String {
        let GrowthInfo { disk_bytes, disk_origin, days_until_disk_full, .. } = self.growth;
        let disk = units::bytes(disk_bytes as f64);
        match (&self.forecast, days_until_disk_full) {
            (Some(forecast), _) => forecast.disk_full_text(),
            (None, Some(days)) => format!("a disk of {disk} is full after about {}", units::about_days(days)),
            (None, None) if disk_origin == DiskOrigin::Attached => "its disk was not forecast".to_owned(),
            (None, None) => format!("a disk of {disk} does not fill within a hundred years"),
        }
    }

    pub(crate) fn recommendation(&self, durability: Durability) -> Option<&Recommendation> {
        self.recommendations.iter().find(|recommendation| recommendation.durability == durability)
    }

    pub(crate) fn capacity(&self, durability: Durability) -> Option<&Capacity> {
        self.capacities.iter().find(|capacity| capacity.durability == durability)
    }

    /// Machines that can be bought, this host aside, of which it is not known whether they are enough, by name.
    pub(crate) fn unknown_machines(&self, durability: Durability) -> Vec<&str> {
        let is_unknown = |known: &&ProfileEvidence| {
            known.profile != HOST && known.mode(durability).is_some_and(|mode| mode.holds.is_none())
        };
        self.profiles.iter().filter(is_unknown).map(|known| known.profile.as_str()).collect()
    }

    /// Whether no machine is recommended in a mode while one of those that can be bought may be enough: of a catalogue, or where the
    /// grown database ends those that were measured.
    pub(crate) fn is_open(&self, recommendation: &Recommendation) -> bool {
        let durability = recommendation.durability;
        let mode = self.horizon.as_ref().and_then(|horizon| horizon.mode(durability));
        let ends = mode.and_then(|mode| mode.periods.last()).is_some_and(|last| last.profile.is_none());
        let can_be_bought = self.catalogue.is_some() || ends;
        recommendation.profile.is_none() && can_be_bought && !self.unknown_machines(durability).is_empty()
    }

    pub(crate) fn profile(&self, name: &str) -> Option<&ProfileEvidence> {
        self.profiles.iter().find(|known| known.profile == name)
    }
}

/// A kind of request that the source issues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestCommands {
    /// Name of the command or transaction.
    pub name: String,
    /// Whether it is a transaction: a chain of commands.
    pub is_transaction: bool,
    /// Commands of all kinds for each of them, on average.
    pub commands_per_request: f64,
}

impl RequestCommands {
    /// `None` if the source issues none.
    pub(crate) fn of(source: &Source, request: RequestKind) -> Option<Self> {
        let per_command = source.per_command(request);
        (per_command > 0.0).then(|| Self {
            name: source.request_name(request).to_owned(),
            is_transaction: matches!(request, RequestKind::Transaction(_)),
            commands_per_request: 1.0 / per_command,
        })
    }

    /// A rate of commands as one of these: `20 fact/s`.
    pub(crate) fn rate(&self, commands_per_second: f64) -> String {
        format!("{} {}/s", units::number(commands_per_second / self.commands_per_request), self.name)
    }
}

/// The plan that measured the rates of a plan which ranks them again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankedFrom {
    /// Its report.
    pub report: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// Its target, commands per second.
    pub target_per_second: f64,
}

/// The end of what a plan answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidUntil {
    /// Days from now.
    pub days: f64,
    /// The date (`2027-03-01`); absent beyond the calendar.
    pub on: Option<String>,
    /// What ends.
    pub end: End,
}

impl ValidUntil {
    /// `until 2027-03-01, when the disk is full`.
    pub(crate) fn text(&self) -> String {
        let end = match self.end {
            End::Disk => "when the disk is full",
            End::Endurance => "when the disk is worn out",
            End::Reads => "when the reads of the grown database leave too little of the rate",
            End::Writes => "when the states have grown so large that writing them leaves too little of the rate",
            End::Demand => "when the growing demand exceeds what it is known to sustain",
            End::Horizon => "the horizon",
        };
        format!("{}, {end}", until(self.on.as_deref(), self.days))
    }

    /// Of several, the one that ends first: by date, those beyond the calendar by days.
    pub(crate) fn earliest<'a>(all: impl Iterator<Item = &'a Self>) -> Option<&'a Self> {
        all.min_by(|one, other| {
            let beyond = |valid: &Self| valid.on.is_none();
            (beyond(one), &one.on).cmp(&(beyond(other), &other.on)).then(one.days.total_cmp(&other.days))
        })
    }
}

/// What ends the validity of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The disk is full.
    Disk,
    /// The disk has written its rated endurance.
    Endurance,
    /// The database has grown so large that its reads leave too little of the rate.
    Reads,
    /// States have grown so large that what commands write leaves too little of the rate.
    Writes,
    /// The growing demand exceeds what the machine is known to sustain.
    Demand,
    /// The horizon: nothing ends before.
    Horizon,
}

/// Whether a rate is at least the required one, commands per second each. The required rate is itself among the rates
/// that are tried: rounding must not decide.
pub(crate) fn suffices(rate: f64, required_per_second: f64) -> bool {
    rate >= required_per_second * (1.0 - 1e-9)
}

/// How far a machine goes in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// The recommended machine; if there is none, the largest that was searched.
    pub machine: String,
    /// Closed-loop ceiling, commands per second; absent if the machine ran out of memory under it.
    pub saturation_per_second: Option<f64>,
    /// Highest rate that is sustained; absent if none is.
    pub sustained_per_second: Option<f64>,
    /// Chance that the sequential test takes a rate for sustained that meets the objective only half of the time, percent.
    pub trial_error_percent: f64,
    /// Every rate on which the test decided, in the order of the trials.
    pub decided: Vec<RateTrials>,
    /// The target itself on the recommended machine; absent if there is none.
    pub at_target: Option<Trials>,
    /// The sustained rate less the headroom.
    pub usable_per_second: Option<f64>,
    /// Whether the machine sustains the required rate, within its memory and until the horizon.
    pub holds: bool,
    /// Every rate that was tried, ascending: throughput against latency.
    pub probes: Vec<ProbeResult>,
}

impl Capacity {
    /// The lowest rate that missed the objective, commands per second, above those that were tried and hold; `None` if none was
    /// tried.
    pub(crate) fn missed_per_second(&self) -> Option<f64> {
        let held = self.decided.iter().filter(|decided| decided.sustained == Some(true));
        let highest = held.map(|decided| decided.rate_per_second).reduce(f64::max).or(self.sustained_per_second);
        ProbeResult::lowest_missed(&self.probes, highest.unwrap_or(0.0))
    }

    /// What was tried nearest to a rate, if it differs by no more than `factor`.
    pub(crate) fn near(&self, per_second: f64, factor: f64) -> Option<&ProbeResult> {
        let distance = |probe: &ProbeResult| (probe.offered_per_second / per_second).ln().abs();
        let nearest = self.probes.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        (distance(nearest) <= factor.ln()).then_some(nearest)
    }
}

/// Growth of the database: as forecast, or measured where there is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrowthInfo {
    /// Per million commands.
    pub per_million_commands_bytes: f64,
    /// Per day at the target rate.
    pub per_day_bytes: f64,
    /// The disk it fills; 0 where it is to be attached and there is no forecast.
    pub disk_bytes: u64,
    /// Whose disk it is. The free space of the host in older reports.
    #[serde(default)]
    pub disk_origin: DiskOrigin,
    /// Days at the target rate until that disk is full, compactions included; absent if it does not fill up.
    pub days_until_disk_full: Option<f64>,
}

impl RateTrials {
    /// The highest rate that is sustained.
    pub(crate) fn highest_sustained(decided: &[Self]) -> Option<&Self> {
        let sustained = decided.iter().filter(|decided| decided.sustained == Some(true));
        sustained.max_by(|a, b| a.rate_per_second.total_cmp(&b.rate_per_second))
    }
}

/// A rate on which later loads than those of the search decided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateTrials {
    /// Commands per second.
    pub rate_per_second: f64,
    /// How often it met the objective, on a new database each time the rate changes.
    pub trials: Trials,
    /// What the sequential test decided; absent if it decided nothing.
    pub sustained: Option<bool>,
}

/// One rate that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeResult {
    /// Commands per second offered.
    pub offered_per_second: f64,
    /// Commands per second completed; absent if the process was killed.
    pub achieved_per_second: Option<f64>,
    /// Median response time of the objective's command; absent if the samples do not support it.
    pub p50_ns: Option<u64>,
    /// The objective's percentile of its response time; absent if the samples do not support it.
    pub slo_percentile_ns: Option<u64>,
    /// The same in the slice of time where it is highest, which decides.
    pub worst_slice_ns: Option<u64>,
    /// Why the rate does not meet the objective; absent if it does.
    pub rejection: Option<Rejection>,
}

impl ProbeResult {
    /// The lowest rate above `per_second` that missed the objective; `None` if none was tried.
    pub(crate) fn lowest_missed(probes: &[Self], per_second: f64) -> Option<f64> {
        let missed = probes.iter().filter(|probe| probe.rejection.is_some()).map(|probe| probe.offered_per_second);
        missed.filter(|&rate| rate > per_second).reduce(f64::min)
    }
}

/// Why a rate is not sustained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// The process was killed: it used up the machine's memory.
    OutOfMemory,
    /// Fewer commands were completed than offered.
    FellBehind,
    /// The percentile is above the limit in the worst slice.
    TooSlow,
    /// Too few samples for the percentile.
    TooFewSamples,
    /// Pending compactions grow faster than they are done.
    CompactionDebt,
    /// Write stalls become longer.
    Stalls,
    /// The median response time rose during the load.
    SlowingDown,
}

impl Rejection {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OutOfMemory => "killed: out of memory",
            Self::FellBehind => "falls behind",
            Self::TooSlow => "too slow",
            Self::TooFewSamples => "too few samples",
            Self::CompactionDebt => "compactions fall behind",
            Self::Stalls => "stalls grow",
            Self::SlowingDown => "slows down over time",
        }
    }
}

/// What is known of one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileEvidence {
    /// `nano` … `2xlarge`, `this host`, cores and MiB of RAM, or the name in the catalogue.
    pub profile: String,
    /// Its cores; a part of a core counts as one.
    pub cpu_cores_count: u32,
    /// Its CPU time in thousandths of a core; present where it has a part of a core.
    pub cpu_millicores_count: Option<u64>,
    /// Its RAM.
    pub ram_bytes: u64,
    /// The strongest evidence of any mode.
    pub evidence: Evidence,
    /// Where the figures of its modes come from.
    pub reason: String,
    /// One entry per durability mode.
    pub modes: Vec<MachineMode>,
}

impl ProfileEvidence {
    /// Its CPU time in thousandths of a core.
    pub(crate) fn millicores(&self) -> u64 {
        self.cpu_millicores_count.unwrap_or_else(|| u64::from(self.cpu_cores_count) * MILLI)
    }

    pub(crate) fn mode(&self, durability: Durability) -> Option<&MachineMode> {
        self.modes.iter().find(|mode| mode.durability == durability)
    }
}

impl MachineMode {
    /// The rate that is known at least: of an extrapolated or predicted one the lower end.
    pub(crate) fn least_per_second(&self) -> Option<f64> {
        self.range_per_second.map_or(self.sustained_per_second, |[low, _]| Some(low))
    }

    /// What ends it first: what its disk lacks, else what limits its rate.
    pub fn binds(&self) -> Option<&Binding> {
        self.lacking.as_ref().or(self.binding.as_ref())
    }
}

/// How a machine's figures were obtained, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// On this host itself.
    Measured,
    /// Emulated here: CPU and memory limits, page cache included, and tuning.
    Emulated,
    /// Emulated here without a memory limit; the process and its database needed no more memory than the machine has.
    CoresEmulated,
    /// At least the cores and RAM of a machine that was searched: at least its rate.
    Implied,
    /// More cores than this host: extrapolated by the Universal Scalability Law.
    Extrapolated,
    /// Another host: predicted from its profile.
    Predicted,
    /// No measurement applies to it.
    NotMeasured,
}

impl Evidence {
    /// `at least`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Emulated => "emulated",
            Self::CoresEmulated => "cores emulated",
            Self::Extrapolated => "extrapolated",
            Self::Predicted => "predicted",
            Self::Implied => "at least",
            Self::NotMeasured => "not measured",
        }
    }
}

/// The machine recommended in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// The cheapest machine that sustains the required rate, without prices the smallest; absent if none qualified.
    pub profile: Option<String>,
    /// What it costs; absent if its price is not known.
    pub cost: Option<MachineCost>,
    /// The specification to paste into the configuration, as `ave-actors-store` deserialises it.
    pub machine_spec: Option<serde_json::Value>,
    /// Requests and limits for a container.
    pub container: Option<ContainerLimits>,
    /// Latency at the target on it.
    pub expected: Option<ExpectedLatency>,
    /// Size of the database on which it sustained the required rate.
    pub database_bytes: Option<u64>,
    /// In words.
    pub sentence: String,
}

/// A machine in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineMode {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// How the rate was obtained.
    pub evidence: Evidence,
    /// Highest rate that is known to meet the objective; absent if none is.
    pub sustained_per_second: Option<f64>,
    /// Lowest and highest extrapolated rate.
    pub range_per_second: Option<[f64; 2]>,
    /// Whether it sustains the required rate; absent if unknown.
    pub holds: Option<bool>,
    /// What limits it, if it was searched.
    pub binding: Option<Binding>,
    /// What its disk, as a catalogue describes it, lacks until the horizon at the target, or may lack where it is not known
    /// whether the machine is enough; absent if nothing, and in older reports.
    #[serde(default)]
    pub lacking: Option<Binding>,
    /// Most memory of process and page cache together, if it was limited.
    pub memory_peak_bytes: Option<u64>,
    /// Largest resident set of the process, page cache not counted, if it was searched.
    pub process_peak_bytes: Option<u64>,
    /// Latency on it, if it was searched and sustained a rate.
    pub latency: Option<MachineLatency>,
    /// Where these figures come from, or why there are none.
    pub reason: String,
}

/// The resource that limits a machine, and the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Which resource.
    pub resource: Resource,
    /// Measured figures.
    pub evidence: String,
}

/// What a machine runs out of first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Cores.
    Cpu,
    /// The time the disk takes to make a write durable.
    SyncLatency,
    /// Memory: the process is killed, or reads miss the page cache.
    Memory,
    /// Bytes the disk writes per second.
    WriteBandwidth,
    /// The engine stalls writers until compactions catch up.
    Stalls,
    /// The size of the values that commands write, such as states that have grown.
    ValueSize,
    /// The size of the disk: the database is larger before the horizon.
    DiskSpace,
    /// None of these by what was measured.
    Unknown,
}

impl Resource {
    /// In a few words; `None` if unknown.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Cpu => Some("CPU"),
            Self::SyncLatency => Some("sync latency"),
            Self::Memory => Some("memory"),
            Self::WriteBandwidth => Some("write bandwidth"),
            Self::Stalls => Some("stalls"),
            Self::ValueSize => Some("size of the values"),
            Self::DiskSpace => Some("disk space"),
            Self::Unknown => None,
        }
    }
}

/// The objective's percentile on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineLatency {
    /// Its value.
    pub value_ns: u64,
    /// The rate it was measured at: the target on a recommended machine, on the others the lowest offered rate of which
    /// they sustained a part.
    pub per_second: f64,
}

/// Latency at the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedLatency {
    /// The objective's command.
    pub command: String,
    /// The target.
    pub per_second: f64,
    /// Its response time.
    pub response: LatencyInfo,
    /// The machine that it was measured on, if that is a smaller one than the recommended.
    #[serde(default)]
    pub measured_on: Option<String>,
}

/// Requests and limits for a container of the machine's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerLimits {
    /// Cores, as request and as limit; a part of a core counts as one.
    pub cpu_cores_count: u32,
    /// The same in thousandths of a core; present where the machine has a part of a core.
    pub cpu_millicores_count: Option<u64>,
    /// Memory as request and as limit: the machine's RAM less what its kernel keeps, MiB. The measurement ran within it.
    pub memory_mib: u64,
}

impl ContainerLimits {
    pub(crate) fn of(machine: &Machine) -> Self {
        Self {
            cpu_cores_count: u32::try_from(machine.cores).unwrap_or(u32::MAX),
            cpu_millicores_count: machine.part_of_a_core(),
            memory_mib: machine.usable_ram_bytes() >> 20,
        }
    }
}

/// How this host scales with cores in one mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingInfo {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// Closed-loop ceilings on fewer cores and on all.
    pub points: Vec<ScalingPointInfo>,
    /// Universal Scalability Law: contention; absent where the points do not follow the law.
    pub contention: Option<f64>,
    /// Coherency.
    pub coherency: Option<f64>,
    /// Commands per second of one core under the law.
    pub single_core_per_second: Option<f64>,
    /// Root of the mean squared relative distance of the points from the law, percent.
    pub error_percent: Option<f64>,
    /// The law from one core to twice the cores that were measured; empty where there is none.
    pub curve: Vec<ScalingCurveInfo>,
    /// Why there is no law; empty if there is one.
    pub note: String,
}

/// The law at a number of cores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingCurveInfo {
    /// Cores.
    pub cores_count: u32,
    /// Commands per second: the law that fits best, and the lowest and the highest of all that fit, each in relation to
    /// its value at the most cores that were measured.
    pub per_second: Band,
}

/// One measured ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingPointInfo {
    /// Cores.
    pub cores_count: u32,
    /// Commands per second.
    pub per_second: f64,
}
