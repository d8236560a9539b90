//! Opening a database with few and with many column families, creating one more, and stopping.
//!
//! The ids are `open/warm/FAMILIES` and `open/cold/FAMILIES`, `create/existing`, `create/new/durability-off` and
//! `…-on`, and `stop/EVENTS`. Cold means that the kernel was asked to forget the files: one in memory stays, and caches
//! below the kernel stay warm. Filter with `cargo bench -- open`, `-- open/warm`. Set `TMPDIR` to choose the disk.

mod fixture;

use std::cell::LazyCell;
use std::time::Duration;

use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::config::{MachineProfile, MachineSpec};
use ave_actors_store::database::{Collection, DbManager};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use fixture::{DURABILITY, Database, key, open, value};
use tempfile::TempDir;

/// Three for each actor type: one type, a hundred, five hundred.
const FAMILIES: [usize; 3] = [3, 300, 1_500];
/// Events that are in no file yet when a database is stopped.
const UNFLUSHED_EVENTS: [u64; 2] = [0, 10_000];

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1500)).sample_size(10);
    group
}

/// A closed database with an entry in each of so many column families.
fn closed(families: usize) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let names: Vec<String> = (0..families).map(|number| format!("type{number}_events")).collect();
    // All at once: one after the other, RocksDB writes down the options of all of them each time.
    let spec = Some(MachineSpec::Profile(MachineProfile::Medium));
    let path = directory.path().join("db");
    let mut manager = RocksDbManager::with_column_families(&path, false, spec, &names).expect("a database");
    for name in &names {
        let mut log = manager.create_collection(name, "actor").expect("a collection");
        Collection::put(&mut log, &key(0), &value(256)).expect("a put");
    }
    manager.stop().expect("a flush");
    directory
}

fn opening(criterion: &mut Criterion) {
    let mut group = group(criterion, "open");
    for families in FAMILIES {
        let directory = LazyCell::new(|| closed(families));
        group.bench_function(BenchmarkId::new("warm", families), |bencher| {
            let directory = &*directory;
            // What is returned is dropped, and so closed, outside of what is measured.
            bencher.iter_batched(|| (), |()| open(directory, false), BatchSize::PerIteration);
        });
        #[cfg(target_os = "linux")]
        group.bench_function(BenchmarkId::new("cold", families), |bencher| {
            let directory = &*directory;
            bencher.iter_batched(|| forget(directory.path()), |()| open(directory, false), BatchSize::PerIteration);
        });
    }
}

/// Has the kernel forget the files of a closed database.
#[cfg(target_os = "linux")]
fn forget(directory: &std::path::Path) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            forget(&path);
            continue;
        }
        let file = std::fs::File::open(&path).expect("a file");
        // Pages that are not on the disk yet stay.
        file.sync_all().expect("a sync");
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("advice");
    }
}

/// A handle of a column family that is there, which every start of an actor makes three of, and of a new one, which only
/// the first actor of its type makes.
fn creating(criterion: &mut Criterion) {
    let mut group = group(criterion, "create");
    let database = LazyCell::new(|| Database::new(false));
    group.bench_function("existing", |bencher| {
        database.log("actor-0");
        bencher.iter(|| database.log("actor-1"));
    });
    for (mode, durability) in DURABILITY {
        let database = LazyCell::new(|| Database::new(durability));
        let mut number = 0;
        group.bench_function(BenchmarkId::new("new", mode), |bencher| {
            let database = &*database;
            bencher.iter(|| {
                number += 1;
                database.manager.create_collection(&format!("type{number}_events"), "actor").expect("a collection")
            });
        });
    }
}

fn stopping(criterion: &mut Criterion) {
    let mut group = group(criterion, "stop");
    for events in UNFLUSHED_EVENTS {
        group.bench_function(BenchmarkId::from_parameter(events), |bencher| {
            bencher.iter_batched_ref(
                || {
                    let database = Database::new(false);
                    let (mut log, value) = (database.log("actor"), value(256));
                    (0..events).for_each(|n| Collection::put(&mut log, &key(n), &value).expect("a put"));
                    database
                },
                |database| database.manager.stop().expect("a stop"),
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group!(openings, opening, creating, stopping);
criterion_main!(openings);
