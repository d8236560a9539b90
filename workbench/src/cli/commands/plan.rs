//! `plan`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ave_actors_store::config::MachineSpec;

use crate::cli::args::{EmulationArg, PlanArgs};
use crate::cli::commands::publish::{PublishOptions, publish};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::MeasurementProgress;
use crate::cli::resolve;
use crate::host::{Confinement, HostProfile, Machine, UnsyncedAge, probe_bandwidth, probe_sync, warnings};
use crate::load::{Control, JobContext, Observer, RestartSpec, RunError, Source};
use crate::measure::LatencyHistogram;
use crate::plan::{
    Breadth, Deployment, Effort, Journal, PlanFacts, PlanOutcome, PlanSpec, Remembering, WhatIf, WhatIfPlan, forecast,
    plan as plan_machines, plan_report,
};
use crate::process::rig::ProcessTestbed;
use crate::process::{Scratch, SourceSnapshot};
use crate::report::{Context, Outcome, Report, ReportDirectory, ReportError, attachments};
use crate::units;

/// How long the disk is probed first.
const PROBE: Duration = Duration::from_secs(2);
/// A plan that was interrupted longer ago is begun anew: the machine may be another by now.
const JOURNAL_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Values that are written to have more actors to restart, bytes.
const RESTART_BYTES: u64 = 256 << 20;
/// Bytes on the disk per byte of preload: the database, its log, and what a compaction writes before it deletes.
const DISK_PER_PRELOAD: f64 = 3.0;

pub(crate) fn run(args: &PlanArgs, output: Output) -> Result<Outcome, CliError> {
    let source = resolve::source(&args.source, &args.place.data_dir, None)?;
    let scratch = Scratch::create(&args.place.data_dir, &output)?;
    let question = Question::new(args, source)?;
    ReportDirectory::check_writable(&args.place.reports_dir)?;
    let confinement = confinement(args.emulation)?;
    output.progress(&emulation(&confinement));
    let control = resolve::stop_on_ctrl_c()?;
    let (started_at, began) = (resolve::now(), Instant::now());
    output.progress("probing the disk for 2 s");
    let sync_probe = LatencyHistogram::from_iter(probe_sync(&args.place.data_dir, PROBE)?);
    let disk_bytes_per_second = Some(probe_bandwidth(&args.place.data_dir)?);
    let progress = MeasurementProgress::of_plan(output);
    let planning = Planning {
        args,
        host: &question.host,
        confinement: &confinement,
        scratch: scratch.path(),
        disk_bytes_per_second,
        progress: &progress,
        control: &control,
        output,
    };
    let answer = planning.answer(&question);
    progress.finish();
    let answer = answer.inspect_err(|error| {
        if matches!(error, CliError::Run(RunError::Interrupted)) {
            output.progress(GOES_ON);
        }
    })?;
    let report = report(args, &question, &answer, emulation(&confinement), Began { started_at, began }, &sync_probe);
    let options = PublishOptions { reports: &args.place.reports_dir, open: args.place.open, output };
    let outcome = publish(&report, files(&report, &answer.planned.outcome), options)?;
    if control.is_stopped() {
        output.progress(GOES_ON);
    } else {
        answer.forget();
    }
    Ok(outcome)
}

/// What is asked, checked: all that can be known to be wrong before time is spent.
struct Question {
    what_if: Option<WhatIf>,
    source: Source,
    host: HostProfile,
    spec: PlanSpec,
    deployment: Deployment,
    /// What is measured under other figures.
    changed: Option<(Source, PlanSpec)>,
}

