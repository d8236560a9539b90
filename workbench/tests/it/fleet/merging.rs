//! Reports from many hosts joined into one comparison of machines: what is joined, what is refused, and that percentiles
//! are those of all samples together.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use ave_workbench::actor::Durability;
use ave_workbench::fleet::{
    LatencyEvidence, MachineComparison, MergeError, Merged, MergedMachine, ReportWithLog, TargetAnswer, merge,
};
use ave_workbench::measure::{LatencyHistogram, PERCENTILES, Percentile};
use ave_workbench::report::{
    ComparisonContext, Incomparable, NamedLatency, Outcome, Reason, ReasonKind, Report, SourceKind, latency_info,
};
use ave_workbench::units;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::sample;

use Durability::{Off, On};
use Outcome::{Fail, Inconclusive, Pass};

const MILLISECOND: u64 = 1_000_000;
const MIB: u64 = 1 << 20;

/// A log as any program of the family writes it, one interval per list of samples.
fn log_of(samples: &[(Durability, Vec<u64>)]) -> Vec<u8> {
    let (mut bytes, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut log =
        IntervalLogWriterBuilder::new().with_base_time(UNIX_EPOCH).begin_log_with(&mut bytes, &mut serializer).unwrap();
    for (round, (durability, latencies)) in (1..).zip(samples) {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        for &latency in latencies {
            histogram.record(latency).unwrap();
        }
        let tag = format!("persist.durability-{durability}.round-{round}");
        log.write_histogram(&histogram, Duration::ZERO, Duration::from_secs(1), Tag::new(&tag)).unwrap();
    }
    bytes
}

/// A report of a run whose only command has these response times, with or without its histograms.
struct Host {
    path: PathBuf,
    report: Report,
    log: Option<Vec<u8>>,
}

impl Host {
    /// Hosts are alike unless changed; `number` tells one report from another.
    fn new(number: usize, samples: &[(Durability, Vec<u64>)]) -> Self {
        let mut report = sample::run();
        report.started_at = format!("2026-03-01T09:30:{number:02}Z");
        for mode in &mut report.modes {
            let of_mode = samples.iter().filter(|(durability, _)| *durability == mode.durability);
            let all: LatencyHistogram = of_mode.flat_map(|(_, latencies)| latencies.iter().copied()).collect();
            let info = latency_info(&all, &[], 0);
            mode.commands =
                vec![NamedLatency { name: "persist".to_owned(), response: Some(info.clone()), service: info }];
        }
        Self { path: format!("fleet/node-{number}").into(), report, log: Some(log_of(samples)) }
    }

    fn with(mut self, change: impl FnOnce(&mut Report)) -> Self {
        change(&mut self.report);
        self
    }

    fn without_log(self) -> Self {
        Self { log: None, ..self }
    }

    fn given(self) -> ReportWithLog {
        match self.log {
            Some(log) => ReportWithLog::with_log(&self.path, self.report, Path::new("latency.hlog"), &log).unwrap(),
            None => ReportWithLog::without_log(&self.path, self.report),
        }
    }
}

/// A thousand samples of each of two latencies.
fn two_levels(low: u64, high: u64) -> Vec<(Durability, Vec<u64>)> {
    let samples = [[low; 1_000], [high; 1_000]].concat();
    vec![(Off, samples.clone()), (On, samples)]
}

fn plan(number: usize) -> Host {
    let mut host = Host::new(number, &two_levels(MILLISECOND, 2 * MILLISECOND));
    let mut report = sample::plan();
    report.started_at = host.report.started_at;
    for (mode, of_run) in report.modes.iter_mut().zip(host.report.modes) {
        mode.commands = of_run.commands;
    }
    host.report = report;
    host
}

fn context() -> ComparisonContext {
    ComparisonContext {
        compared_at: "2026-03-02T10:00:00Z".to_owned(),
        command: "ave-workbench report merge".to_owned(),
    }
}

fn merged(hosts: impl IntoIterator<Item = Host>) -> Result<Merged, MergeError> {
    merge(hosts.into_iter().map(Host::given).collect(), Vec::new(), &context())
}

fn joined(hosts: impl IntoIterator<Item = Host>) -> MachineComparison {
    merged(hosts).unwrap().comparison
}

fn sustains(report: &mut Report, off: Option<f64>, on: Option<f64>) {
    let capacities = &mut report.plan.as_mut().unwrap().capacities;
    capacities.iter_mut().zip([off, on]).for_each(|(capacity, rate)| capacity.sustained_per_second = rate);
}

fn value(machine: &MergedMachine, durability: Durability, percentile: Percentile) -> Option<u64> {
    let latency = machine.mode(durability)?.command("persist")?;
    latency.response.percentile(percentile).map(|found| found.value_ns)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn percentiles_are_those_of_all_samples_of_all_reports(
        reports in prop::collection::vec(
            prop::collection::vec((any::<bool>(), prop::collection::vec(1u64..10_000_000_000, 1..300)), 1..4), 1..5,
        ),
    ) {
        let reports: Vec<Vec<_>> = reports
            .into_iter()
            .map(|rounds| rounds.into_iter().map(|(on, samples)| (if on { On } else { Off }, samples)).collect())
            .collect();
        let hosts = reports.iter().enumerate().map(|(number, rounds)| Host::new(number, rounds));
        let comparison = joined(hosts);
        prop_assert_eq!(comparison.machines.len(), 1);
        for durability in [Off, On] {
            let rounds = reports.iter().flatten().filter(|(of, _)| *of == durability);
            let mut all: Vec<u64> = rounds.flat_map(|(_, samples)| samples.iter().copied()).collect();
            all.sort_unstable();
            let latency = comparison.machines[0].mode(durability).unwrap().command("persist");
            prop_assert_eq!(latency.map_or(0, |latency| latency.response.count), all.len() as u64);
            let supported = PERCENTILES.iter().filter(|percentile| percentile.is_supported_by(all.len() as u64));
            for percentile in supported {
                let found = value(&comparison.machines[0], durability, *percentile).unwrap() as f64;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the number of samples")]
                let rank = ((percentile.quantile() * all.len() as f64).ceil() as usize).max(1);
                let exact = all[rank - 1] as f64;
                prop_assert!((found - exact).abs() <= exact * 0.001 + 1.0, "{}: {found} for {exact}", percentile);
            }
        }
    }
}

#[test]
fn a_report_with_more_samples_weighs_more() {
    let quick = Host::new(0, &[(Off, vec![MILLISECOND; 99_000])]);
    let slow = Host::new(1, &[(Off, vec![100 * MILLISECOND; 1_000])]);
    let comparison = joined([quick, slow]);
    let p99 = value(&comparison.machines[0], Off, Percentile::P99).unwrap();
    assert!(p99.abs_diff(MILLISECOND) <= MILLISECOND / 1_000, "an average would be 50 ms: {p99}");
    let spread = &comparison.machines[0].modes[0].commands[0].spread;
    let p99 = spread.iter().find(|spread| spread.percentile == Percentile::P99).unwrap();
    assert!(p99.lowest_ns < 2 * MILLISECOND && p99.highest_ns >= 100 * MILLISECOND, "both are told: {p99:?}");
}

#[test]
fn reports_of_one_kind_of_machine_are_one_row_and_others_are_not() {
    let alike: [fn(&mut Report); 4] = [
        |_| {},
        |report| report.host.device = "/dev/vdb".to_owned(),
        |report| report.host.usable_ram_bytes -= 40 * MIB,
        |report| report.host.kernel = "6.6".to_owned(),
    ];
    let samples = two_levels(MILLISECOND, 2 * MILLISECOND);
    let hosts = |changes: &[fn(&mut Report)]| -> Vec<Host> {
        changes.iter().enumerate().map(|(number, change)| Host::new(number, &samples).with(change)).collect()
    };
    let comparison = joined(hosts(&alike));
    assert_eq!(comparison.machines.len(), 1);
    let machine = &comparison.machines[0];
    assert_eq!(machine.reports.len(), 4);
    assert_eq!(machine.modes[0].commands[0].reports_count, 4);
    assert_eq!(machine.modes[0].commands_count, 4 * 120_000);
    assert_eq!(machine.usable_ram_bytes, 4_096 * MIB - 40 * MIB, "the least");

    let others: [fn(&mut Report); 8] = [
        |_| {},
        |report| report.host.cpu_model = "Neoverse-N1".to_owned(),
        |report| report.host.usable_cores_count = 4,
        |report| report.host.usable_ram_bytes += 400 * MIB,
        |report| report.host.file_system = "xfs".to_owned(),
        |report| report.host.device = "/dev/nvme0n1".to_owned(),
        |report| report.host.virtualisation = "none detected".to_owned(),
        |report| {
            report.host.usable_cores_count = 1;
            report.host.file_system = "overlay".to_owned();
            report.host.device = "overlay".to_owned();
        },
    ];
    let comparison = joined(hosts(&others));
    assert_eq!(comparison.machines.len(), others.len());
    let mut names: Vec<_> = comparison.machines.iter().map(|machine| machine.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), others.len(), "each has a name of its own: {names:?}");
    for name in [
        "AMD EPYC 7B13 · 2 cores · 4 GiB · ext4 on vd · kvm",
        "AMD EPYC 7B13 · 2 cores · 4 GiB · ext4 on vd",
        "AMD EPYC 7B13 · 1 core · 4 GiB · overlay · kvm",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}

#[test]
fn the_order_of_the_arguments_changes_nothing() {
    let hosts = |order: [usize; 4]| {
        order.map(|number| {
            let samples = two_levels(MILLISECOND * (1 + number as u64), 9 * MILLISECOND);
            Host::new(number, &samples).with(|report| {
                report.host.usable_cores_count = if number < 2 { 2 } else { 8 };
                report.modes[1].achieved_per_second = 100.0 * number as f64;
            })
        })
    };
    assert_eq!(joined(hosts([0, 1, 2, 3])).machines, joined(hosts([3, 1, 0, 2])).machines);
}

/// A change of a report and the field that tells of it.
type Change = (fn(&mut Report), &'static str);

#[test]
fn only_reports_of_the_same_load_are_merged() {
    let of_runs: [Change; 12] = [
        (|report| report.name = "other".to_owned(), "name"),
        (|report| report.source.kind = SourceKind::Trace, "source.kind"),
        (|report| report.settings.seed += 1, "settings.seed"),
        (|report| report.source.actors_count += 1, "source.actors_count"),
        (|report| report.source.actor_types_count += 1, "source.actor_types_count"),
        (|report| report.source.persistence = "full".to_owned(), "source.persistence"),
        (|report| drop(report.source.facts.insert("mix".to_owned(), "persist 100 %".to_owned())), "source.facts.mix"),
        (|report| drop(report.source.facts.insert("new".to_owned(), "1".to_owned())), "source.facts.new"),
        (|report| report.settings.load = "open loop at 5/s".to_owned(), "settings.load"),
        (|report| report.settings.measure_seconds = Some(1.0), "settings.measure_seconds"),
        (|report| report.settings.warmup_seconds = 1.0, "settings.warmup_seconds"),
        (|report| drop(report.modes.pop()), "durability modes"),
    ];
    let samples = two_levels(MILLISECOND, 2 * MILLISECOND);
    for (change, field) in of_runs {
        let other = Host::new(1, &samples).with(change).without_log();
        refused([Host::new(0, &samples), other], field);
    }
    let of_plans: [Change; 5] = [
        (|report| report.plan.as_mut().unwrap().target_per_second = 1.0, "plan.target_per_second"),
        (|report| report.plan.as_mut().unwrap().headroom_percent = 1.0, "plan.headroom_percent"),
        (|report| report.plan.as_mut().unwrap().slo.command = "recover".to_owned(), "plan.slo.command"),
        (|report| report.plan.as_mut().unwrap().slo.percentile = Percentile::P50, "plan.slo.percentile"),
        (|report| report.plan.as_mut().unwrap().slo.limit_ns = 1, "plan.slo.limit_ns"),
    ];
    for (change, field) in of_plans {
        refused([plan(0), plan(1).with(change)], field);
    }
    refused([Host::new(0, &samples), plan(1)], "kind");
}

#[track_caller]
fn refused(hosts: [Host; 2], field: &str) {
    let error = merged(hosts).unwrap_err();
    assert!(matches!(&error, MergeError::Incomparable(Incomparable::Unequal { .. })) && error.is_choice(), "{error:?}");
    let text = error.to_string();
    for part in ["fleet/node-0", "fleet/node-1", field] {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}

#[test]
fn where_the_source_came_from_may_differ() {
    let samples = two_levels(MILLISECOND, 2 * MILLISECOND);
    let elsewhere = Host::new(1, &samples).with(|report| {
        report.source.origin = "/data/steady-light.toml".to_owned();
        report.settings.data_directory = "/mnt".to_owned();
    });
    assert_eq!(joined([Host::new(0, &samples), elsewhere]).machines.len(), 1);
}

#[test]
fn repeated_reports_of_one_machine_were_measured_alike() {
    let samples = two_levels(MILLISECOND, 2 * MILLISECOND);
    let writers = |report: &mut Report| report.modes[0].writers_count = 1;
    refused([Host::new(0, &samples), Host::new(1, &samples).with(writers)], "modes[].writers_count");
    let spec = |report: &mut Report| report.settings.machine_spec = json!({"profile": "nano"});
    refused([Host::new(0, &samples), Host::new(1, &samples).with(spec)], "settings.machine_spec");
    // Another machine has another number of writers, and what is given as RAM differs as the RAM does.
    let larger = Host::new(1, &samples).with(writers).with(|report| report.host.usable_cores_count = 16);
    assert_eq!(joined([Host::new(0, &samples), larger]).machines.len(), 2);
    let custom = |number: usize, ram_mb: u64| {
        Host::new(number, &samples).with(|report| {
            report.settings.machine_spec = json!({"custom": {"ram_mb": ram_mb, "cpu_cores": 2}});
            report.host.usable_ram_bytes = 4_096 * MIB - number as u64 * MIB;
        })
    };
    assert_eq!(joined([custom(0, 4_096), custom(1, 4_095)]).machines.len(), 1);
    refused([custom(0, 4_096), custom(1, 512)], "settings.machine_spec");
}

#[test]
fn the_same_report_twice_is_refused_and_a_repetition_is_not() {
    let samples = two_levels(MILLISECOND, 2 * MILLISECOND);
    let copy = Host { path: "fleet/copy".into(), ..Host::new(0, &samples) };
    let error = merged([Host::new(0, &samples), Host::new(1, &samples), copy]).unwrap_err();
    assert!(matches!(error, MergeError::Incomparable(Incomparable::Twice { .. })) && error.is_choice(), "{error}");
    let text = error.to_string();
    assert!(text.contains("fleet/node-0") && text.contains("fleet/copy"), "{text}");
    let another = Host::new(0, &samples).with(|report| report.host.disk_free_bytes -= 1);
    assert_eq!(joined([Host::new(0, &samples), another]).machines[0].reports.len(), 2);
    assert!(matches!(merged([]), Err(MergeError::Nothing)));
}

#[test]
fn a_report_without_histograms_is_shown_alone_and_never_averaged() {
    let (fast, slow) = (two_levels(MILLISECOND, 2 * MILLISECOND), two_levels(50 * MILLISECOND, 90 * MILLISECOND));
    let alone = joined([Host::new(0, &fast).without_log()]);
    let latency = &alone.machines[0].modes[0].commands[0];
    assert_eq!((latency.evidence, latency.reports_count), (LatencyEvidence::Report, 1));
    assert!(alone.machines[0].notes[0].contains("fleet/node-0 has no latency.hlog"), "{:?}", alone.machines[0].notes);

    let mixed = joined([Host::new(0, &fast), Host::new(1, &slow).without_log()]);
    let machine = &mixed.machines[0];
    assert_eq!((machine.reports.len(), machine.modes[0].commands[0].reports_count), (2, 1));
    assert_eq!(
        value(machine, Off, Percentile::P99),
        value(&joined([Host::new(0, &fast)]).machines[0], Off, Percentile::P99)
    );
    assert!(machine.notes[0].contains("fleet/node-1") && machine.notes[0].contains("left out"), "{:?}", machine.notes);
    assert_eq!(machine.notes.len(), 1, "said once, not once per mode");

    let none = joined([Host::new(0, &fast).without_log(), Host::new(1, &slow).without_log()]);
    assert!(none.machines[0].modes.iter().all(|mode| mode.commands.is_empty()));
    assert!(none.machines[0].modes[0].achieved_per_second > 0.0, "rates can be joined all the same");
}

#[test]
fn one_report_keeps_its_interval_two_have_none_and_three_give_one() {
    let host = |number: usize| {
        let level = MILLISECOND * (10 + number as u64);
        Host::new(number, &two_levels(level, 2 * level)).with(|report| {
            let p50 = report.modes[0].commands[0].response.as_mut().unwrap();
            p50.percentiles.iter_mut().for_each(|percentile| percentile.interval_ns = Some([7, 8]));
        })
    };
    let interval = |hosts: usize| {
        let comparison = joined((0..hosts).map(host));
        let latency = comparison.machines[0].modes[0].commands[0].clone();
        (latency.response.percentile(Percentile::P99).unwrap().clone(), latency.spread.len())
    };
    let (alone, spread) = interval(1);
    assert_eq!((alone.interval_ns, spread), (Some([7, 8]), 0));
    let (two, spread) = interval(2);
    assert!(two.interval_ns.is_none() && spread > 0);
    let (three, _) = interval(3);
    let [low, high] = three.interval_ns.unwrap();
    assert!(low < three.value_ns && three.value_ns < high, "{low} {high}");
}

#[test]
fn a_log_of_another_run_or_a_damaged_one_is_refused() {
    let samples = two_levels(MILLISECOND, 2 * MILLISECOND);
    let with_log = |log: &[u8]| {
        let Host { path, report, .. } = Host::new(0, &samples);
        ReportWithLog::with_log(&path, report, Path::new("node-0/latency.hlog"), log)
    };
    assert!(with_log(&log_of(&samples)).is_ok());
    for (log, expected) in [(&samples[..1], "0 samples of persist with durability on"), (&[], "0 samples of persist")] {
        let error = with_log(&log_of(log)).unwrap_err();
        assert!(matches!(error, MergeError::LogOfAnother { .. }) && !error.is_choice(), "{error}");
        assert!(error.to_string().contains(expected) && error.to_string().contains("latency.hlog"), "{error}");
    }
    let mut cut = log_of(&samples);
    cut.truncate(cut.len() - 20);
    let error = with_log(&cut).unwrap_err();
    assert!(matches!(error, MergeError::LogInvalid { line: 3, .. }), "{error:?}");
    assert!(error.to_string().starts_with("node-0/latency.hlog:3: "), "{error}");
}

#[test]
fn plans_name_the_machines_that_sustain_the_target_and_the_smallest() {
    let fleet = || {
        // 2,000 commands/s with 30 % headroom require 2,857.
        [(0, 2, 3_000.0), (1, 4, 5_000.0), (2, 8, 4_000.0), (3, 16, 2_500.0)].map(|(number, cores, on)| {
            plan(number).with(|report| {
                report.host.usable_cores_count = cores;
                sustains(report, Some(20_000.0), Some(on));
            })
        })
    };
    let comparison = joined(fleet());
    let cores: Vec<_> = comparison.machines.iter().map(|machine| machine.usable_cores_count).collect();
    assert_eq!(cores, [4, 8, 2, 16], "by the rate with durability on");
    let ids: Vec<_> = comparison.machines.iter().map(|machine| machine.id.as_str()).collect();
    assert_eq!(ids, ["machine-1", "machine-2", "machine-3", "machine-4"]);
    let smallest = &comparison.machines[2].name;
    let sentence = &comparison.sentence;
    assert!(
        sentence.contains(&format!(
            "4 of 4 machines sustain 2,000 commands/s with durability off, the smallest is {smallest}"
        )),
        "{sentence}"
    );
    assert!(
        sentence.contains(&format!(
            "3 of 4 machines sustain 2,000 commands/s with durability on, the smallest is {smallest}"
        )),
        "{sentence}"
    );

    let comparison = joined(fleet().map(|host| host.with(|report| sustains(report, None, Some(1.0)))));
    assert!(comparison.sentence.starts_with("None of 4 machines qualifies for"), "{}", comparison.sentence);
}

#[test]
fn a_machine_sustains_what_every_report_of_it_does() {
    let answers = |reports: &[(Option<f64>, Outcome)]| {
        let hosts = reports.iter().enumerate().map(|(number, &(on, outcome))| {
            plan(number).with(|report| {
                sustains(report, Some(9_000.0), on);
                report.verdict.outcome = outcome;
            })
        });
        let comparison = joined(hosts);
        let capacity = comparison.machines[0].mode(On).unwrap().capacity.clone().unwrap();
        (capacity.answer, capacity.sustained_per_second, capacity.reports_holding_count, comparison.warnings.len())
    };
    assert_eq!(answers(&[(Some(3_000.0), Pass), (Some(4_000.0), Pass)]), (TargetAnswer::Holds, Some(3_000.0), 2, 0));
    assert_eq!(answers(&[(Some(3_000.0), Pass), (Some(900.0), Fail)]), (TargetAnswer::Misses, Some(900.0), 1, 0));
    assert_eq!(answers(&[(Some(3_000.0), Pass), (None, Fail)]), (TargetAnswer::Misses, None, 1, 0));
    assert_eq!(
        answers(&[(Some(3_000.0), Pass), (Some(900.0), Inconclusive)]),
        (TargetAnswer::Undecided, Some(900.0), 1, 1)
    );
}

#[test]
fn recommendations_of_one_machine_are_counted() {
    let hosts = ["small", "medium", "medium"].into_iter().enumerate().map(|(number, profile)| {
        plan(number).with(|report| {
            for recommendation in &mut report.plan.as_mut().unwrap().recommendations {
                recommendation.profile = Some(profile.to_owned());
            }
        })
    });
    let comparison = joined(hosts);
    let counts = &comparison.machines[0].modes[0].capacity.as_ref().unwrap().recommendations;
    let found: Vec<_> = counts.iter().map(|count| (count.profile.as_deref().unwrap(), count.reports_count)).collect();
    assert_eq!(found, [("medium", 2), ("small", 1)]);
}

#[test]
fn latencies_taken_at_different_rates_are_not_merged() {
    let slower = plan(1).with(|report| report.modes[1].offered_per_second = Some(900.0));
    let comparison = joined([plan(0), slower]);
    let machine = &comparison.machines[0];
    assert!(!machine.mode(Off).unwrap().commands.is_empty());
    let on = machine.mode(On).unwrap();
    assert!(on.commands.is_empty() && on.offered_per_second.is_none());
    assert!(machine.notes[0].contains("2,000/s, 900/s"), "{:?}", machine.notes);

    let tuned = plan(1).with(|report| report.settings.machine_spec = json!({"profile": "nano"}));
    let notes = joined([plan(0), tuned]).machines[0].notes.clone();
    assert!(notes.len() == 2 && notes[0].contains("medium, nano"), "{notes:?}");
}

#[test]
fn runs_are_ordered_by_rate_and_scheduled_ones_by_latency() {
    let fleet = |offered: Option<f64>| {
        // The one that is faster by rate is slower by latency.
        [(0, 2, 100.0, 1), (1, 4, 200.0, 5)].map(|(number, cores, rate, level)| {
            Host::new(number, &two_levels(level * MILLISECOND, 2 * level * MILLISECOND)).with(|report| {
                report.host.usable_cores_count = cores;
                for mode in &mut report.modes {
                    mode.achieved_per_second = rate;
                    mode.offered_per_second = offered;
                }
            })
        })
    };
    let closed = joined(fleet(None));
    assert_eq!(closed.machines[0].usable_cores_count, 4);
    assert!(
        closed.sentence.starts_with("Fastest: ") && closed.sentence.contains("200 commands/s"),
        "{}",
        closed.sentence
    );
    let open = joined(fleet(Some(150.0)));
    assert_eq!(open.machines[0].usable_cores_count, 2);
    assert!(
        open.sentence.starts_with("Lowest latency: ") && open.sentence.contains("persist p99 2 ms at 150 commands/s"),
        "{}",
        open.sentence
    );
}

#[test]
fn the_rate_of_repeated_runs_is_that_of_all_their_time() {
    // 1,000 commands in 1 s and 1,000 in 9 s: 2,000 in 10 s.
    let hosts = [(0, 1_000.0), (1, 1_000.0 / 9.0)].map(|(number, rate)| {
        Host::new(number, &two_levels(MILLISECOND, 2 * MILLISECOND)).with(|report| {
            for mode in &mut report.modes {
                mode.commands_count = 1_000;
                mode.achieved_per_second = rate;
            }
        })
    });
    let rate = joined(hosts).machines[0].modes[0].achieved_per_second;
    assert!((rate - 200.0).abs() < 1e-9, "{rate}");
}

#[test]
fn what_may_spoil_the_comparison_is_a_warning() {
    let warnings = |change: fn(&mut Report)| {
        let samples = two_levels(MILLISECOND, 2 * MILLISECOND);
        let comparison = joined([Host::new(0, &samples), Host::new(1, &samples).with(change)]);
        comparison.warnings.iter().map(|warning| warning.what.clone()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(warnings(|_| {}), "");
    let text = warnings(|report| report.reproduce.version = "0.5.0".to_owned());
    assert!(text.contains("2 builds") && text.contains("0.4.1") && text.contains("0.5.0"), "{text}");
    let text = warnings(|report| report.verdict.outcome = Inconclusive);
    assert!(text.contains("fleet/node-1 is inconclusive: Durability on: 3,150/s"), "{text}");
    let text = warnings(|report| report.modes[0].verification.differences = vec!["event 4 is missing".to_owned()]);
    assert!(text.contains("fleet/node-1") && text.contains("acknowledged data were lost"), "{text}");
    let text = warnings(|report| {
        report.host.device = "/dev/vdb".to_owned();
        report.host.sync_probe.as_mut().unwrap().percentiles.iter_mut().for_each(|one| one.value_ns *= 3);
    });
    assert!(text.contains("77 µs") && text.contains("231 µs") && text.contains("/dev/vdb"), "{text}");
}

#[test]
fn sync_latencies_are_ranges_since_probes_leave_no_histogram() {
    let samples = two_levels(MILLISECOND, 2 * MILLISECOND);
    let faster = Host::new(1, &samples).with(|report| {
        report.host.sync_probe.as_mut().unwrap().percentiles.iter_mut().for_each(|one| one.value_ns = 60_000);
    });
    let unprobed = Host::new(2, &samples).with(|report| report.host.sync_probe = None);
    let probe = joined([Host::new(0, &samples), faster, unprobed]).machines[0].sync_probe.clone().unwrap();
    assert_eq!((probe.reports_count, probe.p50_range_ns), (2, Some([60_000, 77_000])));
    let unprobed = Host::new(2, &samples).with(|report| report.host.sync_probe = None);
    assert_eq!(joined([unprobed]).machines[0].sync_probe, None);
}

#[test]
fn a_comparison_reads_back_as_it_was() {
    for comparison in [joined([plan(0), plan(1)]), joined([Host::new(0, &two_levels(5, 6)).without_log()])] {
        let text = serde_json::to_string(&comparison).unwrap();
        assert_eq!(serde_json::from_str::<MachineComparison>(&text).unwrap(), comparison);
        let mut value: Value = serde_json::from_str(&text).unwrap();
        value["machines"][0]["password"] = "secret".into();
        assert!(serde_json::from_value::<MachineComparison>(value).is_err(), "unknown fields are errors");
    }
}

#[cfg(feature = "rocksdb")]
mod at_the_command_line {
    use std::fs;

    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::cli::program::{FAILED, INCONCLUSIVE, PASS, Place, USAGE, json};

    /// Short runs beside other work are inconclusive.
    const JOINED: [i32; 2] = [PASS, INCONCLUSIVE];

    /// A place with real reports of one machine, `reports-1` and so on.
    fn measured(runs: usize) -> Place {
        let place = Place::new();
        for run in 1..=runs {
            let words = format!(
                "run tiny.toml --measure 300ms --warmup 0s --rounds 1 --writers 1 --kills 0 --quiet --reports-dir reports-{run}"
            );
            let ended = place.run(&words);
            assert!(ended.code == 0 || ended.code == 3, "{}", ended.stderr);
        }
        place
    }

    /// The report of a run, from the place.
    fn report(place: &Place, run: usize) -> String {
        let mut found = fs::read_dir(place.path(&format!("reports-{run}"))).unwrap();
        let name = found.next().unwrap().unwrap().file_name().into_string().unwrap();
        format!("reports-{run}/{name}")
    }

    #[test]
    fn real_reports_of_one_machine_become_one_row() {
        let place = measured(2);
        let reports = [report(&place, 1), report(&place, 2)];
        let ended = place.run(&format!("report merge {} {}/report.json -o machines", reports[0], reports[1]));
        assert!(JOINED.contains(&ended.code), "{}", ended.stderr);
        assert!(
            ended.stdout.contains("The one machine: ") && ended.stdout.contains("machines/machines.html"),
            "{}",
            ended.stdout
        );
        let text = |name: &str| fs::read_to_string(place.path(&format!("machines/{name}"))).unwrap();
        let comparison: MachineComparison = serde_json::from_str(&text("machines.json")).unwrap();
        let of_reports: Vec<Value> = reports
            .iter()
            .map(|path| json(&fs::read_to_string(place.path(&format!("{path}/report.json"))).unwrap()))
            .collect();
        assert_eq!(comparison.machines.len(), 1);
        for (mode, merged) in comparison.machines[0].modes.iter().enumerate() {
            let command = &merged.commands[0];
            let counts = of_reports
                .iter()
                .map(|report| report["modes"][mode]["commands"][0]["response"]["count"].as_u64().unwrap());
            assert_eq!((command.evidence, command.response.count), (LatencyEvidence::Histograms, counts.sum()));
        }
        assert!(text("machines.html").contains("<svg") && text("machines.md").contains("| on |"));
    }

    #[test]
    fn the_merged_log_is_one_that_tools_of_the_family_read() {
        let place = measured(1);
        assert!(JOINED.contains(&place.run(&format!("report merge {} --output machines", report(&place, 1))).code));
        let log = fs::read(place.path("machines/merged.hlog")).unwrap();
        let comparison: MachineComparison =
            serde_json::from_slice(&fs::read(place.path("machines/machines.json")).unwrap()).unwrap();
        let intervals: Vec<_> = IntervalLogIterator::new(&log)
            .filter_map(|entry| match entry.unwrap() {
                LogEntry::Interval(interval) => Some((interval.tag().unwrap().as_str().to_owned(), interval.max())),
                _ => None,
            })
            .collect();
        let tags: Vec<_> = intervals.iter().map(|interval| interval.0.as_str()).collect();
        assert_eq!(tags, ["machine-1.persist.durability-off", "machine-1.persist.durability-on"]);
        for ((_, max), durability) in intervals.iter().zip([Off, On]) {
            let expected = value(&comparison.machines[0], durability, Percentile::Max).unwrap() as f64;
            assert!((max - expected).abs() <= 0.001 * expected, "{max} {expected}");
        }
    }

    #[test]
    fn json_is_the_file_and_comparisons_go_among_the_reports() {
        let place = measured(1);
        let ended = place.run(&format!("report merge {} --json", report(&place, 1)));
        assert!(JOINED.contains(&ended.code), "{}", ended.stderr);
        let mut made = fs::read_dir(place.path("reports")).unwrap().map(|entry| entry.unwrap().path());
        let directory = made.next().unwrap();
        assert!(
            made.next().is_none() && directory.file_name().unwrap().to_str().unwrap().starts_with("tiny-machines-")
        );
        assert_eq!(json(&ended.stdout), json(&fs::read_to_string(directory.join("machines.json")).unwrap()));
        let quiet = place.run(&format!("report merge {} --quiet -o quiet", report(&place, 1)));
        assert!(JOINED.contains(&quiet.code));
        assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    }

    #[test]
    fn bad_input_is_refused_by_name_and_leaves_nothing() {
        let place = measured(2);
        let (first, second) = (report(&place, 1), report(&place, 2));
        place.run("report merge").refused(USAGE, &["<REPORT>"]);
        place.run("report").refused(USAGE, &["<REPORT>"]);
        place.run("report merge nowhere -o made").refused(FAILED, &["no report at nowhere"]);
        let twice = format!("report merge {first} {first}/report.json -o made");
        place.run(&twice).refused(USAGE, &["the same report", &first]);
        let merge = format!("report merge {first} {second} -o made");
        let path = place.path(&format!("{second}/report.json"));
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, whole.replace("\"seed\": 1", "\"seed\": 2")).unwrap();
        place.run(&merge).refused(USAGE, &["settings.seed is 1", "and 2", &first, &second]);
        fs::write(&path, "{").unwrap();
        place.run(&merge).refused(FAILED, &["report.json:1:", "not a report"]);
        fs::write(&path, &whole).unwrap();
        let log = place.path(&format!("{second}/latency.hlog"));
        fs::write(&log, "nonsense\n").unwrap();
        place.run(&merge).refused(FAILED, &["latency.hlog:1:"]);
        fs::copy(place.path(&format!("{first}/latency.hlog")), &log).unwrap();
        place.run(&merge).refused(FAILED, &["latency.hlog does not belong to the report beside it"]);
        fs::remove_file(&log).unwrap();
        place.holds_only(&["reports-1", "reports-2"]);

        assert!(JOINED.contains(&place.run(&merge).code), "without a log it can be joined");
        place.run(&merge).refused(FAILED, &["made is there already"]);
        place.holds_only(&["made", "reports-1", "reports-2"]);
    }

    #[test]
    fn a_report_that_left_its_directory_is_joined_without_what_lies_beside_it() {
        let place = measured(1);
        fs::copy(place.path(&format!("{}/report.json", report(&place, 1))), place.path("node-a.json")).unwrap();
        fs::write(place.path("latency.hlog"), "of somebody else\n").unwrap();
        let ended = place.run("report merge node-a.json -o machines");
        assert!(JOINED.contains(&ended.code), "{}", ended.stderr);
        assert!(ended.stdout.contains("node-a.json has no latency.hlog"), "{}", ended.stdout);
        assert!(!place.path("machines/merged.hlog").exists());
    }
}

#[test]
fn a_figure_reads_the_same_in_the_sentence_and_the_table() {
    let comparison = joined([Host::new(0, &two_levels(MILLISECOND, 2 * MILLISECOND))]);
    let rate = units::number(comparison.machines[0].mode(On).unwrap().rate_per_second());
    assert!(comparison.sentence.contains(&format!("{rate} commands/s with durability on")), "{}", comparison.sentence);
}

#[test]
fn an_interrupted_plan_is_refused() {
    let cut = plan(1).with(|report| {
        report.verdict.outcome = Inconclusive;
        let text = "it was interrupted".to_owned();
        report.verdict.reasons.insert(0, Reason { kind: ReasonKind::Interrupted, text });
    });
    let error = merged([plan(0), cut]).unwrap_err();
    assert!(matches!(error, MergeError::Incomparable(Incomparable::Interrupted(_))) && error.is_choice(), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("fleet/node-1 was interrupted") && text.contains("measure it again"), "{text}");
}

#[test]
fn an_inconclusive_plan_sustains_nothing_yet() {
    let undecided = |report: &mut Report| {
        sustains(report, Some(9_000.0), Some(9_000.0));
        report.verdict.outcome = Inconclusive;
    };
    let alone = joined([plan(0).with(undecided)]);
    assert_eq!(alone.outcome, Inconclusive);
    let may =
        "Inconclusive, as is the report. The one machine may sustain 2,000 commands/s with durability off and on.";
    assert_eq!(alone.sentence, may);
    let other = plan(1).with(|report| {
        sustains(report, Some(9_000.0), Some(9_000.0));
        report.host.usable_cores_count = 8;
    });
    let both = joined([plan(0).with(undecided), other]);
    assert_eq!(both.outcome, Inconclusive);
    assert!(
        both.sentence.starts_with("Inconclusive, as is 1 of 2 reports. 1 of 2 machines sustains"),
        "{}",
        both.sentence
    );
    let pages = ave_workbench::render::fleet(&both);
    for page in [pages.html, pages.markdown] {
        assert!(page.contains("Inconclusive, as is 1 of 2 reports"), "{page}");
    }
}

/// One machine that passes is enough.
#[test]
fn plans_that_all_fail_are_a_failure_and_lost_data_always_are() {
    let outcome = |outcomes: [Outcome; 2]| {
        let hosts = outcomes.into_iter().enumerate();
        joined(hosts.map(|(number, outcome)| plan(number).with(|report| report.verdict.outcome = outcome))).outcome
    };
    assert_eq!([outcome([Pass, Pass]), outcome([Pass, Fail]), outcome([Fail, Fail])], [Pass, Pass, Fail]);
    let lost = plan(1).with(|report| report.modes[1].verification.differences.push("an event is missing".to_owned()));
    let comparison = joined([plan(0), lost]);
    assert_eq!(comparison.outcome, Fail);
    let first = "Acknowledged data were lost or altered in fleet/node-1. ";
    assert!(comparison.sentence.starts_with(first), "{}", comparison.sentence);
}

#[test]
fn the_sentence_has_the_earliest_end_of_the_answer_and_all_smallest_machines() {
    let until = |number: usize, cores: u32, on: &str, model: &str| {
        plan(number).with(|report| {
            sustains(report, Some(9_000.0), Some(9_000.0));
            report.host.usable_cores_count = cores;
            report.host.cpu_model = model.to_owned();
            report.plan.as_mut().unwrap().valid_until.as_mut().unwrap().on = Some(on.to_owned());
        })
    };
    let fleet = [
        until(0, 2, "2026-12-24", "One"),
        until(1, 2, "2026-11-19", "Two"),
        until(2, 4, "2027-01-01", "Three"),
        // It does not sustain the target.
        until(3, 1, "2026-01-01", "Four").with(|report| sustains(report, None, None)),
    ];
    let comparison = joined(fleet);
    let sentence = &comparison.sentence;
    assert!(sentence.ends_with("; valid until 2026-11-19, when the disk is full."), "{sentence}");
    let named = |model: &str| &comparison.machines.iter().find(|machine| machine.cpu_model == model).unwrap().name;
    let tie = format!("the smallest, of equal cores and RAM, are {} and {}", named("One"), named("Two"));
    assert!(sentence.contains(&tie), "{sentence}");
    let pages = ave_workbench::render::fleet(&comparison);
    for page in [pages.html, pages.markdown] {
        assert!(page.contains("until 2027-01-01, when the disk is full"), "{page}");
    }
}
