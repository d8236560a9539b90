//! Compares candidates with their base.

use super::answer::{Rule, holm, percent};
use super::comparable::{check_comparable, other_host};
use super::disk::leave_out_the_disk;
use super::error::CompareError;
use super::machine::{MachineDifference, crowded, machine_differences, objection};
use super::result::{
    Answer, Candidate, Comparison, ComparisonOutcome, MachineRow, Metric, Row, SCHEMA_VERSION, Samples,
};
use super::samples::{FEWEST, Groups, Subject, kind_of_samples, middle, subjects};
use super::sentence::{candidate_sentence, sentence};
use super::settings::CompareSettings;
use super::side::BuildReports;
use super::warnings::warnings;
use crate::actor::Durability;
use crate::measure::Difference;
use crate::report::{ComparisonContext, Question, Report, Warning, data_loss};
use crate::units;

/// A candidate with its differences, before they are judged.
struct Measured<'a> {
    build: &'a BuildReports,
    samples: Samples,
    figures: Vec<Figure>,
    machine: Vec<MachineDifference>,
    other_host: Option<String>,
    /// Reports of either side whose data were lost, as a sentence.
    data_loss: Option<String>,
}

struct Figure {
    subject: Subject,
    groups: Groups,
    difference: Option<Difference>,
}

/// Compares each candidate with the base. The chance of a false alarm is that of all comparisons together.
///
/// # Errors
///
/// [`CompareError`] if the settings are out of range or the reports cannot be compared.
pub fn compare(
    base: &BuildReports,
    candidates: &[BuildReports],
    settings: CompareSettings,
    context: &ComparisonContext,
) -> Result<Comparison, CompareError> {
    settings.check()?;
    check_comparable(base, candidates)?;
    let Some((path, first)) = base.reports.first() else {
        return Err(CompareError::NoReport { path: base.path.clone() });
    };
    if candidates.is_empty() {
        return Err(CompareError::Settings(format!("no candidate to compare with {}", path.display())));
    }
    let rule = settings.rule();
    let measured: Vec<_> = candidates.iter().map(|build| measure(first, base, build, settings, rule)).collect();
    let candidates = judge(&measured, settings, rule);
    let sides: Vec<_> = measured.iter().map(|one| (one.build, one.other_host.as_deref())).collect();
    let mut warnings = warnings(base, &sides, &candidates, settings);
    match measured.iter().find_map(|one| too_few(base, one)) {
        Some(warning) => warnings.push(warning),
        None => warnings.extend(measured.iter().filter_map(|one| rare(&one.figures))),
    }
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
        reproduce: context.reproduce(first),
    })
}

const METHOD: &str = "Samples are rounds, each with the round of the same number in the other run, or, where several runs \
    were given, runs by their median round. Differences are those of logarithms: percent of the base. Intervals are \
    Student's t on pairs (of eight rounds or more a fifth is trimmed at either end), Welch's t where runs did not \
    alternate; each is for its own row. A regression must be significant among all rows together (Holm), and its estimate \
    must reach the threshold. The answer is no difference where the estimate does not reach it and a one-sided bound rules \
    out the difference to rule out. Where the machine differed between the builds, results that this could explain are \
    inconclusive, and so are those of one run on each side if other processes took more than 40 % of the cores away from \
    the writers. The median service time of each command decides; p99, throughput, CPU time and syncs of the log can show a \
    regression and leave nothing undecided. With durability on, inconclusive medians do not count where the disk, timed \
    without the backend, is inconclusive itself: then syncs of the log decide, and CPU time if durability off was not \
    compared.";

