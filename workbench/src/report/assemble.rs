//! Builds a [`Report`] from measurements.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ave_actors_store::config::MachineSpec;

use super::price::DurabilityPrice;
use crate::actor::Durability;
use crate::host::{HostProfile, HostWarning, MeasuredDisk, matching_spec};
use crate::load::{
    ActorTypeLoad, CommandLatency, Drive, HarnessCost, Measurement, Sample, SessionSize, Source, Verified,
};
use crate::measure::{LatencyHistogram, PERCENTILES, Percentile, Slice, percentile_intervals};
use crate::report::assess::{Assessment, range};
use crate::report::{
    ActorTypeInfo, CurvePoint, HostInfo, LatencyInfo, LoadKind, ModeResult, NamedLatency, PercentileInfo, Report,
    ReportKind, Reproduce, ResourceUse, RoundFigures, RoundInfo, RoundLatency, SCHEMA_VERSION, SeriesPoint, Settings,
    ShardInfo, SourceInfo, SourceKind, TuningInfo, Verdict, Verification,
};
use crate::units;
use crate::workload::path_text;
use ave_actors_rocksdb::trace::{OpKind, Shard};

/// What matters below this package, and its version.
const COMPONENTS: [(&str, &str); 3] =
    [("ave-actors-store", "0.5.0"), ("rocksdb", "0.25.0"), ("librocksdb-sys", "0.19.0+11.8.1")];

/// Facts of a report that are not measured under load: source, host, settings.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// How long it took, seconds.
    pub elapsed_seconds: f64,
    /// The workload or trace.
    pub source: &'a Source,
    /// File or name it came from.
    pub origin: String,
    /// The host, as detected.
    pub host: &'a HostProfile,
    /// Warnings about the host.
    pub host_warnings: &'a [HostWarning],
    /// The disk, if it was probed.
    pub disk: Option<&'a MeasuredDisk>,
    /// Engine settings in force.
    pub tuning: Vec<TuningInfo>,
    /// The machine the engine was tuned for.
    pub machine_spec: &'a MachineSpec,
    /// Directory of the databases.
    pub data_directory: &'a Path,
    /// The command line that made it.
    pub command: String,
}

impl Context<'_> {
    /// Settings of this kind of load without warm-up, in one round that ends with the source.
    pub(crate) fn settings(&self, load_kind: LoadKind, load: String) -> Settings {
        Settings {
            load_kind,
            load,
            rounds_count: 1,
            warmup_seconds: 0.0,
            measure_seconds: None,
            start_at: None,
            seed: self.source.seed(),
            machine_spec: spec_json(self.machine_spec),
            data_directory: path_text(self.data_directory),
        }
    }

    pub(crate) fn reproduce(&self) -> Reproduce {
        let components = COMPONENTS.map(|(name, version)| (name.to_owned(), version.to_owned())).into();
        Reproduce::by_this_build(self.command.clone(), components)
    }
}

pub(crate) fn report(
    context: &Context<'_>,
    kind: ReportKind,
    verdict: Verdict,
    settings: Settings,
    modes: Vec<ModeResult>,
    assessment: Assessment,
) -> Report {
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        kind,
        name: context.source.name().to_owned(),
        started_at: context.started_at.clone(),
        elapsed_seconds: context.elapsed_seconds,
        verdict,
        source: source_info(context),
        settings,
        host: host_info(context.host, context.disk),
        tuning: context.tuning.clone(),
        modes,
        durability_price: None,
        plan: None,
        objective: None,
        ramp: None,
        certificate: None,
        warnings: assessment.warnings,
        reproduce: context.reproduce(),
    };
    report.durability_price = DurabilityPrice::of_modes(&report.modes, report.headline_command());
    report
}

#[cfg(feature = "rocksdb")]
pub(crate) fn tuning_info(spec: &MachineSpec) -> Vec<TuningInfo> {
    use ave_actors_rocksdb::backend::Tuning;

    let open_files = ave_actors_rocksdb::machine::process_share().open_files;
    let spec = ave_actors_store::config::resolve_spec(Some(spec.clone()));
    let info = |setting: ave_actors_rocksdb::backend::Setting| TuningInfo {
        name: setting.name.to_owned(),
        value: match setting.unit {
            "bytes" => units::bytes(setting.value as f64),
            unit => format!("{} {unit}", units::count(setting.value)),
        },
        reason: setting.reason,
    };
    Tuning::new(&spec, open_files).settings().into_iter().map(info).collect()
}

