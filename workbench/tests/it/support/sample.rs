//! Reports with every field filled, as a plan and a run on a small cloud machine would leave them.

use std::collections::BTreeMap;

use ave_workbench::actor::Durability;
use ave_workbench::host::{
    DiskFigure, DiskProfile, DiskSample, DiskStep, DiskSwing, LatencyFigures, ProcessorProfile, RateFigures,
    ReadLatency, ReadPath, ReferenceWork, SyncLatency,
};
use ave_workbench::load::EngineFigure;
use ave_workbench::measure::{PERCENTILES, Percentile, Trials};
use ave_workbench::report::{
    AtRisk, Band, Basis, Binding, Capacity, CatalogueEntry, CatalogueInfo, Certainty, CertaintyLevel, CertificateInfo,
    CertifiedSlice, CertifiedSlices, ContainerLimits, CrashVerification, CurvePoint, DemandInfo, DemandMode,
    DemandStep, DiskChange, DiskComparison, DiskOrigin, DurabilityPrice, DurableRate, DurableRateBasis, DurableRates,
    End, Evidence, FigureName, ForecastInfo, GrowthInfo, HorizonInfo, HorizonMode, HostInfo, InputName, LatencyInfo,
    LatencyPrice, LeastRegret, LoadKind, MachineCost, MachineLatency, MachineMode, MachinePeriod, MachineStanding,
    MemoryInfo, MemoryPartInfo, ModeResult, ModelErrorInfo, NamedLatency, Outcome, PercentileInfo, PlanDisk,
    PlanResult, PredictedMode, PredictedTarget, PredictionCheck, PredictionInfo, PredictionInput, ProbeResult,
    ProfileEvidence, RampInfo, RampMode, RampPoint, RankedFrom, RateTrials, Reason, ReasonKind, Recommendation,
    Rejection, Report, ReportKind, Reproduce, Resource, ResourceUse, RestartInfo, RoundFigures, RoundInfo,
    RoundLatency, SCHEMA_VERSION, ScalingCurveInfo, ScalingInfo, ScalingPointInfo, SeriesPoint, Settings, SizeInfo,
    SizeRate, SloInfo, SourceInfo, SourceKind, TargetMachine, ThroughputBasis, ThroughputPrice, TuningInfo, ValidUntil,
    Verdict, Verification, Warning, WhatIfFigure, WhatIfInfo, WhatIfMode, WorkingSet, WriterPoint, WriterSweep,
    WritesInfo,
};
use serde_json::json;

const GIB: u64 = 1 << 30;
const ROUNDS: u32 = 4;
const ROUND_SECONDS: u32 = 20;

/// A plan that passes: both modes, every kind of evidence, warnings.
pub(crate) fn plan() -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        kind: ReportKind::Plan,
        name: "steady-light".to_owned(),
        started_at: "2026-03-01T09:30:00Z".to_owned(),
        elapsed_seconds: 1_284.4,
        verdict: Verdict {
            outcome: Outcome::Pass,
            sentence: "A medium machine holds 2,000 commands/s with p99 of persist within 10 ms, durability on or off."
                .to_owned(),
            certainty: Some(Certainty {
                level: CertaintyLevel::Moderate,
                because: vec![
                    "The machine medium was emulated here within its cores and its memory".to_owned(),
                    "With durability on, the highest rate that met the objective is only 10 % above the rate needed"
                        .to_owned(),
                ],
            }),
            reasons: vec![
                reason(
                    ReasonKind::Recommendation,
                    "Durability on: 3,150/s met the objective in 3 of 3 rounds; 30 % headroom leaves 2,205/s.",
                ),
                reason(ReasonKind::Recommendation, "Durability off: 21,400/s met the objective in 3 of 3 rounds."),
                reason(ReasonKind::Coverage, "Beyond 3,150/s the time of a sync binds: the CPU is 38 % busy there."),
            ],
        },
        source: source(),
        settings: settings(),
        host: host(),
        tuning: tuning(),
        modes: vec![mode(Durability::Off, Some(2_000.0)), mode(Durability::On, Some(2_000.0))],
        durability_price: Some(durability_price()),
        plan: Some(plan_result()),
        objective: None,
        ramp: None,
        certificate: None,
        warnings: vec![
            Warning {
                what: "The hypervisor took 1.2 % of the CPU time.".to_owned(),
                hint: "Repeat on a dedicated machine if the figures are close to the limit.".to_owned(),
            },
            Warning {
                what: "The CPU frequency governor is powersave.".to_owned(),
                hint: "Set it to performance while measuring: cpupower frequency-set -g performance.".to_owned(),
            },
        ],
        reproduce: Reproduce {
            command: "ave-workbench plan --workload steady-light --target 2000 --slo persist:p99=10ms --headroom 30 --seed 42"
                .to_owned(),
            version: "0.4.1".to_owned(),
            commit: Some("1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d".to_owned()),
            components: BTreeMap::from([
                ("rocksdb".to_owned(), "0.25.0 (librocksdb 11.8.1)".to_owned()),
                ("rustc".to_owned(), "1.95.0".to_owned()),
            ]),
        },
    }
}

fn reason(kind: ReasonKind, text: &str) -> Reason {
    Reason { kind, text: text.to_owned() }
}