/// A build with fewer rounds or runs than a comparison needs, however many commands they have.
fn too_few(base: &BuildReports, one: &Measured<'_>) -> Option<Warning> {
    let rounds = |build: &BuildReports| {
        let rounds = build.reports.iter().flat_map(|(_, report)| &report.modes).map(|mode| mode.rounds.len());
        rounds.min().unwrap_or(0)
    };
    let of = |build: &BuildReports| if one.samples == Samples::Rounds { rounds(build) } else { build.reports.len() };
    let fewest = of(base).min(of(one.build));
    let (what, hint) = match one.samples {
        Samples::Rounds => ("round", "measure with more rounds (--rounds 10)"),
        Samples::Runs | Samples::RunsInTurns => ("run", "add runs of both builds, taken in turns"),
    };
    (fewest < FEWEST).then(|| Warning {
        what: format!("Only {} on a side: {FEWEST} are needed on each.", units::counted(fewest as u64, what)),
        hint: format!("The scatter of fewer is too often small by chance: {hint}."),
    })
}

/// Commands with too few samples for a median.
fn rare(figures: &[Figure]) -> Option<Warning> {
    let is_rare = |figure: &&Figure| figure.subject.metric == Metric::ServiceP50 && figure.difference.is_none();
    let name = |figure: &Figure| format!("{} (durability {})", figure.subject.command, figure.subject.durability);
    let names: Vec<String> = figures.iter().filter(is_rare).map(name).collect();
    (!names.is_empty()).then(|| Warning {
        what: format!("Too rare to be compared: {}.", names.join(", ")),
        hint: format!(
            "A median needs 20 commands in a round, and a comparison {FEWEST} such rounds or runs on each side: \
            measure longer, or with more rounds (--rounds 10)."
        ),
    })
}

fn measure<'a>(
    first: &Report,
    base: &BuildReports,
    build: &'a BuildReports,
    settings: CompareSettings,
    rule: Rule,
) -> Measured<'a> {
    let samples = kind_of_samples(base, build);
    let figure = |subject: Subject| {
        let groups = subject.groups(base, build, samples);
        let difference = groups.difference_of_builds(subject.metric);
        Figure { subject, groups, difference }
    };
    let modes = first.modes.iter().filter(|_| !settings.across_hosts);
    Measured {
        build,
        samples,
        figures: subjects(first).into_iter().map(figure).collect(),
        machine: modes.flat_map(|mode| machine_differences(base, build, mode.durability, samples, rule)).collect(),
        other_host: other_host(base, build),
        data_loss: data_loss(base.placed().chain(build.placed())),
    }
}

/// Answers each row, corrected for the number of all rows.
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
    let side = one.build.side();
    let mut candidate = Candidate { side, outcome, sentence: String::new(), samples: one.samples, rows, machine };
    candidate.sentence = candidate_sentence(&candidate, one.other_host.as_deref(), settings);
    if let Some(loss) = &one.data_loss {
        candidate.outcome = ComparisonOutcome::DataLoss;
        candidate.sentence = format!("{loss} {}", candidate.sentence);
    }
    candidate
}

fn machine_of<'a>(one: &'a Measured<'_>, durability: Durability) -> Vec<&'a MachineDifference> {
    one.machine.iter().filter(|machine| machine.row.durability == durability).collect()
}

/// Any row can show a regression; for other outcomes only deciding rows count.
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
    /// `None` if it has too few samples.
    fn row(&self, one: &Measured<'_>, adjusted_p: f64, tests: usize, rule: Rule) -> Option<Row> {
        let difference = self.difference?;
        let Subject { durability, command, metric } = self.subject.clone();
        let machine = machine_of(one, durability);
        let of_itself = rule.answer(difference, adjusted_p);
        let [low, high] = difference.interval(rule.confidence);
        let Groups { base, candidate, .. } = &self.groups;
        let samples_count = [base, candidate].map(|group| u32::try_from(group.len()).unwrap_or(u32::MAX));
        let scatters = of_itself == Answer::Undecided;
        let crowded = || crowded(&machine, one.samples, one.build);
        let changed = || objection(&machine, metric, difference, of_itself, tests, rule);
        let objection = if scatters { None } else { crowded().or_else(changed) };
        Some(Row {
            durability,
            command,
            metric,
            decides: metric == Metric::ServiceP50,
            samples_count,
            base: self.subject.figure(middle(base)),
            candidate: self.subject.figure(middle(candidate)),
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