/// A machine specification in the form `ave-actors-store` deserialises.
pub(crate) fn spec_json(spec: &MachineSpec) -> serde_json::Value {
    // Strings and numbers: serialising them cannot fail.
    serde_json::to_value(spec).unwrap_or_default()
}

fn source_info(context: &Context<'_>) -> SourceInfo {
    let source = context.source;
    let (kind, description, persistence, facts) = match source {
        Source::Workload(workload) => (
            SourceKind::Workload,
            workload.description.trim().to_owned(),
            workload.persistence(),
            workload_facts(workload),
        ),
        Source::Trace { trace, .. } => {
            (SourceKind::Trace, String::new(), trace.provenance.persistence.clone(), trace_facts(trace))
        }
    };
    SourceInfo {
        kind,
        origin: context.origin.clone(),
        description,
        actors_count: source.actors(),
        actor_types_count: source.type_count(),
        persistence,
        facts,
        shard: shard_info(source),
    }
}

fn shard_info(source: &Source) -> Option<ShardInfo> {
    let Source::Trace { trace, .. } = source else { return None };
    let Shard { number, count, trace_sha256, trace_commands, trace_operations } = trace.provenance.shard.clone()?;
    Some(ShardInfo {
        number,
        count,
        commands_count: trace.command_count(),
        operations_count: trace.operation_count(),
        trace_sha256,
        trace_commands_count: trace_commands,
        trace_operations_count: trace_operations,
    })
}

fn workload_facts(workload: &crate::workload::Workload) -> BTreeMap<String, String> {
    let mix: Vec<_> = workload
        .kinds()
        .into_iter()
        .map(|kind| format!("{kind} {}", units::percent(100.0 * workload.share(kind))))
        .collect();
    let mut facts = BTreeMap::from([
        ("commands".to_owned(), mix.join(", ")),
        ("compressible share".to_owned(), units::percent(100.0 * workload.stored_compressibility())),
    ]);
    let several = workload.populations.len() > 1;
    for population in &workload.populations {
        let name = |what: &str| if several { format!("{} {what}", population.name) } else { what.to_owned() };
        facts.insert(name("events"), population.event_bytes.describe());
        facts.insert(name("state"), population.describe_states());
        let preloaded = units::counted(population.preload.events_per_actor, "event");
        facts.insert(name("preload"), format!("{preloaded} per actor"));
        if several {
            let actors = units::counted(u64::from(population.actors.count), "actor");
            let share = units::percent(100.0 * workload.share_of(population));
            facts.insert(name("actors"), format!("{actors}, {share} of the commands, {}", population.rules()));
        }
    }
    facts
}

fn trace_facts(trace: &crate::trace::Trace) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("commands".to_owned(), units::count(trace.command_count())),
        ("storage operations".to_owned(), units::count(trace.operation_count())),
        ("time span".to_owned(), units::seconds(trace.duration_ns() as f64 / 1e9)),
        ("made from".to_owned(), format!("{} ({})", trace.provenance.source, trace.provenance.made_by)),
        ("assumed".to_owned(), trace.provenance.assumptions.join("; ")),
    ])
}

pub(crate) fn host_info(host: &HostProfile, disk: Option<&MeasuredDisk>) -> HostInfo {
    HostInfo {
        cpu_model: host.cpu_model.clone(),
        architecture: Some(std::env::consts::ARCH.to_owned()),
        processor: disk.map(|disk| disk.processor),
        logical_cores_count: host.logical_cores,
        physical_cores_count: host.physical_cores,
        usable_cores_count: host.usable_cores,
        ram_bytes: host.ram_bytes,
        usable_ram_bytes: host.usable_ram_bytes,
        swap_bytes: host.swap_bytes,
        file_system: host.disk.file_system.clone(),
        device: host.disk.device.clone(),
        disk_free_bytes: host.disk.free_bytes,
        kernel: host.kernel.clone(),
        virtualisation: host.virtualisation.clone(),
        boot_id: host.boot_id.clone(),
        machine_profile: match matching_spec(host.usable_cores, host.usable_ram_bytes) {
            MachineSpec::Profile(profile) => profile.to_string(),
            MachineSpec::Custom { .. } => "custom".to_owned(),
        },
        sync_probe: disk.map(|disk| latency_info(&disk.syncs, &[], 0)),
        disk_profile: disk.map(|disk| disk.profile.clone()),
    }
}

