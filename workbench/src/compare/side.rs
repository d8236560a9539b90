//! The reports of one build.

use std::path::{Path, PathBuf};

use super::error::CompareError;
use super::result::{ComparedReport, Side};
use crate::report::{Report, ReportAtPath, ReportDirectory, report_directories};
use crate::workload::path_text;

/// One build: its reports, by start.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildReports {
    pub(super) path: PathBuf,
    pub(super) reports: Vec<(PathBuf, Report)>,
}

impl BuildReports {
    /// Reads a `report.json`, a report directory, or every report directory in a directory.
    ///
    /// # Errors
    ///
    /// [`CompareError::Report`] if a report cannot be read, [`CompareError::NoReport`] if there is none,
    /// [`CompareError::Directory`] if the directory cannot be listed.
    pub fn read(path: &Path) -> Result<Self, CompareError> {
        let places = if ReportDirectory::has_reports(path) {
            let failed = |source| CompareError::Directory { path: path.to_owned(), source };
            report_directories(path).map_err(failed)?
        } else {
            vec![path.to_owned()]
        };
        if places.is_empty() {
            return Err(CompareError::NoReport { path: path.to_owned() });
        }
        let read = |place: PathBuf| Ok((place.clone(), ReportDirectory::read(&place)?));
        let reports = places.into_iter().map(read).collect::<Result<Vec<_>, CompareError>>()?;
        Ok(Self::new(path, reports))
    }

    /// A build with these reports, at least one.
    pub fn new(path: &Path, mut reports: Vec<(PathBuf, Report)>) -> Self {
        reports.sort_by(|(_, one), (_, other)| one.started_at.cmp(&other.started_at));
        Self { path: path.to_owned(), reports }
    }

    /// Its reports with their paths.
    pub(super) fn placed(&self) -> impl Iterator<Item = ReportAtPath<'_>> {
        self.reports.iter().map(|(path, report)| (path.as_path(), report))
    }

    pub(super) fn side(&self) -> Side {
        let compared = |(path, report): &(PathBuf, Report)| ComparedReport {
            path: path_text(path),
            started_at: report.started_at.clone(),
            version: report.reproduce.version.clone(),
            commit: report.reproduce.commit.clone(),
            outcome: report.verdict.outcome,
        };
        Side { path: path_text(&self.path), reports: self.reports.iter().map(compared).collect() }
    }
}
