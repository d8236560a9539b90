//! A certification from the request to the certificate and its report.

use std::path::Path;
use std::time::Duration;

use ave_actors_store::config::MachineSpec;
use jiff::Timestamp;

use super::certificate::Certificate;
use super::certification::Certification;
use super::error::CertifyError;
use super::inputs::CertifyInputs;
use super::journal::{CertifyJournal, JournalHead, describe_unfinished};
use super::outcome::{CertifiedMode, CertifyOutcome};
use super::report::{certificate, certify_report};
use super::spec::CertifySpec;
use super::state::FinalCheck;
use crate::host::{HostProfile, HostWarning, Machine};
use crate::load::{
    HarnessCost, JobContext, ModeOutcome, RocksDbTarget, Source, SystemClock, directory_bytes, require_idle_host,
};
use crate::process::InProcess;
use crate::report::{Attachment, COMMIT, Context, Report, ReportDirectory, TuningInfo, attachments};
use crate::units;
use crate::workload::path_text;

pub(crate) struct CertifyRequest<'a> {
    pub(crate) source: &'a Source,
    /// Path or name of the source.
    pub(crate) origin: &'a Path,
    pub(crate) spec: CertifySpec,
    pub(crate) host: HostProfile,
    pub(crate) host_warnings: Vec<HostWarning>,
    pub(crate) machine_spec: MachineSpec,
    pub(crate) tuning: Vec<TuningInfo>,
    pub(crate) data_directory: &'a Path,
    pub(crate) reports_directory: &'a Path,
    /// The command line that resumes it.
    pub(crate) command: String,
    pub(crate) fresh: bool,
    /// Whether to measure on a busy host.
    pub(crate) anyway: bool,
}

/// The result, finished or interrupted.
pub(crate) struct Certified {
    pub(crate) certificate: Certificate,
    /// `None` if it was interrupted.
    pub(crate) report: Option<(Report, Vec<Attachment>)>,
    /// To resume it, or to be removed once the report is written.
    pub(crate) journal: CertifyJournal,
}

/// Certifies as requested, or resumes that.
pub(crate) fn run(
    request: &CertifyRequest<'_>,
    job: JobContext<'_>,
    on_progress: &dyn Fn(&CertifiedMode, Duration),
) -> Result<Certified, CertifyError> {
    let head = request.head()?;
    ReportDirectory::check_writable(request.reports_directory)?;
    let mut journal = CertifyJournal::open(request.reports_directory, head, request.fresh)?;
    if request.fresh {
        journal.remove_databases()?;
    }
    if let Some(note) = journal.note() {
        job.observer.note(&note);
    }
    for other in describe_unfinished(request.reports_directory) {
        job.observer.note(&format!("note: {other}"));
    }
    if !request.anyway {
        require_idle_host(request.host.logical_cores, job.control)?;
    }
    // Before the loads, whose remains would count as well.
    let harness = job.measure_harness(request.source, request.most_writers())?;
    let outcome = request.measure(&mut journal, job, on_progress).inspect_err(|_| {
        let path = journal.path().display();
        job.observer.note(&format!("finished segments are in {path}; the same command resumes the certification"));
    })?;
    let ended = Timestamp::now();
    let context = request.context(&journal, ended);
    let certificate = certificate(&context, &request.spec, &journal.head().inputs, &outcome, rfc3339(ended));
    let report = if outcome.interrupted {
        None
    } else {
        Some(request.report(&journal, &outcome, &context, &certificate, harness)?)
    };
    Ok(Certified { certificate, report, journal })
}