/// What another host will sustain: known with durability on, and at least with durability off, checked against a plan there.
pub(crate) fn predicted() -> Report {
    let mut report = plan();
    let plan = report.plan.as_mut().expect("a plan has one");
    let band = |expected: f64| Band { expected, low: 0.8 * expected, high: 1.2 * expected };
    let mode = |durability: Durability| PredictedMode {
        durability,
        base: Some("small".to_owned()),
        base_per_second: Some(3_150.0),
        inputs: [
            InputName::CoreSpeed,
            InputName::SyncLatency,
            InputName::ReadLatency,
            InputName::BlockMemory,
            InputName::Cores,
        ]
        .map(|name| PredictionInput { name, ratio: band(1.4) })
        .into(),
        model_error_percent: 12.6,
        per_second: durability.is_on().then(|| band(4_410.0)),
        at_least_per_second: (!durability.is_on()).then_some(18_900.0),
        note: if durability.is_on() { String::new() } else { "it has 16 cores, small has 2 cores".to_owned() },
        certainty: Some(CertaintyLevel::Moderate),
        targets: vec![PredictedTarget {
            target_per_second: 2_000.0,
            required_per_second: 2_857.142_857,
            per_second: durability.is_on().then(|| band(4_410.0)),
            at_least_per_second: (!durability.is_on()).then_some(18_900.0),
            holds: Some(true),
        }],
        check: durability.is_on().then(|| PredictionCheck {
            machine: "small".to_owned(),
            measured_per_second: 4_200.0,
            predicted_per_second: band(4_410.0),
            error_percent: 5.0,
            is_within: true,
        }),
    };
    let known = |durability: Durability| MachineMode {
        lacking: None,
        evidence: if durability.is_on() { Evidence::Predicted } else { Evidence::Implied },
        sustained_per_second: Some(if durability.is_on() { 4_410.0 } else { 18_900.0 }),
        range_per_second: durability.is_on().then_some([3_528.0, 5_292.0]),
        holds: Some(true),
        binding: None,
        latency: None,
        ..plan.profiles[0].modes[usize::from(durability.is_on())].clone()
    };
    let modes = Durability::BOTH.map(known).into();
    let host = HostInfo { usable_cores_count: 16, disk_profile: None, sync_probe: None, ..report.host.clone() };
    plan.profiles = vec![ProfileEvidence {
        profile: "host b".to_owned(),
        cpu_cores_count: 16,
        ram_bytes: 32 * GIB,
        evidence: Evidence::Predicted,
        modes,
        ..plan.profiles[0].clone()
    }];
    for one in &mut plan.recommendations {
        (one.profile, one.cost, one.expected) = (Some("host b".to_owned()), None, None);
    }
    plan.predictions = vec![PredictionInfo {
        profile: "host b".to_owned(),
        sync_p50_ns: Some(90_000),
        origin: "b.json".to_owned(),
        measured_at: "2026-02-27T08:00:00Z".to_owned(),
        host,
        modes: Durability::BOTH.map(mode).into(),
    }];
    plan.ranked_from = Some(RankedFrom {
        report: "reports/steady-light-20260301T093000Z".to_owned(),
        started_at: "2026-03-01T09:30:00Z".to_owned(),
        target_per_second: 2_000.0,
    });
    (plan.horizon, plan.demand, plan.catalogue, plan.what_if) = (None, None, None, None);
    report
}

/// A closed-loop run: no plan, no schedule, response equal to service.
pub(crate) fn run() -> Report {
    let mut report = plan();
    report.kind = ReportKind::Run;
    report.plan = None;
    report.durability_price = Some(DurabilityPrice {
        throughput: Some(ThroughputPrice {
            basis: ThroughputBasis::Saturation,
            machine: None,
            off_per_second: 48_700.0,
            on_per_second: 3_480.0,
            kept_percent: 100.0 * 3_480.0 / 48_700.0,
            kept_band_percent: None,
        }),
        at_risk: None,
        ..durability_price()
    });
    report.verdict.sentence = "Durability on sustains 3,480 commands/s, off 48,700.".into();
    report.settings.load_kind = LoadKind::Closed;
    report.settings.load = "closed loop".into();
    for mode in &mut report.modes {
        mode.offered_per_second = None;
        mode.achieved_per_second = if mode.durability == Durability::On { 3_480.0 } else { 48_700.0 };
        mode.achieved_range_per_second = [mode.achieved_per_second * 0.98, mode.achieved_per_second * 1.01];
        for command in &mut mode.commands {
            command.response = Some(command.service.clone());
        }
    }
    report
}

fn objective() -> SloInfo {
    SloInfo { command: "persist".to_owned(), percentile: Percentile::P99, limit_ns: 10_000_000 }
}

/// The report beside a certificate: one slice misses the objective.
pub(crate) fn certificate() -> Report {
    let mut report = run();
    report.verdict.outcome = Outcome::Fail;
    report.verdict.certainty = None;
    report.verdict.sentence = "steady-light at 2,000 commands/s: not sustained.".into();
    let slice = |number: u64| CertifiedSlice {
        at_seconds: 10 * number,
        percentile_ns: Some(if number == 97 { 31_000_000 } else { 4_000_000 + 1_000 * number }),
        is_missed: number == 97,
        is_disturbed: false,
    };
    let mode = |durability| CertifiedSlices { durability, planned_count: 180, slices: (0..180).map(slice).collect() };
    report.objective = Some(objective());
    report.certificate = Some(CertificateInfo {
        rate_per_second: 2_000.0,
        slo: objective(),
        slice_seconds: 10,
        checksum_sha256: "9f86d081".repeat(8),
        modes: Durability::BOTH.map(mode).into(),
    });
    report
}

/// A run with a rising rate: durable writes leave the objective at 3,100/s.
pub(crate) fn ramp() -> Report {
    let mut report = run();
    report.settings.load_kind = LoadKind::Ramp;
    report.objective = Some(objective());
    let point = |step: u32, from_ns: u64| RampPoint {
        offered_per_second: 500.0 * f64::from(step),
        p50_ns: Some(from_ns / 4),
        percentile_ns: Some(from_ns << step),
    };
    let mode = |durability: Durability| RampMode {
        durability,
        points: (1..=9).map(|step| point(step, if durability.is_on() { 200_000 } else { 9_000 })).collect(),
        crosses_at_per_second: durability.is_on().then_some(3_100.0),
    };
    report.ramp = Some(RampInfo { command: "persist".to_owned(), modes: Durability::BOTH.map(mode).into() });
    report
}

