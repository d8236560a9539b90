//! `certify`.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use ave_actors_store::config::MachineSpec;
use jiff::Timestamp;

use crate::certify::{
    Certificate, Certification, CertifyError, CertifyInputs, CertifyOutcome, CertifySpec, Journal, JournalHead,
    certificate, certify_report, unfinished,
};
use crate::cli::args::{CertifyArgs, PlaceArgs, SourceArgs};
use crate::cli::certify_progress::CertifyProgress;
use crate::cli::commands::certified::{print, print_check};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::{Ending, output, resolve};
use crate::host::{HostProfile, Machine, warnings};
use crate::load::{
    Control, JobContext, ModeOutcome, Objective, RocksDbTarget, Source, SystemClock, WarmUp, directory_bytes,
    harness_ns_per_operation,
};
use crate::process::{InProcess, confined};
use crate::report::{Context, Outcome, ReportDirectory, attachments, tuning_info};
use crate::{render, units};

/// Time after which what was measured is written down, unless it was given: this, and three slices at least.
const SEGMENT: Duration = Duration::from_secs(60);
const SEGMENT_SLICES: u32 = 3;
/// Time before anything counts when a database is new or was taken up.
const WARMUP: WarmUp = WarmUp::STEADY;

pub(crate) fn run(args: &CertifyArgs, output: Output) -> Result<Ending, CliError> {
    if let Some(path) = &args.check {
        return check(args, path, output);
    }
    let asked = Asked::new(args)?;
    ReportDirectory::check_writable(&args.reports_dir)?;
    let mut journal = Journal::open(&args.reports_dir, asked.head.clone(), args.fresh)?;
    if args.fresh {
        remove(&asked.head.databases())?;
    }
    tell_unfinished(args, &journal, output);
    let control = resolve::interruptible()?;
    let outcome = asked.certify(&mut journal, output, &control).inspect_err(|_| {
        let kept = journal.directory().display();
        output.progress(&format!("what was measured until then is kept in {kept}; the same command goes on with it"));
    })?;
    if outcome.interrupted {
        asked.interrupted(&journal, &outcome, output)
    } else {
        asked.conclude(journal, &outcome, output)
    }
}

/// What was asked for, and where.
struct Asked<'a> {
    args: &'a CertifyArgs,
    source: Source,
    host: HostProfile,
    machine_spec: MachineSpec,
    spec: CertifySpec,
    head: JournalHead,
}

impl<'a> Asked<'a> {
    /// Refuses what cannot be certified before anything is written.
    fn new(args: &'a CertifyArgs) -> Result<Self, CliError> {
        let (origin, rate, slo) = required(args)?;
        let objective: Objective = slo.parse()?;
        let source = resolve::source(&source_args(args, origin, args.seed), &args.data_dir, None)?;
        let failed = |source| CliError::DataDirectory { path: args.data_dir.clone(), source };
        fs::create_dir_all(&args.data_dir).map_err(failed)?;
        let host = HostProfile::detect(&args.data_dir);
        let machine_spec = resolve::machine_spec(args.machine.as_deref().unwrap_or(&args.spec), &host)?;
        let spec = certify_spec(args, rate, objective, &source, &host)?;
        let command = objective.check(&source)?;
        let head = JournalHead {
            inputs: CertifyInputs::new(&source, Path::new(origin), &spec, command, &machine_spec)?,
            data_directory: args.data_dir.canonicalize().map_err(failed)?,
            machine: machine(&host),
            command: resume_command(),
            began_at: Timestamp::now(),
        };
        // What an interrupted certification has written already is there.
        let free_bytes = host.disk.free_bytes + directory_bytes(&head.databases());
        spec.check(&source, (host.disk.total_bytes > 0).then_some(free_bytes))?;
        Ok(Self { args, source, host, machine_spec, spec, head })
    }

