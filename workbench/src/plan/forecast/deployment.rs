//! From what a plan surveyed to a forecast for the deployment: the models, fed with this backend's tuning.

use ave_actors_rocksdb::backend::Tuning;
use ave_actors_store::config::resolve_spec;

use super::disk::{Deployment, compaction_headroom, of_curve};
use super::growth::{GrowthCurve, MOST_WALKED};
use super::memory::{MemoryMeasured, memory_forecast};
use super::restart::restart_forecast;
use super::wear::Wear;
use crate::load::Source;
use crate::plan::outcome::{MachineFindings, ModeFindings, PlanOutcome};
use crate::report::{ForecastInfo, MemoryInfo, WritesInfo};

/// The forecast; `None` if nothing was surveyed.
pub(crate) fn forecast(source: &Source, outcome: &PlanOutcome, deployment: &Deployment) -> Option<ForecastInfo> {
    let mode = outcome.modes.iter().find(|mode| mode.survey.is_some())?;
    let (findings, survey) = (mode.principal()?, mode.survey.as_ref()?);
    let open_files = ave_actors_rocksdb::machine::process_share().open_files;
    let tuning = Tuning::new(&resolve_spec(Some(findings.machine.spec())), open_files);
    let curve = GrowthCurve::walk(source, findings.workers, tuning.clone(), &survey.inventory, MOST_WALKED)?;
    let measured = mode.grown_survey.as_ref().unwrap_or(survey);
    let rest_bytes = measured.inventory.directory_bytes;
    let databases = findings.sustained.iter().map(|sustained| sustained.footprint.database_bytes);
    let headroom_bytes = compaction_headroom(&tuning, databases.max().unwrap_or(rest_bytes), rest_bytes);
    Some(ForecastInfo {
        writes: outcome.modes.iter().filter_map(|mode| writes(source, mode, deployment, &tuning, &curve)).collect(),
        memory: memory(source, findings, &tuning, deployment.actors),
        restart: restart_forecast(&measured.restarts, deployment.actors),
        ..of_curve(&curve, deployment, headroom_bytes, jiff::Zoned::now().date())
    })
}

/// What a mode sends to the disk, compactions included, in proportion to the bytes that its commands write.
fn writes(
    source: &Source,
    mode: &ModeFindings,
    deployment: &Deployment,
    tuning: &Tuning,
    curve: &GrowthCurve,
) -> Option<WritesInfo> {
    let findings = mode.principal()?;
    let size = findings.finished.as_ref()?.size;
    let drives = findings.sustained.iter().flat_map(|sustained| &sustained.drives).chain(&findings.saturation);
    let (payload, commands) = drives.fold((0, 0), |(payload, commands), drive| {
        (payload + drive.measurement.payload_bytes, commands + drive.measurement.command_count())
    });
    let wear = Wear {
        source,
        deployment,
        curve,
        payload_per_command: payload as f64 / commands.max(1) as f64,
        amplification: size.write_amplification()?,
        one_level_bytes: size.database_bytes.max(tuning.level_base_bytes.saturating_mul(source.type_count())),
    };
    Some(wear.writes(mode.durability))
}

fn memory(source: &Source, findings: &MachineFindings, tuning: &Tuning, actors: u64) -> Option<MemoryInfo> {
    let last = findings.sustained.last().and_then(|sustained| sustained.drives.last());
    let drive = last.or(findings.saturation.as_ref())?;
    let engine = drive.engine().unwrap_or_default();
    let types = source.type_count();
    let measured = MemoryMeasured {
        rss_peak_bytes: findings.rss_peak_bytes,
        engine_bytes: engine.block_cache_bytes,
        table_reader_bytes: engine.table_reader_bytes,
        actors: source.actors(),
        types,
        name_bytes: source.mean_name_bytes(),
    };
    Some(memory_forecast(&measured, tuning.memory_budget_bytes, actors, types))
}