/// A report with nothing optional in it: what a short run of one mode on an unknown system leaves.
pub(crate) fn bare() -> Report {
    let mut report = run();
    report.verdict.outcome = Outcome::Inconclusive;
    report.verdict.sentence = "One sample of persist says nothing about its percentiles.".into();
    report.verdict.reasons.clear();
    report.durability_price = None;
    report.settings.measure_seconds = None;
    report.host.physical_cores_count = None;
    report.host.disk_profile = None;
    report.host.sync_probe = None;
    report.source.facts.clear();
    report.source.description.clear();
    report.tuning.clear();
    report.warnings.clear();
    report.reproduce.components.clear();
    report.modes.truncate(1);
    let mode = &mut report.modes[0];
    mode.resources = ResourceUse { payload_bytes: 1, ..ResourceUse::default() };
    mode.verification = Verification::default();
    mode.series.clear();
    mode.commands.truncate(1);
    mode.operations.clear();
    let thin = LatencyInfo {
        count: 1,
        mean_ns: 900.0,
        percentiles: vec![percentile(Percentile::P50, 900)],
        curve: Vec::new(),
    };
    mode.commands[0].service = thin;
    mode.commands[0].response = None;
    report
}

/// A plan in which nothing was found: no mode, no rate that met the objective, no machine, figures that are no numbers.
pub(crate) fn empty_plan() -> Report {
    let mut report = plan();
    report.verdict.outcome = Outcome::Fail;
    report.modes.clear();
    report.elapsed_seconds = f64::NAN;
    let plan = report.plan.as_mut().expect("a plan has one");
    plan.profiles.clear();
    plan.growth.days_until_disk_full = None;
    for capacity in &mut plan.capacities {
        capacity.saturation_per_second = Some(0.0);
        capacity.sustained_per_second = None;
        capacity.usable_per_second = None;
        capacity.holds = false;
        capacity.probes.truncate(1);
        capacity.probes[0].slo_percentile_ns = None;
    }
    for recommendation in &mut plan.recommendations {
        recommendation.profile = None;
        recommendation.machine_spec = None;
        recommendation.container = None;
        recommendation.sentence = "None of these holds the target.".into();
    }
    report
}

fn source() -> SourceInfo {
    SourceInfo {
        kind: SourceKind::Workload,
        origin: "steady-light".to_owned(),
        description: "Many actors that persist small events at an even pace and are recovered now and then; \
                      what a ledger of accounts looks like on a working day."
            .to_owned(),
        actors_count: 100_000,
        actor_types_count: 4,
        persistence: "light".to_owned(),
        facts: BTreeMap::from([
            ("event size".to_owned(), "lognormal, median 420 B".to_owned()),
            ("mix".to_owned(), "persist 90 %, recover 6 %, events 3 %, last_event 1 %".to_owned()),
        ]),
        shard: None,
    }
}

fn settings() -> Settings {
    Settings {
        load_kind: LoadKind::Open,
        load: "open loop at 2,000/s (poisson)".to_owned(),
        rounds_count: ROUNDS,
        warmup_seconds: 5.0,
        measure_seconds: Some(f64::from(ROUND_SECONDS)),
        start_at: None,
        seed: 42,
        machine_spec: json!({"profile": "medium"}),
        data_directory: "/var/lib/ave/data".to_owned(),
    }
}

pub(crate) const PROCESSOR: ProcessorProfile =
    ProcessorProfile { threads_count: 2, sort_p50_ns: 90_000.0, chase_p50_ns: 40_000.0, chased_bytes: 4 << 20 };

fn host() -> HostInfo {
    HostInfo {
        cpu_model: "AMD EPYC 7B13".to_owned(),
        architecture: Some("x86_64".to_owned()),
        processor: Some(PROCESSOR),
        logical_cores_count: 2,
        physical_cores_count: Some(1),
        usable_cores_count: 2,
        ram_bytes: 4 * GIB,
        usable_ram_bytes: 4 * GIB,
        swap_bytes: 0,
        file_system: "ext4".to_owned(),
        device: "/dev/vda1".to_owned(),
        disk_free_bytes: 61 * GIB,
        kernel: "6.1.0-18-cloud-amd64".to_owned(),
        virtualisation: "kvm".to_owned(),
        boot_id: None,
        machine_profile: "medium".to_owned(),
        sync_probe: Some(latency(77_000.0, 0.45, 30_000, 8)),
        disk_profile: Some(disk_profile()),
    }
}

fn disk_swing(seconds: f64) -> DiskSwing {
    DiskSwing {
        samples_count: 40,
        seconds,
        sync_p50_ns: 77_000,
        sync_p10_ns: 71_000,
        sync_p90_ns: 460_000,
        read_p50_ns: 88_000,
        steps: vec![DiskStep {
            figure: DiskFigure::SyncLatency,
            at_seconds: 23.0,
            factor_ratio: 6.0,
            sentence: "after 23 s the sync latency rose 6-fold: burst credits may be used up".to_owned(),
        }],
    }
}

fn disk_profile() -> DiskProfile {
    let latency =
        |mean_ns: f64| LatencyFigures { samples_count: 12_000, mean_ns, p50_ns: Some(77_000), p99_ns: Some(310_000) };
    let rate =
        RateFigures { p50_bytes_per_second: 240e6, lowest_bytes_per_second: 180e6, highest_bytes_per_second: 260e6 };
    DiskProfile {
        seconds: 10.0,
        foreign_cores: Some(0.1),
        file_bytes: GIB / 4,
        read_path: ReadPath::Direct,
        syncs: [4_096, 262_144].map(|sync_bytes| SyncLatency { sync_bytes, latency: latency(84_000.0) }).into(),
        reads: [1, 32].map(|depth_count| ReadLatency { depth_count, latency: latency(92_000.0) }).into(),
        write: rate,
        read: rate,
        swing: DiskSwing { steps: Vec::new(), ..disk_swing(9.0) },
        samples: disk_samples(),
    }
}

