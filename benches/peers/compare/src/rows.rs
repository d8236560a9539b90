//! From what the processes reported to the rows of the table.

use std::fmt::Write;

use anyhow::{Result, ensure};
use ave_peer_cases::{
    Figure, Outcome,
    catalog::{Goal, Judge, Side},
};
use serde::Serialize;

use crate::{plan::Planned, statistics::Middle};

/// A case and what its runs reported.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) planned: Planned,
    pub(crate) runs: Vec<Ran>,
    /// Why there is no more of it.
    pub(crate) failure: Option<String>,
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
    pub(crate) figure: String,
    pub(crate) goal: String,
    /// With whom the ratio compares; `None` for a figure that stands for itself.
    pub(crate) peer: Option<&'static str>,
    pub(crate) theirs: String,
    pub(crate) ours: String,
    pub(crate) ratio: String,
    /// Their CPU divided by ours: what the ratio would be if only CPU counted.
    pub(crate) cpu: String,
    pub(crate) met: Met,
    pub(crate) rounds: usize,
    /// Of the ratio, or of ours where there is no ratio.
    pub(crate) middle: Option<Middle>,
}

/// Whether a goal is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Met {
    /// The whole interval meets it.
    Yes,
    /// The median does, a part of the interval does not; or there is one round only.
    Likely,
    /// The median does not, a part of the interval does; or there is one round only.
    Unlikely,
    /// Nothing of the interval does.
    No,
    /// There is no goal.
    NoGoal,
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
            Self::NoGoal => "",
            Self::Unknown => "not measured",
        }
    }

    fn judge(goal: Goal, middle: Middle, rounds: usize) -> Self {
        let Some(median) = goal.met_by(middle.median) else { return Self::NoGoal };
        let whole = [middle.low, middle.high].map(|end| goal.met_by(end) == Some(true));
        match (median, whole) {
            // One round says nothing of the next.
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
        Self { planned, runs: Vec::new(), failure: None }
    }

    /// Takes a run in, unless it read something else than the runs before: then there is nothing to compare.
    pub(crate) fn add(&mut self, round: usize, side: Side, outcome: Outcome) -> Result<()> {
        let before = self.runs.iter().find(|run| run.outcome.checksum.is_some());
        if let (Some(before), Some(checksum)) = (before, outcome.checksum) {
            ensure!(
                before.outcome.checksum == Some(checksum),
                "{side} read something else than {}: {checksum:?} is not {:?}; refused to compare",
                before.side,
                before.outcome.checksum
            );
        }
        self.runs.push(Ran { round, side, outcome });
        Ok(())
    }

    /// The rows of this case. After a failure there are none: half of a comparison is none.
    pub(crate) fn rows(&self) -> Vec<Row> {
        if self.failure.is_some() {
            return self.planned.figures().map(|figure| self.row(figure, None, Ratio::None)).collect();
        }
        let mut rows: Vec<Row> = self.planned.figures().map(|figure| self.judged(figure)).collect();
        for also in [Side::Sqlite, Side::Memory] {
            if self.planned.sides.contains(&also) {
                rows.extend(self.planned.figures().filter_map(|figure| self.beside(figure, also)));
            }
        }
        rows
    }

    fn judged(&self, figure: &Figure) -> Row {
        match figure.judge {
            Judge::Share(side, goal) => self.row(figure, Some(side), Ratio::Share(goal)),
            Judge::Speedup(side, goal) => self.row(figure, Some(side), Ratio::Speedup(goal)),
            Judge::Own(goal) => self.row(figure, None, Ratio::Own(goal)),
            Judge::Text => self.row(figure, None, Ratio::None),
        }
    }

    /// A figure that is compared with the published backend, compared with another peer; no goal.
    fn beside(&self, figure: &Figure, side: Side) -> Option<Row> {
        let ratio = match figure.judge {
            Judge::Share(Side::Published, _) => Ratio::Share(Goal::None),
            Judge::Speedup(Side::Published, _) => Ratio::Speedup(Goal::None),
            _ => return None,
        };
        let mut row = self.row(figure, Some(side), ratio);
        let _ = write!(row.figure, ", beside {side}");
        Some(row)
    }

    fn row(&self, figure: &Figure, peer: Option<Side>, ratio: Ratio) -> Row {
        let values = match (peer, ratio) {
            (Some(peer), Ratio::Speedup(_)) => self.ratios(figure.metric, peer, Side::Ours),
            (Some(peer), _) => self.ratios(figure.metric, Side::Ours, peer),
            (None, Ratio::Own(_)) => self.values(figure, Side::Ours),
            (None, _) => Vec::new(),
        };
        let rounds = values.len();
        let middle = Middle::of(values);
        Row {
            case: self.planned.case.name,
            figure: figure.label.to_owned(),
            goal: ratio.goal_text(figure),
            peer: peer.map(Side::name),
            theirs: self.shown(figure, peer.unwrap_or(Side::Published)),
            ours: self.shown(figure, Side::Ours),
            cpu: self.cpu_text(figure, peer),
            ratio: peer.and(middle).map(|middle| ratio_text(middle, rounds)).unwrap_or_default(),
            met: self.met(figure, ratio, middle, rounds),
            rounds,
            middle,
        }
    }

    fn met(&self, figure: &Figure, ratio: Ratio, middle: Option<Middle>, rounds: usize) -> Met {
        match (ratio, middle) {
            _ if self.failure.is_some() => Met::Unknown,
            // A text is either what it should be or says what is wrong.
            (Ratio::None, _) if figure.judge == Judge::Text => {
                if self.text(figure, Side::Ours) == Some("isolated") {
                    Met::Yes
                } else {
                    Met::No
                }
            }
            (_, Some(middle)) => Met::judge(ratio.goal(), middle, rounds),
            (_, None) => Met::Unknown,
        }
    }

    fn cpu_text(&self, figure: &Figure, peer: Option<Side>) -> String {
        let (Some(peer), Some(metric), None) = (peer, figure.cpu, &self.failure) else { return String::new() };
        let ratios = self.ratios(metric, peer, Side::Ours);
        let rounds = ratios.len();
        Middle::of(ratios).map(|middle| ratio_text(middle, rounds)).unwrap_or_default()
    }

    /// A metric of one side divided by the other's of the same round.
    fn ratios(&self, metric: &str, above: Side, below: Side) -> Vec<f64> {
        let of = |side, round| {
            let run = self.runs.iter().find(|run| run.side == side && run.round == round)?;
            run.outcome.metrics.get(metric).copied()
        };
        (0..self.planned.rounds).filter_map(|round| Some(of(above, round)? / of(below, round)?)).collect()
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

/// What a row divides by what.
#[derive(Debug, Clone, Copy)]
enum Ratio {
    Share(Goal),
    Speedup(Goal),
    Own(Goal),
    None,
}

impl Ratio {
    fn goal(self) -> Goal {
        match self {
            Self::Share(goal) | Self::Speedup(goal) | Self::Own(goal) => goal,
            Self::None => Goal::None,
        }
    }

    fn goal_text(self, figure: &Figure) -> String {
        let unit = if matches!(self, Self::Own(_)) { figure.unit } else { "x" };
        match self.goal() {
            Goal::AtLeast(bound) => format!("≥ {}", with_unit(bound, unit)),
            Goal::AtMost(bound) => format!("≤ {}", with_unit(bound, unit)),
            Goal::None if figure.judge == Judge::Text => "isolated".to_owned(),
            Goal::None => String::new(),
        }
    }
}

fn ratio_text(middle: Middle, rounds: usize) -> String {
    if rounds == 1 {
        return format!("{}x (one round)", number(middle.median));
    }
    format!("{}x ({} to {})", number(middle.median), number(middle.low), number(middle.high))
}

fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "x" | "/s" => format!("{}{unit}", number(value)),
        _ => format!("{} {unit}", number(value)),
    }
}

