//! Power cuts after a run.

use std::path::Path;

use super::engine::RunOutcome;
use super::spec::RunSpec;
use crate::load::{CrashTask, Crashed, JobContext, Source, Target};
use crate::process::WritingProcess;

/// Cuts after which a new database, with its own preload, replaces the old one.
pub(crate) const CUTS_PER_DATABASE: u32 = 25;

/// Cuts the power under processes that load a database of their own, in every mode that was measured, and adds the
/// results to `outcome`. Where FUSE is not permitted, the result and a note say so.
pub(crate) fn check_after_power_cuts<T: Target>(
    outcome: &mut RunOutcome,
    target: &T,
    source: &Source,
    spec: &RunSpec,
    process: &WritingProcess,
    directory: &Path,
    job: JobContext<'_>,
) {
    for mode in &mut outcome.modes {
        if spec.power_cuts == 0 || job.control.is_stopped() {
            break;
        }
        let (durability, load, workers) = (mode.durability, spec.load, spec.writers.of(mode.durability));
        let directory = directory.join(format!("cut-durability-{durability}"));
        let task = CrashTask { directory, durability, load, workers };
        mode.power_cut = cut(target, source, &task, spec.power_cuts, process, job);
        let not_tried = mode.power_cut.as_ref().filter(|crashed| crashed.kills == 0);
        if let Some(failure) = not_tried.and_then(|crashed| crashed.failure.as_ref()) {
            job.observer.note(failure);
        }
    }
    outcome.interrupted |= job.control.is_stopped();
}

#[cfg(target_os = "linux")]
fn cut<T: Target>(
    target: &T,
    source: &Source,
    task: &CrashTask,
    cuts: u32,
    process: &WritingProcess,
    job: JobContext<'_>,
) -> Option<Crashed> {
    use crate::process::PowerCuts;

    let power_cuts = PowerCuts::new(process.clone(), cuts, CUTS_PER_DATABASE);
    // What was measured is reported even if the check fails.
    power_cuts.check(target, source, task, job).unwrap_or_else(|error| Some(Crashed::not_tried(&error.to_string())))
}

#[cfg(not(target_os = "linux"))]
fn cut<T: Target>(
    _target: &T,
    _source: &Source,
    _task: &CrashTask,
    _cuts: u32,
    _process: &WritingProcess,
    _job: JobContext<'_>,
) -> Option<Crashed> {
    Some(Crashed::not_tried("power cuts need Linux"))
}
