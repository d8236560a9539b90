//! A plan from its request to its report.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::host::{
    Confinement, DiskSample, DiskSwing, DiskWatch, HostProfile, MeasuredDisk, WritebackDelay, measure_disk, warnings,
};
use crate::load::{JobContext, Stage, Writers, require_idle_host};
use crate::plan::demand::catalogue_info;
use crate::plan::disk::{disk_warnings, plan_disk, read_profile};
use crate::plan::engine::search_machines;
use crate::plan::error::PlanError;
use crate::plan::forecast::{forecast, on_disk};
use crate::plan::journal::JournaledTestbed;
use crate::plan::machine_disk::reject_disks;
use crate::plan::outcome::{ModeFindings, ModelledGrowth, Outlook, PlanOutcome};
use crate::plan::outlook::OutlookInput;
use crate::plan::report::{ReportInput, plan_report};
use crate::plan::request::{PlanRequest, Scenario};
use crate::plan::rerank;
use crate::plan::resume::open_journal;
use crate::plan::spec::{Breadth, PlanSpec};
use crate::plan::stages;
use crate::plan::stored_data::StoredData;
use crate::plan::watched::WatchedTestbed;
use crate::process::rig::ProcessTestbed;
use crate::process::{ProcessError, Scratch};
use crate::report::{
    Attachment, CatalogueInfo, Context, Disk, ForecastInfo, HorizonInfo, Report, ReportDirectory, WhatIfInfo,
    attachments, host_info, tuning_info,
};
use crate::units;
use crate::workload::path_text;

/// Time of the disk's profile.
const fn profile_time(breadth: Breadth) -> Duration {
    match breadth {
        Breadth::Smallest => Duration::from_secs(2),
        Breadth::SmallestAndScaling => Duration::from_secs(10),
        Breadth::All => Duration::from_secs(30),
    }
}

pub(crate) struct FinishedPlan {
    pub(crate) report: Report,
    pub(crate) attachments: Vec<Attachment>,
    /// Journals of a plan that was not interrupted: to be removed once the report is written.
    pub(crate) obsolete_journals: Vec<PathBuf>,
}

/// Measures the machines that `request` asks for, and reports them. What was measured before an interruption is kept for
/// the next plan with the same inputs.
pub(crate) fn run(request: &PlanRequest, job: JobContext<'_>) -> Result<FinishedPlan, PlanError> {
    let began = Instant::now();
    let source = request.source.read(&request.data_dir, None)?;
    let scratch = Scratch::create(&request.data_dir, job.observer)?;
    let host = HostProfile::detect(&request.data_dir);
    let known_disk =
        request.disk_profile.as_deref().map(|path| read_profile(path, &host_info(&host, None))).transpose()?;
    let scenario = request.scenario(source, &host)?;
    let changed = request.changed(&scenario, &host)?;
    ReportDirectory::check_writable(&request.reports_dir)?;
    let emulation = emulation(&request.confinement);
    job.observer.note(&emulation);
    scenario.source.repetition().iter().for_each(|note| job.observer.note(note));
    scenario.notes.iter().for_each(|note| job.observer.note(note));
    if let Some(note) = Writers::surplus(request.writers, &scenario.source) {
        job.observer.note(&note);
    }
    if !request.anyway {
        require_idle_host(host.logical_cores, job.control).map_err(ProcessError::from)?;
    }
    let disk = profile(request, job)?;
    if let Some(Scenario { spec, source, .. }) = &changed {
        job.observer.expect_later(stages::expected_time(spec, source, job)?);
    }
    let measured = measure(request, scenario, scratch.path(), &host, &disk, job)?;
    let changed = match changed.filter(|_| !job.control.is_stopped()) {
        Some(scenario) => {
            job.observer.note("measuring again with the changed inputs");
            Some(measure(request, scenario, &scratch.path().join("changed"), &host, &disk, job)?)
        }
        None => None,
    };
    let principal = measured.outcome.modes.iter().find_map(ModeFindings::principal);
    let machine_spec = principal.map_or(&measured.scenario.spec.host, |findings| &findings.machine).spec();
    let host_warnings = warnings(&host);
    let context = Context {
        started_at: request.started_at.clone(),
        elapsed_seconds: began.elapsed().as_secs_f64(),
        source: &measured.scenario.source,
        origin: path_text(&request.source.origin),
        host: &host,
        host_warnings: &host_warnings,
        disk: Some(&disk),
        tuning: tuning_info(&machine_spec),
        machine_spec: &machine_spec,
        data_directory: &request.data_dir,
        command: request.command.clone(),
    };
    let unsynced = WritebackDelay::detect();
    let report_changed = changed.as_ref().map(|measured| measured.report_input(&emulation, &unsynced));
    let what_if = request.what_if.as_ref().zip(report_changed.as_ref());
    let mut report = plan_report(&context, &measured.report_input(&emulation, &unsynced), what_if);
    let plan_disk = plan_disk(&measured.disk_samples, known_disk.as_ref(), &disk.profile.swing, &measured.outcome);
    report.warnings.extend(disk_warnings(&plan_disk));
    let at_target = request.what_if.as_ref().filter(|what_if| !what_if.changes_the_work());
    let what_if = at_target.zip(report.plan.as_ref()).map(|(what_if, plan)| {
        let target_per_second = what_if.target(plan.target_per_second);
        WhatIfInfo::at_target(what_if.to_string(), plan, &rerank::at_target(&report, plan, target_per_second))
    });
    if let Some(plan) = &mut report.plan {
        plan.disk = Some(plan_disk);
        plan.what_if = plan.what_if.take().or(what_if);
    }
    let modes = measured.outcome.modes.iter();
    let rounds: Vec<_> = modes.filter_map(|mode| Some((mode.durability, mode.principal()?.rounds()))).collect();
    let attachments = attachments(&report, &rounds);
    let journals = std::iter::once(measured.journal).chain(changed.map(|measured| measured.journal));
    let obsolete_journals = if job.control.is_stopped() { Vec::new() } else { journals.collect() };
    Ok(FinishedPlan { report, attachments, obsolete_journals })
}

