//! `run`.

use std::time::Instant;

use crate::cli::args::RunArgs;
use crate::cli::commands::result::{Audience, conclude};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::run_agenda::RunAgenda;
use crate::cli::{Ending, resolve};
use crate::host::{HostProfile, warnings};
use crate::load::{JobContext, Load, ModeOutcome, Objective, RocksDbTarget, Source, SystemClock, WarmUp};
use crate::process::victim::OwnProgram;
use crate::process::{Scratch, SourceSnapshot, confined};
use crate::report::{Context, ReportDirectory, attachments, tuning_info};
use crate::run::{RunSpec, check_after_kills, run as run_source, run_report};
use crate::units;

pub(crate) fn run(args: &RunArgs, output: Output) -> Result<Ending, CliError> {
    let objective = args.slo.as_deref().map(str::parse::<Objective>).transpose()?;
    let source = source(args)?;
    let scratch = Scratch::create(&args.place.data_dir, &output)?;
    let host = HostProfile::detect(&args.place.data_dir);
    let machine_spec = resolve::machine_spec(args.machine.as_deref().unwrap_or(&args.spec), &host)?;
    let spec = run_spec(args, &source, &host)?;
    spec.check(&source)?;
    if let Some(objective) = objective {
        objective.check(&source)?;
    }
    ReportDirectory::check_writable(&args.place.reports_dir)?;
    let control = resolve::interruptible()?;
    if let (Load::TraceTimes { speed }, Source::Trace { trace, .. }) = (spec.load, &source) {
        let seconds = trace.duration_ns() as f64 / 1e9;
        let (span, takes) = (units::seconds(seconds), units::seconds(seconds / speed));
        output.progress(&format!("the trace spans {span}; at speed {speed} a round takes {takes}"));
    }
    let progress = Progress::of_run(output, RunAgenda::new(&spec, &source));
    let (started_at, began) = (resolve::now(), Instant::now());
    let target = RocksDbTarget::new(machine_spec.clone());
    let victim = OwnProgram::new(SourceSnapshot::new(args.source.spec(), &source)?, machine_spec.clone());
    let (clock, job) = (SystemClock::new(), JobContext { observer: &progress, control: &control });
    let outcome = run_source(&target, &source, &spec, scratch.path(), &clock, job).and_then(|mut outcome| {
        check_after_kills(&mut outcome, &target, &source, &spec, &victim, scratch.path(), job)?;
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
        tuning: tuning_info(&machine_spec),
        machine_spec: &machine_spec,
        data_directory: &args.place.data_dir,
        command: resolve::command_line(),
        workers: spec.workers,
    };
    let report = run_report(&context, &spec, &outcome, objective);
    let rounds: Vec<_> = outcome.modes.iter().map(ModeOutcome::named_rounds).collect();
    let files = attachments(&report, &rounds);
    conclude(&report, files, Audience { reports: &args.place.reports_dir, open: args.place.open, output })
}

/// A trace without a rate or a time runs once; otherwise it is repeated until the end of the measured time.
fn source(args: &RunArgs) -> Result<Source, CliError> {
    let repeats = args.rate.is_some() || args.measure.is_some();
    resolve::source(&args.source, &args.place.data_dir, if repeats { None } else { Some(1) })
}

fn run_spec(args: &RunArgs, source: &Source, host: &HostProfile) -> Result<RunSpec, CliError> {
    let load = load(args, source)?;
    let measure = args.measure.as_deref().map(|text| resolve::duration("--measure", text)).transpose()?;
    let warmup = match args.warmup.as_deref() {
        Some("steady") => WarmUp::STEADY,
        Some(text) => WarmUp::Fixed(resolve::duration("--warmup", text)?),
        None => RunSpec::default_warmup(load, source),
    };
    Ok(RunSpec {
        load,
        workers: resolve::workers(&args.place, host.usable_cores)?.min(source.actors()),
        rounds: args.rounds,
        warmup,
        measure: measure.or_else(|| RunSpec::default_measure(source)),
        durabilities: resolve::durabilities(args.place.durability),
        verify: !args.no_verify,
        kills: if args.no_verify { 0 } else { args.kills },
    })
}

fn load(args: &RunArgs, source: &Source) -> Result<Load, CliError> {
    let arrivals = source.arrivals();
    match (args.rate.as_deref(), args.speed) {
        (Some(text), _) => match text.split_once("..") {
            Some((from, to)) => {
                let [from_per_second, to_per_second] = [rate(text, from)?, rate(text, to)?];
                Ok(Load::Ramp { from_per_second, to_per_second, arrivals })
            }
            None => Ok(Load::Open { per_second: rate(text, text)?, arrivals }),
        },
        (None, Some(speed)) => Ok(Load::TraceTimes { speed }),
        (None, None) => Ok(Load::Closed),
    }
}

fn rate(text: &str, number: &str) -> Result<f64, CliError> {
    number.trim().parse().map_err(|_| {
        CliError::Usage(format!(
            "--rate `{text}`: expected commands per second such as `2000`, or a ramp such as `500..5000`"
        ))
    })
}