fn disk_samples() -> Vec<DiskSample> {
    let sample = |second: u32| DiskSample {
        at_seconds: f64::from(second),
        sync_p50_ns: 77_000,
        syncs_count: 900,
        read_p50_ns: 88_000,
        reads_count: 400,
        write_bytes_per_second: Some(240e6),
    };
    (0..3).map(sample).collect()
}

fn plan_disk() -> PlanDisk {
    let rate = |swing_percent, disk_sync_ns, known: Option<f64>| DurableRate {
        swing_percent,
        disk_sync_ns,
        ceiling_sync_ns: 1.4 * disk_sync_ns as f64,
        ceiling_per_second: known,
        sustained_sync_ns: Some(1.2 * disk_sync_ns as f64),
        sustained_per_second: known.map(|rate| 0.8 * rate),
    };
    PlanDisk {
        swing: Some(disk_swing(240.0)),
        samples: disk_samples(),
        comparison: Some(DiskComparison {
            profile_measured_at: "2026-02-01T08:00:00Z".to_owned(),
            profile_sync_p50_ns: 25_000,
            profile_band_ns: [20_000.0, 30_000.0],
            sync_p50_ns: 77_000,
            sync_ratio: 3.08,
            change: DiskChange::Slower,
            sentence: "the sync p50 is 77 µs, 3.08 times that of the profile of 2026-02-01 (25 µs, band 20 – 30 µs)"
                .to_owned(),
        }),
        durable_rates: Some(DurableRates {
            machine: "medium".to_owned(),
            basis: DurableRateBasis::Fitted,
            seconds_count: 15,
            fixed_ns: 45_000.0,
            syncs_per_command_ratio: 0.28,
            error_percent: Some(4.0),
            reach_ns: [35_000.0, 300_000.0],
            rates: vec![
                rate(10.0, 71_000, Some(14_100.0)),
                rate(50.0, 77_000, Some(13_300.0)),
                rate(90.0, 460_000, None),
            ],
            note: String::new(),
        }),
    }
}

fn tuning() -> Vec<TuningInfo> {
    let setting = |name: &str, value: &str, reason: &str| TuningInfo {
        name: name.to_owned(),
        value: value.to_owned(),
        reason: reason.to_owned(),
    };
    vec![
        setting("block_cache", "1.25 GiB", "What is left of the database's half of the RAM after the memtables."),
        setting(
            "write_buffer_manager",
            "512 MiB",
            "All column families share it: more actor types cost no more memory.",
        ),
        setting("max_background_jobs", "2", "One per core; the commands need the cores too."),
        setting("wal_compression", "zstd", "Small events compress well, and the log is what a sync waits for."),
    ]
}

fn mode(durability: Durability, offered_per_second: Option<f64>) -> ModeResult {
    let durable = durability == Durability::On;
    let persist_ns = if durable { 1_310_000.0 } else { 21_000.0 };
    let command = |name: &str, median_ns: f64, spread: f64, count: u64| NamedLatency {
        name: name.to_owned(),
        response: Some(latency(median_ns * 1.15, spread * 1.1, count, ROUNDS.into())),
        service: latency(median_ns, spread, count, ROUNDS.into()),
    };
    let operation = |name: &str, median_ns: f64, spread: f64, count: u64| NamedLatency {
        name: name.to_owned(),
        response: None,
        service: latency(median_ns, spread, count, 0),
    };
    ModeResult {
        durability,
        writers_count: 8,
        commands_count: 120_000,
        operations_count: 346_100,
        offered_per_second,
        achieved_per_second: 1_999.2,
        achieved_range_per_second: [1_997.8, 2_000.4],
        commands: vec![
            command("persist", persist_ns, 0.5, 108_000),
            command("recover", 64_000.0, 0.6, 7_200),
            command("events", 38_000.0, 0.5, 3_600),
            command("last_event", 9_200.0, 0.4, 1_200),
            command("purge", 52_000.0, 0.6, 40),
        ],
        operations: vec![
            operation("events.put", persist_ns * 0.36, 0.5, 108_000),
            operation("states.put", persist_ns * 0.32, 0.5, 108_000),
            operation("metadata.put", persist_ns * 0.31, 0.5, 108_000),
            operation("events.last", 7_900.0, 0.4, 8_400),
            operation("states.get", 5_100.0, 0.45, 7_200),
        ],
        actor_types: Vec::new(),
        resources: resources(durable),
        series: series(durable),
        rounds: rounds(),
        verification: Verification {
            performed: true,
            actors_count: 100_000,
            events_count: 1_108_000,
            states_count: 200_000,
            differences: Vec::new(),
            crash: Some(CrashVerification {
                kills_count: 3,
                commands_acknowledged_count: 41_240,
                commands_taken_back_count: 0,
                events_count: 41_233,
                states_count: 12_018,
                lost_count: 0,
                writes_under_way_count: 5,
                writes_under_way_found_count: 2,
                failure: None,
                differences: Vec::new(),
            }),
            power_cut: None,
        },
        harness_ns_per_operation: 86.0,
        harness_memory_bytes: Some(41 << 20),
    }
}

