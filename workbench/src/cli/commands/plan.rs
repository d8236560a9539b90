//! `plan`.

use crate::cli::args::{EmulationArg, PlanArgs};
use crate::cli::commands::result::{Audience, conclude};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::{Ending, resolve};
use crate::host::Confinement;
use crate::load::{JobContext, RunError};
use crate::plan::{self, PlanError, PlanRequest, Thoroughness};
use crate::process::ProcessError;

const RESUMABLE: &str = "interrupted: run the same command again to resume";

pub(crate) fn run(args: &PlanArgs, output: Output) -> Result<Ending, CliError> {
    let request = request(args)?;
    let control = resolve::interruptible()?;
    let progress = Progress::of_plan(output);
    let finished = plan::run(&request, JobContext { observer: &progress, control: &control });
    progress.finish();
    if matches!(finished, Err(PlanError::Process(ProcessError::Run(RunError::Interrupted)))) {
        output.progress(RESUMABLE);
    }
    let finished = finished?;
    let audience = Audience { reports: &args.place.reports_dir, open: args.place.open, output };
    let ending = conclude(&finished.report, finished.attachments, audience)?;
    if control.is_stopped() {
        output.progress(RESUMABLE);
    }
    for journal in finished.obsolete_journals {
        // A journal that stays repeats its plan, at worst.
        let _ = std::fs::remove_file(journal);
    }
    Ok(ending)
}

fn request(args: &PlanArgs) -> Result<PlanRequest, CliError> {
    if args.actors == Some(0) {
        return Err(CliError::Usage("--actors 0: expected at least 1".to_owned()));
    }
    Ok(PlanRequest {
        source: args.source.spec(),
        target_per_second: args.target,
        objective: args.slo.parse()?,
        headroom_percent: args.headroom,
        thoroughness: match (args.quick, args.thorough) {
            (true, _) => Thoroughness::Quick,
            (_, true) => Thoroughness::Thorough,
            _ => Thoroughness::Standard,
        },
        machines: args.machines.iter().map(|text| resolve::machine(text)).collect::<Result<_, _>>()?,
        confinement: confinement(args.emulation)?,
        durabilities: resolve::durabilities(args.place.durability),
        workers: args.place.workers.map(|_| resolve::workers(&args.place, 1)).transpose()?,
        actors: args.actors,
        retention_days: above_zero("--retention", args.retention)?,
        disk_bytes: above_zero("--disk", args.disk)?.map(|disk| bytes(disk * 1e9)),
        rated_bytes: above_zero("--tbw", args.tbw)?.map(|written| bytes(written * 1e12)),
        what_if: args.what_if.as_deref().map(str::parse).transpose()?,
        fresh: args.fresh,
        data_dir: args.place.data_dir.clone(),
        reports_dir: args.place.reports_dir.clone(),
        command: resolve::command_line(),
        started_at: resolve::now(),
    })
}

fn above_zero(option: &str, value: Option<f64>) -> Result<Option<f64>, CliError> {
    match value {
        Some(value) if !(value > 0.0 && value.is_finite()) => {
            Err(CliError::Usage(format!("{option} {value}: expected more than 0")))
        }
        value => Ok(value),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at sizes no disk has")]
const fn bytes(value: f64) -> u64 {
    value as u64
}

fn confinement(argument: EmulationArg) -> Result<Confinement, CliError> {
    match argument {
        EmulationArg::Cores => Ok(Confinement::affinity_only("--emulation cores")),
        EmulationArg::Auto => Ok(Confinement::detect()),
        EmulationArg::ControlGroups => {
            let found = Confinement::detect();
            if found.limits_memory() {
                return Ok(found);
            }
            Err(CliError::Usage(format!(
                "control groups are not permitted here ({}): run as root or in a delegated group, or let --emulation auto \
                 limit cores only",
                found.why_not()
            )))
        }
    }
}
