//! How certain an answer is, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How certain an answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certainty {
    /// Low, moderate or high.
    pub level: CertaintyLevel,
    /// Reasons against the answer, then for it; one sentence each, without full stops.
    pub because: Vec<String>,
}

/// Three levels of certainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertaintyLevel {
    /// The evidence supports no answer, or the answer is an extrapolation.
    Low,
    /// There is a reason against it: a narrow margin, a machine that could not be emulated in full, a disturbed measurement.
    Moderate,
    /// Measured or emulated, repeated, with room to spare, and undisturbed.
    High,
}

impl CertaintyLevel {
    /// `high`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
        }
    }
}

/// A reason, and the certainty that it allows at most.
pub(crate) type Ground = (CertaintyLevel, String);

impl Certainty {
    /// Its reasons, each with its level.
    pub(crate) fn grounds(self) -> impl Iterator<Item = Ground> {
        let level = self.level;
        self.because.into_iter().map(move |reason| (level, reason))
    }

    /// The lowest level of the grounds. Those that lower it come first; both modes may give the same: it is listed once.
    pub(crate) fn of(mut grounds: Vec<Ground>) -> Self {
        grounds.sort_by_key(|(level, _)| *level == CertaintyLevel::High);
        let level = grounds.iter().map(|(level, _)| *level).min().unwrap_or(CertaintyLevel::High);
        let mut because = Vec::new();
        for (_, reason) in grounds {
            if !because.contains(&reason) {
                because.push(reason);
            }
        }
        Self { level, because }
    }
}
