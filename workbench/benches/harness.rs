//! The cost of the workbench itself: the replays of `replay` on a backend that does nothing.
//!
//! The ids are `harness/trace` (300 commands, three operations each, with the start of a worker and the histograms)
//! and `harness/workload` (one command), and `harness/operation` (one storage operation of the workload, which
//! reports show as the cost of the harness). Filter with `cargo bench -- harness`.

mod load;

use std::cell::RefCell;
use std::time::Duration;

use ave_workbench::actor::Durability;
use ave_workbench::load::{NullBackend, harness_ns_per_operation};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

fn harness(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("harness");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let nowhere = std::env::temp_dir();
    let start = |source| load::start(&NullBackend, source, &nowhere, Durability::Off);

    let source = load::trace();
    group.throughput(Throughput::Elements(load::COMMANDS as u64));
    group.bench_function("trace", |bencher| {
        bencher.iter_batched_ref(|| start(&source), load::replay, BatchSize::PerIteration);
    });

    let source = load::workload();
    group.throughput(Throughput::Elements(1));
    let session = RefCell::new(None);
    group.bench_function("workload", |bencher| {
        let mut session = session.borrow_mut();
        let session = session.get_or_insert_with(|| start(&source));
        bencher.iter_custom(|commands| load::replay_commands(session, commands));
    });
    group.bench_function("operation", |bencher| {
        bencher.iter_custom(|operations| {
            let nanoseconds = harness_ns_per_operation(&source).expect("the null backend accepts all operations");
            Duration::from_secs_f64(nanoseconds / 1e9 * operations as f64)
        });
    });
}

criterion_group!(costs, harness);
criterion_main!(costs);
