//! From what a plan surveyed to what will be at the target: the models of `sizing`, fed with this backend's tuning.

use ave_actors_store::config::resolve_spec;

use crate::load::{Drive, Source};
use crate::plan::engine::{ModePlan, PlanOutcome};
use crate::plan::forecast::{
    CompactionHeadroom, DiskFull, DiskSpec, GrowthCurve, GrowthForecast, MOST_WALKED, MemoryForecast, MemoryMeasured,
    RestartForecast, TreeRules, WriteWear, restart_forecast,
};
use crate::plan::search::Findings;
use crate::process::Survey;
use crate::report::{ForecastInfo, MemoryInfo, MemoryPartInfo, RestartInfo, SizeInfo, WritesInfo};
use ave_actors_rocksdb::backend::Tuning;

/// What somebody said of the deployment.
#[derive(Debug, Clone, Copy)]
pub struct Deployment {
    pub target_per_second: f64,
    /// Actors it will have.
    pub actors: u64,
    pub retention_days: Option<f64>,
    pub disk_bytes: u64,
    /// What the disk's maker vouches for, bytes.
    pub rated_bytes: Option<u64>,
}

/// What will be; `None` if nothing was surveyed.
pub fn forecast(source: &Source, outcome: &PlanOutcome, deployment: &Deployment) -> Option<ForecastInfo> {
    let mode = outcome.modes.iter().find(|mode| mode.survey.is_some())?;
    let (findings, survey) = (mode.principal()?, mode.survey.as_ref()?);
    let open_files = ave_actors_rocksdb::machine::process_share().open_files;
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
    let writes = writes(outcome, deployment);
    let most = writes.iter().max_by(|one, other| one.per_day_bytes.total_cmp(&other.per_day_bytes)).copied();
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
        written_per_day_bytes: most.map_or(0.0, |most| most.per_day_bytes),
        write_amplification_ratio: most.map(|most| most.write_amplification_ratio),
        disk_worn_years: most.and_then(|most| most.disk_worn_years),
        writes,
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

/// What each mode sends to the disk, preload and compactions included, by what it sent per command.
fn writes(outcome: &PlanOutcome, deployment: &Deployment) -> Vec<WritesInfo> {
    let of_mode = |mode: &ModePlan| {
        let findings = mode.principal()?;
        let amplification = findings.finished.as_ref()?.size.write_amplification()?;
        let drives = findings.held.iter().flat_map(|held| &held.drives).chain(&findings.saturation);
        let (payload, commands) = drives.fold((0, 0), |(payload, commands), drive| {
            (payload + drive.measurement.payload_bytes, commands + drive.measurement.command_count())
        });
        let per_command = amplification * payload as f64 / commands.max(1) as f64;
        let wear = WriteWear::new(per_command, deployment.target_per_second, deployment.rated_bytes);
        Some(WritesInfo {
            durability: mode.durability.into(),
            per_day_bytes: wear.bytes_per_day,
            write_amplification_ratio: amplification,
            disk_worn_years: wear.years,
        })
    };
    outcome.modes.iter().filter_map(of_mode).collect()
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
    let part = |part: crate::plan::forecast::MemoryPart| MemoryPartInfo {
        name: part.name.to_owned(),
        bytes: part.bytes,
        basis: part.basis,
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
        basis: known,
        cold: is_cold,
    })
}
