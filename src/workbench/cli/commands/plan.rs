//! `plan`.

use std::time::{Duration, Instant};

use ave_actors_store::config::MachineSpec;

use super::result::conclude;
use crate::workbench::cli::Ending;
use crate::workbench::cli::args::{EffortArg, PlanArgs};
use crate::workbench::cli::error::CliError;
use crate::workbench::cli::output::Output;
use crate::workbench::cli::progress::Progress;
use crate::workbench::cli::resolve;
use crate::workbench::cli::scratch::Scratch;
use crate::workbench::host::{CoreLimit, HostProfile, fewest_profile_cores, probe_sync, warnings};
use crate::workbench::measure::LatencyHistogram;
use crate::workbench::report::{Context, ReportDirectory, plan_report};
use crate::workbench::runner::{RocksDbTarget, SystemClock};
use crate::workbench::sizing::{Effort, Objective, PlanSpec, plan};

/// How long the disk is probed first.
const PROBE: Duration = Duration::from_secs(2);

pub(in crate::workbench::cli) fn run(args: &PlanArgs, output: Output) -> Result<Ending, CliError> {
    let objective: Objective = args.slo.parse()?;
    let source = resolve::source(&args.source, &args.place.data_dir, None)?;
    let scratch = Scratch::create(&args.place.data_dir, output)?;
    let host = HostProfile::detect(&args.place.data_dir);
    let cores = fewest_profile_cores().min(host.usable_cores as usize);
    let spec = plan_spec(args, objective, cores, source.actors())?;
    spec.check(&source)?;
    ReportDirectory::check_writable(&args.place.reports_dir)?;
    let control = resolve::interruptible()?;
    let (started_at, began) = (resolve::now(), Instant::now());
    output.progress("probing the disk for 2 s");
    let sync_probe = LatencyHistogram::from_iter(probe_sync(&args.place.data_dir, PROBE)?);
    // On a host with more cores than the profile, the evidence must come from as many as it has.
    let _limit = CoreLimit::apply(cores)
        .map_err(|error| CliError::Usage(format!("cannot limit this process to {cores} cores: {error}")))?;
    let progress = Progress::new(output);
    let clock = SystemClock::new();
    let outcome = plan(RocksDbTarget::new, &source, &spec, scratch.path(), &clock, &progress, &control);
    progress.finish();
    let outcome = outcome?;
    let machine_spec = MachineSpec::Profile(outcome.tuned_for);
    let host_warnings = warnings(&host);
    let context = Context {
        started_at,
        elapsed_seconds: began.elapsed().as_secs_f64(),
        source: &source,
        origin: args.source.source.clone(),
        host: &host,
        host_warnings: &host_warnings,
        sync_probe: Some(&sync_probe),
        tuning: resolve::tuning(&machine_spec),
        machine_spec: &machine_spec,
        data_directory: &args.place.data_dir,
        command: resolve::command_line(),
        workers: spec.workers,
    };
    conclude(&plan_report(&context, &spec, &outcome), Vec::new(), &args.place.reports_dir, output)
}

fn plan_spec(args: &PlanArgs, objective: Objective, cores: usize, actors: u64) -> Result<PlanSpec, CliError> {
    Ok(PlanSpec {
        target_per_second: args.target,
        objective,
        headroom_percent: args.headroom,
        workers: resolve::workers(&args.place, u32::try_from(cores).unwrap_or(u32::MAX))?.min(actors),
        cores,
        durabilities: resolve::durabilities(args.place.durability),
        effort: match args.effort {
            EffortArg::Quick => Effort::quick(),
            EffortArg::Standard => Effort::standard(),
            EffortArg::Thorough => Effort::thorough(),
        },
    })
}
