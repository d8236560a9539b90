//! Another host, from its profile or from a plan that ran on it.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::host::DiskProfile;
use crate::plan::error::PlanError;
use crate::report::{
    DiskFile, HostInfo, PlanResult, ReportAtPath, ReportDirectory, check_distinct, check_equal, question_fields,
};
use crate::workload::path_text;

/// Another host, checked to be comparable with that of a plan.
#[derive(Debug)]
pub(crate) struct OtherHost {
    /// Name of the file without its extension, or of the directory of a report.
    pub(super) stem: String,
    /// `host b` for `b.json`; `b` if the catalogue has a machine of that name.
    pub(super) name: String,
    pub(super) origin: String,
    /// RFC 3339 in UTC.
    pub(super) measured_at: String,
    pub(super) host: HostInfo,
    pub(super) disk: Option<DiskProfile>,
    /// The plan that ran on it.
    pub(super) plan: Option<PlanResult>,
}

const REPORT_FILE: &str = "report.json";

/// What tells a report from the profile of a disk.
#[derive(Deserialize)]
struct Kind {
    verdict: Option<IgnoredAny>,
}

impl OtherHost {
    /// Reads a profile of `host --probe`, or the report of a plan that asks the same question as `here`.
    pub(crate) fn read(path: &Path, here: ReportAtPath<'_>) -> Result<Self, PlanError> {
        if is_report(path) { Self::read_report(path, here) } else { Self::read_profile(path, here) }
    }

    fn read_profile(path: &Path, here: ReportAtPath<'_>) -> Result<Self, PlanError> {
        let DiskFile { measured_at, version, host, profile, .. } = DiskFile::read(path)?;
        let other = Self::new(path, measured_at, host, Some(profile), None);
        other.check_version(&version, "version", here)?;
        other.check_architecture(here)?;
        Ok(other)
    }

    fn read_report(path: &Path, here: ReportAtPath<'_>) -> Result<Self, PlanError> {
        let report = ReportDirectory::read(path)?;
        let there = (path, &report);
        check_distinct(&[here], there).map_err(|error| PlanError::Usage(format!("--host: {error}")))?;
        let Some(plan) = report.plan.clone() else {
            return Err(PlanError::Usage(format!(
                "--host {}: it is the report of a run, expected that of a plan, or a file of `host --probe -o`",
                path_text(path)
            )));
        };
        if let Some(origin) = &plan.ranked_from {
            return Err(PlanError::Usage(format!(
                "--host {}: it ranks the plan {} again and measured nothing, expected that plan",
                path_text(path),
                origin.report
            )));
        }
        check_equal(&[here, there], question_fields).map_err(|error| PlanError::Usage(format!("--host: {error}")))?;
        let (host, disk) = (report.host.clone(), report.host.disk_profile.clone());
        let other = Self::new(path, report.started_at.clone(), host, disk, Some(plan));
        other.check_version(&report.reproduce.version, "reproduce.version", here)?;
        for (component, version) in &report.reproduce.components {
            let known = here.1.reproduce.components.get(component);
            if known.is_some_and(|known| known != version) {
                return Err(other.differs(&format!("reproduce.components.{component}"), version, known, here));
            }
        }
        other.check_architecture(here)?;
        Ok(other)
    }

    fn new(
        path: &Path,
        measured_at: String,
        host: HostInfo,
        disk: Option<DiskProfile>,
        plan: Option<PlanResult>,
    ) -> Self {
        // A report's own file is always called the same.
        let named = if path.file_name().is_some_and(|name| name == REPORT_FILE) { path.parent() } else { Some(path) };
        let stem = named.and_then(|path| if path.is_dir() { path.file_name() } else { path.file_stem() });
        let stem = stem.map_or_else(|| "other".to_owned(), |stem| path_text(Path::new(stem)));
        let name = format!("host {stem}");
        let host = HostInfo { disk_profile: None, sync_probe: None, ..host };
        Self { stem, name, origin: path_text(path), measured_at, host, disk, plan }
    }

    fn check_version(&self, version: &str, field: &str, here: ReportAtPath<'_>) -> Result<(), PlanError> {
        let known = &here.1.reproduce.version;
        if known == version { Ok(()) } else { Err(self.differs(field, version, Some(known), here)) }
    }

    /// Neither rates nor the reference work of another architecture are comparable.
    fn check_architecture(&self, here: ReportAtPath<'_>) -> Result<(), PlanError> {
        match (&self.host.architecture, &here.1.host.architecture) {
            (Some(there), Some(known)) if there != known => {
                Err(self.differs("host.architecture", there, Some(known), here))
            }
            _ => Ok(()),
        }
    }

    fn differs(&self, field: &str, there: &str, known: Option<&String>, here: ReportAtPath<'_>) -> PlanError {
        PlanError::Usage(format!(
            "--host {}: {field} is {there}, and {} in {}: measure both with one version on one architecture",
            self.origin,
            known.map_or("absent", String::as_str),
            path_text(here.0)
        ))
    }
}

fn is_report(path: &Path) -> bool {
    let kind = || serde_json::from_slice::<Kind>(&std::fs::read(path).ok()?).ok();
    path.is_dir() || kind().is_some_and(|kind| kind.verdict.is_some())
}
