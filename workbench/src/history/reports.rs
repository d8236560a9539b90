//! Reads the reports of one question, and lists why others are left out.

use std::path::{Path, PathBuf};

use super::error::HistoryError;
use super::result::LeftOut;
use crate::actor::Durability;
use crate::compare::MachineFigure;
use crate::measure::{Percentile, median};
use crate::report::{
    Incomparable, Report, ReportAtPath, ReportDirectory, ReportKind, check_distinct, check_equal, check_whole,
    question_fields, report_directories,
};
use crate::workload::path_text;

/// Most reports of a history: the search for changes takes O(n log n) for each permutation.
const MOST_REPORTS: usize = 5_000;

/// Reports of one question, in order of time.
#[derive(Debug, Clone)]
pub struct Reports {
    pub(super) entries: Vec<Entry>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) baseline: Option<usize>,
}

/// A report without what a history does not need: thousands fit in memory.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) report: Report,
}

impl Reports {
    /// Reads the reports at `paths`: directories with reports, report directories or `report.json` files. The newest decides
    /// on the question. Reports of other questions, interrupted ones, copies, and files that are not reports are left out.
    /// `baseline` is a further report, or one of them.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] if a directory cannot be listed, there is no report, none but the newest answers its question, or the
    /// baseline cannot be used.
    pub fn read(paths: &[PathBuf], baseline: Option<&Path>) -> Result<Self, HistoryError> {
        let (mut entries, mut left_out) = (Vec::new(), Vec::new());
        for path in paths {
            if !ReportDirectory::has_reports(path) {
                // A mistyped path is refused, not left out.
                entries.push(Entry::new(path.clone(), ReportDirectory::read(path)?));
                continue;
            }
            let failed = |source| HistoryError::Directory { path: path.clone(), source };
            for place in report_directories(path).map_err(failed)? {
                match ReportDirectory::read(&place) {
                    Ok(report) => entries.push(Entry::new(place, report)),
                    Err(error) => left_out.push(LeftOut::new(&place, error.to_string())),
                }
            }
        }
        if entries.is_empty() && left_out.is_empty() {
            return Err(HistoryError::NoReport { path: paths.first().cloned().unwrap_or_default() });
        }
        let baseline = match baseline {
            Some(path) => Some(Entry::new(path.to_owned(), ReportDirectory::read(path)?)),
            None => None,
        };
        Self::of_one_question(entries, left_out, baseline)
    }

    /// These reports, and the place of the baseline among them, if there is one.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn new(reports: Vec<(PathBuf, Report)>, baseline: Option<usize>) -> Result<Self, HistoryError> {
        let entries: Vec<_> = reports.into_iter().map(|(path, report)| Entry::new(path, report)).collect();
        let baseline = baseline.and_then(|place| entries.get(place).cloned());
        Self::of_one_question(entries, Vec::new(), baseline)
    }

    fn of_one_question(
        mut entries: Vec<Entry>,
        mut left_out: Vec<LeftOut>,
        baseline: Option<Entry>,
    ) -> Result<Self, HistoryError> {
        let count = entries.len() + left_out.len();
        if let Some(baseline) = &baseline {
            check_whole(baseline.placed()).map_err(HistoryError::Baseline)?;
            if is_distinct(&entries, baseline) {
                entries.push(baseline.clone());
            }
        }
        entries.sort_by(|one, other| one.report.started_at.cmp(&other.report.started_at));
        let mut kept: Vec<Entry> = Vec::new();
        // From the newest: copies and questions are judged by it.
        for entry in entries.into_iter().rev() {
            match refusal(&kept, &entry) {
                Some((field, reason)) => left_out.push(LeftOut { field, ..LeftOut::new(&entry.path, reason) }),
                None => kept.push(entry),
            }
        }
        left_out.sort_by(|one, other| one.path.cmp(&other.path));
        kept.reverse();
        let Some(newest) = kept.last() else {
            let Some(LeftOut { path, reason, .. }) = left_out.into_iter().next() else {
                return Err(HistoryError::NoReport { path: PathBuf::new() });
            };
            return Err(HistoryError::Unusable { count, path: path.into(), reason });
        };
        if let Some(baseline) = &baseline {
            check_equal(&[newest.placed(), baseline.placed()], question_fields).map_err(HistoryError::Baseline)?;
        }
        if let ([newest], Some(LeftOut { path, reason, .. })) = (kept.as_slice(), left_out.first()) {
            let (newest, path, reason) = (newest.path.clone(), path.into(), reason.clone());
            return Err(HistoryError::Alone { count: count - 1, newest, path, reason });
        }
        if let Some(baseline) = baseline.as_ref().filter(|baseline| newest.is_same(baseline)) {
            return Err(HistoryError::NewestBaseline(baseline.path.clone()));
        }
        let place = |baseline: &Entry| kept.iter().position(|entry| entry.is_same(baseline));
        let too_old = |baseline: &Entry| HistoryError::OldBaseline { path: baseline.path.clone(), most: MOST_REPORTS };
        let baseline = baseline.map(|baseline| place(&baseline).ok_or_else(|| too_old(&baseline))).transpose()?;
        Ok(Self { entries: kept, left_out, baseline })
    }
}