fn rounds() -> Vec<RoundInfo> {
    let round = |round| RoundInfo {
        round,
        warmup_seconds: 2.1,
        steady: Some(true),
        commands_per_second: 1_999.2,
        settled: Some(true),
        engine: vec![EngineFigure { name: "wal_bytes".into(), before: 9_000_000, after: 21_500_000 }],
        commands: COMMANDS.map(|(name, median_ns)| round_latency(name, median_ns)).into(),
        steal_percent: Some(0.4),
        foreign_cores: Some(0.1),
        cpu_seconds: 4.2,
        wal_syncs: None,
        reference_work: Some(ReferenceWork {
            compute_p50_ns: 129_000.0,
            compute_mean_ns: 135_000.0,
            sync_p50_ns: Some(81_000.0),
        }),
    };
    (1..=ROUNDS).map(round).collect()
}

const COMMANDS: [(&str, u64); 5] =
    [("persist", 21_000), ("recover", 64_000), ("events", 38_000), ("last_event", 9_200), ("purge", 52_000)];

fn round_latency(name: &str, median_ns: u64) -> RoundLatency {
    let figures = |median_ns: u64| RoundFigures {
        mean_ns: median_ns as f64 * 1.2,
        p50_ns: Some(median_ns),
        p90_ns: Some(median_ns * 2),
        p99_ns: Some(median_ns * 4),
    };
    let response = figures(median_ns + median_ns / 7);
    RoundLatency { name: name.to_owned(), count: 13_000, response, service: figures(median_ns) }
}

fn resources(durable: bool) -> ResourceUse {
    ResourceUse {
        cpu_cores_mean: if durable { 0.41 } else { 0.28 },
        rss_peak_bytes: 912 << 20,
        written_bytes: Some(if durable { 1_460 << 20 } else { 390 << 20 }),
        payload_bytes: 118 << 20,
        write_amplification_ratio: Some(if durable { 12.4 } else { 3.31 }),
        database_bytes: 1_840 << 20,
        wal_syncs_count: Some(if durable { 324_000 } else { 0 }),
        stall_ms: Some(if durable { 12.5 } else { 0.0 }),
        steal_percent: Some(1.2),
        foreign_cores: Some(0.1),
        swapped_bytes: Some(0),
        live_bytes: Some(1_400 << 20),
        space_amplification_ratio: Some(1.31),
    }
}

fn series(durable: bool) -> Vec<SeriesPoint> {
    let median_ns = if durable { 1_480_000.0 } else { 24_000.0 };
    let point = |round: u32, second: u32| {
        let phase = f64::from(round * 31 + second);
        let wobble = 1.0 + 0.07 * (phase * 0.9).sin() + 0.04 * (phase * 2.3).cos();
        let stall = if durable && round == 2 && second == 13 { 6.0 } else { 1.0 };
        SeriesPoint {
            round,
            at_seconds: f64::from(second),
            completed_per_second: Some(1_995.0),
            commands_per_second: 2_000.0 + 24.0 * (phase * 1.7).sin() - 150.0 * (stall - 1.0) / 5.0,
            p50_ns: nanoseconds(median_ns * wobble),
            p99_ns: nanoseconds(median_ns * 3.4 * wobble * wobble * stall),
            max_ns: nanoseconds(median_ns * 9.0 * wobble * stall),
            cpu_cores: Some(0.4),
            rss_bytes: Some(880 << 20),
            written_bytes: Some(12 << 20),
            stall_ms: Some(if stall > 1.0 { 140.0 } else { 0.0 }),
            wal_syncs_count: Some(2_000),
            pending_compaction_bytes: Some(3 << 20),
        }
    };
    (1..=ROUNDS).flat_map(|round| (1..=ROUND_SECONDS).map(move |second| point(round, second))).collect()
}

/// A right-skewed distribution with this median: lognormal in the body, heavier in the last thousandth.
fn latency(median_ns: f64, spread: f64, count: u64, slices: u64) -> LatencyInfo {
    let at = |quantile: f64| nanoseconds(median_ns * skew(quantile, spread));
    let highest = 1.0 - 1.0 / count as f64;
    let supported = PERCENTILES.into_iter().filter(|percentile| percentile.is_supported_by(count));
    let percentiles = supported.map(|percentile| {
        let value_ns = at(percentile.quantile().min(highest));
        let interval = (slices > 0).then(|| [value_ns - value_ns / 30, value_ns + value_ns / 25]);
        PercentileInfo { percentile, value_ns, interval_ns: interval.filter(|_| !percentile.is_extreme()) }
    });
    let curve = (0..240).map(|step| 1.0 - 10_f64.powf(-f64::from(step) * 0.025)).filter(|q| *q < highest);
    LatencyInfo {
        count,
        mean_ns: median_ns * 1.13,
        percentiles: percentiles.collect(),
        curve: curve
            .chain([highest, 1.0])
            .map(|quantile| CurvePoint { quantile, value_ns: at(quantile.min(highest)) })
            .collect(),
    }
}

fn percentile(percentile: Percentile, value_ns: u64) -> PercentileInfo {
    PercentileInfo { percentile, value_ns, interval_ns: None }
}

