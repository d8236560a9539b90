//! `run`.

use std::path::Path;
use std::time::{Duration, Instant};

use super::publish::{PublishOptions, publish};
use crate::cli::args::RunArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::MeasurementProgress;
use crate::cli::resolve;
use crate::cli::values::{OfferedRate, WarmUpTime};
use crate::host::{HostProfile, warnings};
use crate::load::{
    CrashSpec, JobContext, Load, ModeOutcome, RocksDbTarget, RunError, Source, SystemClock, WarmUp, crash_check,
};
use crate::process::{OwnProgram, Scratch, confined, victim};
use crate::report::{Context, Outcome, ReportDirectory, attachments};
use crate::run::{RunOutcome, RunSpec, run as run_source, run_report};
use crate::units;

/// Default measured time of a round.
const MEASURE: Duration = Duration::from_secs(3);
/// Default warm-up of a round.
const WARMUP: WarmUp = WarmUp::Steady { least: Duration::from_secs(2), most: Duration::from_secs(10) };
/// Default warm-up of a ramp, whose start time must be known.
const RAMP_WARMUP: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &RunArgs, output: Output) -> Result<Outcome, CliError> {
    let source = source(args)?;
    let scratch = Scratch::create(&args.place.data_dir, output)?;
    let host = HostProfile::detect(&args.place.data_dir);
    let machine_spec = resolve::machine_spec(&args.machine, &host);
    let spec = run_spec(args, &source, &host);
    spec.check(&source)?;
    if let Some(objective) = args.slo {
        objective.check(&source)?;
    }
    ReportDirectory::check_writable(&args.place.reports_dir)?;
    let control = resolve::stop_on_ctrl_c()?;
    if let (Load::TraceTimes { speed }, Source::Trace { trace, .. }) = (spec.load, &source) {
        let seconds = trace.duration_ns() as f64 / 1e9;
        let (span, takes) = (units::seconds(seconds), units::seconds(seconds / speed));
        output.progress(&format!("the trace spans {span}; at speed {speed} a round takes {takes}"));
    }
    let progress = MeasurementProgress::of_run(output, &spec, &source, kills(args));
    let (started_at, began) = (resolve::now(), Instant::now());
    let target = RocksDbTarget::new(machine_spec.clone());
    let victim = OwnProgram::new(&args.source, &source, &machine_spec)?;
    let outcome = run_source(
        &target,
        &source,
        &spec,
        scratch.path(),
        &SystemClock::new(),
        JobContext { observer: &progress, control: &control },
    )
    .and_then(|mut outcome| {
        let kills = Kills { target: &target, source: &source, victim: &victim, spec: &spec, count: kills(args) };
        kills.check(&mut outcome, scratch.path(), JobContext { observer: &progress, control: &control })?;
        Ok(outcome)
    });
    progress.finish();
    let outcome = outcome?;
    let host_warnings: Vec<_> = warnings(&host).into_iter().chain(confined::warning()).collect();
    let context = Context {
        started_at,
        elapsed_seconds: began.elapsed().as_secs_f64(),
        source: &source,
        origin: args.source.source.clone(),
        host: &host,
        host_warnings: &host_warnings,
        sync_probe: None,
        tuning: resolve::tuning(&machine_spec),
        machine_spec: &machine_spec,
        data_directory: &args.place.data_dir,
        command: resolve::command_line(),
        workers: spec.workers,
    };
    let report = run_report(&context, &spec, &outcome, args.slo);
    let rounds: Vec<_> = outcome.modes.iter().map(ModeOutcome::named_rounds).collect();
    let files = attachments(&report, &rounds);
    publish(&report, files, PublishOptions { reports: &args.place.reports_dir, open: args.place.open, output })
}

/// Processes to kill per durability mode.
fn kills(args: &RunArgs) -> u32 {
    if args.no_verify { 0 } else { args.kills }
}

/// The crash check of each measured mode. It runs after all rounds, in other processes and databases, so that it does not
/// affect the measurement.
struct Kills<'a> {
    target: &'a RocksDbTarget,
    source: &'a Source,
    victim: &'a OwnProgram,
    spec: &'a RunSpec,
    count: u32,
}

impl Kills<'_> {
    fn check(&self, outcome: &mut RunOutcome, scratch: &Path, job: JobContext<'_>) -> Result<(), RunError> {
        for mode in &mut outcome.modes {
            if self.count == 0 || job.control.is_stopped() {
                break;
            }
            let directory = victim::directory(scratch, mode.durability);
            let spec = CrashSpec {
                durability: mode.durability,
                load: self.spec.load,
                workers: self.spec.workers,
                kills: self.count,
            };
            mode.crashed = crash_check(self.target, self.source, &spec, &directory, self.victim, job)?;
            // The next mode needs the space. The rest is removed with the scratch directory.
            let _ = std::fs::remove_dir_all(directory);
        }
        outcome.interrupted |= job.control.is_stopped();
        Ok(())
    }
}

/// A trace is replayed once, or repeated if a rate or a measured time is given.
fn source(args: &RunArgs) -> Result<Source, CliError> {
    let repeats = args.rate.is_some() || args.measure.is_some();
    resolve::source(&args.source, &args.place.data_dir, if repeats { None } else { Some(1) })
}

fn run_spec(args: &RunArgs, source: &Source, host: &HostProfile) -> RunSpec {
    let finite = source.is_finite();
    let load = load(args, source);
    RunSpec {
        load,
        workers: resolve::workers(args.place.workers, host, source),
        rounds: args.rounds,
        warmup: warmup(args, load, finite),
        measure: args.measure.or((!finite).then_some(MEASURE)),
        durabilities: resolve::durabilities(args.place.durability),
        verify: !args.no_verify,
    }
}

fn warmup(args: &RunArgs, load: Load, finite: bool) -> WarmUp {
    match args.warmup {
        Some(WarmUpTime::Fixed(time)) => WarmUp::Fixed(time),
        None if finite => WarmUp::NONE,
        None if matches!(load, Load::Ramp { .. }) => WarmUp::Fixed(RAMP_WARMUP),
        Some(WarmUpTime::Steady) | None => WARMUP,
    }
}

fn load(args: &RunArgs, source: &Source) -> Load {
    let arrivals = source.arrivals();
    match (args.rate, args.speed) {
        (Some(OfferedRate::Constant(per_second)), _) => Load::Open { per_second, arrivals },
        (Some(OfferedRate::Ramp { from, to }), _) => Load::Ramp { from_per_second: from, to_per_second: to, arrivals },
        (None, Some(speed)) => Load::TraceTimes { speed },
        (None, None) => Load::Closed,
    }
}
