//! A report with the histograms beside it.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::error::MergeError;
use crate::actor::Durability;
use crate::report::{LogError, LoggedLatencies, ModeResult, Report, ReportDirectory, histogram_log};

const JSON_FILE: &str = "report.json";
const LOG_FILE: &str = "latency.hlog";

/// A report to be merged with others.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportWithLog {
    pub(super) path: PathBuf,
    pub(super) report: Report,
    /// One entry per command and durability mode; absent without a log.
    pub(super) histograms: Option<Vec<LoggedLatencies>>,
}

impl ReportWithLog {
    /// Reads a report and the `latency.hlog` beside it; beside a file that is not called `report.json` none is expected.
    ///
    /// # Errors
    ///
    /// [`MergeError::Report`] if it cannot be read, [`MergeError::LogUnreadable`], [`MergeError::LogInvalid`] or
    /// [`MergeError::LogOfAnother`] if the log cannot be used.
    pub fn read(path: &Path) -> Result<Self, MergeError> {
        let report = ReportDirectory::read(path)?;
        let log_path = if path.is_dir() {
            path.join(LOG_FILE)
        } else if path.ends_with(JSON_FILE) {
            path.with_file_name(LOG_FILE)
        } else {
            return Ok(Self::without_log(path, report));
        };
        match std::fs::read(&log_path) {
            Ok(log) => Self::with_log(path, report, &log_path, &log),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::without_log(path, report)),
            Err(source) => Err(MergeError::LogUnreadable { path: log_path, source }),
        }
    }

    /// A report without histograms.
    pub fn without_log(path: &Path, report: Report) -> Self {
        Self { path: path.to_owned(), report, histograms: None }
    }

    /// A report read from `path` with the content of its histogram log, read from `log_path`.
    ///
    /// # Errors
    ///
    /// [`MergeError::LogInvalid`] with the line, or [`MergeError::LogOfAnother`] if their numbers of samples differ.
    pub fn with_log(path: &Path, report: Report, log_path: &Path, log: &[u8]) -> Result<Self, MergeError> {
        let invalid = |LogError { line, reason }| MergeError::LogInvalid { path: log_path.to_owned(), line, reason };
        let histograms = histogram_log::read(log).map_err(invalid)?;
        check_counts(&report, &histograms, log_path)?;
        Ok(Self { path: path.to_owned(), report, histograms: Some(histograms) })
    }

    pub(super) fn mode(&self, durability: Durability) -> Option<&ModeResult> {
        self.report.modes.iter().find(|mode| mode.durability == durability)
    }

    pub(super) fn logged(&self, durability: Durability, command: &str) -> Option<&LoggedLatencies> {
        let mut logged = self.histograms.as_deref().unwrap_or_default().iter();
        logged.find(|logged| logged.durability == durability && logged.command == command)
    }
}

/// Checks that log and report have the same number of samples of every command.
fn check_counts(report: &Report, histograms: &[LoggedLatencies], path: &Path) -> Result<(), MergeError> {
    let in_report = report.modes.iter().flat_map(|mode| mode.commands.iter().map(|latency| (mode.durability, latency)));
    let in_report: HashMap<_, _> = in_report
        .map(|(durability, latency)| ((durability, latency.name.as_str()), latency.response_or_service().count))
        .collect();
    let in_log: HashMap<_, _> =
        histograms.iter().map(|one| ((one.durability, one.command.as_str()), one.latencies.count())).collect();
    for &(durability, command) in in_log.keys().chain(in_report.keys()) {
        let [found, expected] =
            [&in_log, &in_report].map(|counts| counts.get(&(durability, command)).copied().unwrap_or_default());
        if found != expected {
            let (path, command) = (path.to_owned(), command.to_owned());
            return Err(MergeError::LogOfAnother { path, command, durability, found, expected });
        }
    }
    Ok(())
}
