//! Compares candidates with their base.

use crate::actor::Durability;
use crate::compare::answer::{Rule, holm, percent};
use crate::compare::comparable::{check_comparable, other_host};
use crate::compare::disk::leave_out_the_disk;
use crate::compare::error::CompareError;
use crate::compare::given::GivenSide;
use crate::compare::machine::{MachineDifference, crowded, machine_differences, objection};
use crate::compare::samples::{FEWEST, Groups, Subject, kind_of_samples, middle, subjects};
use crate::compare::sentence::{candidate_sentence, sentence};
use crate::compare::warnings::warnings;
use crate::compare::{
    Answer, Candidate, Comparison, ComparisonOutcome, MachineRow, Metric, Question, Row, SCHEMA_VERSION, Samples,
};
use crate::measure::Difference;
use crate::report::{Report, Reproduce, Warning};

/// What counts as a regression, and how sure an answer must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompareSettings {
    /// Slowdown that counts as a regression, percent, more than 0 and less than 1,000. 5 is a good choice.
    pub threshold_percent: f64,
    /// Slowdown that must be ruled out for every command before no regression is said, percent, the threshold at least;
    /// `None` is twice the threshold. Between the two lies what finite samples cannot tell from either.
    pub rule_out_percent: Option<f64>,
    /// Confidence of intervals and of the whole comparison, percent, from 50 to below 100. 95 is usual.
    pub confidence_percent: f64,
    /// Whether reports of different hosts may be compared. Their difference is then taken for that of the builds.
    pub across_hosts: bool,
}

impl Default for CompareSettings {
    /// 5 %, twice that, 95 %, one host.
    fn default() -> Self {
        Self { threshold_percent: 5.0, rule_out_percent: None, confidence_percent: 95.0, across_hosts: false }
    }
}

impl CompareSettings {
    fn check(self) -> Result<(), CompareError> {
        let Self { threshold_percent, confidence_percent, .. } = self;
        if !(threshold_percent > 0.0 && threshold_percent < 1_000.0) {
            return Err(CompareError::Settings(format!(
                "a threshold of {threshold_percent} %, expected more than 0 % and less than 1000 %"
            )));
        }
        let rule_out_percent = self.rule_out_percent();
        if !(rule_out_percent >= threshold_percent && rule_out_percent.is_finite()) {
            return Err(CompareError::Settings(format!(
                "{rule_out_percent} % to rule out, expected at least the threshold, {threshold_percent} %"
            )));
        }
        if !(50.0..100.0).contains(&confidence_percent) {
            return Err(CompareError::Settings(format!(
                "a confidence of {confidence_percent} %, expected at least 50 % and less than 100 %"
            )));
        }
        Ok(())
    }

    /// Slowdown that must be ruled out, percent.
    pub(super) fn rule_out_percent(self) -> f64 {
        self.rule_out_percent.unwrap_or(2.0 * self.threshold_percent)
    }

    fn rule(self) -> Rule {
        let logarithm = |percent: f64| (percent / 100.0).ln_1p();
        Rule {
            limit: logarithm(self.threshold_percent),
            ruled_out: logarithm(self.rule_out_percent()),
            confidence: self.confidence_percent / 100.0,
        }
    }
}

/// What a comparison says beside what the reports hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareContext {
    /// When the reports are compared, RFC 3339 in UTC.
    pub compared_at: String,
    /// The command line that compares them.
    pub command: String,
}

/// A candidate whose differences are known and not judged yet.
struct Measured<'a> {
    given: &'a GivenSide,
    samples: Samples,
    figures: Vec<Figure>,
    machine: Vec<MachineDifference>,
    other_host: Option<String>,
}

struct Figure {
    subject: Subject,
    groups: Groups,
    difference: Option<Difference>,
}

