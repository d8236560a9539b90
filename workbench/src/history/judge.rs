//! Compares the newest reports of a history with those before.

use rayon::prelude::*;

use super::change::Timeline;
use super::error::HistoryError;
use super::reports::{Entry, Reports};
use super::result::{History, HistoryReport, SCHEMA_VERSION, Segment, Series};
use super::sentence::sentence;
use super::subject::{Subject, subjects};
use super::warnings::warnings;
use crate::compare::{Answer, CompareSettings, ComparisonOutcome, Rule, percent};
use crate::measure::{Difference, SHORTEST_SEGMENT, fewest_values};
use crate::report::{ComparisonContext, Question, data_loss};
use crate::units;
use crate::workload::path_text;

/// Highest confidence, percent: the permutations needed grow with it.
const MOST_CONFIDENT: f64 = 99.0;

const METHOD: &str = "Change points are those of E-divisive (Matteson and James, 2014) on logarithms, with a permutation test \
    whose seed is fixed; 100 % less the confidence is the chance of any in all series together if nothing changed. Reports \
    must be interchangeable for that: a slow drift shows as change points too. Changes are differences of the means of \
    logarithms, their intervals Welch's t, given the place of the change. A regression is a change from the reference to the \
    newest segment that is significant by Welch's t and reaches the threshold. Without a change, the newest reports are \
    compared with the others of their segment: no regression where a one-sided bound rules out the slowdown to rule out. \
    Results that another host, other settings, other processes or the machine's speed without the backend could explain are \
    inconclusive.";

/// Makes the history of these reports.
///
/// # Errors
///
/// [`HistoryError`] if the settings are out of range, or there is no report.
pub fn history(
    reports: &Reports,
    settings: CompareSettings,
    context: &ComparisonContext,
) -> Result<History, HistoryError> {
    settings.check().map_err(|error| HistoryError::Settings(error.to_string()))?;
    if settings.confidence_percent > MOST_CONFIDENT {
        return Err(HistoryError::Confidence(settings.confidence_percent));
    }
    let Some(newest) = reports.entries.last().map(|entry| &entry.report) else {
        return Err(HistoryError::NoReport { path: std::path::PathBuf::new() });
    };
    let subjects = subjects(newest);
    // Bonferroni: the chance of a false alarm in any series is at most the sum.
    let level = (1.0 - settings.confidence_percent / 100.0) / subjects.len().max(1) as f64;
    let judge = Judge { reports, settings, rule: settings.rule(), level };
    let series: Vec<Series> = subjects.par_iter().map(|subject| judge.series(subject)).collect();
    let loss = data_loss(reports.entries.iter().map(Entry::placed));
    let mut history = History {
        schema_version: SCHEMA_VERSION,
        kind: newest.kind,
        name: newest.name.clone(),
        made_at: context.compared_at.clone(),
        outcome: if loss.is_some() { ComparisonOutcome::DataLoss } else { outcome(&series) },
        sentence: String::new(),
        threshold_percent: settings.threshold_percent,
        rule_out_percent: settings.rule_out_percent(),
        confidence_percent: settings.confidence_percent,
        level_percent: 100.0 * level,
        shortest_segment_count: SHORTEST_SEGMENT,
        question: Question::from(newest),
        baseline: reports.baseline.map(|place| path_text(&reports.entries[place].path)),
        reports: reports.entries.iter().map(listed).collect(),
        series,
        left_out: reports.left_out.clone(),
        warnings: Vec::new(),
        method: METHOD.to_owned(),
        reproduce: context.reproduce(newest),
    };
    history.sentence = sentence(&history, loss, outcome(&history.series));
    history.warnings = warnings(&history, reports);
    Ok(history)
}

fn listed(entry: &Entry) -> HistoryReport {
    HistoryReport {
        path: path_text(&entry.path),
        started_at: entry.report.started_at.clone(),
        version: entry.report.reproduce.version.clone(),
        commit: entry.report.reproduce.commit.clone(),
        outcome: entry.report.verdict.outcome,
    }
}

/// Any series can show a regression; for other outcomes only deciding series count.
fn outcome(series: &[Series]) -> ComparisonOutcome {
    let deciding: Vec<Answer> = series.iter().filter(|one| one.decides).map(|one| one.answer).collect();
    if series.iter().any(|one| one.answer == Answer::Regression) {
        ComparisonOutcome::Regression
    } else if deciding.is_empty() || deciding.contains(&Answer::Undecided) {
        ComparisonOutcome::Undecided
    } else if deciding.contains(&Answer::Improvement) {
        ComparisonOutcome::Improvement
    } else if deciding.iter().all(|&answer| answer == Answer::NoDifference) {
        ComparisonOutcome::NoDifference
    } else {
        ComparisonOutcome::NoRegression
    }
}

