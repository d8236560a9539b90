//! The cost of a recording for the recorded actor.
//!
//! `null` measures the wrapper alone, over a manager that does nothing. The others measure single writes of the RocksDB
//! backend with durability off and on. Filter with `cargo bench -- recorder/null`. Set `TMPDIR` to choose the disk.

use std::time::Duration;

use ave_actors_rocksdb::{Recorder, RecorderOptions, RecordingManager, RocksDbManager};
use ave_actors_store::config::{MachineProfile, MachineSpec};
use ave_actors_store::database::{Collection, DbManager};
use ave_workbench::load::NullBackend;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::{TempDir, tempdir};

const EVENT: [u8; 250] = [7; 250];

/// A recorder in a temporary directory, with a queue large enough for a loop of calls without pauses.
fn recorder() -> (Recorder, TempDir) {
    let directory = tempdir().expect("a directory");
    let options = RecorderOptions::new(directory.path()).keep_parts(2).queue_length(1 << 20);
    (Recorder::start(options).expect("records"), directory)
}

/// Measures consecutive `put` calls, as an actor issues them.
fn puts<C: Collection>(group: &mut BenchmarkGroup<'_, WallTime>, id: BenchmarkId, mut events: C) {
    let mut key = String::with_capacity(20);
    let mut number = 0_u64;
    group.bench_function(id, |bencher| {
        bencher.iter(|| {
            use std::fmt::Write as _;
            key.clear();
            write!(key, "{number:020}").expect("writing to a string cannot fail");
            number += 1;
            events.put(&key, &EVENT).expect("writes");
        });
    });
}

/// Measures the manager itself, wrapped without a recorder, and recorded.
fn compare<M, C, S>(criterion: &mut Criterion, name: &str, manager: &M)
where
    M: DbManager<C, S>,
    C: Collection,
    S: ave_actors_store::database::State,
{
    let mut group = criterion.benchmark_group(format!("recorder/{name}"));
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_millis(1500)).sample_size(20);
    group.throughput(Throughput::Elements(1));
    let family = "bench_events";
    let bare = manager.create_collection(family, "bare").expect("creates");
    puts(&mut group, BenchmarkId::from_parameter("bare"), bare);
    let wrapped = RecordingManager::new(manager.clone(), None);
    puts(
        &mut group,
        BenchmarkId::from_parameter("wrapped"),
        wrapped.create_collection(family, "wrapped").expect("creates"),
    );
    let (recording, directory) = recorder();
    let recorded = RecordingManager::new(manager.clone(), Some(recording.clone()));
    puts(
        &mut group,
        BenchmarkId::from_parameter("recorded"),
        recorded.create_collection(family, "recorded").expect("creates"),
    );
    group.finish();
    recording.finish().expect("completes");
    drop(directory);
}

fn null(criterion: &mut Criterion) {
    compare(criterion, "null", &NullBackend);
}

fn rocksdb(criterion: &mut Criterion) {
    for (name, durability) in [("durability-off", false), ("durability-on", true)] {
        let directory = tempdir().expect("a directory");
        let spec = MachineSpec::Profile(MachineProfile::Medium);
        let path = directory.path().join("db");
        let manager = RocksDbManager::new(&path, durability, Some(spec)).expect("opens");
        compare(criterion, name, &manager);
    }
}

criterion_group!(recordings, null, rocksdb);
criterion_main!(recordings);
