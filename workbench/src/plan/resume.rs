//! Where the journal of a plan is, and which inputs it is valid for.

use std::hash::Hasher;
use std::path::PathBuf;
use std::time::Duration;

use crate::host::HostProfile;
use crate::load::Observer;
use crate::plan::error::PlanError;
use crate::plan::journal::Journal;
use crate::plan::request::{PlanRequest, Scenario};
use crate::plan::spec::{Demand, PlanSpec};
use crate::report::{COMMIT, ReportError, VERSION, build_name};
use crate::units;

/// An older journal is discarded: the host may have changed.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The journal of a scenario and its path: that of an interrupted plan with the same inputs, or a new one.
pub(super) fn open_journal(
    request: &PlanRequest,
    scenario: &Scenario,
    host: &HostProfile,
    observer: &dyn Observer,
) -> Result<(Journal, PathBuf), PlanError> {
    let inputs = inputs(request, scenario, host);
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(inputs.as_bytes());
    let path = request.reports_dir.join(format!(".plan-{:016x}.journal", hasher.finish()));
    let failed = |source| PlanError::Report(ReportError::Write(path.clone(), source));
    let age = std::fs::metadata(&path).and_then(|file| file.modified()).ok().and_then(|time| time.elapsed().ok());
    if age.is_some_and(|age| request.fresh || age > MAX_AGE) {
        std::fs::remove_file(&path).map_err(failed)?;
    }
    let journal = Journal::open(&path, &inputs).map_err(|error| failed(std::io::Error::other(error)))?;
    if let Some(note) = journal.note() {
        observer.note(&note);
    }
    if journal.loads() > 0 {
        observer.note(&format!(
            "resuming with {} of an interrupted plan (--fresh discards them)",
            units::counted(journal.loads() as u64, "load")
        ));
    }
    Ok((journal, path))
}

/// Everything that the measurements depend on.
fn inputs(request: &PlanRequest, scenario: &Scenario, host: &HostProfile) -> String {
    let data_dir = std::fs::canonicalize(&request.data_dir).unwrap_or_else(|_| request.data_dir.clone());
    let Scenario { snapshot, spec, .. } = scenario;
    // Prices and growth change what follows from the measurements alone.
    let spec = PlanSpec { catalogue: None, demand: Demand::default(), ..spec.clone() };
    let (build, limits) = (build_name(VERSION, COMMIT), request.confinement.limits_memory());
    format!("{build} {snapshot:?} {spec:?} {limits} {} {} {}", host.cpu_model, host.kernel, data_dir.display())
}