/// Whether a report is none of these.
fn is_distinct(entries: &[Entry], one: &Entry) -> bool {
    !entries.iter().any(|entry| entry.is_same(one))
}

/// Why a report is left out beside newer ones: the field, if there is one, and the reason.
fn refusal(newer: &[Entry], entry: &Entry) -> Option<(Option<String>, String)> {
    if newer.len() >= MOST_REPORTS {
        return Some((None, format!("older than the newest {MOST_REPORTS} reports")));
    }
    if let Err(error) = check_whole(entry.placed()) {
        return Some((None, error.to_string()));
    }
    if let Some(copied) = newer.iter().find(|newer| newer.is_same(entry)) {
        return Some((None, format!("a copy of {}", path_text(&copied.path))));
    }
    let newest = newer.first()?;
    // The newest one is kept, so that it is not judged by the ones before.
    if let Some(mode) = entry.report.modes.iter().find(|mode| mode.achieved_per_second <= 0.0)
        && entry.report.kind == ReportKind::Run
    {
        return Some((None, format!("its rate with durability {} is 0: nothing was measured", mode.durability)));
    }
    match check_equal(&[newest.placed(), entry.placed()], question_fields) {
        Err(Incomparable::Unequal { field, first_value, second_value, .. }) => {
            let reason = format!("{field} is {second_value}, and {first_value} in the newest report");
            Some((Some(field), reason))
        }
        Err(error) => Some((None, error.to_string())),
        Ok(()) => None,
    }
}

impl LeftOut {
    fn new(path: &Path, reason: String) -> Self {
        Self { path: path_text(path), field: None, reason }
    }
}

impl Entry {
    fn new(path: PathBuf, mut report: Report) -> Self {
        for mode in &mut report.modes {
            mode.series = Vec::new();
            mode.operations = Vec::new();
            mode.commands.iter_mut().for_each(|command| command.service.curve = Vec::new());
            let responses = mode.commands.iter_mut().filter_map(|command| command.response.as_mut());
            responses.for_each(|response| response.curve = Vec::new());
            // Their number shows whether the run was interrupted.
            mode.rounds.iter_mut().for_each(|round| {
                round.engine = Vec::new();
                round.commands = Vec::new();
            });
        }
        report.certificate = None;
        report.host.disk_profile = None;
        Self { path, report }
    }

    /// Whether it is the same report, perhaps a copy.
    fn is_same(&self, other: &Self) -> bool {
        check_distinct(&[self.placed()], other.placed()).is_err()
    }

    pub(super) fn placed(&self) -> ReportAtPath<'_> {
        (&self.path, &self.report)
    }

    /// Median over the rounds of a mode. A plan times the disk before it begins.
    pub(super) fn machine_figure(&self, durability: Durability, figure: MachineFigure) -> Option<f64> {
        let mode = self.report.modes.iter().find(|mode| mode.durability == durability)?;
        let values: Vec<f64> = mode.rounds.iter().filter_map(|round| figure.value(round, &self.report)).collect();
        if !values.is_empty() {
            return Some(median(values));
        }
        let probe = self.report.host.sync_probe.as_ref().filter(|_| figure == MachineFigure::SyncP50)?;
        Some(probe.percentile(Percentile::P50)?.value_ns as f64).filter(|&ns| ns > 0.0).map(f64::ln)
    }
}
