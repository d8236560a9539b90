//! A report as it is given to be joined: what it says, and the histograms that lie beside it.

use std::io;
use std::path::{Path, PathBuf};

use crate::actor::Durability;
use crate::fleet::error::MergeError;
use crate::report::{LogError, LoggedLatencies, Report, ReportDirectory, histogram_log};

const JSON_FILE: &str = "report.json";
const LOG_FILE: &str = "latency.hlog";

/// A report to be joined with others.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenReport {
    pub(super) path: PathBuf,
    pub(super) report: Report,
    /// One entry per command and durability mode; absent if no log lies beside the report.
    pub(super) histograms: Option<Vec<LoggedLatencies>>,
}

impl GivenReport {
    /// Reads a report and the `latency.hlog` beside it. A file that is not called `report.json` is taken to have left
    /// its directory: what lies beside it is not looked at.
    ///
    /// # Errors
    ///
    /// [`MergeError::Report`] if there is no report, [`MergeError::LogUnreadable`], [`MergeError::LogInvalid`] or
    /// [`MergeError::LogOfAnother`] if the log is there and cannot be used.
    pub fn read(path: &Path) -> Result<Self, MergeError> {
        let report = ReportDirectory::read(path)?;
        let directory = if path.is_dir() {
            Some(path)
        } else {
            path.parent().filter(|_| path.file_name().is_some_and(|name| name == JSON_FILE))
        };
        let log_path = directory.map(|directory| directory.join(LOG_FILE));
        let log = log_path.as_deref().map(|path| (path, std::fs::read(path)));
        match log {
            Some((log_path, Ok(log))) => Self::with_log(path, report, log_path, &log),
            Some((log_path, Err(source))) if source.kind() != io::ErrorKind::NotFound => {
                Err(MergeError::LogUnreadable { path: log_path.to_owned(), source })
            }
            _ => Ok(Self::without_log(path, report)),
        }
    }

    /// A report with no histograms beside it.
    pub fn without_log(path: &Path, report: Report) -> Self {
        Self { path: path.to_owned(), report, histograms: None }
    }

    /// A report read from `path` with the content of its histogram log, `log_path` being what errors call that.
    ///
    /// # Errors
    ///
    /// [`MergeError::LogInvalid`] with the line, or [`MergeError::LogOfAnother`] if report and log do not count the same
    /// samples.
    pub fn with_log(path: &Path, report: Report, log_path: &Path, log: &[u8]) -> Result<Self, MergeError> {
        let histograms = histogram_log::read(log).map_err(|LogError { line, reason }| MergeError::LogInvalid {
            path: log_path.to_owned(),
            line,
            reason,
        })?;
        check_counts(&report, &histograms, log_path)?;
        Ok(Self { path: path.to_owned(), report, histograms: Some(histograms) })
    }

    /// The histogram of a command in a mode, if one lies beside the report.
    pub(super) fn logged(&self, durability: Durability, command: &str) -> Option<&LoggedLatencies> {
        let mut logged = self.histograms.as_deref().unwrap_or_default().iter();
        logged.find(|logged| logged.durability == durability && logged.command == command)
    }
}

/// Every command of every mode counts as many samples in the log as in the report.
fn check_counts(report: &Report, histograms: &[LoggedLatencies], path: &Path) -> Result<(), MergeError> {
    let of_another = |durability, command: &str, found, expected| {
        Err(MergeError::LogOfAnother {
            path: path.to_owned(),
            command: command.to_owned(),
            durability,
            found,
            expected,
        })
    };
    let in_report = |durability, command: &str| {
        let mode = report.modes.iter().find(|mode| mode.durability == durability);
        let mut commands = mode.into_iter().flat_map(|mode| &mode.commands);
        commands.find(|latency| latency.name == command).map_or(0, |latency| latency.response_or_service().count)
    };
    for LoggedLatencies { durability, command, latencies, .. } in histograms {
        let expected = in_report(*durability, command);
        if latencies.count() != expected {
            return of_another(*durability, command, latencies.count(), expected);
        }
    }
    for mode in &report.modes {
        for latency in &mode.commands {
            let is_logged =
                |logged: &LoggedLatencies| logged.durability == mode.durability && logged.command == latency.name;
            if !histograms.iter().any(is_logged) && latency.response_or_service().count > 0 {
                return of_another(mode.durability, &latency.name, 0, latency.response_or_service().count);
            }
        }
    }
    Ok(())
}