/// Compares each candidate with the base. The chance of one false alarm is kept over all of them together.
///
/// # Errors
///
/// [`CompareError`] if the settings make no sense or the reports cannot be compared.
pub fn compare(
    base: &GivenSide,
    candidates: &[GivenSide],
    settings: CompareSettings,
    context: &CompareContext,
) -> Result<Comparison, CompareError> {
    settings.check()?;
    check_comparable(base, candidates)?;
    let Some((path, first)) = base.reports.first() else {
        return Err(CompareError::NoReport { path: base.path.clone() });
    };
    if candidates.is_empty() {
        return Err(CompareError::Settings(format!("nothing is compared with {}", path.display())));
    }
    let rule = settings.rule();
    let measured: Vec<_> = candidates.iter().map(|given| measure(first, base, given, settings, rule)).collect();
    let candidates = judge(&measured, settings, rule);
    let mut warnings = warnings(base, &measured_sides(&measured), &candidates, settings);
    warnings.extend(measured.iter().filter_map(|one| rare(&one.figures)));
    Ok(Comparison {
        schema_version: SCHEMA_VERSION,
        kind: first.kind,
        name: first.name.clone(),
        compared_at: context.compared_at.clone(),
        outcome: candidates.iter().map(|one| one.outcome).max().unwrap_or(ComparisonOutcome::Undecided),
        sentence: sentence(&candidates),
        threshold_percent: settings.threshold_percent,
        rule_out_percent: settings.rule_out_percent(),
        confidence_percent: settings.confidence_percent,
        question: Question::from(first),
        base: base.side(),
        warnings,
        candidates,
        method: METHOD.to_owned(),
        reproduce: Reproduce {
            command: context.command.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            components: first.reproduce.components.clone(),
        },
    })
}

/// How the answers come about.
const METHOD: &str = "Samples are rounds, each with the round of the same number in the other run, or, where several runs \
    were given, runs by their median round. Differences are those of logarithms: percent of the base. Intervals are \
    Student's t on pairs (of eight rounds or more a fifth is trimmed at either end), Welch's t where runs did not take \
    turns; each holds for its own row. A regression must be significant among all rows together (Holm), and its estimate \
    must reach the threshold. No difference is said where the estimate does not, and what must be ruled out is (one-sided \
    bound). \
    Where the machine differed between the builds, an answer that this may explain is none, and so is that of one run on \
    each side if other processes took more than 40 % of the cores away from the workers. The median service time of each \
    command decides; p99, throughput, CPU time and syncs of the log can show a regression, and leave nothing undecided. With \
    durability on, medians that cannot be told leave nothing undecided either where the disk, timed without the backend, \
    cannot be told itself: then syncs of the log decide, and CPU time if durability off was not compared.";

/// The commands that were issued too seldom for their median to be compared.
fn rare(figures: &[Figure]) -> Option<Warning> {
    let is_rare = |figure: &&Figure| figure.subject.metric == Metric::ServiceP50 && figure.difference.is_none();
    let names: Vec<String> = figures
        .iter()
        .filter(is_rare)
        .map(|figure| format!("{} (durability {})", figure.subject.command, figure.subject.durability))
        .collect();
    (!names.is_empty()).then(|| Warning {
        what: format!("Too rare to be compared: {}.", names.join(", ")),
        hint: format!(
            "A median needs 20 commands in a round, and a comparison {FEWEST} such rounds or runs on each side: \
            measure longer, or with more rounds (--rounds 10)."
        ),
    })
}

fn measured_sides<'a>(measured: &[Measured<'a>]) -> Vec<(&'a GivenSide, Option<String>)> {
    measured.iter().map(|one| (one.given, one.other_host.clone())).collect()
}

fn measure<'a>(
    first: &Report,
    base: &GivenSide,
    given: &'a GivenSide,
    settings: CompareSettings,
    rule: Rule,
) -> Measured<'a> {
    let samples = kind_of_samples(base, given);
    let figure = |subject: Subject| {
        let groups = subject.groups(base, given, samples);
        let difference = groups.difference_of_builds(subject.metric);
        Figure { subject, groups, difference }
    };
    let of_mode = |mode| machine_differences(base, given, mode, samples, rule);
    let machine = if settings.across_hosts {
        Vec::new()
    } else {
        first.modes.iter().flat_map(|mode| of_mode(mode.durability)).collect()
    };
    Measured {
        given,
        samples,
        figures: subjects(first).into_iter().map(figure).collect(),
        machine,
        other_host: other_host(base, given),
    }
}

