//! Each operation of a collection and of a state in isolation: three value sizes, and durability off and on for writes.
//!
//! The ids are `collection/OPERATION/…` and `state/OPERATION/…`, followed by `durability-off` or `durability-on` for
//! writes, and the size in bytes. Filter with `cargo bench -- put/durability-on`, `-- collection/get`, `-- /65536`. The
//! databases are in the temporary directory of the system: set `TMPDIR` to another disk, or to `/dev/shm` to exclude
//! the disk. For the cost of an actor's command, use the workbench.

mod fixture;

use std::cell::LazyCell;
use std::hint::black_box;
use std::time::Duration;

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::database::{Collection, DbManager, State};
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use fixture::{DURABILITY, Database, key, log, value};

/// An event, a value of a quarter of a block, and a snapshot large enough for a blob file.
const VALUE_BYTES: [usize; 3] = [256, 4 << 10, 64 << 10];
/// Size of the logs that are read, in bytes, limited by [`MAX_EVENTS`].
const LOG_BYTES: usize = 16 << 20;
/// Events of such a log at most.
const MAX_EVENTS: usize = 10_000;
/// Length of the logs that are purged.
const PURGED_EVENTS: u64 = 20;
/// Events per range.
const PAGE: isize = 10;
/// Number of actors whose states are written and deleted.
const STATES: usize = 64;

/// A log between two others, flushed to files, so that reads use filters, indexes and blocks.
struct Log {
    _database: Database,
    entries: RocksDbStore,
    events: u64,
}

impl Log {
    fn new(value_bytes: usize) -> Self {
        let events = (LOG_BYTES / value_bytes).min(MAX_EVENTS) as u64;
        let database = Database::filled(false, |manager| {
            for actor in ["actor-4", "actor-5", "actor-6"] {
                fill(&mut log(manager, actor), events, &value(value_bytes));
            }
        });
        let entries = database.log("actor-5");
        Self { _database: database, entries, events }
    }
}

/// Appends the first events of a log.
fn fill(log: &mut RocksDbStore, events: u64, value: &[u8]) {
    for number in 0..events {
        Collection::put(log, &key(number), value).expect("a put");
    }
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800)).sample_size(20);
    // The same number of calls in each sample: with a rising number, the first samples would mostly measure the clock.
    group.sampling_mode(SamplingMode::Flat);
    group
}

/// Every durability mode with every size, and the id of each.
fn writes() -> impl Iterator<Item = (BenchmarkId, bool, usize)> {
    DURABILITY.into_iter().flat_map(|(mode, durability)| {
        VALUE_BYTES.into_iter().map(move |bytes| (BenchmarkId::new(mode, bytes), durability, bytes))
    })
}

fn collection_put(criterion: &mut Criterion) {
    let mut group = group(criterion, "collection/put");
    for (id, durability, bytes) in writes() {
        let database = LazyCell::new(|| Database::new(durability));
        let (value, mut n) = (value(bytes), 0);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(id, |bencher| {
            let mut log = database.log("actor-5");
            bencher.iter(|| {
                n += 1;
                Collection::put(&mut log, &key(n), &value).expect("a put");
            });
        });
    }
}

fn collection_get(criterion: &mut Criterion) {
    let mut group = group(criterion, "collection/get");
    for bytes in VALUE_BYTES {
        let log = LazyCell::new(|| Log::new(bytes));
        let mut n = 0;
        group.bench_function(BenchmarkId::new("hit", bytes), |bencher| {
            let log = &*log;
            bencher.iter(|| {
                // A prime step: visits every event, and no two adjacent ones in a row.
                n = (n + 7919) % log.events;
                Collection::get(&log.entries, &key(n)).expect("a hit")
            });
        });
        group.bench_function(BenchmarkId::new("miss", bytes), |bencher| {
            let log = &*log;
            bencher.iter(|| {
                n += 1;
                Collection::get(&log.entries, &key(log.events + n)).expect_err("a miss")
            });
        });
    }
}

fn collection_del(criterion: &mut Criterion) {
    let mut group = group(criterion, "collection/del");
    for (id, durability, bytes) in writes() {
        let database = LazyCell::new(|| Database::new(durability));
        let (value, mut n) = (value(bytes), 0);
        group.bench_function(id, |bencher| {
            let [mut log, mut writer] = ["actor-5"; 2].map(|actor| database.log(actor));
            bencher.iter_batched(
                || {
                    n += 1;
                    Collection::put(&mut writer, &key(n), &value).expect("a put");
                    key(n)
                },
                |key| Collection::del(&mut log, &key).expect("a delete"),
                BatchSize::SmallInput,
            );
        });
    }
}

fn collection_last(criterion: &mut Criterion) {
    let mut group = group(criterion, "collection/last");
    for bytes in VALUE_BYTES {
        let log = LazyCell::new(|| Log::new(bytes));
        group.bench_function(BenchmarkId::from_parameter(bytes), |bencher| {
            let log = &*log;
            bencher.iter(|| log.entries.last().expect("an answer").expect("an event"));
        });
    }
}

