//! From what a plan surveyed to what will be at the target: the models of `sizing`, fed with this backend's tuning.

use ave_actors_store::config::resolve_spec;

use crate::backend::Tuning;
use crate::workbench::report::{Basis, ForecastInfo, MemoryInfo, MemoryPartInfo, RestartInfo, SizeInfo};
use crate::workbench::runner::{Drive, Source};
use crate::workbench::sizing::{
    Basis as Known, CompactionHeadroom, DiskFull, DiskSpec, Findings, GrowthCurve, GrowthForecast, MOST_WALKED,
    MemoryForecast, MemoryMeasured, PlanOutcome, RestartForecast, Survey, TreeRules, WriteWear, restart_forecast,
};

/// What somebody said of the deployment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deployment {
    pub(super) target_per_second: f64,
    /// Actors it will have.
    pub(super) actors: u64,
    pub(super) retention_days: Option<f64>,
    pub(super) disk_bytes: u64,
    /// What the disk's maker vouches for, bytes.
    pub(super) rated_bytes: Option<u64>,
}

/// What will be; `None` if nothing was surveyed.
pub(super) fn forecast(source: &Source, outcome: &PlanOutcome, deployment: &Deployment) -> Option<ForecastInfo> {
    let mode = outcome.modes.iter().find(|mode| mode.survey.is_some())?;
    let (findings, survey) = (mode.principal()?, mode.survey.as_ref()?);
    let open_files = crate::machine::process_share().open_files;
    let tuning = Tuning::new(&resolve_spec(Some(findings.machine.spec())), open_files);
    let curve = GrowthCurve::walk(source, findings.workers, TreeRules::from(&tuning), &survey.inventory, MOST_WALKED)?;
    let rest_bytes = survey.inventory.directory_bytes;
    let peak_bytes = findings.held.iter().map(|held| held.footprint.database_bytes).max().unwrap_or(rest_bytes);
    let headroom = CompactionHeadroom::new(&tuning, rest_bytes, peak_bytes, rest_bytes);
    let headroom_bytes = headroom.bytes;
    let disk = DiskSpec {
        commands_per_second: deployment.target_per_second,
        retention_days: deployment.retention_days,
        disk_bytes: Some(deployment.disk_bytes),
        from: jiff::Zoned::now().date(),
    };
    let growth = GrowthForecast::new(&curve, source.preload_commands(), &disk, headroom);
    let wear = wear(findings, deployment);
    let [expected, earliest, latest] = days(growth.disk_full);
    Some(ForecastInfo {
        commands_per_second: deployment.target_per_second,
        growth_per_day_bytes: growth.bytes_per_day.into(),
        event_growth_per_day_bytes: growth.event_bytes_per_day,
        state_growth_per_day_bytes: growth.state_bytes_per_day,
        retention_days: deployment.retention_days,
        steady_bytes: growth.steady_bytes.map(Into::into),
        sizes: growth.sizes.iter().map(|size| SizeInfo { at_days: size.days, bytes: size.bytes.into() }).collect(),
        compaction_headroom_bytes: headroom_bytes,
        disk_bytes: deployment.disk_bytes,
        disk_full_on: expected,
        disk_full_earliest: earliest,
        disk_full_latest: latest,
        written_per_day_bytes: wear.bytes_per_day,
        write_amplification_ratio: findings.finished.as_ref().and_then(|done| done.size.write_amplification()),
        disk_worn_years: wear.years,
        memory: memory(source, findings, &tuning, deployment.actors),
        restart: restart(survey, deployment.actors),
    })
}

fn days(full: Option<DiskFull>) -> [Option<String>; 3] {
    match full {
        Some(DiskFull::Between { expected, earliest, latest }) => {
            [expected, Some(earliest), latest].map(|day| day.map(|day| day.to_string()))
        }
        Some(DiskFull::Never) | None => [None, None, None],
    }
}

/// What was sent to the disk per command, preload and compactions included.
fn wear(findings: &Findings, deployment: &Deployment) -> WriteWear {
    let written = findings.finished.as_ref().and_then(|done| {
        let amplification = done.size.write_amplification()?;
        let drives = findings.held.iter().flat_map(|held| &held.drives).chain(&findings.saturation);
        let (payload, commands) = drives.fold((0, 0), |(payload, commands), drive| {
            (payload + drive.measurement.payload_bytes, commands + drive.measurement.command_count())
        });
        Some(amplification * payload as f64 / commands.max(1) as f64)
    });
    WriteWear::new(written.unwrap_or(0.0), deployment.target_per_second, deployment.rated_bytes)
}

fn memory(source: &Source, findings: &Findings, tuning: &Tuning, actors: u64) -> Option<MemoryInfo> {
    let drive = findings.held.last().and_then(|held| held.drives.last()).or(findings.saturation.as_ref())?;
    let types = source.type_count();
    let measured = MemoryMeasured {
        rss_peak_bytes: findings.rss_peak_bytes,
        engine_bytes: figure(drive, "block_cache_bytes"),
        table_reader_bytes: figure(drive, "table_reader_bytes"),
        actors: source.actors(),
        types,
        name_bytes: source.mean_name_bytes(),
    };
    let forecast = MemoryForecast::new(&measured, tuning.memory_budget_bytes, actors, types);
    let part = |part: crate::workbench::sizing::MemoryPart| MemoryPartInfo {
        name: part.name.to_owned(),
        bytes: part.bytes,
        basis: basis(part.basis),
    };
    Some(MemoryInfo {
        actors_count: forecast.actors,
        actor_types_count: forecast.types,
        bytes: forecast.bytes,
        parts: forecast.parts.into_iter().map(part).collect(),
    })
}

fn figure(drive: &Drive, name: &str) -> u64 {
    drive.statistics.iter().find(|figure| figure.name == name).map_or(0, |figure| figure.after)
}

fn restart(survey: &Survey, actors: u64) -> Option<RestartInfo> {
    let RestartForecast { actors, seconds, open_seconds, recover_seconds, basis: known, is_cold } =
        restart_forecast(&survey.restarts, actors)?;
    Some(RestartInfo {
        actors_count: actors,
        seconds: seconds.into(),
        open_seconds,
        recover_seconds,
        basis: basis(known),
        cold: is_cold,
    })
}

const fn basis(known: Known) -> Basis {
    match known {
        Known::Measured => Basis::Measured,
        Known::Modelled => Basis::Modelled,
    }
}