/// Corrects for the number of all rows, and answers each.
fn judge(measured: &[Measured<'_>], settings: CompareSettings, rule: Rule) -> Vec<Candidate> {
    let differences = measured.iter().flat_map(|one| &one.figures).filter_map(|figure| figure.difference);
    let p_values: Vec<f64> = differences.map(Difference::p_value).collect();
    let (tests, mut adjusted) = (p_values.len(), holm(&p_values).into_iter());
    let mut candidates = Vec::new();
    for one in measured {
        let mut rows = Vec::new();
        for figure in &one.figures {
            let adjusted_p = figure.difference.and_then(|_| adjusted.next()).unwrap_or(1.0);
            rows.extend(figure.row(one, adjusted_p, tests, rule));
        }
        leave_out_the_disk(&mut rows, &machine_of(one, Durability::On), rule);
        candidates.push(candidate(one, rows, settings));
    }
    candidates
}

fn candidate(one: &Measured<'_>, rows: Vec<Row>, settings: CompareSettings) -> Candidate {
    let outcome = match &one.other_host {
        Some(_) if !settings.across_hosts => ComparisonOutcome::Undecided,
        _ => outcome(&rows),
    };
    let machine: Vec<MachineRow> = one.machine.iter().map(|machine| machine.row.clone()).collect();
    let side = one.given.side();
    let mut candidate = Candidate { side, outcome, sentence: String::new(), samples: one.samples, rows, machine };
    candidate.sentence = candidate_sentence(&candidate, one.other_host.as_deref(), settings);
    candidate
}

/// What the machine did in the rounds of a mode.
fn machine_of<'a>(one: &'a Measured<'_>, durability: Durability) -> Vec<&'a MachineDifference> {
    one.machine.iter().filter(|machine| machine.row.durability == durability).collect()
}

/// A regression may show in any row; for the rest only those that decide count.
fn outcome(rows: &[Row]) -> ComparisonOutcome {
    let found = |answer| rows.iter().any(|row| row.answer == answer);
    let deciding: Vec<Answer> = rows.iter().filter(|row| row.decides).map(|row| row.answer).collect();
    let left_out = rows.iter().any(Row::is_left_out);
    if found(Answer::Regression) {
        ComparisonOutcome::Regression
    } else if deciding.is_empty() || deciding.contains(&Answer::Undecided) {
        ComparisonOutcome::Undecided
    } else if deciding.contains(&Answer::Improvement) {
        ComparisonOutcome::Improvement
    } else if !left_out && deciding.iter().all(|&answer| answer == Answer::NoDifference) {
        ComparisonOutcome::NoDifference
    } else {
        ComparisonOutcome::NoRegression
    }
}

impl Figure {
    /// The row of this figure; `None` if too few samples know it.
    fn row(&self, one: &Measured<'_>, adjusted_p: f64, tests: usize, rule: Rule) -> Option<Row> {
        let difference = self.difference?;
        let Subject { durability, command, metric } = self.subject.clone();
        let machine = machine_of(one, durability);
        let of_itself = rule.answer(difference, adjusted_p);
        let [low, high] = difference.interval(rule.confidence);
        let samples_count = self.groups.counts();
        let objection = if of_itself == Answer::Undecided {
            None
        } else {
            crowded(&machine, one.samples, one.given)
                .or_else(|| objection(&machine, metric, difference, of_itself, tests, rule))
        };
        let scatters = of_itself == Answer::Undecided;
        Some(Row {
            durability,
            command,
            metric,
            decides: metric == Metric::ServiceP50,
            samples_count,
            base: self.subject.figure(middle(&self.groups.base)),
            candidate: self.subject.figure(middle(&self.groups.candidate)),
            slower_percent: percent(difference.estimate),
            at_most_percent: percent(difference.at_most(rule.confidence)),
            interval_percent: [percent(low), percent(high)],
            p_value: adjusted_p,
            answer: if objection.is_some() { Answer::Undecided } else { of_itself },
            samples_needed_count: if scatters { rule.samples_needed(difference, samples_count[0]) } else { None },
            note: objection.unwrap_or_else(|| if scatters { rule.doubt(difference) } else { String::new() }),
        })
    }
}