impl Question {
    fn new(args: &PlanArgs, source: Source) -> Result<Self, CliError> {
        let what_if = args.what_if.clone();
        let host = HostProfile::detect(&args.place.data_dir);
        let spec = plan_spec(args, &source, &host);
        spec.check(&source)?;
        check_disk(&source, &host)?;
        let deployment = deployment(args, &source, &host);
        let changed = what_if.as_ref().map(|what_if| changed(what_if, &source, &spec)).transpose()?.flatten();
        if let Some((source, spec)) = &changed {
            spec.check(source)?;
            check_disk(source, &host)?;
        }
        Ok(Self { what_if, source, host, spec, deployment, changed })
    }
}

/// A plan that was made: its settings with what was found out about the disk, what it found, and its journal.
struct Planned {
    spec: PlanSpec,
    outcome: PlanOutcome,
    journal: Journal,
}

/// The plan as it is, and under other figures.
struct Answer {
    planned: Planned,
    changed: Option<Planned>,
}

impl Answer {
    /// Removes the journals: nobody goes on with a plan that is over.
    fn forget(self) {
        for planned in std::iter::once(self.planned).chain(self.changed) {
            // A journal that stays is found to be of a plan that ended, at worst, and answers it once more.
            let _ = planned.journal.remove();
        }
    }
}

/// When the plan began.
struct Began {
    started_at: String,
    began: Instant,
}

fn report(
    args: &PlanArgs,
    question: &Question,
    answer: &Answer,
    emulation: String,
    began: Began,
    sync_probe: &LatencyHistogram,
) -> Report {
    let (source, Planned { spec, outcome, .. }) = (&question.source, &answer.planned);
    let machine_spec = principal_spec(outcome, spec);
    let host_warnings = warnings(&question.host);
    let context = Context {
        started_at: began.started_at,
        elapsed_seconds: began.began.elapsed().as_secs_f64(),
        source,
        origin: args.source.source.clone(),
        host: &question.host,
        host_warnings: &host_warnings,
        sync_probe: Some(sync_probe),
        tuning: resolve::tuning(&machine_spec),
        machine_spec: &machine_spec,
        data_directory: &args.place.data_dir,
        command: resolve::command_line(),
        workers: workers(outcome),
    };
    let forecast = forecast(source, outcome, &question.deployment);
    let facts = PlanFacts { emulation, unsynced: UnsyncedAge::of_this_kernel(), forecast };
    let Some(what_if) = &question.what_if else { return plan_report(&context, spec, &facts, outcome, None) };
    let other = question.changed.as_ref().zip(answer.changed.as_ref());
    let other = other.map(|((source, _), planned)| {
        let facts = facts_under(args, question, source, planned, &facts);
        (Context { source, ..context.clone() }, facts, planned)
    });
    let measured = other.as_ref().map(|(context, facts, planned)| (context, &planned.spec, facts, &planned.outcome));
    plan_report(&context, spec, &facts, outcome, Some(&WhatIfPlan { what_if, measured }))
}

/// The facts of the same deployment under other figures.
fn facts_under(
    args: &PlanArgs,
    question: &Question,
    source: &Source,
    planned: &Planned,
    facts: &PlanFacts,
) -> PlanFacts {
    let actors = args.actors.unwrap_or_else(|| source.actors());
    let deployment = Deployment { target_per_second: planned.spec.target_per_second, actors, ..question.deployment };
    PlanFacts { forecast: forecast(source, &planned.outcome, &deployment), ..facts.clone() }
}

/// One plan and what it needs of this program.
struct Planning<'a> {
    args: &'a PlanArgs,
    host: &'a HostProfile,
    confinement: &'a Confinement,
    scratch: &'a Path,
    disk_bytes_per_second: Option<f64>,
    progress: &'a MeasurementProgress,
    control: &'a Control,
    output: Output,
}