fn profile(request: &PlanRequest, job: JobContext<'_>) -> Result<MeasuredDisk, PlanError> {
    let time = profile_time(request.effort.breadth);
    job.observer.note(&format!("probing the disk for {}", units::seconds(time.as_secs_f64())));
    Ok(measure_disk(&request.data_dir, time, &|_| !job.control.is_stopped())?)
}

fn emulation(confinement: &Confinement) -> String {
    if confinement.limits_memory() {
        return format!(
            "machines are emulated with {}: CPU and memory limits, page cache included",
            confinement.method()
        );
    }
    format!("machines are emulated with CPU limits only; memory is NOT limited: {}", confinement.rejections())
}

struct Measured {
    scenario: Scenario,
    outcome: PlanOutcome,
    forecast: Option<ForecastInfo>,
    outlook: Option<Outlook>,
    journal: PathBuf,
    disk_samples: Vec<DiskSample>,
}

impl Measured {
    fn report_input<'m>(&'m self, emulation: &'m str, unsynced: &'m WritebackDelay) -> ReportInput<'m> {
        let Self { scenario: Scenario { source, spec, deployment, .. }, outcome, forecast, outlook, .. } = self;
        let disk = forecast.as_ref().map_or(deployment.disk, ForecastInfo::disk);
        let forecast = forecast.clone();
        let (outlook, growth) = (outlook.clone(), ModelledGrowth::of(source, deployment));
        ReportInput { source, spec, outcome, emulation, unsynced, disk, forecast, outlook, growth }
    }
}

fn measure(
    request: &PlanRequest,
    scenario: Scenario,
    scratch: &Path,
    host: &HostProfile,
    disk: &MeasuredDisk,
    job: JobContext<'_>,
) -> Result<Measured, PlanError> {
    let (journal, path) = open_journal(request, &scenario, host, job.observer)?;
    let disk_bytes_per_second = Some(disk.profile.write.p50_bytes_per_second);
    let spec = PlanSpec { disk_bytes_per_second, ..scenario.spec };
    let scenario = Scenario { spec, ..scenario };
    let cores = host.usable_cores as usize;
    let snapshot = scenario.snapshot.clone();
    let processes = ProcessTestbed::new(&scenario.source, snapshot, scratch, &request.confinement, cores, job);
    let watch = RefCell::new(DiskWatch::start(&request.data_dir)?);
    let watched = WatchedTestbed::new(&processes, &watch);
    let testbed = JournaledTestbed::new(&watched, journal, job.control);
    let mut outcome = search_machines(&testbed, &scenario.source, &scenario.spec, job)?;
    let disk_samples = watch.borrow().samples().to_vec();
    job.observer.stage(Stage::Forecast, "forecast");
    let Scenario { source, spec, deployment, .. } = &scenario;
    let mut forecast = forecast(source, &outcome, deployment);
    let catalogue = spec.catalogue.as_ref().map(catalogue_info);
    let swing = DiskSwing::of(&disk_samples);
    let sync_here_ns = swing.as_ref().unwrap_or(&disk.profile.swing).sync_p50_ns;
    let reject = |outcome: &mut PlanOutcome, forecast: Option<&ForecastInfo>, horizon: Option<&HorizonInfo>| {
        let (Some(catalogue), Some(forecast)) = (&catalogue, forecast) else { return };
        let stored = (StoredData::of(forecast), deployment.horizon_days);
        reject_disks(outcome, catalogue, stored, horizon, sync_here_ns);
    };
    reject(&mut outcome, forecast.as_ref(), None);
    let mut outlook = None;
    // A grown database may need a larger machine than the rates alone, and that has another disk.
    loop {
        let today = jiff::Zoned::now().date();
        let chosen = catalogue.as_ref().and_then(|catalogue| chosen_disk(catalogue, &outcome, deployment.disk));
        let chosen = chosen.filter(|disk| forecast.as_ref().is_some_and(|known| known.is_on_other_than(*disk)));
        if outlook.is_some() && chosen.is_none() {
            break;
        }
        if let Some(disk) = chosen {
            forecast = forecast.map(|known| on_disk(known, disk, deployment.horizon_days, today));
        }
        outlook = forecast.as_ref().and_then(|forecast| {
            OutlookInput { source, spec, outcome: &outcome, deployment, forecast, disk: &disk.profile, today }.outlook()
        });
        let Some(outlook) = &outlook else { break };
        outcome.end_at(&outlook.horizon);
        reject(&mut outcome, forecast.as_ref(), Some(&outlook.horizon));
    }
    Ok(Measured { scenario, outcome, forecast, outlook, journal: path, disk_samples })
}

/// The smallest disk that a catalogue gives a recommended machine, else that of machines without one; `None` if none is
/// recommended.
fn chosen_disk(catalogue: &CatalogueInfo, outcome: &PlanOutcome, without: Disk) -> Option<Disk> {
    let mut chosen = outcome.modes.iter().filter_map(ModeFindings::recommended).peekable();
    chosen.peek()?;
    Some(catalogue.least_disk(chosen.map(|verdict| verdict.machine.name.as_str())).unwrap_or(without))
}