/// About three digits that count, thousands set apart.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    let plain = format!("{value:.decimals$}");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if fraction.is_empty() { text } else { format!("{text}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_peer_cases::{catalog, outcome::Reader};

    /// Rounds of `put-off-1` in which the sides reach these rates.
    fn measured(rates: &[(f64, f64)]) -> Measured {
        let (case, part) = catalog::find("put-off-1").unwrap();
        let planned = Planned { case, part, sides: case.sides.to_vec(), rounds: rates.len(), quick: false };
        let mut measured = Measured::new(planned);
        for (round, (published, ours)) in rates.iter().enumerate() {
            for (side, rate) in [(Side::Published, published), (Side::Ours, ours)] {
                let mut outcome = Outcome::default();
                outcome.set("ops_per_s", *rate);
                measured.add(round, side, outcome).unwrap();
            }
        }
        measured
    }

    fn met(rates: &[(f64, f64)]) -> Met {
        measured(rates).rows()[0].met
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The host was slow in the second round, for both: the ratio does not care.
        let row = &measured(&[(100.0, 120.0), (10.0, 12.0), (100.0, 120.0)]).rows()[0];
        assert_eq!(row.ratio, "1.20x (1.20 to 1.20)");
        assert_eq!((row.theirs.as_str(), row.ours.as_str(), row.goal.as_str()), ("100/s", "120/s", "≥ 1.10x"));
    }

    #[test]
    fn less_cpu_counts_like_more_speed() {
        let mut measured = measured(&[(100.0, 100.0)]);
        for (run, cpu) in measured.runs.iter_mut().zip([3.0, 2.0]) {
            run.outcome.set("cpu_us_per_op", cpu);
        }
        assert_eq!(measured.rows()[0].cpu, "1.50x (one round)");
    }

    #[test]
    fn a_goal_is_met_as_far_as_the_interval_says() {
        assert_eq!(met(&[(100.0, 120.0), (100.0, 115.0)]), Met::Yes);
        assert_eq!(met(&[(100.0, 120.0), (100.0, 115.0), (100.0, 100.0)]), Met::Likely);
        assert_eq!(met(&[(100.0, 120.0), (100.0, 105.0), (100.0, 100.0)]), Met::Unlikely);
        assert_eq!(met(&[(100.0, 90.0), (100.0, 80.0)]), Met::No);
        assert_eq!(met(&[(100.0, 900.0)]), Met::Likely);
    }

    #[test]
    fn what_read_something_else_is_not_compared() {
        let mut measured = measured(&[(1.0, 1.0)]);
        let read = |bytes: &[u8]| {
            let (mut reader, mut outcome) = (Reader::default(), Outcome::default());
            reader.add(bytes);
            outcome.read(&reader);
            outcome
        };
        measured.add(1, Side::Published, read(b"x")).unwrap();
        measured.add(1, Side::Ours, read(b"x")).unwrap();
        let error = measured.add(2, Side::Ours, read(b"y")).unwrap_err();
        assert!(error.to_string().contains("refused"), "{error}");
    }

    #[test]
    fn a_failed_case_has_no_ratios() {
        let mut measured = measured(&[(100.0, 120.0)]);
        measured.failure = Some("died".to_owned());
        assert!(measured.rows().iter().all(|row| row.met == Met::Unknown && row.ratio.is_empty()));
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.1234, 5.0, 12.34, 123.4, 1_234.0, 1_234_567.0].map(number);
        assert_eq!(texts, ["0.12", "5.00", "12.3", "123", "1,234", "1,234,567"]);
    }
}