fn skew(quantile: f64, spread: f64) -> f64 {
    let nines = -(1.0 - quantile.max(0.001)).log10();
    let body = spread * (nines - std::f64::consts::LOG10_2) * 1.35;
    let tail = 0.9 * (nines - 2.8).max(0.0);
    (body + tail).exp()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn nanoseconds(value: f64) -> u64 {
    value.round() as u64
}

fn durability_price() -> DurabilityPrice {
    DurabilityPrice {
        throughput: Some(ThroughputPrice {
            basis: ThroughputBasis::Objective,
            machine: Some("medium".to_owned()),
            off_per_second: 21_400.0,
            on_per_second: 3_150.0,
            kept_percent: 100.0 * 3_150.0 / 21_400.0,
            kept_band_percent: Some([11.3, 19.1]),
        }),
        latency: Some(LatencyPrice {
            command: "persist".to_owned(),
            at_target: true,
            off_p50_ns: 52_000,
            on_p50_ns: 1_952_000,
            added_p50_ns: 1_900_000.0,
            off_p99_ns: Some(400_000),
            on_p99_ns: Some(4_600_000),
            added_p99_ns: Some(4_200_000.0),
            unequal_rates_per_second: None,
        }),
        at_risk: Some(AtRisk {
            seconds: 35.0,
            commands: 70_000.0,
            source: "vm.dirty_expire_centisecs 3000 and vm.dirty_writeback_centisecs 500 of this kernel".to_owned(),
        }),
    }
}

fn plan_result() -> PlanResult {
    PlanResult {
        target_per_second: 2_000.0,
        headroom_percent: 30.0,
        required_per_second: 2_857.0,
        emulation: "machines are emulated with cgroup v2: cores and memory, page cache included".to_owned(),
        slo: SloInfo { command: "persist".to_owned(), percentile: Percentile::P99, limit_ns: 10_000_000 },
        capacities: vec![capacity(Durability::Off), capacity(Durability::On)],
        profiles: profiles(),
        recommendations: vec![recommendation(Durability::Off), recommendation(Durability::On)],
        growth: GrowthInfo {
            per_million_commands_bytes: 655.0 * 1_048_576.0,
            per_day_bytes: 110e9,
            disk_bytes: 4_000_000_000_000,
            disk_origin: DiskOrigin::Given,
            days_until_disk_full: Some(36.0),
        },
        not_covered: vec!["loads longer than 20 s: certify the rate before you buy".to_owned()],
        writers: Durability::BOTH.map(writers).into(),
        scaling: vec![scaling(Durability::Off, 24_000.0), scaling(Durability::On, 1_900.0)],
        forecast: Some(forecast()),
        horizon: Some(horizon()),
        valid_until: Some(ValidUntil { days: 122.4, on: Some("2026-11-19".to_owned()), end: End::Disk }),
        disk: Some(plan_disk()),
        what_if: Some(WhatIfInfo {
            changes: "actors=2x".to_owned(),
            target_per_second: 2_000.0,
            modes: vec![WhatIfMode {
                durability: Durability::On,
                machine_before: Some("medium".to_owned()),
                machine_after: None,
                machine_basis: Basis::Measured,
                figures: vec![WhatIfFigure {
                    name: FigureName::SustainedPerSecond,
                    before: Some(3_150.0),
                    after: Some(2_700.0),
                    basis: Basis::Measured,
                }],
            }],
        }),
        catalogue: Some(catalogue()),
        demand: Some(demand()),
        ranked_from: None,
        predictions: Vec::new(),
        requests: Vec::new(),
    }
}

/// Two machines with prices; the second has part of a core, and is not known to sustain anything.
fn catalogue() -> CatalogueInfo {
    let entry = |profile: &str, cpu_millicores_count, ram_mb: u64, price: f64| CatalogueEntry {
        profile: profile.to_owned(),
        cpu_millicores_count,
        ram_bytes: ram_mb << 20,
        price_per_month: Some(price),
        price_on: Some("2026-02-20".to_owned()),
        disk_bytes: Some(40_000_000_000),
        disk_sync_ns: None,
        disk_writes_per_second: None,
        disk_bytes_per_second: None,
    };
    CatalogueInfo {
        origin: "machines.csv".to_owned(),
        currency: Some("EUR".to_owned()),
        prices_on: Some("2026-02-20".to_owned()),
        machines: vec![entry("medium", 2_000, 4_096, 7.9), entry("half", 500, 512, 3.1)],
    }
}

fn demand() -> DemandInfo {
    let standing = |profile: &str, usable: Option<f64>, price, reason: &str| MachineStanding {
        profile: profile.to_owned(),
        is_chosen: usable.is_some(),
        usable_per_second: usable,
        price_per_month: Some(price),
        reason: reason.to_owned(),
    };
    let mode = |durability| DemandMode {
        durability,
        machines: vec![
            standing("half", None, 3.1, "not known: smaller than the machines that meet the objective"),
            standing("medium", Some(2_205.0), 7.9, "the cheapest that sustains the required 2,857/s"),
        ],
        steps: vec![DemandStep {
            from_per_second: 0.0,
            to_per_second: 2_205.0,
            smallest: "medium".to_owned(),
            cheapest: Some("medium".to_owned()),
            price_per_month: Some(7.9),
        }],
        targets: [500.0, 2_000.0, 5_000.0]
            .map(|per_second| TargetMachine {
                per_second,
                profile: (per_second < 2_205.0).then(|| "medium".to_owned()),
                price_per_month: (per_second < 2_205.0).then_some(7.9),
                enough_for_months: (per_second < 2_205.0).then_some(2.5),
            })
            .into(),
        least_regret: Some(LeastRegret {
            profile: "medium".to_owned(),
            price_per_month: 7.9,
            regrets: vec![0.0, 0.0, 0.0],
            enough_for_months: vec![Some(38.0), Some(2.5), Some(0.0)],
            sentence: format!("With durability {durability}, medium at 7.90 EUR per month is regretted least."),
        }),
    };
    DemandInfo {
        targets_per_second: vec![500.0, 2_000.0, 5_000.0],
        growth_percent_per_month: 4.0,
        months: 12.0,
        durability_per_month: Some(0.0),
        modes: Durability::BOTH.map(mode).into(),
    }
}

/// A host of two cores that loses a tenth to contention.
fn scaling(durability: Durability, single_core: f64) -> ScalingInfo {
    let at = |cores: u32| single_core * f64::from(cores) / (1.0 + 0.1 * f64::from(cores - 1));
    let point = |cores_count: u32, share: f64| ScalingPointInfo { cores_count, per_second: share * at(cores_count) };
    let curve = |cores_count: u32| {
        let open = 0.04 * f64::from(cores_count.abs_diff(2));
        let expected = at(cores_count);
        let per_second = Band { expected, low: (1.0 - open) * expected, high: (1.0 + open) * expected };
        ScalingCurveInfo { cores_count, per_second }
    };
    ScalingInfo {
        durability,
        points: vec![point(1, 0.99), point(1, 1.01), point(2, 1.0)],
        contention: Some(0.1),
        coherency: Some(0.0),
        single_core_per_second: Some(single_core),
        error_percent: Some(0.8),
        curve: (1..=4).map(curve).collect(),
        note: String::new(),
    }
}

fn forecast() -> ForecastInfo {
    let band = |expected: f64| Band { expected, low: 0.9 * expected, high: 1.1 * expected };
    let size = |day: u32| SizeInfo { at_days: f64::from(day), bytes: band(110e9 * f64::from(day)) };
    ForecastInfo {
        commands_per_second: 2_000.0,
        demand_growth_percent_per_month: 0.0,
        growth_per_day_bytes: band(110e9),
        event_growth_per_day_bytes: 108e9,
        state_growth_per_day_bytes: 2e9,
        retention_days: Some(30.0),
        steady_bytes: Some(band(3.3e12)),
        sizes: (0..=48).map(size).collect(),
        compaction_headroom_bytes: 2 << 30,
        disk_bytes: 4_000_000_000_000,
        disk_origin: DiskOrigin::Given,
        days_until_disk_full: Some(36.0),
        disk_full_on: Some("2027-03-01".to_owned()),
        disk_full_earliest: Some("2027-02-20".to_owned()),
        disk_full_latest: None,
        writes: vec![
            WritesInfo {
                durability: Durability::Off,
                per_day_bytes: 1.9e11,
                write_amplification_ratio: 3.0,
                horizon_write_amplification_ratio: Some(Band { expected: 6.2, low: 3.0, high: 9.4 }),
                disk_worn_years: Some(8.6),
                disk_worn_range_years: Some([5.7, 17.5]),
            },
            WritesInfo {
                durability: Durability::On,
                per_day_bytes: 4.1e11,
                write_amplification_ratio: 6.4,
                horizon_write_amplification_ratio: Some(Band { expected: 9.6, low: 6.4, high: 12.8 }),
                disk_worn_years: Some(4.0),
                disk_worn_range_years: Some([3.1, 5.9]),
            },
        ],
        memory: Some(MemoryInfo {
            actors_count: 100_000,
            actor_types_count: 3,
            bytes: 300 << 20,
            parts: vec![MemoryPartInfo { name: "handles".to_owned(), bytes: 38 << 20, basis: Basis::Modelled }],
        }),
        restart: Some(RestartInfo {
            actors_count: 100_000,
            seconds: band(12.0),
            open_seconds: 0.4,
            recover_seconds: 11.6,
            basis: Basis::Modelled,
            cold: true,
        }),
    }
}

fn recommendation(durability: Durability) -> Recommendation {
    let (profile, rate) = match durability {
        Durability::Off => ("small", "18,900"),
        Durability::On => ("medium", "3,150"),
    };
    Recommendation {
        durability,
        profile: Some(profile.to_owned()),
        cost: Some(MachineCost {
            currency: "EUR".to_owned(),
            per_month: 7.9,
            per_million_commands: 0.0015,
            price_on: "2026-02-20".to_owned(),
        }),
        machine_spec: Some(json!({ "profile": profile })),
        container: Some(ContainerLimits { cpu_cores_count: 2, cpu_millicores_count: None, memory_mib: 1_884 }),
        expected: None,
        database_bytes: Some(224 << 20),
        sentence: format!(
            "Take {profile}: it sustains {rate} commands/s at the objective, and 30 % of that may stay free."
        ),
    }
}

fn capacity(durability: Durability) -> Capacity {
    let (saturation, sustained, idle_p99_ns) = match durability {
        Durability::Off => (48_700.0, 21_400.0, 85_000.0),
        Durability::On => (3_480.0, 3_150.0, 4_600_000.0),
    };
    // A queue: latency grows slowly up to the sustained rate and without bound towards saturation.
    let probe = |share: f64| {
        let offered = (saturation * share).round();
        let growth = (10_000_000.0_f64 / idle_p99_ns).ln() * (share * saturation / sustained).powi(5);
        let p99_ns = nanoseconds(idle_p99_ns * growth.min(6.5).exp() * if share > 1.0 { 3.0 } else { 1.0 });
        ProbeResult {
            offered_per_second: offered,
            achieved_per_second: Some(offered.min(saturation * 0.985).round()),
            p50_ns: Some(p99_ns / 4),
            slo_percentile_ns: Some(p99_ns),
            worst_slice_ns: Some(p99_ns + p99_ns / 10),
            rejection: (offered > sustained).then_some(Rejection::TooSlow),
        }
    };
    Capacity {
        durability,
        machine: "small".to_owned(),
        saturation_per_second: Some(saturation),
        sustained_per_second: Some(sustained),
        usable_per_second: Some(0.7 * sustained),
        trial_error_percent: 5.0,
        decided: vec![
            RateTrials {
                rate_per_second: sustained,
                trials: Trials { held_count: 5, tried_count: 5 },
                sustained: Some(true),
            },
            RateTrials {
                rate_per_second: (1.3 * sustained).min(saturation),
                trials: Trials { held_count: 1, tried_count: 3 },
                sustained: Some(false),
            },
        ],
        at_target: Some(Trials { held_count: 1, tried_count: 1 }),
        holds: sustained >= 2_857.0,
        probes: [0.05, 0.1, 0.2, 0.3, 0.4, 0.439, 0.5, 0.6, 0.75, 0.9, 0.95, 1.05].map(probe).into(),
    }
}

fn profiles() -> Vec<ProfileEvidence> {
    let known = |durability, rate: f64, resource| MachineMode {
        lacking: None,
        durability,
        evidence: Evidence::Emulated,
        sustained_per_second: Some(rate),
        range_per_second: None,
        holds: Some(rate >= 2_857.0),
        binding: Some(Binding { resource, evidence: "1.9 of 2 cores busy at the ceiling".to_owned() }),
        memory_peak_bytes: Some(400 << 20),
        process_peak_bytes: Some(143 << 20),
        latency: Some(MachineLatency { value_ns: 4_700_000, per_second: 2_857.0 }),
        reason: "ran within 2 cores".to_owned(),
    };
    let measured = |profile: &str, ram_mb: u64, off: f64, on: f64, reason: &str| ProfileEvidence {
        profile: profile.to_owned(),
        cpu_cores_count: 2,
        cpu_millicores_count: None,
        ram_bytes: ram_mb << 20,
        evidence: Evidence::Emulated,
        reason: reason.to_owned(),
        modes: vec![known(Durability::Off, off, Resource::Cpu), known(Durability::On, on, Resource::SyncLatency)],
    };
    let unknown = |durability| MachineMode {
        lacking: None,
        durability,
        evidence: Evidence::NotMeasured,
        sustained_per_second: None,
        range_per_second: None,
        holds: None,
        binding: None,
        memory_peak_bytes: None,
        process_peak_bytes: None,
        latency: None,
        reason: "not searched".to_owned(),
    };
    let unmeasured = |profile: &str, cpu_cores_count: u32, ram_mb: u64| ProfileEvidence {
        profile: profile.to_owned(),
        cpu_cores_count,
        cpu_millicores_count: None,
        ram_bytes: ram_mb << 20,
        evidence: Evidence::NotMeasured,
        reason: "This host is smaller: nothing measured here speaks of it.".to_owned(),
        modes: Durability::BOTH.map(unknown).into(),
    };
    vec![
        measured(
            "nano",
            512,
            2_150.0,
            1_240.0,
            "The block cache holds a tenth of the working set; recoveries read from disk.",
        ),
        measured("micro", 1_024, 2_700.0, 2_010.0, "Memtables flush every few seconds."),
        measured(
            "small",
            2_048,
            18_900.0,
            2_640.0,
            "Holds the working set in memory; sync time binds with durability on.",
        ),
        measured("medium", 4_096, 21_400.0, 3_150.0, "This host."),
        unmeasured("large", 2, 8_192),
        unmeasured("xlarge", 4, 16_384),
        unmeasured("2xlarge", 8, 32_768),
    ]
}

/// Durable writes in flight share a sync.
fn writers(durability: Durability) -> WriterSweep {
    let figures: &[(u64, f64, u64)] = match durability {
        Durability::Off => &[(1, 31_000.0, 61_000), (2, 48_700.0, 85_000), (4, 47_900.0, 190_000)],
        Durability::On => &[
            (1, 610.0, 4_900_000),
            (2, 1_080.0, 5_100_000),
            (4, 1_730.0, 5_800_000),
            (8, 2_490.0, 7_200_000),
            (16, 3_080.0, 9_900_000),
            (32, 3_410.0, 17_000_000),
            (64, 3_480.0, 33_000_000),
        ],
    };
    let point = |&(writers_count, per_second, p99_ns): &(u64, f64, u64)| WriterPoint {
        writers_count,
        per_second,
        p99_ns: Some(p99_ns),
    };
    let (planned_count, recommended_count) = if durability.is_on() { (64, 32) } else { (2, 2) };
    let (machine, points) = ("small".to_owned(), figures.iter().map(point).collect());
    WriterSweep { durability, machine, points, planned_count, recommended_count }
}

/// Reads go to the disk once the database exceeds the RAM, twice as many with every fourfold size.
fn horizon() -> HorizonInfo {
    let mode = |durability: Durability| {
        let now = if durability.is_on() { 3_150.0 } else { 21_400.0 };
        let point = |step: u32| {
            let database_bytes = 268_435_456.0 * 4_f64.powi(i32::try_from(step).unwrap());
            let disk_reads_per_command = 0.012 * f64::from(step * step);
            let basis = if step < 3 { Basis::Measured } else { Basis::Modelled };
            let per_second = (now / (1.0 + 2.0 * disk_reads_per_command)).round();
            SizeRate { database_bytes, basis, per_second, disk_reads_per_command }
        };
        let period = |profile: &str, from_days, until_days, until: &str| MachinePeriod {
            profile: Some(profile.to_owned()),
            from_days,
            until_days,
            until: Some(until.to_owned()),
        };
        HorizonMode {
            durability,
            profile: "small".to_owned(),
            block_memory_bytes: 1_825_361_100.0,
            disk_read_seconds: Some(31e-6),
            is_bound_by_writes: false,
            points: (0..=5).map(point).collect(),
            beyond: Vec::new(),
            error: Some(ModelErrorInfo { rate_percent: 6.2, response_percent: Some(-11.0) }),
            periods: vec![period("small", 0.0, 122.4, "2026-11-19")],
        }
    };
    HorizonInfo {
        days: 122.4,
        on: Some("2026-11-19".to_owned()),
        database_bytes: Band { expected: 274_877_906_944.0, low: 260_000_000_000.0, high: 290_000_000_000.0 },
        measured_bytes: 4_294_967_296.0,
        measured_grown_events_count: 4_000_000,
        written_now_bytes_per_command: 1.0,
        written_then_bytes_per_command: 1.0,
        working_set: WorkingSet::Growing,
        knee_bytes: Some(3_435_973_836.0),
        modes: Durability::BOTH.into_iter().map(mode).collect(),
    }
}
