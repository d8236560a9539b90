//! The rows of the table.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use ave_peer_cases::{
    Figure, Outcome,
    catalog::{Better, Goal, Side},
};
use serde::Serialize;

use crate::{number::number, plan::Planned, statistics::Middle};

/// A case with its runs.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) planned: Planned,
    pub(crate) runs: Vec<Ran>,
    /// Why a side was skipped.
    pub(crate) failures: BTreeMap<Side, String>,
}

/// One run.
#[derive(Debug, Serialize)]
pub(crate) struct Ran {
    pub(crate) round: usize,
    // The outcome names it.
    #[serde(skip)]
    pub(crate) side: Side,
    pub(crate) outcome: Outcome,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) durability: &'static str,
    pub(crate) figure: String,
    /// This backend's, with the unit.
    pub(crate) ours: String,
    /// The others', by name.
    pub(crate) others: BTreeMap<&'static str, Cell>,
    pub(crate) goal: String,
    pub(crate) met: String,
}

/// A side's figure beside this backend's.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Cell {
    /// The figure itself, with the unit.
    pub(crate) value: String,
    /// How many times as good as this backend it is, over the rounds; `None` where there is nothing to divide.
    pub(crate) ratio: Option<Middle>,
    pub(crate) rounds: usize,
    /// Whether the side failed, or answered something else.
    pub(crate) failed: bool,
}

impl Cell {
    pub(crate) fn text(&self) -> String {
        match self.ratio {
            _ if self.failed => "FAILED".to_owned(),
            None => self.value.clone(),
            Some(middle) if self.rounds == 1 => format!("{}x (one round)", number(middle.median)),
            Some(middle) => {
                format!("{}x ({} to {})", number(middle.median), number(middle.low), number(middle.high))
            }
        }
    }
}

/// Whether a goal is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    /// The whole interval meets it.
    Yes,
    /// The median does, a part of the interval does not; or there is one round only.
    Likely,
    /// The median does not, a part of the interval does; or there is one round only.
    Unlikely,
    /// Nothing of the interval does.
    No,
    /// There are no figures.
    Unknown,
}

impl Met {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Likely => "likely",
            Self::Unlikely => "unlikely",
            Self::No => "NO",
            Self::Unknown => "not measured",
        }
    }

    fn judge(goal: Goal, middle: Middle, rounds: usize) -> Self {
        let whole = [middle.low, middle.high].map(|end| goal.met_by(end));
        match (goal.met_by(middle.median), whole) {
            // One round has no interval.
            (true, _) if rounds < 2 => Self::Likely,
            (false, _) if rounds < 2 => Self::Unlikely,
            (true, [true, true]) => Self::Yes,
            (true, _) => Self::Likely,
            (false, [false, false]) => Self::No,
            (false, _) => Self::Unlikely,
        }
    }
}

impl Measured {
    pub(crate) fn new(planned: Planned) -> Self {
        Self { planned, runs: Vec::new(), failures: BTreeMap::new() }
    }

    /// Adds a run, unless the data it read differ.
    pub(crate) fn add(&mut self, round: usize, side: Side, outcome: Outcome) -> Result<()> {
        let before = self.runs.iter().find(|run| run.outcome.checksum.is_some());
        if let (Some(before), Some(checksum)) = (before, outcome.checksum) {
            ensure!(
                before.outcome.checksum == Some(checksum),
                "{side} and {} read different data: {checksum:?} and {:?}; refused to compare",
                before.side,
                before.outcome.checksum
            );
        }
        self.runs.push(Ran { round, side, outcome });
        Ok(())
    }

