//! How sure an answer is, and why: what a reader must know before money is spent on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::Outcome;
use crate::report::assess::Assessment;

/// How sure an answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certainty {
    /// In one word.
    pub level: CertaintyLevel,
    /// What speaks against the answer, then what for it, one sentence each, without full stops.
    pub because: Vec<String>,
}

/// How sure, in three steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertaintyLevel {
    /// The evidence carries no answer, or the answer is an extrapolation.
    Low,
    /// Something speaks against it: a narrow margin, a machine that could not be emulated in full, a disturbed measurement.
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

/// What is known for an answer and against it, as it is found.
pub(crate) struct Grounds {
    level: CertaintyLevel,
    against: Vec<String>,
    in_favour: Vec<String>,
}

impl Grounds {
    /// As sure as can be, until something speaks against it.
    pub(crate) const fn none() -> Self {
        Self { level: CertaintyLevel::High, against: Vec::new(), in_favour: Vec::new() }
    }

    pub(crate) fn rests_on(&mut self, ground: String) {
        add(&mut self.in_favour, ground);
    }

    pub(crate) fn lowered(&mut self, level: CertaintyLevel, ground: String) {
        self.level = self.level.min(level);
        add(&mut self.against, ground);
    }

    /// What speaks against it is what a reader must not miss.
    pub(crate) fn certainty(self) -> Certainty {
        Certainty { level: self.level, because: [self.against, self.in_favour].concat() }
    }

    /// What was seen while measuring. What is known of the host beforehand is no evidence against a figure. Nobody is sure
    /// of an answer that is none.
    pub(crate) fn disturbed(&mut self, assessment: &Assessment, outcome: Outcome) {
        if !assessment.losses.is_empty() {
            self.lowered(CertaintyLevel::Low, "The database does not hold what it acknowledged".to_owned());
        } else if outcome == Outcome::Inconclusive {
            self.lowered(CertaintyLevel::Low, "The measurement carries no answer, for the reasons below".to_owned());
        } else if !assessment.disturbances.is_empty() || assessment.was_warned() {
            self.lowered(CertaintyLevel::Moderate, "Something disturbed the measurement, see the warnings".to_owned());
        }
    }
}

/// Both modes may rest on the same ground.
fn add(grounds: &mut Vec<String>, ground: String) {
    if !grounds.contains(&ground) {
        grounds.push(ground);
    }
}