impl Planning<'_> {
    /// The plan, and the one under other figures unless somebody stopped the first.
    fn answer(&self, question: &Question) -> Result<Answer, CliError> {
        let planned = self.plan(&question.source, question.spec.clone())?;
        let changed = match question.changed.as_ref().filter(|_| !self.control.is_stopped()) {
            Some((source, spec)) => {
                self.progress.note("and now under other figures");
                Some(self.plan(source, spec.clone())?)
            }
            None => None,
        };
        Ok(Answer { planned, changed })
    }

    fn plan(&self, source: &Source, spec: PlanSpec) -> Result<Planned, CliError> {
        let told = SourceSnapshot::new(self.args.source.spec(), source)?;
        let journal = self.journal(&told, &spec)?;
        let spec = PlanSpec { disk_bytes_per_second: self.disk_bytes_per_second, ..spec };
        let job = JobContext { observer: self.progress, control: self.control };
        let cores = self.host.usable_cores as usize;
        let processes = ProcessTestbed::new(told, self.scratch, self.confinement, cores, job);
        let remembering = Remembering::new(&processes, journal, self.control);
        let outcome = plan_machines(&remembering, source, &spec, job)?;
        Ok(Planned { spec, outcome, journal: remembering.into_journal() })
    }

    /// What an interrupted plan with the same inputs has left, or a new journal.
    fn journal(&self, source: &SourceSnapshot, spec: &PlanSpec) -> Result<Journal, CliError> {
        let inputs = self.inputs(source, spec)?;
        let path = journal_path(&self.args.place.reports_dir, &inputs);
        let failed = |source| CliError::from(ReportError::Write { path: path.clone(), source });
        let age = std::fs::metadata(&path).and_then(|file| file.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| self.args.fresh || age > JOURNAL_AGE) {
            std::fs::remove_file(&path).map_err(failed)?;
        }
        let journal = Journal::open(&path, &inputs).map_err(failed)?;
        if journal.loads() > 0 {
            self.output.progress(&format!(
                "going on with the {} that an interrupted plan measured (--fresh measures anew)",
                units::counted(journal.loads() as u64, "load")
            ));
        }
        Ok(journal)
    }

    /// All that an answer depends on.
    fn inputs(&self, source: &SourceSnapshot, spec: &PlanSpec) -> Result<String, CliError> {
        let data = &self.args.place.data_dir;
        let place = std::fs::canonicalize(data).unwrap_or_else(|_| data.clone());
        let told = serde_json::to_string(source).map_err(std::io::Error::from)?;
        let (version, emulation) = (env!("CARGO_PKG_VERSION"), self.args.emulation);
        let (cpu, kernel, place) = (&self.host.cpu_model, &self.host.kernel, place.display());
        Ok(format!("{version} {told} {spec:?} {emulation:?} {cpu} {kernel} {place}"))
    }
}

/// What is measured under other figures; `None` if they change nothing that is measured.
fn changed(what_if: &WhatIf, source: &Source, spec: &PlanSpec) -> Result<Option<(Source, PlanSpec)>, CliError> {
    if !what_if.changes_the_work() {
        return Ok(None);
    }
    let Source::Workload(workload) = source else {
        return Err(CliError::Usage(format!(
            "--what-if {what_if}: a trace is what it is; `ave-workbench trace fit` makes a workload of it, whose figures \
             can be changed. Of a trace only `target` can be"
        )));
    };
    let source = Source::Workload(Arc::new(what_if.workload(workload)?));
    let effort = Effort { breadth: Breadth::Smallest, ..spec.effort };
    let target_per_second = what_if.target(spec.target_per_second);
    Ok(Some((source, PlanSpec { target_per_second, effort, ..spec.clone() })))
}

const GOES_ON: &str = "interrupted: the same command goes on where this one stopped";

/// All that can be known to be wrong before time is spent.
fn plan_spec(args: &PlanArgs, source: &Source, host: &HostProfile) -> PlanSpec {
    PlanSpec {
        target_per_second: args.target,
        objective: args.slo,
        headroom_percent: args.headroom,
        workers: args.place.workers,
        machines: if args.machines.is_empty() { Machine::profiles() } else { args.machines.clone() },
        host: Machine::host(host.usable_cores, host.usable_ram_bytes),
        durabilities: resolve::durabilities(args.place.durability),
        effort: match (args.quick, args.thorough) {
            (true, _) => Effort::quick(),
            (_, true) => Effort::thorough(),
            _ => Effort::standard(),
        },
        restart: restart_spec(args, source),
        disk_bytes_per_second: None,
    }
}

