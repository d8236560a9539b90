//! Replays through the runner on the backend: of a trace from end to end, and of a workload in a closed loop.
//!
//! The ids are `replay/trace/durability-off` and `…-on` (300 commands each), and `replay/workload/durability-off`
//! and `…-on` (one command). Filter with `cargo bench -- replay`, `-- replay/trace`. `harness` measures the
//! share of the runner itself. Set `TMPDIR` to choose the disk.

mod load;

use std::cell::RefCell;
use std::time::Duration;

use ave_actors_store::config::{MachineProfile, MachineSpec};
use ave_workbench::actor::Durability;
use ave_workbench::load::RocksDbTarget;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::tempdir;

const TARGET: RocksDbTarget = RocksDbTarget::new(MachineSpec::Profile(MachineProfile::Medium));

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    group
}

fn mode(durability: Durability) -> BenchmarkId {
    BenchmarkId::from_parameter(format_args!("durability-{durability}"))
}

fn trace(criterion: &mut Criterion) {
    let mut group = group(criterion, "replay/trace");
    group.throughput(Throughput::Elements(load::COMMANDS as u64));
    let source = load::trace();
    for durability in Durability::BOTH {
        group.bench_function(mode(durability), |bencher| {
            bencher.iter_batched_ref(
                || {
                    let directory = tempdir().expect("a directory");
                    (load::start(&TARGET, &source, directory.path(), durability), directory)
                },
                |(session, _directory)| load::replay(session),
                BatchSize::PerIteration,
            );
        });
    }
}

fn workload(criterion: &mut Criterion) {
    let mut group = group(criterion, "replay/workload");
    group.throughput(Throughput::Elements(1));
    let source = load::workload();
    for durability in Durability::BOTH {
        let directory = tempdir().expect("a directory");
        let session = RefCell::new(None);
        group.bench_function(mode(durability), |bencher| {
            let mut session = session.borrow_mut();
            let session = session.get_or_insert_with(|| load::start(&TARGET, &source, directory.path(), durability));
            bencher.iter_custom(|commands| load::replay_commands(session, commands));
        });
    }
}

criterion_group!(replays, trace, workload);
criterion_main!(replays);
