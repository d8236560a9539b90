//! The figures and their names: base units, and suffixes as Prometheus and `OpenMetrics` prescribe.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::actor::Durability;
use crate::load::{EngineCounters, Phase};
use crate::measure::Snapshot;
use crate::report::{COMMIT, VERSION};

const PREFIX: &str = "ave_workbench";

/// Durability and phase; the workload is a label of all figures.
type Labels = [(&'static str, &'static str); 2];
type Seconds = Counter<f64, AtomicU64>;
type Number = Gauge<f64, AtomicU64>;

#[derive(Default)]
pub(super) struct Figures {
    registry: Registry,
    commands: Family<Labels, Counter>,
    response_p99: Family<Labels, Number>,
    phase_active: Family<Labels, Gauge>,
    phase_progress: Family<Labels, Number>,
    round: Gauge,
    rounds: Gauge,
    cpu: Family<Labels, Seconds>,
    written: Family<Labels, Counter>,
    resident: Gauge,
    wal_syncs: Family<Labels, Counter>,
    stalls: Family<Labels, Seconds>,
    pending_compaction: Gauge,
    seen: Mutex<Seen>,
}

/// What was passed on last: counters of the process and of a database begin again with it.
#[derive(Default)]
struct Seen {
    labels: Labels,
    total: Option<u64>,
    commands: u64,
    process: Option<Snapshot>,
    engine: EngineCounters,
}

impl Figures {
    pub(super) fn new(workload: String) -> Self {
        let labels = [("workload".into(), workload.into())].into_iter();
        let mut figures = Self { registry: Registry::with_prefix_and_labels(PREFIX, labels), ..Self::default() };
        figures.register();
        figures
    }

    fn register(&mut self) {
        let version = Info::new(vec![("version", VERSION), ("commit", COMMIT.unwrap_or_default())]);
        let Self { registry, .. } = self;
        registry.register("build", "Version and commit of ave-workbench", version);
        registry.register("commands", "Commands completed, warm-ups included", self.commands.clone());
        registry.register_with_unit(
            "response_time_p99",
            "99th percentile of the response times of all commands of the current load so far",
            Unit::Seconds,
            self.response_p99.clone(),
        );
        registry.register("phase_active", "1 for the current phase, 0 for others", self.phase_active.clone());
        registry.register(
            "phase_progress_ratio",
            "Part of the phase that is done, 0 to 1, where its length is known",
            self.phase_progress.clone(),
        );
        registry.register("round", "Current round, from 1", self.round.clone());
        registry.register("rounds", "Rounds of each durability mode", self.rounds.clone());
        registry.register_with_unit(
            "process_cpu",
            "CPU time of the process while it is measured",
            Unit::Seconds,
            self.cpu.clone(),
        );
        registry.register_with_unit(
            "process_written",
            "Bytes that the process caused to be written to storage while it is measured",
            Unit::Bytes,
            self.written.clone(),
        );
        registry.register_with_unit(
            "process_resident_memory",
            "Resident set of the process, the harness included",
            Unit::Bytes,
            self.resident.clone(),
        );
        registry.register("wal_syncs", "Syncs of the write-ahead log while it is measured", self.wal_syncs.clone());
        registry.register_with_unit(
            "write_stall",
            "Time that the engine delayed or stopped writers while it is measured",
            Unit::Seconds,
            self.stalls.clone(),
        );
        registry.register_with_unit(
            "pending_compaction",
            "Bytes waiting to be compacted",
            Unit::Bytes,
            self.pending_compaction.clone(),
        );
    }