impl CertifyRequest<'_> {
    fn most_writers(&self) -> u64 {
        self.spec.durabilities.iter().map(|&durability| self.spec.writers.of(durability)).max().unwrap_or(1)
    }

    fn head(&self) -> Result<JournalHead, CertifyError> {
        let failed = |source| CertifyError::DataDirectory(self.data_directory.to_owned(), source);
        let request = self.spec.objective.check(self.source)?;
        let head = JournalHead {
            inputs: CertifyInputs::new(self.source, self.origin, &self.spec, request, &self.machine_spec)?,
            data_directory: self.data_directory.canonicalize().map_err(failed)?,
            machine: machine(&self.host),
            commit: COMMIT.map(str::to_owned),
            command: self.command.clone(),
            began_at: Timestamp::now(),
        };
        // The databases of an interrupted certification are part of what is needed.
        let free_bytes = self.host.disk.free_bytes + directory_bytes(&head.databases());
        self.spec.check(self.source, (self.host.disk.total_bytes > 0).then_some(free_bytes))?;
        Ok(head)
    }

    fn measure(
        &self,
        journal: &mut CertifyJournal,
        job: JobContext<'_>,
        on_progress: &dyn Fn(&CertifiedMode, Duration),
    ) -> Result<CertifyOutcome, CertifyError> {
        let databases = journal.head().databases();
        let (target, clock) = (RocksDbTarget::new(self.machine_spec.clone()), SystemClock::new());
        let testbed = InProcess::new(&target, self.source, &databases, &clock, job).keeping_databases();
        let certification = Certification {
            spec: &self.spec,
            request: self.spec.objective.check(self.source)?,
            arrivals: self.source.arrivals(),
            machine: Machine::host(self.host.usable_cores, self.host.usable_ram_bytes),
            cores: self.host.logical_cores,
            job,
            on_progress,
        };
        certification.run(&testbed, journal)
    }

    fn context(&self, journal: &CertifyJournal, ended: Timestamp) -> Context<'_> {
        let began = journal.head().began_at;
        Context {
            started_at: rfc3339(began),
            elapsed_seconds: ended.duration_since(began).as_secs_f64(),
            source: self.source,
            origin: path_text(self.origin),
            host: &self.host,
            host_warnings: &self.host_warnings,
            disk: None,
            tuning: self.tuning.clone(),
            machine_spec: &self.machine_spec,
            data_directory: self.data_directory,
            command: self.command.clone(),
        }
    }

    fn report(
        &self,
        journal: &CertifyJournal,
        outcome: &CertifyOutcome,
        context: &Context<'_>,
        certificate: &Certificate,
        harness: HarnessCost,
    ) -> Result<(Report, Vec<Attachment>), CertifyError> {
        let measured = |mode: &CertifiedMode| -> Result<ModeOutcome, CertifyError> {
            let durability = mode.durability;
            let rounds = journal
                .segments(durability)?
                .map(|segment| segment.map(|segment| segment.drive))
                .collect::<Result<_, _>>()?;
            let FinalCheck { verified, size } = mode.state.finished.clone().unwrap_or_default();
            Ok(ModeOutcome { durability, rounds, verified, crashed: None, power_cut: None, size })
        };
        let modes: Vec<_> = outcome.modes.iter().map(measured).collect::<Result<_, _>>()?;
        let report = certify_report(context, &self.spec, certificate, &modes, self.source.arrivals(), harness);
        let rounds: Vec<_> = modes.iter().map(ModeOutcome::named_rounds).collect();
        // Numbers and strings can be serialised.
        let json = serde_json::to_vec_pretty(certificate).unwrap_or_default();
        let mut files = vec![("certificate.json".to_owned(), json)];
        files.extend(attachments(&report, &rounds));
        Ok((report, files))
    }
}

/// To the second, in UTC.
fn rfc3339(moment: Timestamp) -> String {
    moment.round(jiff::Unit::Second).unwrap_or(moment).to_string()
}

/// What slices of one certification have in common.
fn machine(host: &HostProfile) -> String {
    let ram = units::bytes(host.usable_ram_bytes as f64);
    let cores = units::counted(u64::from(host.logical_cores), "core");
    format!("{}, {} of {cores}, {ram} RAM", host.cpu_model, host.usable_cores)
}
