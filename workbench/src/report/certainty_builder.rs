//! Collects the reasons for and against an answer.

use super::assess::Assessment;
use super::certainty::{Certainty, CertaintyLevel};
use super::frame::Outcome;

/// Starts at high certainty; each reason against the answer can lower it.
pub(crate) struct CertaintyBuilder {
    level: CertaintyLevel,
    against: Vec<String>,
    in_favour: Vec<String>,
}

impl CertaintyBuilder {
    pub(crate) const fn new() -> Self {
        Self { level: CertaintyLevel::High, against: Vec::new(), in_favour: Vec::new() }
    }

    pub(crate) fn support(&mut self, reason: String) {
        add(&mut self.in_favour, reason);
    }

    /// Lowers the certainty to `level` if it is higher.
    pub(crate) fn lower(&mut self, level: CertaintyLevel, reason: String) {
        self.level = self.level.min(level);
        add(&mut self.against, reason);
    }

    /// Reasons against the answer come first.
    pub(crate) fn build(self) -> Certainty {
        Certainty { level: self.level, because: [self.against, self.in_favour].concat() }
    }

    /// Takes into account what was seen while measuring; warnings about the host beforehand do not count.
    pub(crate) fn consider(&mut self, assessment: &Assessment, outcome: Outcome) {
        if !assessment.losses.is_empty() {
            self.lower(CertaintyLevel::Low, "The database differs from what it acknowledged".to_owned());
        } else if outcome == Outcome::Inconclusive {
            self.lower(CertaintyLevel::Low, "The measurement supports no answer, for the reasons below".to_owned());
        } else if !assessment.disturbances.is_empty() || assessment.was_warned() {
            self.lower(CertaintyLevel::Moderate, "Something disturbed the measurement, see the warnings".to_owned());
        }
    }
}

/// Both modes may give the same reason: it is listed once.
fn add(reasons: &mut Vec<String>, reason: String) {
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}