    fn certify(
        &self,
        journal: &mut Journal,
        output: Output,
        control: &Control,
    ) -> Result<CertifyOutcome, CertifyError> {
        let progress = CertifyProgress::new(output, &self.spec);
        let (target, clock) = (RocksDbTarget::new(self.machine_spec.clone()), SystemClock::new());
        let databases = self.head.databases();
        let job = JobContext { observer: &progress, control };
        let testbed = InProcess::new(&target, &self.source, &databases, &clock, job).keeping_databases();
        let certification = Certification {
            spec: &self.spec,
            command: self.spec.objective.command_of(&self.source),
            arrivals: self.source.arrivals(),
            machine: Machine::host(self.host.usable_cores, self.host.usable_ram_bytes),
            cores: self.host.logical_cores,
            observer: &progress,
            control,
        };
        let outcome = certification.run(&testbed, journal);
        progress.finish();
        outcome
    }

    fn certificate(&self, journal: &Journal, outcome: &CertifyOutcome) -> (Certificate, Timestamp) {
        let ended = Timestamp::now();
        let host_warnings = warnings(&self.host).into_iter().chain(confined::warning()).collect::<Vec<_>>();
        let context = self.context(journal, ended, &host_warnings);
        (certificate(&context, &self.spec, &self.head.inputs, outcome, resolve::to_the_second(ended)), ended)
    }

    fn context<'c>(
        &'c self,
        journal: &Journal,
        ended: Timestamp,
        host_warnings: &'c [crate::host::HostWarning],
    ) -> Context<'c> {
        let began = journal.head().began_at;
        Context {
            started_at: resolve::to_the_second(began),
            elapsed_seconds: ended.duration_since(began).as_secs_f64(),
            source: &self.source,
            origin: self.args.source.clone().unwrap_or_default(),
            host: &self.host,
            host_warnings,
            sync_probe: None,
            tuning: tuning_info(&self.machine_spec),
            machine_spec: &self.machine_spec,
            data_directory: &self.args.data_dir,
            command: resume_command(),
            workers: self.spec.workers,
        }
    }

    /// Says what was found so far, and how to go on.
    fn interrupted(&self, journal: &Journal, outcome: &CertifyOutcome, output: Output) -> Result<Ending, CliError> {
        let (certificate, _) = self.certificate(journal, outcome);
        if output.is_json() {
            output::json(&certificate)?;
        } else {
            print(&certificate, output)?;
        }
        let databases = self.head.databases();
        let bytes = units::bytes(directory_bytes(&databases) as f64);
        output.progress(&format!(
            "interrupted: what was measured is kept in {}, the database in {} ({bytes})\ngo on with: {}",
            journal.directory().display(),
            databases.display(),
            resume_command()
        ));
        Ok(Ending::Inconclusive)
    }

    /// Writes certificate and report, and removes what was kept to go on with.
    fn conclude(&self, journal: Journal, outcome: &CertifyOutcome, output: Output) -> Result<Ending, CliError> {
        let (certificate, ended) = self.certificate(&journal, outcome);
        let host_warnings = warnings(&self.host).into_iter().chain(confined::warning()).collect::<Vec<_>>();
        let context = self.context(&journal, ended, &host_warnings);
        let modes = measured(&journal, outcome)?;
        let harness = harness_ns_per_operation(&self.source)?;
        let report = certify_report(&context, &self.spec, &certificate, &modes, self.source.arrivals(), harness);
        let json = serde_json::to_vec_pretty(&certificate).map_err(io::Error::from)?;
        let directory = ReportDirectory::new(&self.args.reports_dir).attach("certificate.json", json);
        let rounds: Vec<_> = modes.iter().map(ModeOutcome::named_rounds).collect();
        let files = attachments(&report, &rounds).into_iter();
        let directory = files.fold(directory, |directory, (name, bytes)| directory.attach(&name, bytes));
        let written = directory.write(&report, &render::report(&report))?;
        remove(&self.head.databases())?;
        journal.remove()?;
        let shown = if output.is_json() {
            output::json(&certificate)
        } else {
            print(&certificate, output)
                .and_then(|()| output.line(&format!("Certificate: {}", written.join("certificate.json").display())))
        };
        output::shown(shown)?;
        Ok(match certificate.verdict.outcome {
            Outcome::Pass => Ending::Pass,
            Outcome::Fail => Ending::Fail,
            Outcome::Inconclusive => Ending::Inconclusive,
        })
    }
}