/// More thorough plans build a larger population.
fn restart_spec(args: &PlanArgs, source: &Source) -> RestartSpec {
    let (most_bytes, repeats) = match (args.quick, args.thorough) {
        (true, _) => (RESTART_BYTES / 8, 1),
        (_, true) => (RESTART_BYTES * 4, 3),
        _ => (RESTART_BYTES, 2),
    };
    RestartSpec { actors: args.actors.unwrap_or_else(|| source.actors()), most_bytes, repeats }
}

/// What somebody said of the deployment, checked.
fn deployment(args: &PlanArgs, source: &Source, host: &HostProfile) -> Deployment {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at sizes no disk has")]
    let bytes = |value: f64, unit: f64| (value * unit) as u64;
    Deployment {
        target_per_second: args.target,
        actors: args.actors.unwrap_or_else(|| source.actors()),
        retention_days: args.retention,
        disk_bytes: args.disk.map_or(host.disk.free_bytes, |disk| bytes(disk, 1e9)),
        rated_bytes: args.tbw.map(|tbw| bytes(tbw, 1e12)),
    }
}

fn check_disk(source: &Source, host: &HostProfile) -> Result<(), CliError> {
    let preload = source.preload_bytes() as f64;
    let free = host.disk.free_bytes as f64;
    if DISK_PER_PRELOAD * preload <= free {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "`{}` writes {} before anything is measured, which needs about {} of disk; {} are free. Give --data-dir on a \
         larger disk, or a smaller preload",
        source.name(),
        units::bytes(preload),
        units::bytes(DISK_PER_PRELOAD * preload),
        units::bytes(free)
    )))
}

fn confinement(argument: EmulationArg) -> Result<Confinement, CliError> {
    match argument {
        EmulationArg::Cores => Ok(Confinement::affinity_only("it was asked not to be")),
        EmulationArg::Auto => Ok(Confinement::detect()),
        EmulationArg::ControlGroups => {
            let found = Confinement::detect();
            if found.limits_memory() {
                return Ok(found);
            }
            Err(CliError::Usage(format!(
                "control groups are not permitted here ({}): run it as root or in a delegated group, or let --emulation \
                 auto limit cores only",
                found.why_not()
            )))
        }
    }
}

/// How machines are emulated, in words.
fn emulation(confinement: &Confinement) -> String {
    if confinement.limits_memory() {
        return format!("machines are emulated with {}: cores and memory, page cache included", confinement.way());
    }
    format!("machines are emulated with their cores only; memory is NOT limited: {}", confinement.why_not())
}

fn journal_path(reports: &Path, inputs: &str) -> PathBuf {
    use std::hash::Hasher;
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(inputs.as_bytes());
    reports.join(format!(".plan-{:016x}.journal", hasher.finish()))
}

/// The machine that the figures are of.
fn principal_spec(outcome: &PlanOutcome, spec: &PlanSpec) -> MachineSpec {
    let findings = outcome.modes.iter().find_map(|mode| mode.principal());
    findings.map_or_else(|| spec.host.spec(), |findings| findings.machine.spec())
}

fn workers(outcome: &PlanOutcome) -> u64 {
    outcome.modes.iter().find_map(|mode| mode.principal()).map_or(0, |findings| findings.workers)
}

fn files(report: &Report, outcome: &PlanOutcome) -> Vec<crate::report::Attachment> {
    let rounds = outcome.modes.iter().filter_map(|mode| Some((mode.durability, mode.principal()?.rounds())));
    attachments(report, &rounds.collect::<Vec<_>>())
}