pub(crate) struct MeasuredMode<'a> {
    pub(crate) durability: Durability,
    pub(crate) rounds: &'a [Drive],
    pub(crate) verified: Option<&'a Verified>,
    pub(crate) size: SessionSize,
    pub(crate) offered: Option<f64>,
    pub(crate) harness: HarnessCost,
    /// Threads that issued commands.
    pub(crate) writers: u64,
    pub(crate) source: &'a Source,
}

impl MeasuredMode<'_> {
    pub(crate) fn result(&self) -> ModeResult {
        let all = Measurement::over_rounds(self.rounds.iter().map(|round| &round.measurement));
        let rates: Vec<f64> = self.rounds.iter().map(|round| round.measurement.commands_per_second()).collect();
        let (low, high) = range(&rates);
        let operation = |kind: OpKind| {
            let latency = all.operations[kind.index()].as_ref()?;
            Some(NamedLatency { name: kind.name().to_owned(), response: None, service: latency_info(latency, &[], 0) })
        };
        ModeResult {
            durability: self.durability,
            writers_count: u32::try_from(self.writers).unwrap_or(u32::MAX),
            commands_count: all.command_count(),
            operations_count: all.operation_count(),
            offered_per_second: self.offered,
            achieved_per_second: all.commands_per_second(),
            achieved_range_per_second: [low, high],
            commands: self.commands(&all),
            operations: OpKind::ALL.into_iter().filter_map(operation).collect(),
            actor_types: actor_types(&all),
            resources: self.resources(&all),
            series: (1..)
                .zip(self.rounds)
                .flat_map(|(number, round)| series_of(number, round, self.harness.memory_bytes))
                .collect(),
            rounds: (1..).zip(self.rounds).map(|(number, round)| round_info(number, round)).collect(),
            verification: verification(self.verified),
            harness_ns_per_operation: self.harness.ns_per_operation,
            harness_memory_bytes: Some(self.harness.memory_bytes),
        }
    }

    /// Transactions first.
    fn commands(&self, all: &Measurement) -> Vec<NamedLatency> {
        let seed = self.source.seed();
        let named = |(name, latency): (&str, &CommandLatency)| NamedLatency {
            name: name.to_owned(),
            response: Some(latency_info(&latency.response, &latency.slices, seed)),
            service: latency_info(&latency.service, &[], seed),
        };
        all.by_name().map(named).collect()
    }

    fn resources(&self, all: &Measurement) -> ResourceUse {
        let usage = || self.rounds.iter().map(|round| round.usage);
        let wall: f64 = usage().map(|usage| usage.wall_seconds).sum();
        let engines: Option<Vec<_>> = self.rounds.iter().map(Drive::engine).collect();
        ResourceUse {
            cpu_cores_mean: usage().map(|usage| usage.cpu_seconds).sum::<f64>() / wall.max(f64::MIN_POSITIVE),
            rss_peak_bytes: usage()
                .map(|usage| usage.rss_peak_bytes)
                .max()
                .unwrap_or(0)
                .saturating_sub(self.harness.memory_bytes),
            written_bytes: usage().map(|usage| usage.written_bytes).sum(),
            payload_bytes: all.payload_bytes,
            write_amplification_ratio: self.size.write_amplification(),
            database_bytes: self.size.database_bytes,
            wal_syncs_count: engines.as_ref().map(|all| all.iter().map(|engine| engine.wal_syncs).sum()),
            stall_ms: engines.map(|all| all.iter().map(|engine| engine.stall_micros as f64 / 1e3).sum()),
            steal_percent: usage().filter_map(|usage| usage.steal_percent).reduce(f64::max),
            foreign_cores: usage().filter_map(|usage| usage.foreign_cores).reduce(f64::max),
            swapped_bytes: usage().map(|usage| usage.swapped_bytes).sum(),
            live_bytes: self.verified.map(|verified| verified.live_bytes),
            space_amplification_ratio: self.verified.and_then(|verified| self.size.space_amplification(verified)),
        }
    }
}

