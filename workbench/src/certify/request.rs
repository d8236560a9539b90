//! A certification from the request to the certificate and its report.

use std::path::Path;

use ave_actors_store::config::MachineSpec;
use jiff::Timestamp;

use super::certificate::Certificate;
use super::certification::{Certification, CertifyJob, CertifyObserver};
use super::error::CertifyError;
use super::inputs::CertifyInputs;
use super::journal::{CertifyJournal, JournalHead, unfinished};
use super::outcome::{CertifiedMode, CertifyOutcome};
use super::report::{certificate, certify_report};
use super::spec::CertifySpec;
use crate::host::{HostProfile, HostWarning, Machine};
use crate::load::{ModeOutcome, RocksDbTarget, Source, SystemClock, directory_bytes, harness_ns_per_operation};
use crate::process::InProcess;
use crate::report::{Attachment, Context, Report, ReportDirectory, TuningInfo, attachments};
use crate::units;

/// A certification as requested.
pub(crate) struct CertifyRequest<'a> {
    pub(crate) source: &'a Source,
    /// Path or name of the source.
    pub(crate) origin: &'a str,
    pub(crate) spec: CertifySpec,
    pub(crate) host: HostProfile,
    pub(crate) host_warnings: Vec<HostWarning>,
    pub(crate) machine_spec: MachineSpec,
    pub(crate) tuning: Vec<TuningInfo>,
    pub(crate) data_directory: &'a Path,
    pub(crate) reports_directory: &'a Path,
    /// The command line that resumes it.
    pub(crate) command: String,
    /// Start over instead of resuming.
    pub(crate) fresh: bool,
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
///
/// # Errors
///
/// [`CertifyError`] if the request does not fit, before anything is written; or if a load, a database or a file fails: then
/// it can be resumed.
pub(crate) fn run(request: &CertifyRequest<'_>, job: CertifyJob<'_>) -> Result<Certified, CertifyError> {
    let head = request.head()?;
    ReportDirectory::check_writable(request.reports_directory)?;
    let mut journal = CertifyJournal::open(request.reports_directory, head, request.fresh)?;
    if request.fresh {
        journal.remove_databases()?;
    }
    note_unfinished(request.reports_directory, job.observer);
    let outcome = request.measure(&mut journal, job).inspect_err(|_| {
        let path = journal.path().display();
        job.observer.note(&format!("finished segments are in {path}; the same command resumes the certification"));
    })?;
    let ended = Timestamp::now();
    let context = request.context(&journal, ended);
    let certificate = certificate(&context, &request.spec, &journal.head().inputs, &outcome, rfc3339(ended));
    let report =
        if outcome.interrupted { None } else { Some(request.report(&journal, &outcome, &context, &certificate)?) };
    Ok(Certified { certificate, report, journal })
}

impl CertifyRequest<'_> {
    fn head(&self) -> Result<JournalHead, CertifyError> {
        let failed = |source| CertifyError::DataDirectory { path: self.data_directory.to_owned(), source };
        let command = self.spec.objective.check(self.source)?;
        let head = JournalHead {
            inputs: CertifyInputs::new(self.source, Path::new(self.origin), &self.spec, command, &self.machine_spec)?,
            data_directory: self.data_directory.canonicalize().map_err(failed)?,
            machine: machine(&self.host),
            command: self.command.clone(),
            began_at: Timestamp::now(),
        };
        // The databases of an interrupted certification are part of what is needed.
        let free_bytes = self.host.disk.free_bytes + directory_bytes(&head.databases());
        self.spec.check(self.source, (self.host.disk.total_bytes > 0).then_some(free_bytes))?;
        Ok(head)
    }

    fn measure(&self, journal: &mut CertifyJournal, job: CertifyJob<'_>) -> Result<CertifyOutcome, CertifyError> {
        let databases = journal.head().databases();
        let (target, clock) = (RocksDbTarget::new(self.machine_spec.clone()), SystemClock::new());
        let testbed = InProcess::new(&target, self.source, &databases, &clock, job.of_loads()).keeping_databases();
        let certification = Certification {
            spec: &self.spec,
            command: self.spec.objective.command_of(self.source),
            arrivals: self.source.arrivals(),
            machine: Machine::host(self.host.usable_cores, self.host.usable_ram_bytes),
            cores: self.host.logical_cores,
            job,
        };
        certification.run(&testbed, journal)
    }

    fn context(&self, journal: &CertifyJournal, ended: Timestamp) -> Context<'_> {
        let began = journal.head().began_at;
        Context {
            started_at: rfc3339(began),
            elapsed_seconds: ended.duration_since(began).as_secs_f64(),
            source: self.source,
            origin: self.origin.to_owned(),
            host: &self.host,
            host_warnings: &self.host_warnings,
            sync_probe: None,
            tuning: self.tuning.clone(),
            machine_spec: &self.machine_spec,
            data_directory: self.data_directory,
            command: self.command.clone(),
            workers: self.spec.workers,
        }
    }

    fn report(
        &self,
        journal: &CertifyJournal,
        outcome: &CertifyOutcome,
        context: &Context<'_>,
        certificate: &Certificate,
    ) -> Result<(Report, Vec<Attachment>), CertifyError> {
        let measured = outcome.modes.iter().map(|mode| measured(journal, mode));
        let modes: Vec<ModeOutcome> = measured.collect::<Result<_, CertifyError>>()?;
        let harness = harness_ns_per_operation(self.source)?;
        let report = certify_report(context, &self.spec, certificate, &modes, self.source.arrivals(), harness);
        let rounds: Vec<_> = modes.iter().map(ModeOutcome::named_rounds).collect();
        // Numbers and strings can be serialised.
        let json = serde_json::to_vec_pretty(certificate).unwrap_or_default();
        let mut files = vec![("certificate.json".to_owned(), json)];
        files.extend(attachments(&report, &rounds));
        Ok((report, files))
    }
}

/// All measurements of a mode.
fn measured(journal: &CertifyJournal, mode: &CertifiedMode) -> Result<ModeOutcome, CertifyError> {
    let (durability, verified, size) = (mode.durability, mode.verified.clone(), mode.size);
    let rounds =
        journal.segments(durability)?.map(|segment| Ok(segment?.drive)).collect::<Result<_, CertifyError>>()?;
    Ok(ModeOutcome { durability, rounds, verified, crashed: None, size })
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

/// Names interrupted certifications, which use space until they are resumed or deleted.
fn note_unfinished(reports_directory: &Path, observer: &dyn CertifyObserver) {
    for other in unfinished(reports_directory) {
        observer.note(&format!(
            "note: an unfinished certification uses {} in {} and {}; resume it with `{}` or delete both",
            units::bytes(other.bytes as f64),
            other.journal.display(),
            other.databases.display(),
            other.command
        ));
    }
}