    /// All figures in the text format of `OpenMetrics`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn seen<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let labels = [("durability", if durability.is_on() { "on" } else { "off" }), ("phase", name(phase))];
        self.seen(|seen| {
            let has_begun = !seen.labels[0].0.is_empty();
            if has_begun {
                self.phase_active.get_or_create(&seen.labels).set(0);
            }
            // The process idles between measurements, and another database may be open next.
            if phase == Phase::Measure {
                (seen.process, seen.engine) = (None, EngineCounters::default());
            }
            (seen.labels, seen.total) = (labels, total);
        });
        self.phase_active.get_or_create(&labels).set(1);
    }

    pub(super) fn progress(&self, done: u64, commands: u64) {
        self.seen(|seen| {
            // Fewer commands are those of a new load.
            let more = commands.checked_sub(seen.commands).unwrap_or(commands);
            seen.commands = commands;
            self.commands.get_or_create(&seen.labels).inc_by(more);
            if let Some(total) = seen.total.filter(|&total| total > 0) {
                self.phase_progress.get_or_create(&seen.labels).set((done as f64 / total as f64).min(1.0));
            }
        });
    }

    pub(super) fn latency(&self, p99_ns: u64) {
        self.seen(|seen| self.response_p99.get_or_create(&seen.labels).set(p99_ns as f64 / 1e9));
    }

    pub(super) fn round(&self, round: u32, of: u32) {
        self.round.set(round.into());
        self.rounds.set(of.into());
    }

    pub(super) fn resources(&self, process: &Snapshot, engine: Option<EngineCounters>) {
        self.seen(|seen| {
            let labels = &seen.labels;
            self.resident.set(signed(process.rss_bytes));
            if let Some(before) = seen.process {
                let cpu_seconds = (process.cpu_seconds - before.cpu_seconds).max(0.0);
                self.cpu.get_or_create(labels).inc_by(cpu_seconds);
                if let (Some(before), Some(written)) = (before.written_bytes, process.written_bytes) {
                    self.written.get_or_create(labels).inc_by(written.saturating_sub(before));
                }
            }
            if let Some(engine) = engine {
                // The first sample of a measurement is the origin of its counters.
                if seen.process.is_some() {
                    let more = engine.since(seen.engine);
                    self.wal_syncs.get_or_create(labels).inc_by(more.wal_syncs);
                    self.stalls.get_or_create(labels).inc_by(more.stall_micros as f64 / 1e6);
                }
                self.pending_compaction.set(signed(engine.pending_compaction_bytes));
                seen.engine = engine;
            }
            seen.process = Some(*process);
        });
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Preload => "preload",
        Phase::Cache => "cache",
        Phase::Start => "start",
        Phase::WarmUp => "warm_up",
        Phase::Measure => "measure",
        Phase::Settle => "settle",
        Phase::Verify => "verify",
        Phase::Crash => "crash",
        Phase::PowerCut => "power_cut",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value behind a name and its labels.
    fn value(figures: &Figures, name: &str, labels: &str) -> f64 {
        let start = format!("{PREFIX}_{name}{{workload=\"w\"{labels}}} ");
        let text = figures.text();
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{start}: {text}"));
        line[start.len()..].parse().unwrap()
    }

    const WARM_UP: &str = ",durability=\"on\",phase=\"warm_up\"";
    const MEASURE: &str = ",durability=\"on\",phase=\"measure\"";

    #[test]
    fn commands_are_counted_in_the_phase_they_end_in_across_loads() {
        let figures = Figures::new("w".to_owned());
        figures.phase(Durability::On, Phase::WarmUp, None);
        figures.progress(1, 10);
        for _ in 0..2 {
            figures.phase(Durability::On, Phase::Measure, Some(1_000));
            figures.progress(500, 25);
            figures.progress(2_000, 30);
            // The next load begins at 0.
            figures.progress(0, 0);
        }
        let commands = |labels| value(&figures, "commands_total", labels);
        for (found, expected) in [
            (commands(WARM_UP), 10.0),
            (commands(MEASURE), 50.0),
            (value(&figures, "phase_progress_ratio", MEASURE), 0.0),
            (value(&figures, "phase_active", WARM_UP), 0.0),
            (value(&figures, "phase_active", MEASURE), 1.0),
        ] {
            assert!((found - expected).abs() < 1e-12, "{found}, {expected}: {}", figures.text());
        }
    }

    #[test]
    fn figures_are_in_base_units() {
        let figures = Figures::new("w".to_owned());
        figures.phase(Durability::On, Phase::Measure, None);
        figures.latency(1_500_000);
        figures.round(2, 5);
        let process = |seconds, written| Snapshot {
            cpu_seconds: seconds,
            rss_bytes: 4_096,
            written_bytes: Some(written),
            ..Snapshot::default()
        };
        let engine = |count| {
            Some(EngineCounters { wal_syncs: count, stall_micros: count * 500_000, ..EngineCounters::default() })
        };
        figures.resources(&process(3.0, 100), engine(7));
        figures.resources(&process(3.5, 300), engine(9));
        for (name, labels, expected) in [
            ("response_time_p99_seconds", MEASURE, 0.001_5),
            ("process_cpu_seconds_total", MEASURE, 0.5),
            ("process_written_bytes_total", MEASURE, 200.0),
            ("wal_syncs_total", MEASURE, 2.0),
            ("write_stall_seconds_total", MEASURE, 1.0),
            ("process_resident_memory_bytes", "", 4_096.0),
            ("round", "", 2.0),
            ("rounds", "", 5.0),
        ] {
            assert!((value(&figures, name, labels) - expected).abs() < 1e-12, "{name}: {}", figures.text());
        }
    }

    #[test]
    fn a_hostile_name_stays_a_label() {
        let figures = Figures::new("a\"} 1\nb{c=\"\\".to_owned());
        figures.round(1, 1);
        let text = figures.text();
        assert!(text.contains(r#"ave_workbench_round{workload="a\"} 1\nb{c=\"\\"} 1"#), "{text}");
    }
}