struct Judge<'a> {
    reports: &'a Reports,
    settings: CompareSettings,
    rule: Rule,
    level: f64,
}

/// The newest reports against the reference.
struct Judged {
    answer: Answer,
    difference: Option<Difference>,
    /// Mean of the newest reports that were compared, if they are not their whole segment.
    newest: Option<f64>,
    note: String,
}

impl Judged {
    const fn undecided(note: String) -> Self {
        Self { answer: Answer::Undecided, difference: None, newest: None, note }
    }
}

impl Judge<'_> {
    fn series(&self, subject: &Subject) -> Series {
        let timeline = Timeline::new(&self.reports.entries, subject, self.level);
        let Judged { answer, difference, newest, note } = self.answer(&timeline);
        let confidence = self.rule.confidence;
        let command = subject.command();
        Series {
            durability: subject.durability(),
            metric: subject.metric(),
            command: command.map(|(name, _)| name.to_owned()),
            percentile: command.map(|(_, percentile)| percentile),
            machine: subject.machine().map(str::to_owned),
            decides: subject.decides(),
            changes: timeline.changes(self.rule),
            answer,
            slower_percent: difference.map(|difference| percent(difference.estimate)),
            interval_percent: difference.map(|difference| difference.interval(confidence).map(percent)),
            at_most_percent: difference.map(|difference| percent(difference.at_most(confidence))),
            newest: newest.or_else(|| timeline.segments.last().map(|segment| segment.mean)),
            note,
            points: timeline.points,
            segments: timeline.segments,
        }
    }

    fn answer(&self, timeline: &Timeline<'_>) -> Judged {
        let newest_report = self.reports.entries.len() - 1;
        let Some(newest) = timeline.segments.last() else {
            return Judged::undecided("no report has the figure".to_owned());
        };
        if timeline.points[newest.last].report != newest_report {
            return Judged::undecided("the newest report does not have the figure".to_owned());
        }
        let reference = match self.reports.baseline {
            None => timeline.segments.iter().rev().nth(1),
            Some(baseline) => match timeline.segments.iter().find(|part| part.has(&timeline.points, baseline)) {
                None => return Judged::undecided("the baseline does not have the figure".to_owned()),
                found => found.filter(|part| part.first != newest.first),
            },
        };
        match reference {
            Some(reference) => self.of_segments(timeline, [reference, newest]),
            None => self.within(timeline, newest),
        }
    }

    /// Both sides of a change.
    fn of_segments(&self, timeline: &Timeline<'_>, parts: [&Segment; 2]) -> Judged {
        let [reference, newest] = parts.map(|part| timeline.slowness(part));
        let Some(difference) = Difference::of_groups(reference, newest) else {
            return Judged::undecided("too few reports".to_owned());
        };
        let answer = self.rule.answer(difference, difference.p_value());
        let is_change = matches!(answer, Answer::Regression | Answer::Improvement);
        let objection = || timeline.objection(parts, difference, self.rule);
        if let Some(objection) = Some(objection).filter(|_| is_change && !self.settings.across_hosts).and_then(|f| f())
        {
            return Judged { difference: Some(difference), ..Judged::undecided(objection) };
        }
        self.judged(answer, difference)
    }

    /// The newest reports of a segment without a change against its others: a slowdown that is too small or too new to be seen.
    fn within(&self, timeline: &Timeline<'_>, segment: &Segment) -> Judged {
        let (points, needed) = (timeline.points.len(), fewest_values(self.level));
        let values = timeline.slowness(segment);
        if points < needed && timeline.segments.len() == 1 {
            return Judged::undecided(format!(
                "{}: a change of the newest {SHORTEST_SEGMENT} can be found from {needed} on",
                too_few(points)
            ));
        }
        let (others, newest) = values.split_at(values.len().saturating_sub(SHORTEST_SEGMENT));
        let Some(difference) = Difference::of_groups(others, newest) else {
            return Judged::undecided(format!("{} since the last change", too_few(values.len())));
        };
        let part = timeline.part(segment.last + 1 - newest.len(), segment.last);
        // What is not a change point is no regression yet, whatever the newest reports are.
        Judged { newest: Some(part.mean), ..self.judged(self.rule.answer(difference, 1.0), difference) }
    }

    fn judged(&self, answer: Answer, difference: Difference) -> Judged {
        let note = if answer == Answer::Undecided { self.rule.doubt(difference) } else { String::new() };
        Judged { answer, difference: Some(difference), newest: None, note }
    }
}

/// `1 report is too few`, `5 reports are too few`.
fn too_few(reports: usize) -> String {
    let are = if reports == 1 { "is" } else { "are" };
    format!("{} {are} too few", units::counted(reports as u64, "report"))
}