    /// The rows of this case: one for each figure, and one for the CPU behind it.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.planned.figures().flat_map(|figure| [Some(self.row(figure)), self.cpu_row(figure)]).flatten().collect()
    }

    fn cpu_row(&self, figure: &Figure) -> Option<Row> {
        let (metric, unit) = figure.cpu?;
        let cpu =
            Figure { label: "  CPU behind it", metric, unit, better: Better::Less, goals: &[], cpu: None, ..*figure };
        Some(self.row(&cpu))
    }

    fn row(&self, figure: &Figure) -> Row {
        let has_it = |side| self.takes_part(side) && !(figure.of_files && side == Side::Memory);
        let others = Side::ALL.into_iter().filter(|side| *side != Side::Ours && has_it(*side));
        Row {
            case: self.planned.case.name,
            durability: if self.planned.case.durability() { "on" } else { "off" },
            figure: figure.label.to_owned(),
            ours: if self.failures.contains_key(&Side::Ours) {
                "FAILED".to_owned()
            } else {
                self.shown(figure, Side::Ours)
            },
            others: others.map(|side| (side.name(), self.cell(figure, side))).collect(),
            goal: goal_text(figure),
            met: self.met_text(figure),
        }
    }

    fn takes_part(&self, side: Side) -> bool {
        self.planned.sides.contains(&side)
    }

    /// A failed side has no ratio.
    fn cell(&self, figure: &Figure, side: Side) -> Cell {
        let failed = self.failures.contains_key(&side);
        let ratios = if failed { Vec::new() } else { self.ratios(figure, side) };
        Cell { value: self.shown(figure, side), rounds: ratios.len(), ratio: Middle::of(ratios), failed }
    }

    fn met_text(&self, figure: &Figure) -> String {
        if let Better::Text(wanted) = figure.better {
            return if self.text(figure, Side::Ours) == Some(wanted) { Met::Yes } else { Met::No }.text().to_owned();
        }
        match figure.goals {
            [goal] => self.met(figure, *goal).text().to_owned(),
            goals => {
                let each = goals.iter().map(|goal| match goal {
                    Goal::Behind(side, _) => format!("{side} {}", self.met(figure, *goal).text()),
                    _ => self.met(figure, *goal).text().to_owned(),
                });
                each.collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn met(&self, figure: &Figure, goal: Goal) -> Met {
        let (side, values) = match goal {
            Goal::Behind(side, _) => (side, self.ratios(figure, side)),
            Goal::AtLeast(_) | Goal::AtMost(_) => (Side::Ours, self.values(figure, Side::Ours)),
        };
        if self.failures.contains_key(&side) {
            return Met::Unknown;
        }
        let rounds = values.len();
        Middle::of(values).map_or(Met::Unknown, |middle| Met::judge(goal, middle, rounds))
    }

    /// How many times as good as this backend a side was, round by round.
    fn ratios(&self, figure: &Figure, side: Side) -> Vec<f64> {
        let of = |side, round| {
            let run = self.runs.iter().find(|run| run.side == side && run.round == round)?;
            run.outcome.metrics.get(figure.metric).copied()
        };
        let ratio = |round| {
            let (theirs, ours) = (of(side, round)?, of(Side::Ours, round)?);
            match figure.better {
                Better::More => Some(theirs / ours),
                Better::Less => Some(ours / theirs),
                Better::Text(_) => None,
            }
        };
        (0..self.planned.rounds).filter_map(ratio).collect()
    }

    fn values(&self, figure: &Figure, side: Side) -> Vec<f64> {
        self.of(side).filter_map(|outcome| outcome.metrics.get(figure.metric).copied()).collect()
    }

    fn text(&self, figure: &Figure, side: Side) -> Option<&str> {
        self.of(side).find_map(|outcome| outcome.texts.get(figure.metric)).map(String::as_str)
    }

    fn of(&self, side: Side) -> impl Iterator<Item = &Outcome> {
        self.runs.iter().filter(move |run| run.side == side).map(|run| &run.outcome)
    }

    fn shown(&self, figure: &Figure, side: Side) -> String {
        if let Some(text) = self.text(figure, side) {
            return text.to_owned();
        }
        let middle = Middle::of(self.values(figure, side));
        middle.map(|middle| with_unit(middle.median, figure.unit)).unwrap_or_default()
    }
}

fn goal_text(figure: &Figure) -> String {
    if let Better::Text(wanted) = figure.better {
        return wanted.to_owned();
    }
    let text = |goal: &Goal| match goal {
        Goal::Behind(side, bound) => format!("{side} ≤ {}x", number(*bound)),
        Goal::AtLeast(bound) => format!("≥ {}", with_unit(*bound, figure.unit)),
        Goal::AtMost(bound) => format!("≤ {}", with_unit(*bound, figure.unit)),
    };
    figure.goals.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "x" | "/s" => format!("{}{unit}", number(value)),
        _ => format!("{} {unit}", number(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_peer_cases::{catalog, outcome::Reader};

    /// Rounds of a case in which the sides reach these figures.
    fn measured(case: &str, metric: &str, rounds: &[(f64, f64)]) -> Measured {
        let (case, part) = catalog::find(case).unwrap();
        let sides = vec![Side::Ours, Side::Published];
        let planned = Planned { case, part, sides, rounds: rounds.len(), full: false };
        let mut measured = Measured::new(planned);
        for (round, (published, ours)) in rounds.iter().enumerate() {
            for (side, value) in [(Side::Ours, ours), (Side::Published, published)] {
                let mut outcome = Outcome::default();
                outcome.set(metric, *value);
                measured.add(round, side, outcome).unwrap();
            }
        }
        measured
    }

    fn rates(rounds: &[(f64, f64)]) -> Measured {
        measured("put-on-8", "ops_per_s", rounds)
    }

    fn published(measured: &Measured) -> String {
        measured.rows()[0].others["published"].text()
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The host was slow in the second round, for both: the ratio does not care.
        let measured = rates(&[(100.0, 200.0), (10.0, 20.0), (100.0, 200.0)]);
        assert_eq!(published(&measured), "0.50x (0.50 to 0.50)");
        let row = &measured.rows()[0];
        assert_eq!((row.ours.as_str(), row.goal.as_str()), ("200/s", "published ≤ 1.00x"));
    }

    #[test]
    fn half_the_rate_and_twice_the_time_are_half_as_good() {
        assert_eq!(published(&rates(&[(100.0, 200.0)])), "0.50x (one round)");
        assert_eq!(published(&measured("range-1e5", "us", &[(8.0, 4.0)])), "0.50x (one round)");
    }

    #[test]
    fn cpu_has_a_row_of_its_own() {
        let mut measured = rates(&[(100.0, 100.0)]);
        for (run, cpu) in measured.runs.iter_mut().zip([2.0, 3.0]) {
            run.outcome.set("cpu_us_per_op", cpu);
        }
        let row = &measured.rows()[1];
        assert_eq!((row.ours.as_str(), row.others["published"].text().as_str()), ("2.00 µs", "0.67x (one round)"));
    }

    #[test]
    fn a_goal_is_met_as_far_as_the_interval_says() {
        let met = |rounds: &[(f64, f64)]| rates(rounds).rows()[0].met.clone();
        assert_eq!(met(&[(100.0, 120.0), (100.0, 115.0)]), "yes");
        assert_eq!(met(&[(100.0, 120.0), (100.0, 115.0), (100.0, 90.0)]), "likely");
        assert_eq!(met(&[(100.0, 120.0), (100.0, 95.0), (100.0, 90.0)]), "unlikely");
        assert_eq!(met(&[(100.0, 90.0), (100.0, 80.0)]), "NO");
        assert_eq!(met(&[(100.0, 900.0)]), "likely");
    }

    #[test]
    fn runs_that_read_different_data_are_not_compared() {
        let mut measured = rates(&[(1.0, 1.0)]);
        let read = |bytes: &[u8]| {
            let (mut reader, mut outcome) = (Reader::default(), Outcome::default());
            reader.add(bytes);
            outcome.read(&reader);
            outcome
        };
        measured.add(1, Side::Ours, read(b"x")).unwrap();
        measured.add(1, Side::Published, read(b"x")).unwrap();
        let error = measured.add(2, Side::Published, read(b"y")).unwrap_err();
        assert!(error.to_string().contains("refused"), "{error}");
    }

    #[test]
    fn a_side_that_failed_has_no_ratios_and_meets_no_goal() {
        let mut measured = rates(&[(100.0, 120.0)]);
        measured.failures.insert(Side::Published, "died".to_owned());
        assert_eq!(published(&measured), "FAILED");
        assert_eq!(measured.rows()[0].met, "not measured");
    }
}