fn round_info(round: u32, drive: &Drive) -> RoundInfo {
    let command = |(name, latency): (&str, &CommandLatency)| RoundLatency {
        name: name.to_owned(),
        count: latency.service.count(),
        response: round_figures(&latency.response),
        service: round_figures(&latency.service),
    };
    RoundInfo {
        round,
        warmup_seconds: drive.warmup.as_secs_f64(),
        steady: drive.steady,
        commands_per_second: drive.measurement.commands_per_second(),
        settled: drive.settled,
        engine: drive.statistics.clone(),
        commands: drive.measurement.by_name().map(command).collect(),
        steal_percent: drive.usage.steal_percent,
        foreign_cores: drive.usage.foreign_cores,
        cpu_seconds: drive.usage.cpu_seconds,
        reference_work: drive.reference_work,
        wal_syncs: drive.wal_syncs(),
    }
}

/// The busiest first.
fn actor_types(measured: &Measurement) -> Vec<ActorTypeInfo> {
    let figures = |slice: &Slice| round_figures(&std::iter::once(slice).collect());
    let info = |load: &ActorTypeLoad| ActorTypeInfo {
        name: load.name.clone(),
        commands_count: load.service.count(),
        written_bytes: load.written_bytes,
        response: figures(&load.response),
        service: figures(&load.service),
    };
    let mut types: Vec<_> = measured.actor_types.iter().map(info).filter(|one| one.commands_count > 0).collect();
    types.sort_by_key(|one| std::cmp::Reverse(one.commands_count));
    types
}

fn round_figures(latencies: &LatencyHistogram) -> RoundFigures {
    RoundFigures {
        mean_ns: latencies.mean(),
        p50_ns: latencies.percentile(Percentile::P50),
        p90_ns: latencies.percentile(Percentile::P90),
        p99_ns: latencies.percentile(Percentile::P99),
    }
}

/// One point per slice; the last slice ends with the measurement. Where commands queued, slices in which none was due follow:
/// those of the queue were completed in them.
fn series_of(round: u32, drive: &Drive, harness_bytes: u64) -> Vec<SeriesPoint> {
    let measurement = &drive.measurement;
    let mut slices = measurement.slices_of_all_commands();
    let until_the_end = usize::try_from((measurement.elapsed_ns + measurement.slice_ns() / 2) / measurement.slice_ns());
    slices.resize(slices.len().max(until_the_end.unwrap_or(0)), Slice::default());
    let ends = (1..).map(|number: u64| (number * measurement.slice_ns()).min(measurement.elapsed_ns));
    let mut start_ns = 0;
    let mut series = Vec::new();
    for (place, (slice, end_ns)) in slices.iter().zip(ends).enumerate() {
        let length_seconds = end_ns.saturating_sub(start_ns) as f64 / 1e9;
        start_ns = end_ns;
        if length_seconds > 0.0 {
            let sampled = drive.samples.get(place).zip(drive.samples.get(place + 1));
            series.push(SeriesPoint {
                round,
                at_seconds: end_ns as f64 / 1e9,
                commands_per_second: slice.count() as f64 / length_seconds,
                completed_per_second: sampled
                    .and_then(|(before, after)| completed(before, after, measurement.elapsed_ns)),
                p50_ns: slice.quantile(0.5),
                p99_ns: slice.quantile(0.99),
                max_ns: slice.max(),
                ..sampled.map_or_else(SeriesPoint::default, |(before, after)| consumed(before, after, harness_bytes))
            });
        }
    }
    series
}

/// Commands completed per second from one sample to the next, which may be taken a little after the end of the load.
fn completed(before: &Sample, after: &Sample, elapsed_ns: u64) -> Option<f64> {
    let until = after.at.min(Duration::from_nanos(elapsed_ns));
    let seconds = until.saturating_sub(before.at).as_secs_f64();
    (seconds > 0.0).then(|| after.commands.saturating_sub(before.commands) as f64 / seconds)
}

