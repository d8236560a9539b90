//! How sure an answer is, and why: what a reader must know before money is spent on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::advice::outgrown_after_days;
use super::assess::{Assessment, relative_deviation};
use super::{DurabilityMode, ModeResult, Outcome, PlanResult, Recommendation, format};
use crate::workbench::sizing::{Findings, MachineVerdict, ModePlan, PlanOutcome, Support};

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

/// A rate that is this much above what is needed holds on a day that is a little worse; one that is this much below does not
/// hold on a better one. A choice: searches of one host, repeated half an hour apart, differed by 7 % where no disk was waited
/// for, and by more where one was (`docs/validation.md`).
const CLEAR: f64 = 1.25;
/// A database that outgrows the memory sooner than this does so before anybody looks again, days.
const SOON_DAYS: f64 = 30.0;
/// Rounds from which on their scatter says something.
const ROUNDS: usize = 3;
/// Standard deviation of the rates of rounds, as a share of their mean, that a figure bears without losing its worth.
const SCATTER: f64 = 0.06;

/// What is known for an answer and against it, as it is found.
struct Grounds {
    level: CertaintyLevel,
    against: Vec<String>,
    in_favour: Vec<String>,
}

impl Grounds {
    /// As sure as can be, until something speaks against it.
    const fn none() -> Self {
        Self { level: CertaintyLevel::High, against: Vec::new(), in_favour: Vec::new() }
    }

    fn rests_on(&mut self, ground: String) {
        add(&mut self.in_favour, ground);
    }

    fn lowered(&mut self, level: CertaintyLevel, ground: String) {
        self.level = self.level.min(level);
        add(&mut self.against, ground);
    }

    /// What speaks against it is what a reader must not miss.
    fn certainty(self) -> Certainty {
        Certainty { level: self.level, because: [self.against, self.in_favour].concat() }
    }

    /// What was measured says nothing of a database that is read from the disk, if it was not.
    fn grown(&mut self, plan: &PlanResult, recommendation: &Recommendation) {
        let days = outgrown_after_days(plan, recommendation);
        if let Some((days, machine)) = days.zip(recommendation.profile.as_deref()).filter(|(days, _)| *days < SOON_DAYS)
        {
            let after = format::about_days(days);
            self.lowered(
                CertaintyLevel::Moderate,
                format!(
                    "At the target the database outgrows the memory of {machine} after about {after}; it was measured while it \
                     was smaller"
                ),
            );
        }
    }

