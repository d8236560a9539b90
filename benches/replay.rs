//! Replay of a small trace, end to end: the runner, its schedule and its histograms over a backend.
//!
//! `null` is what the runner itself costs; the others are the RocksDB backend with durability off and on. Filter with
//! `cargo bench --bench replay -- null`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ave_actors_rocksdb::workbench::actor::{ActorLog, Command, CommandKind, Durability, PersistenceRules, Strategy};
use ave_actors_rocksdb::workbench::runner::{
    Clock, Control, DriveSpec, Load, NullTarget, RocksDbTarget, Session, Silent, Source, SystemClock, Target, WarmUp,
};
use ave_actors_rocksdb::workbench::trace::{Provenance, Trace, TraceBuilder};
use ave_actors_store::config::{MachineProfile, MachineSpec};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const ACTORS: usize = 50;
const COMMANDS: usize = 1_000;

/// Registers under light persistence, one event after the other.
fn small_trace() -> Arc<Trace> {
    let rules = PersistenceRules { strategy: Strategy::Light, compact_on_snapshot: false, encrypted: false };
    let provenance = Provenance { name: "bench".to_owned(), compressibility: 0.5, ..Provenance::default() };
    let mut builder = TraceBuilder::new(provenance);
    let mut logs = vec![ActorLog::default(); ACTORS];
    let mut ops = Vec::new();
    for (at_ns, actor) in (0..ACTORS).cycle().take(COMMANDS).enumerate() {
        ops.clear();
        logs[actor].expand(rules, Command::Persist { event_bytes: 250, state_bytes: 1_000 }, &mut ops);
        let place = builder.actor("bench", &format!("actor-{actor:04}"));
        builder.command(at_ns as u64, place, CommandKind::Persist, &mut ops).expect("kept in memory");
    }
    Arc::new(builder.finish().expect("kept in memory"))
}

/// The system's clock without the pause in which workers get ready: here that is part of what is measured.
struct AtOnce(SystemClock);

impl Clock for AtOnce {
    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }

    fn wait_until(&self, at_ns: u64) {
        self.0.wait_until(at_ns);
    }
}

fn replay<T: Target>(session: &mut Session<'_, T>)
where
    T::Manager: Sync,
{
    let spec = DriveSpec { load: Load::Closed, warmup: WarmUp::NONE, measure: None, lag_limit: None };
    let drive = session.drive(&spec, &AtOnce(SystemClock::new()), &Silent, &Control::default()).expect("replays");
    assert_eq!(drive.measurement.command_count(), COMMANDS as u64);
}

fn start<'t, T: Target>(target: &'t T, source: &Source, directory: &Path, durability: Durability) -> Session<'t, T>
where
    T::Manager: Sync,
{
    Session::start(target, source, directory, durability, 1, &Silent, &Control::default()).expect("starts")
}

fn benches(criterion: &mut Criterion) {
    let source = Source::Trace { trace: small_trace(), seed: 1, passes: Some(1) };
    let mut group = criterion.benchmark_group("replay");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Elements(COMMANDS as u64));
    let nowhere = std::env::temp_dir();
    group.bench_function(BenchmarkId::new("null", COMMANDS), |bencher| {
        bencher.iter_batched_ref(
            || start(&NullTarget, &source, &nowhere, Durability::Off),
            replay,
            BatchSize::PerIteration,
        );
    });
    let target = RocksDbTarget::new(MachineSpec::Profile(MachineProfile::Medium));
    for durability in Durability::BOTH {
        let id = BenchmarkId::new(format!("durability-{durability}"), COMMANDS);
        group.bench_function(id, |bencher| {
            bencher.iter_batched_ref(
                || {
                    let directory = tempfile::tempdir_in(".").expect("a directory");
                    let session = start(&target, &source, directory.path(), durability);
                    (session, directory)
                },
                |(session, _directory)| replay(session),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(replays, benches);
criterion_main!(replays);