fn collection_iter(criterion: &mut Criterion) {
    let mut group = group(criterion, "collection/iter");
    for bytes in VALUE_BYTES {
        let log = LazyCell::new(|| Log::new(bytes));
        for (direction, reverse) in [("forward", false), ("reverse", true)] {
            group.throughput(Throughput::Elements((LOG_BYTES / bytes).min(MAX_EVENTS) as u64));
            group.bench_function(BenchmarkId::new(direction, bytes), |bencher| {
                let log = &*log;
                bencher.iter(|| {
                    for item in log.entries.iter(reverse).expect("an iterator") {
                        black_box(item.expect("an entry"));
                    }
                });
            });
        }
    }
}

fn collection_get_by_range(criterion: &mut Criterion) {
    let mut group = group(criterion, "collection/get_by_range");
    group.throughput(Throughput::Elements(PAGE.unsigned_abs() as u64));
    for bytes in VALUE_BYTES {
        let log = LazyCell::new(|| Log::new(bytes));
        for (direction, quantity) in [("forward", PAGE), ("reverse", -PAGE)] {
            group.bench_function(BenchmarkId::new(direction, bytes), |bencher| {
                let log = &*log;
                bencher.iter(|| log.entries.get_by_range(Some(key(log.events / 2)), quantity).expect("a range"));
            });
        }
    }
}

fn collection_purge(criterion: &mut Criterion) {
    let mut group = group(criterion, "collection/purge");
    group.throughput(Throughput::Elements(PURGED_EVENTS));
    for (id, durability, bytes) in writes() {
        let database = LazyCell::new(|| Database::new(durability));
        let (value, mut n) = (value(bytes), 0);
        group.bench_function(id, |bencher| {
            bencher.iter_batched(
                || {
                    n += 1;
                    let mut log = database.log(&format!("actor-{n}"));
                    fill(&mut log, PURGED_EVENTS, &value);
                    log
                },
                |mut log| Collection::purge(&mut log).expect("a purge"),
                BatchSize::PerIteration,
            );
        });
    }
}

/// The states of several actors, which are used in turn.
fn states(manager: &RocksDbManager) -> Vec<RocksDbStore> {
    let actors = (0..STATES).map(|actor| format!("actor-{actor}"));
    actors.map(|actor| manager.create_state("states", &actor).expect("a state")).collect()
}

fn state_put(criterion: &mut Criterion) {
    let mut group = group(criterion, "state/put");
    for (id, durability, bytes) in writes() {
        let database = LazyCell::new(|| Database::new(durability));
        let (value, mut turn) = (value(bytes), 0);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(id, |bencher| {
            let mut states = states(&database.manager);
            bencher.iter(|| {
                turn = (turn + 1) % STATES;
                State::put(&mut states[turn], &value).expect("a put");
            });
        });
    }
}

fn state_get(criterion: &mut Criterion) {
    let mut group = group(criterion, "state/get");
    for bytes in VALUE_BYTES {
        let database = LazyCell::new(|| {
            Database::filled(false, |manager| {
                for mut state in states(manager) {
                    State::put(&mut state, &value(bytes)).expect("a put");
                }
            })
        });
        let mut turn = 0;
        group.bench_function(BenchmarkId::new("hit", bytes), |bencher| {
            let states = states(&database.manager);
            bencher.iter(|| {
                turn = (turn + 1) % STATES;
                State::get(&states[turn]).expect("a hit")
            });
        });
        group.bench_function(BenchmarkId::new("miss", bytes), |bencher| {
            let none = database.manager.create_state("states", "actor-none").expect("a state");
            bencher.iter(|| State::get(&none).expect_err("a miss"));
        });
    }
}

/// Measures `remove` on a state that was just written.
fn state_removal(criterion: &mut Criterion, name: &str, remove: impl Fn(&mut RocksDbStore)) {
    let mut group = group(criterion, name);
    for (id, durability, bytes) in writes() {
        let database = LazyCell::new(|| Database::new(durability));
        let (value, mut turn) = (value(bytes), 0);
        group.bench_function(id, |bencher| {
            let [mut writers, mut states] = [states(&database.manager), states(&database.manager)];
            bencher.iter_batched(
                || {
                    turn = (turn + 1) % STATES;
                    State::put(&mut writers[turn], &value).expect("a put");
                    turn
                },
                |turn| remove(&mut states[turn]),
                BatchSize::PerIteration,
            );
        });
    }
}

fn state_del(criterion: &mut Criterion) {
    state_removal(criterion, "state/del", |state| State::del(state).expect("a delete"));
}

fn state_purge(criterion: &mut Criterion) {
    state_removal(criterion, "state/purge", |state| State::purge(state).expect("a purge"));
}

criterion_group!(
    collections,
    collection_put,
    collection_get,
    collection_del,
    collection_last,
    collection_iter,
    collection_get_by_range,
    collection_purge
);
criterion_group!(single_values, state_put, state_get, state_del, state_purge);
criterion_main!(collections, single_values);
