//! Every storage operation of the backend: with and without durability where it writes, over two sizes of value.
//!
//! `cargo bench --bench storage` takes about a minute. The databases lie in the system's temporary directory: set
//! `TMPDIR` to the disk in question, or to `/dev/shm` to see the code without a disk. What an actor pays per command is
//! the workbench's business; here one operation is alone with itself.

use std::{hint::black_box, time::Duration};

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::{
    config::{MachineProfile, MachineSpec},
    database::{Collection, DbManager, State},
};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;

/// A small event, and one as large as a block.
const VALUE_BYTES: [usize; 2] = [256, 4096];
/// Length of the log that reads look into.
const LOG_EVENTS: u64 = 10_000;
/// Length of the logs that are purged.
const PURGED_EVENTS: u64 = 100;

/// A database in a directory that goes with it.
struct Bench {
    manager: RocksDbManager,
    _dir: TempDir,
}

impl Bench {
    fn new(durability: bool) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let spec = MachineSpec::Profile(MachineProfile::Medium);
        let path = dir.path().join("db");
        let manager = RocksDbManager::new(&path, durability, Some(spec)).expect("a new database");
        Self { manager, _dir: dir }
    }

    fn collection(&self, prefix: &str) -> RocksDbStore {
        self.manager.create_collection("events", prefix).expect("a collection")
    }

    fn state(&self) -> RocksDbStore {
        self.manager.create_state("states", "actor-5").expect("a state")
    }

    /// A log among others, flushed, so that reads go through blocks, index and filter.
    fn filled(value_bytes: usize) -> (Self, RocksDbStore) {
        let mut bench = Self::new(false);
        for prefix in ["actor-4", "actor-5", "actor-6"] {
            fill(&mut bench.collection(prefix), LOG_EVENTS, &value(value_bytes));
        }
        bench.manager.stop().expect("a flush");
        let log = bench.collection("actor-5");
        (bench, log)
    }
}

fn key(n: u64) -> String {
    format!("{n:020}")
}

/// Bytes that compress about as well as serialized events do.
fn value(len: usize) -> Vec<u8> {
    (0..len).map(|n| if n % 2 == 0 { u8::try_from(n * 31 % 251).unwrap_or(0) } else { 0 }).collect()
}

fn fill(log: &mut RocksDbStore, events: u64, value: &[u8]) {
    for n in 0..events {
        Collection::put(log, &key(n), value).expect("a put");
    }
}

fn durability_name(durability: bool) -> &'static str {
    if durability { "durable" } else { "not durable" }
}

fn put(c: &mut Criterion) {
    let mut group = c.benchmark_group("put");
    for durability in [false, true] {
        for len in VALUE_BYTES {
            let bench = Bench::new(durability);
            let (mut log, value, mut n) = (bench.collection("actor-5"), value(len), 0);
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::new(durability_name(durability), len), |b| {
                b.iter(|| {
                    n += 1;
                    Collection::put(&mut log, &key(n), &value).expect("a put");
                });
            });
        }
    }
}

fn get(c: &mut Criterion) {
    let mut group = c.benchmark_group("get");
    for len in VALUE_BYTES {
        let (_bench, log) = Bench::filled(len);
        let mut n = 0;
        group.bench_function(BenchmarkId::new("hit", len), |b| {
            b.iter(|| {
                // A step that visits every event and no two neighbours.
                n = (n + 7919) % LOG_EVENTS;
                Collection::get(&log, &key(n)).expect("a hit")
            });
        });
        group.bench_function(BenchmarkId::new("miss", len), |b| {
            b.iter(|| {
                n += 1;
                Collection::get(&log, &key(LOG_EVENTS + n)).expect_err("a miss")
            });
        });
    }
}

fn del(c: &mut Criterion) {
    let mut group = c.benchmark_group("del");
    for durability in [false, true] {
        let bench = Bench::new(durability);
        let mut log = bench.collection("actor-5");
        let (mut writer, value, mut n) = (bench.collection("actor-5"), value(VALUE_BYTES[0]), 0);
        group.bench_function(durability_name(durability), |b| {
            b.iter_batched(
                || {
                    n += 1;
                    Collection::put(&mut writer, &key(n), &value).expect("a put");
                    key(n)
                },
                |key| Collection::del(&mut log, &key).expect("a delete"),
                BatchSize::PerIteration,
            );
        });
    }
}

fn last(c: &mut Criterion) {
    let mut group = c.benchmark_group("last");
    for len in VALUE_BYTES {
        let (_bench, log) = Bench::filled(len);
        group.bench_function(BenchmarkId::from_parameter(len), |b| b.iter(|| log.last().expect("the last event")));
    }
}

fn iter(c: &mut Criterion) {
    let mut group = c.benchmark_group("iter");
    group.throughput(Throughput::Elements(LOG_EVENTS));
    for len in VALUE_BYTES {
        let (_bench, log) = Bench::filled(len);
        for (name, reverse) in [("forward", false), ("reverse", true)] {
            group.bench_function(BenchmarkId::new(name, len), |b| {
                b.iter(|| {
                    for item in log.iter(reverse).expect("an iterator") {
                        black_box(item.expect("an entry"));
                    }
                });
            });
        }
    }
}

fn get_by_range(c: &mut Criterion) {
    let mut group = c.benchmark_group("get_by_range");
    for len in VALUE_BYTES {
        let (_bench, log) = Bench::filled(len);
        for (name, quantity) in [("10 from the middle", 10), ("10 before the middle", -10)] {
            group.bench_function(BenchmarkId::new(name, len), |b| {
                b.iter(|| log.get_by_range(Some(key(LOG_EVENTS / 2)), quantity).expect("a range"));
            });
        }
    }
}

fn state(c: &mut Criterion) {
    let mut group = c.benchmark_group("state");
    for len in VALUE_BYTES {
        let value = value(len);
        for durability in [false, true] {
            let bench = Bench::new(durability);
            let mut state = bench.state();
            group.bench_function(BenchmarkId::new(format!("put, {}", durability_name(durability)), len), |b| {
                b.iter(|| State::put(&mut state, &value).expect("a put"));
            });
        }
        let bench = Bench::new(false);
        let mut state = bench.state();
        State::put(&mut state, &value).expect("a put");
        group.bench_function(BenchmarkId::new("get", len), |b| b.iter(|| State::get(&state).expect("a hit")));
    }
}

fn purge(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("purge of {PURGED_EVENTS} events"));
    for durability in [false, true] {
        let bench = Bench::new(durability);
        let value = value(VALUE_BYTES[0]);
        let mut n = 0;
        group.bench_function(durability_name(durability), |b| {
            b.iter_batched(
                || {
                    n += 1;
                    let mut log = bench.collection(&format!("actor-{n}"));
                    fill(&mut log, PURGED_EVENTS, &value);
                    log
                },
                |mut log| Collection::purge(&mut log).expect("a purge"),
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group! {
    name = storage;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .without_plots();
    targets = put, get, del, last, iter, get_by_range, state, purge
}
criterion_main!(storage);
