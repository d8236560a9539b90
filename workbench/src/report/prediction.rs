//! The part of a report that says what other hosts will sustain, by their profiles and a plan of this one.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::certainty::CertaintyLevel;
use super::forecast::Band;
use super::host_info::HostInfo;
use crate::actor::Durability;
use crate::units;

/// What another host will sustain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionInfo {
    /// Its name: the `profile` of its evidence.
    #[serde(default = "other_host")]
    pub profile: String,
    /// Its profile, a file of `host --probe`, or the report of a plan that ran on it.
    pub origin: String,
    /// When that was measured, RFC 3339 in UTC.
    pub measured_at: String,
    /// The other host; its disk profile is left out.
    pub host: HostInfo,
    /// Median time of a sync of 4 KiB there; absent if its disk was not probed, and in earlier reports.
    #[serde(default)]
    pub sync_p50_ns: Option<u64>,
    /// One entry per durability mode.
    pub modes: Vec<PredictedMode>,
}

/// What another host will sustain in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictedMode {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// The machine of the plan that the prediction starts from; absent if the plan sustained no rate.
    pub base: Option<String>,
    /// The rate of that machine with the database of the horizon, commands per second; absent where it is not known.
    pub base_per_second: Option<f64>,
    /// The other host in relation to the host of the plan: what the prediction rests on.
    pub inputs: Vec<PredictionInput>,
    /// Root of the sum of the squared errors of the functions that were used, as the plan checked them, percent. The range is
    /// never narrower.
    pub model_error_percent: f64,
    /// The rate that meets the objective on the other host, commands per second; absent where it is not known.
    pub per_second: Option<Band>,
    /// The rate that it sustains at least, where it has more cores than the plan can be continued to.
    pub at_least_per_second: Option<f64>,
    /// Why there is no rate; empty if there is one.
    pub note: String,
    /// How certain the rate is; absent in earlier reports.
    #[serde(default)]
    pub certainty: Option<CertaintyLevel>,
    /// Whether it is enough for each target, ascending; empty in earlier reports.
    #[serde(default)]
    pub targets: Vec<PredictedTarget>,
    /// The prediction beside what a plan measured on the other host; absent where there is none.
    pub check: Option<PredictionCheck>,
}

/// What another host will sustain with the database of a target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictedTarget {
    /// The target, commands per second.
    pub target_per_second: f64,
    /// The rate that leaves the headroom at the target.
    pub required_per_second: f64,
    /// The rate that meets the objective with the database of this target at the horizon; absent where it is not known.
    pub per_second: Option<Band>,
    /// The rate that it sustains at least, where it has more cores than the plan can be continued to.
    pub at_least_per_second: Option<f64>,
    /// Whether the whole range is enough, or none of it; absent if the required rate lies within it, and where nothing is known.
    pub holds: Option<bool>,
}

/// The name of the only host in reports of earlier versions.
fn other_host() -> String {
    "other host".to_owned()
}

/// Earlier versions predicted one host.
pub(super) fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PredictionInfo>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Found {
        Several(Vec<PredictionInfo>),
        One(Box<PredictionInfo>),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Found::Several(several)) => several,
        Some(Found::One(one)) => vec![*one],
    })
}

/// A property of the other host as a multiple of that of the host of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionInput {
    /// The property.
    pub name: InputName,
    /// Its value there over its value here, with the range that both measurements leave open.
    pub ratio: Band,
}

/// What a prediction rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputName {
    /// Speed of a core, by the reference work.
    CoreSpeed,
    /// Time of a sync of 4 KiB.
    SyncLatency,
    /// Rate on its cores, by the scaling of the host of the plan.
    Cores,
    /// Time of a random read.
    ReadLatency,
    /// Memory for blocks.
    BlockMemory,
}

impl InputName {
    /// `speed of a core`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CoreSpeed => "speed of a core",
            Self::SyncLatency => "sync latency",
            Self::Cores => "rate by cores",
            Self::ReadLatency => "read latency",
            Self::BlockMemory => "memory for blocks",
        }
    }
}

/// A prediction and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionCheck {
    /// The machine on the other host that its plan measured.
    pub machine: String,
    /// The highest sustained rate of that plan, commands per second.
    pub measured_per_second: f64,
    /// The prediction for the database of that measurement.
    pub predicted_per_second: Band,
    /// How far the prediction is off: 20 is a fifth too high.
    pub error_percent: f64,
    /// Whether the measured rate lies within the range.
    pub is_within: bool,
}

impl PredictedTarget {
    /// `holds`, `may hold`, `does not hold` or `not known`.
    pub const fn word(&self) -> &'static str {
        match (self.holds, self.per_second, self.at_least_per_second) {
            (Some(true), ..) => "holds",
            (Some(false), ..) => "does not hold",
            (None, None, None) => "not known",
            (None, ..) => "may hold",
        }
    }
}

impl PredictedMode {
    /// Whether a rate is known, or one that it sustains at least.
    pub(crate) const fn is_known(&self) -> bool {
        self.per_second.is_some() || self.at_least_per_second.is_some()
    }

    /// `3,620/s (3,100 – 4,200/s)`, or that it is not known.
    pub fn rate(&self) -> String {
        match (self.per_second, self.at_least_per_second) {
            (Some(band), _) => {
                format!("{} ({} – {})", units::rate(band.expected), units::number(band.low), units::rate(band.high))
            }
            (None, Some(rate)) => format!("at least {}", units::rate(rate)),
            (None, None) => "not known".to_owned(),
        }
    }

    /// `speed of a core × 1.4 (1.2 – 1.5), sync latency × 0.8 (0.7 – 1.1)`.
    pub fn inputs(&self) -> String {
        let input = |PredictionInput { name, ratio }: &PredictionInput| {
            let [expected, low, high] = [ratio.expected, ratio.low, ratio.high].map(units::number);
            let band = if low == high { String::new() } else { format!(" ({low} – {high})") };
            format!("{} × {expected}{band}", name.name())
        };
        self.inputs.iter().map(input).collect::<Vec<_>>().join(", ")
    }
}

impl PredictionCheck {
    /// `predicted 3,620/s, measured 3,500/s on nano: 3.4 % too high, within the range`.
    pub fn summary(&self) -> String {
        let off = match self.error_percent {
            error if error < 0.0 => format!("{} too low", units::percent(-error)),
            error => format!("{} too high", units::percent(error)),
        };
        let within = if self.is_within { "within" } else { "outside of" };
        let band = self.predicted_per_second;
        format!(
            "predicted {}, measured {} on {}: {off}, {within} the range of {} – {}",
            units::rate(band.expected),
            units::rate(self.measured_per_second),
            self.machine,
            units::number(band.low),
            units::rate(band.high)
        )
    }
}
