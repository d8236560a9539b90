//! `plan`.

use std::path::{Path, PathBuf};

use super::publish::publish;
use crate::catalogue::Catalogue;
use crate::cli::args::plan::{EmulationArg, PlanArgs};
use crate::cli::error::CliError;
use crate::cli::metrics::{MeteredObserver, MetricsServer};
use crate::cli::output::Output;
use crate::cli::progress::MeasurementProgress;
use crate::cli::values::DiskArg;
use crate::cli::{input_file, resolve};
use crate::host::Confinement;
use crate::load::{JobContext, RunError};
use crate::plan::{self, Effort, PlanError, PlanRequest, RerankRequest};
use crate::process::ProcessError;
use crate::report::{Outcome, ReportDirectory};
use crate::units;
use crate::workload::path_text;

const DEFAULT_HEADROOM_PERCENT: f64 = 30.0;
const RESUMABLE: &str = "interrupted: run the same command again to resume";

pub(crate) fn run(args: &PlanArgs, output: Output) -> Result<Outcome, CliError> {
    let profiles = args.disk.iter().filter_map(DiskArg::profile);
    input_file::read_once(args.from.iter().chain(&args.machines).chain(profiles))?;
    if let Some(from) = &args.from {
        return rank_again(args, from, output);
    }
    if !args.host.is_empty() {
        return Err(CliError::Usage("--host predicts from a finished plan, expected --from".to_owned()));
    }
    let request = request(args)?;
    let control = resolve::stop_on_ctrl_c(output)?;
    let metrics = MetricsServer::start(args.metrics.metrics, path_text(&request.source.origin), output)?;
    let progress = MeasurementProgress::of_plan(output);
    let observer = MeteredObserver::new(&progress, metrics.as_ref());
    let finished = plan::run(&request, JobContext { observer: &observer, control: &control, memory: None });
    progress.line.finish();
    if matches!(finished, Err(PlanError::Process(ProcessError::Run(RunError::Interrupted)))) {
        output.progress(RESUMABLE);
    }
    let finished = finished?;
    let outcome = publish(&finished.report, finished.attachments, &args.place, output)?;
    if control.is_stopped() {
        output.progress(RESUMABLE);
    }
    for journal in finished.obsolete_journals {
        // A journal that stays repeats its plan, at worst.
        let _ = std::fs::remove_file(journal);
    }
    Ok(outcome)
}

/// Ranks the machines of a finished plan, without measuring.
fn rank_again(args: &PlanArgs, from: &Path, output: Output) -> Result<Outcome, CliError> {
    let catalogue = catalogue(args)?;
    let report = ReportDirectory::read(from)?;
    let request = RerankRequest {
        path: from,
        target: args.target.as_ref().map(|target| &target.likely),
        range: args.target.as_ref().and_then(|target| target.range.as_ref()),
        growth_percent_per_month: args.growth,
        headroom_percent: args.headroom,
        catalogue,
        hosts: &args.host,
        command: resolve::command_line(),
        started_at: resolve::now(),
    };
    let ranked = plan::rerank(&report, &request)?;
    publish(&ranked, Vec::new(), &args.place, output)
}

fn catalogue(args: &PlanArgs) -> Result<Option<Catalogue>, CliError> {
    Ok(args.machines.as_deref().map(Catalogue::read).transpose()?)
}

fn request(args: &PlanArgs) -> Result<PlanRequest, CliError> {
    let missing = || CliError::Usage("expected --target and --slo, or --from".to_owned());
    let target = args.target.clone().ok_or_else(missing)?;
    let (disk_bytes, disk_profile) = disk(&args.disk)?;
    Ok(PlanRequest {
        source: args.source.spec()?,
        target: target.likely,
        range: target.range,
        growth_percent_per_month: args.growth.unwrap_or(0.0),
        objective: args.slo.clone().ok_or_else(missing)?,
        headroom_percent: args.headroom.unwrap_or(DEFAULT_HEADROOM_PERCENT),
        effort: match (args.quick, args.thorough) {
            (true, _) => Effort::quick(),
            (_, true) => Effort::thorough(),
            _ => Effort::standard(),
        },
        machines: args.machine.clone(),
        catalogue: catalogue(args)?,
        confinement: confinement(args.emulation)?,
        durabilities: resolve::durabilities(args.place.durability),
        writers: args.place.writers,
        actors: args.actors,
        retention_days: args.retention,
        horizon_days: args.horizon.map(|horizon| horizon.as_secs_f64() / units::DAY_SECONDS),
        disk_bytes: disk_bytes.map(|gigabytes| bytes(gigabytes * 1e9)),
        disk_profile,
        rated_bytes: args.tbw.map(|written| bytes(written * 1e12)),
        what_if: args.what_if.clone(),
        fresh: args.fresh,
        anyway: args.place.data.anyway,
        data_dir: resolve::data_directory(&args.place.data)?.to_owned(),
        reports_dir: args.place.reports_dir.clone(),
        command: resolve::command_line(),
        started_at: resolve::now(),
    })
}

/// Size in GB and profile, each at most once.
fn disk(given: &[DiskArg]) -> Result<(Option<f64>, Option<PathBuf>), CliError> {
    let (mut size, mut profile) = (None, None);
    for disk in given {
        let earlier = match disk {
            DiskArg::SizeGb(gigabytes) => size.replace(*gigabytes).map(|_| "size"),
            DiskArg::Profile(path) => profile.replace(path.clone()).map(|_| "profile"),
        };
        if let Some(what) = earlier {
            return Err(CliError::Usage(format!("--disk was given two values of one kind, expected one {what}")));
        }
    }
    Ok((size, profile))
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
                found.rejections()
            )))
        }
    }
}