/// What process and engine consumed from one sample to the next.
fn consumed(before: &Sample, after: &Sample, harness_bytes: u64) -> SeriesPoint {
    let engine = before.engine.zip(after.engine).map(|(before, after)| after.since(before));
    let seconds = after.at.saturating_sub(before.at).as_secs_f64();
    let cpu_seconds = after.process.cpu_seconds - before.process.cpu_seconds;
    SeriesPoint {
        cpu_cores: (seconds > 0.0).then(|| cpu_seconds / seconds),
        rss_bytes: Some(after.process.rss_bytes.saturating_sub(harness_bytes)),
        written_bytes: after
            .process
            .written_bytes
            .zip(before.process.written_bytes)
            .map(|(after, before)| after - before),
        stall_ms: engine.map(|engine| engine.stall_micros as f64 / 1e3),
        wal_syncs_count: engine.map(|engine| engine.wal_syncs),
        pending_compaction_bytes: engine.map(|engine| engine.pending_compaction_bytes),
        ..SeriesPoint::default()
    }
}

/// A histogram as a distribution, with confidence intervals if slices of time are given.
pub fn latency_info(latencies: &LatencyHistogram, slices: &[Slice], seed: u64) -> LatencyInfo {
    let supported: Vec<_> =
        PERCENTILES.into_iter().filter(|percentile| percentile.is_supported_by(latencies.count())).collect();
    let intervals = percentile_intervals(slices, &supported, seed);
    let percentiles = supported
        .iter()
        .zip(intervals)
        .map(|(percentile, interval_ns)| {
            let value_ns = latencies.quantile(percentile.quantile());
            PercentileInfo {
                percentile: *percentile,
                value_ns,
                // Extremes have no interval. Slices are coarser than the whole: the interval includes its own value.
                interval_ns: interval_ns
                    .filter(|_| !percentile.is_extreme())
                    .map(|[low, high]| [low.min(value_ns), high.max(value_ns)]),
            }
        })
        .collect();
    let curve = latencies.curve().into_iter().map(|(quantile, value_ns)| CurvePoint { quantile, value_ns }).collect();
    LatencyInfo { count: latencies.count(), mean_ns: latencies.mean(), percentiles, curve }
}

pub(crate) fn verification(verified: Option<&Verified>) -> Verification {
    verified.map_or_else(Verification::default, |verified| Verification {
        performed: true,
        actors_count: verified.actors,
        events_count: verified.events,
        states_count: verified.states,
        differences: verified.differences.clone(),
        crash: None,
        power_cut: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::CommandLatency;
    use crate::measure::Snapshot;
    use ave_actors_rocksdb::trace::CommandKind;

    #[test]
    fn a_queue_is_completed_after_the_last_command_was_due() {
        // 2,000 commands are due in each of two seconds; 1,000 are completed in each of four.
        let slice: Slice = (0..2_000).map(|_| 1_000_000).collect();
        let mut measurement = Measurement { elapsed_ns: 4_000_000_000, ..Measurement::default() };
        measurement.commands[CommandKind::Persist.index()] =
            Some(CommandLatency { slices: vec![slice.clone(), slice], ..CommandLatency::default() });
        let sample = |second: u64| Sample {
            at: Duration::from_secs(second),
            process: Snapshot::default(),
            commands: 1_000 * second,
            engine: None,
        };
        let drive = Drive { measurement, samples: (0..=4).map(sample).collect(), ..Drive::default() };
        let series = series_of(1, &drive, 0);
        let offered: Vec<f64> = series.iter().map(|slice| slice.commands_per_second).collect();
        assert_eq!(offered, [2_000.0, 2_000.0, 0.0, 0.0]);
        assert!(series.iter().all(|slice| slice.completed_per_second == Some(1_000.0)), "{series:?}");
    }

    #[test]
    fn the_component_versions_are_those_of_the_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        for (name, version) in COMPONENTS {
            let package = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&package), "{name} {version} is not what Cargo.lock names");
        }
    }
}
