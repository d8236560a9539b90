//! Opening a database with few and with many column families, creating one more, and stopping.
//!
//! The ids are `open/warm/FAMILIES` and `open/cold/FAMILIES`, `create/existing`, `create/new/durability-off` and
//! `…-on`, and `stop/EVENTS`. Cold means that the kernel dropped the files from the page cache, which has no effect on
//! a file system in memory or on caches of the disk. Filter with `cargo bench -- open`, `-- open/warm`. Set `TMPDIR` to
//! choose the disk.

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

/// Three families per actor type: 1, 100 and 500 types.
const FAMILIES: [usize; 3] = [3, 300, 1_500];
/// Events in the memtable when the database is stopped.
const UNFLUSHED_EVENTS: [u64; 2] = [0, 10_000];

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1500)).sample_size(10);
    group
}

/// A closed database with `families` column families and one entry in each.
fn closed(families: usize) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let names: Vec<String> = (0..families).map(|number| format!("type{number}_events")).collect();
    // All at once: RocksDB rewrites the options of all families for each one that is created later.
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
            // The returned manager is dropped, and so closed, outside the measurement.
            bencher.iter_batched(|| (), |()| open(directory, false), BatchSize::PerIteration);
        });
        #[cfg(target_os = "linux")]
        group.bench_function(BenchmarkId::new("cold", families), |bencher| {
            let directory = &*directory;
            bencher.iter_batched(
                || drop_page_cache(directory.path()),
                |()| open(directory, false),
                BatchSize::PerIteration,
            );
        });
    }
}

/// Drops the files of a closed database from the page cache.
#[cfg(target_os = "linux")]
fn drop_page_cache(directory: &std::path::Path) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            drop_page_cache(&path);
            continue;
        }
        let file = std::fs::File::open(&path).expect("a file");
        // The kernel keeps pages that are not written to disk.
        file.sync_all().expect("a sync");
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("advice");
    }
}

/// Creates a handle of an existing column family, as every start of an actor does three times, and of a new one, as the
/// first actor of a type does.
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