/// All that was measured, from the journal.
fn measured(journal: &Journal, outcome: &CertifyOutcome) -> Result<Vec<ModeOutcome>, CertifyError> {
    let mode = |mode: &crate::certify::CertifiedMode| {
        let rounds: Result<Vec<_>, _> = journal.segments(mode.durability).map(|segment| Ok(segment?.drive)).collect();
        let (durability, verified, size) = (mode.durability, mode.verified.clone(), mode.size);
        rounds.map(|rounds| ModeOutcome { durability, rounds, verified, crashed: None, size })
    };
    outcome.modes.iter().map(mode).collect()
}

/// What clap has made sure of where nothing is checked.
fn required(args: &CertifyArgs) -> Result<(&str, f64, &str), CliError> {
    match (args.source.as_deref(), args.rate, args.slo.as_deref()) {
        (Some(source), Some(rate), Some(slo)) => Ok((source, rate, slo)),
        _ => Err(CliError::Usage("certify needs a workload or trace, --rate and --slo".to_owned())),
    }
}

fn source_args(args: &CertifyArgs, source: &str, seed: Option<u64>) -> SourceArgs {
    SourceArgs { source: source.to_owned(), seed, allow_truncated: args.allow_truncated }
}

fn certify_spec(
    args: &CertifyArgs,
    rate_per_second: f64,
    objective: Objective,
    source: &Source,
    host: &HostProfile,
) -> Result<CertifySpec, CliError> {
    let slice = resolve::duration("--slice", &args.slice)?;
    let place = PlaceArgs {
        durability: args.durability,
        workers: args.workers,
        data_dir: args.data_dir.clone(),
        reports_dir: args.reports_dir.clone(),
        open: false,
    };
    let segment = args.segment.as_deref().map(|text| resolve::duration("--segment", text)).transpose()?;
    Ok(CertifySpec {
        rate_per_second,
        objective,
        duration: resolve::duration("--duration", &args.duration)?,
        slice,
        segment: segment.unwrap_or_else(|| SEGMENT.max(slice.saturating_mul(SEGMENT_SLICES))),
        warmup: WARMUP,
        durabilities: resolve::durabilities(args.durability),
        workers: resolve::workers(&place, host.usable_cores)?.min(source.actors()),
    })
}

/// What slices of one certification have in common.
fn machine(host: &HostProfile) -> String {
    let ram = units::bytes(host.usable_ram_bytes as f64);
    let cores = units::counted(u64::from(host.logical_cores), "core");
    format!("{}, {} of {cores}, {ram} RAM", host.cpu_model, host.usable_cores)
}

/// The command line that goes on with what this one began.
fn resume_command() -> String {
    resolve::command_line().replace(" --fresh", "")
}

fn remove(databases: &Path) -> Result<(), CliError> {
    match fs::remove_dir_all(databases) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(CliError::DataDirectory { path: databases.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Certifications that nobody went on with take space that nobody else would mention.
fn tell_unfinished(args: &CertifyArgs, own: &Journal, output: Output) {
    for other in unfinished(&args.reports_dir) {
        if other.journal != own.directory() {
            output.progress(&format!(
                "note: an unfinished certification takes {} in {} and {}; `{}` goes on with it, and what is not wanted \
                 any more can be deleted",
                units::bytes(other.bytes as f64),
                other.journal.display(),
                other.databases.display(),
                other.command
            ));
        }
    }
}

/// Whether a certificate is as it was written, and about a source, if one is given.
fn check(args: &CertifyArgs, path: &Path, output: Output) -> Result<Ending, CliError> {
    let (certificate, checked) = Certificate::read(path)?;
    let mut problem = checked.err().map(|forgery| forgery.to_string());
    if let Some(origin) = args.source.as_deref().filter(|_| problem.is_none()) {
        let seed = args.seed.unwrap_or(certificate.inputs.seed);
        let source = resolve::source(&source_args(args, origin, Some(seed)), &args.data_dir, None)?;
        if !certificate.inputs.are_of(&source, Path::new(origin))? {
            problem = Some(format!("it is not about {origin} with the seed {seed}"));
        }
    }
    print_check(&certificate, path, args.source.as_deref(), problem.as_deref(), output)?;
    Ok(if problem.is_none() { Ending::Pass } else { Ending::Fail })
}