    /// What was seen while measuring. What is known of the host beforehand is no evidence against a figure. Nobody is sure
    /// of an answer that is none.
    fn disturbed(&mut self, assessment: &Assessment, outcome: Outcome) {
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

/// How sure a plan's recommendations are that `ended` so: as sure as the least sure of them.
pub(super) fn of_plan(outcome: &PlanOutcome, plan: &PlanResult, assessment: &Assessment, ended: Outcome) -> Certainty {
    let mut grounds = Grounds::none();
    for mode in &outcome.modes {
        let name = DurabilityMode::from(mode.durability);
        match mode.recommended() {
            Some(verdict) => recommended(&mut grounds, name, mode, verdict, outcome.required_per_second),
            None => none(&mut grounds, name, mode, outcome.required_per_second),
        }
    }
    for recommendation in &plan.recommendations {
        grounds.grown(plan, recommendation);
    }
    grounds.disturbed(assessment, ended);
    grounds.certainty()
}

fn recommended(
    grounds: &mut Grounds,
    durability: DurabilityMode,
    mode: &ModePlan,
    verdict: &MachineVerdict,
    required_per_second: f64,
) {
    let machine = &verdict.machine;
    match verdict.support {
        Support::Measured => grounds.rests_on(format!("The rate of {machine} was measured on it as it is")),
        Support::Emulated => grounds.rests_on(format!(
            "The machine {machine} was emulated here within its cores and its memory; processor and disk are those of this host"
        )),
        Support::CoresEmulated => grounds.lowered(
            CertaintyLevel::Moderate,
            format!("The machine {machine} was emulated here with its cores but without its memory limit"),
        ),
        Support::Implied => grounds.lowered(
            CertaintyLevel::Moderate,
            format!("The machine {machine} was not tried itself: it is no smaller than one that held"),
        ),
        Support::Extrapolated | Support::NotMeasured => grounds
            .lowered(CertaintyLevel::Low, format!("The machine {machine} is larger than this host: its rate is extrapolated")),
    }
    if let Some(held) = mode
        .searched
        .iter()
        .find(|found| found.machine == *machine)
        .and_then(|found| required_evidence(found, required_per_second))
    {
        grounds.rests_on(format!("With durability {durability}, {held}"));
    }
    let Some(rate) = verdict.sustained_per_second else { return };
    let margin = rate / required_per_second.max(f64::MIN_POSITIVE);
    if margin >= CLEAR {
        let times = format::number(margin);
        grounds
            .rests_on(format!("With durability {durability}, up to {times} times the rate needed met the objective"));
    } else {
        let percent = format::percent(100.0 * (margin - 1.0).max(0.0));
        grounds.lowered(
            CertaintyLevel::Moderate,
            format!(
                "With durability {durability}, the highest rate that met the objective is only {percent} above the rate needed"
            ),
        );
    }
}

/// `the rate needed, 2,857 commands/s (the target with its headroom), was tried 3 times, 18 s in all, and held`.
fn required_evidence(findings: &Findings, required_per_second: f64) -> Option<String> {
    // The lowest rate that held, which is the one needed wherever that was tried.
    let held = findings.held.first()?;
    let seconds: f64 = held.drives.iter().map(|drive| drive.measurement.elapsed_ns as f64 / 1e9).sum();
    let rate = format::number(held.rate_per_second);
    let rate = if (held.rate_per_second / required_per_second - 1.0).abs() < 0.01 {
        format!("the rate needed, {rate} commands/s (the target with its headroom),")
    } else {
        format!("a rate of {rate} commands/s")
    };
    Some(format!("{rate} was tried {} times, {} in all, and held", held.drives.len(), format::seconds(seconds)))
}

fn none(grounds: &mut Grounds, durability: DurabilityMode, mode: &ModePlan, required_per_second: f64) {
    if mode.interrupted {
        grounds.lowered(CertaintyLevel::Low, format!("With durability {durability}, the search was interrupted"));
        return;
    }
    let best = mode.verdicts.iter().filter_map(|verdict| verdict.sustained_per_second).fold(0.0, f64::max);
    let share = format::percent(100.0 * best / required_per_second.max(f64::MIN_POSITIVE));
    let ground =
        format!("With durability {durability}, the highest rate that met the objective is {share} of the rate needed");
    if best * CLEAR <= required_per_second {
        grounds.rests_on(ground);
    } else {
        grounds.lowered(CertaintyLevel::Moderate, ground);
    }
}

/// How sure the figures of a run are that `ended` so: whether they were the same again.
pub(super) fn of_run(modes: &[ModeResult], assessment: &Assessment, ended: Outcome) -> Certainty {
    let mut grounds = Grounds::none();
    for mode in modes {
        let rates: Vec<f64> = mode.rounds.iter().map(|round| round.commands_per_second).collect();
        let scatter = relative_deviation(&rates).unwrap_or(0.0);
        let durability = mode.durability;
        let (count, scatter_text) = (rates.len(), format::percent(100.0 * scatter));
        if count < ROUNDS {
            let rounds = if count == 1 { "one round".to_owned() } else { format!("{count} rounds") };
            grounds.lowered(
                CertaintyLevel::Moderate,
                format!("With durability {durability}, {rounds} only, which does not show how much the figures vary"),
            );
        } else if scatter > SCATTER {
            grounds.lowered(
                CertaintyLevel::Moderate,
                format!("With durability {durability}, {count} rounds scatter by {scatter_text}"),
            );
        } else {
            grounds.rests_on(format!("With durability {durability}, {count} rounds scatter by {scatter_text} only"));
        }
    }
    grounds.disturbed(assessment, ended);
    grounds.certainty()
}
