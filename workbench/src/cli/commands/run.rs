//! `run`.

use std::time::Instant;

use super::publish::publish;
use crate::cli::args::run::RunArgs;
use crate::cli::error::CliError;
use crate::cli::metrics::{MeteredObserver, MetricsServer};
use crate::cli::output::Output;
use crate::cli::progress::MeasurementProgress;
use crate::cli::resolve;
use crate::cli::values::OfferedRate;
use crate::host::{HostProfile, warnings};
use crate::load::{
    JobContext, Load, ModeOutcome, Rate, RocksDbTarget, RunError, Source, SystemClock, require_idle_host,
};
use crate::process::{ProcessError, Scratch, SourceSnapshot, WritingProcess, confined};
use crate::report::{Context, Outcome, ReportDirectory, attachments, tuning_info};
use crate::run::{RunSpec, check_after_kills, check_after_power_cuts, run as run_source, run_report};
use crate::units;
use crate::workload::path_text;

pub(crate) fn run(args: &RunArgs, output: Output) -> Result<Outcome, CliError> {
    let data_directory = resolve::data_directory(&args.place.data)?;
    let scratch = Scratch::create(data_directory, &output)?;
    let host = HostProfile::detect(data_directory);
    let memory = confined::memory(args.machine.machine.as_ref())?;
    // A trace is replayed once, or repeated if a rate or a measured time is given.
    let passes = if args.rate.is_some() || args.measure.is_some() { None } else { Some(1) };
    let origin = args.source.spec()?;
    let metrics = MetricsServer::start(args.metrics.metrics, path_text(&origin.origin), output)?;
    let source = resolve::grown(&origin.read(data_directory, passes)?, args.grown_by)?;
    let machine_spec = resolve::machine_spec(&args.machine, &host);
    let spec = run_spec(args, &source, &host, output)?;
    spec.check(&source)?;
    if let (Load::TraceTimes { speed }, Source::Trace { trace, .. }) = (spec.load, &source) {
        let seconds = trace.duration_ns() as f64 / 1e9;
        let (span, takes) = (units::seconds(seconds), units::seconds(seconds / speed));
        output.progress(&format!("the trace spans {span}; at speed {speed} a round takes {takes}"));
    }
    if let Some(objective) = &args.slo {
        objective.check(&source)?;
    }
    source.check_space(host.disk.free_bytes)?;
    ReportDirectory::check_writable(&args.place.reports_dir)?;
    let control = resolve::stop_on_ctrl_c(output)?;
    if !args.place.data.anyway {
        require_idle_host(host.logical_cores, &control)?;
    }
    resolve::note_repetition(&source, output);
    let progress = MeasurementProgress::of_run(output, &spec, &source);
    let observer = MeteredObserver::new(&progress, metrics.as_ref());
    let (started_at, began) = (resolve::now(), Instant::now());
    let target = RocksDbTarget::new(machine_spec.clone());
    let snapshot = SourceSnapshot::new(origin.clone(), &source)?;
    let victim = WritingProcess::new(snapshot, machine_spec.clone()).map_err(ProcessError::from)?;
    let (clock, job) =
        (SystemClock::new(), JobContext { observer: &observer, control: &control, memory: memory.as_ref() });
    let outcome = run_source(&target, &source, &spec, scratch.path(), &clock, job).map(|mut outcome| {
        check_after_kills(&mut outcome, &target, &source, &spec, &victim, scratch.path(), job);
        check_after_power_cuts(&mut outcome, &target, &source, &spec, &victim, scratch.path(), job);
        outcome
    });
    progress.line.finish();
    let outcome = outcome?;
    let host_warnings: Vec<_> = warnings(&host).into_iter().chain(confined::warning()).collect();
    let context = Context {
        started_at,
        elapsed_seconds: began.elapsed().as_secs_f64(),
        source: &source,
        origin: path_text(&origin.origin),
        host: &host,
        host_warnings: &host_warnings,
        disk: None,
        tuning: tuning_info(&machine_spec),
        machine_spec: &machine_spec,
        data_directory,
        command: resolve::command_line(),
    };
    let report = run_report(&context, &spec, &outcome, args.slo.as_ref());
    let rounds: Vec<_> = outcome.modes.iter().map(ModeOutcome::named_rounds).collect();
    publish(&report, attachments(&report, &rounds), &args.place, output)
}

fn run_spec(args: &RunArgs, source: &Source, host: &HostProfile, output: Output) -> Result<RunSpec, RunError> {
    let load = load(args, source)?;
    Ok(RunSpec {
        load,
        writers: resolve::writers(args.place.writers, host, source, output),
        rounds: args.rounds,
        warmup: args.warmup.unwrap_or_else(|| RunSpec::default_warmup(load, source)),
        measure: args.measure.or_else(|| RunSpec::default_measure(load, args.slo.as_ref(), args.rounds, source)),
        durabilities: resolve::durabilities(args.place.durability),
        verify: !args.no_verify,
        kills: if args.no_verify { 0 } else { args.kills },
        power_cuts: args.power_cuts,
        start_at: args.start_at,
    })
}

fn load(args: &RunArgs, source: &Source) -> Result<Load, RunError> {
    let arrivals = source.arrivals();
    let commands = |rate: &Rate| rate.commands_per_second(source);
    Ok(match (&args.rate, args.speed) {
        (Some(OfferedRate::Constant(rate)), _) => Load::Open { per_second: commands(rate)?, arrivals },
        (Some(OfferedRate::Ramp { from, to }), _) => {
            Load::Ramp { from_per_second: commands(from)?, to_per_second: commands(to)?, arrivals }
        }
        (None, Some(speed)) => Load::TraceTimes { speed },
        (None, None) => Load::Closed,
    })
}
