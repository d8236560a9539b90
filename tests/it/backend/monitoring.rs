//! Sizes of actors, latencies, background errors and slow operations.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use ave_actors_rocksdb::backend::ActorSize;
use ave_actors_store::database::{Collection, DbManager, State};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::{Database, assert_contains, faults::noise, key, put, try_open};

fn of_actors(db: &Database, largest: usize) -> (u64, Vec<(String, String, u64)>) {
    let sizes = db.manager.actor_sizes(largest).unwrap();
    let parts = |ActorSize { actor_type, name, approximate_bytes }| (actor_type, name, approximate_bytes);
    (sizes.actors, sizes.largest.into_iter().map(parts).collect())
}

#[test]
fn the_largest_actors_are_found_by_their_events_and_states() {
    let mut db = Database::new();
    for (actor, events, state) in [("small", 10, 10), ("many-events", 2000, 10), ("large-state", 10, 100_000)] {
        let mut collection = db.collection("Account_events", actor);
        for n in 0..events {
            Collection::put(&mut collection, &key(n), &noise(n, 200)).unwrap();
        }
        State::put(&mut db.state("Account_states", actor), &noise(1, state)).unwrap();
    }
    State::put(&mut db.state("Other_states", "small"), b"of another type").unwrap();
    assert_eq!(of_actors(&db, 2).0, 4, "actors of both types");
    db.manager.stop().unwrap();

    let (actors, largest) = of_actors(&db, 2);
    assert_eq!(actors, 4);
    let names: Vec<_> = largest.iter().map(|(actor_type, name, _)| (actor_type.as_str(), name.as_str())).collect();
    assert_eq!(names, [("Account", "many-events"), ("Account", "large-state")]);
    // Events: the estimate is exact to some blocks. States: exact.
    assert!((350_000..550_000).contains(&largest[0].2), "{largest:?}");
    assert!((100_000..150_000).contains(&largest[1].2), "{largest:?}");
}

#[test]
fn actors_whose_names_contain_dots_or_continue_others_are_counted() {
    let db = Database::new();
    for actor in ["a", "a.b", "a.b.c", "ab", "", "ä"] {
        let mut events = db.collection("Account_events", actor);
        for n in 0..3 {
            put(&mut events, &key(n), "event");
        }
    }
    let (actors, largest) = of_actors(&db, 10);
    assert_eq!((actors, largest.len()), (6, 6), "{largest:?}");
    assert_eq!(of_actors(&db, 0), (6, vec![]));
}

/// Raw keys that begin with the byte FF, which occurs in no name, do not belong to actors.
#[test]
#[cfg(feature = "export-rocksdb")]
fn entries_of_the_backend_itself_are_no_actors() {
    use ave_actors_rocksdb::rocksdb::{DB, Options};
    let db = Database::new();
    put(&mut db.collection("Account_events", "actor"), "01", "event");
    let Database { manager, dir } = db;
    let path = manager.path().to_path_buf();
    drop(manager);
    {
        let raw = DB::open_cf(&Options::default(), &path, ["default", "Account_events"]).unwrap();
        raw.put_cf(&raw.cf_handle("Account_events").unwrap(), b"\xFFregistry.01", b"x").unwrap();
    }
    let db = Database { manager: super::open(&path), dir };
    let (actors, largest) = of_actors(&db, 10);
    assert_eq!((actors, largest[0].1.as_str(), largest.len()), (1, "actor", 1));
}

#[test]
fn latencies_count_syncs_and_flushes_from_the_first_call() {
    let dir = tempfile::tempdir().unwrap();
    let mut manager = try_open(dir.path(), true).unwrap();
    let mut events = manager.create_collection("events", "actor").unwrap();
    put(&mut events, "01", "before");
    assert_eq!(manager.latencies().wal_sync.count, 0);
    for n in 0..10 {
        put(&mut events, &key(n), "event");
        // The counters do not end the histograms.
        manager.stats().unwrap();
    }
    manager.stop().unwrap();
    let latencies = manager.latencies();
    assert!(latencies.wal_sync.count >= 10, "{latencies:?}");
    assert!(latencies.flush.count >= 1, "{latencies:?}");
    for latency in [latencies.wal_sync, latencies.flush] {
        assert!(0.0 < latency.p50_micros && latency.p50_micros <= latency.p99_micros, "{latency:?}");
        assert!(latency.p99_micros <= latency.max_micros && latency.max_micros <= latency.sum_micros as f64);
    }
}

#[test]
fn the_size_of_the_logs_is_that_of_their_files() {
    let db = Database::new();
    let mut events = db.collection("events", "actor");
    for n in 0..100 {
        Collection::put(&mut events, &key(n), &[7; 10_000]).unwrap();
    }
    assert!(db.manager.stats().unwrap().wal_file_bytes >= 1_000_000);
    assert_eq!(db.manager.stats().unwrap().background_error, None);
    assert_eq!(db.manager.stats().unwrap().background_errors, 0);
}

#[test]
#[cfg(target_os = "linux")]
fn the_error_that_stops_writes_is_in_the_statistics_until_it_is_gone() {
    super::faults::child::on_small_disk(
        the_error_that_stops_writes_is_in_the_statistics_until_it_is_gone,
        32,
        |disk| {
            let manager = try_open(&disk.path().join("db"), false).unwrap();
            let mut events = manager.create_collection("events", "actor").unwrap();
            disk.fill_except(0);
            let mut n = 0;
            while Collection::put(&mut events, &key(n), &noise(n, 5000)).is_ok() {
                n += 1;
            }
            let stats = manager.stats().unwrap();
            assert!(stats.write_stopped);
            assert_contains(&stats.background_error.unwrap(), &["No space left on device"]);
            disk.free();
            super::wait_until("writes resume", || Collection::put(&mut events, "resumed", b"x").is_ok());
            assert_eq!(manager.stats().unwrap().background_error, None);
        },
    );
}

/// Keeps the events of level `WARN` as text.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Runs every operation of a collection and a state, and returns the warnings.
fn warnings_with(threshold: Option<Duration>) -> Vec<String> {
    let db = Database::new();
    db.manager.warn_of_slow_operations(threshold);
    let mut events = db.collection("events", "an-actor");
    let mut state = db.state("states", "an-actor");
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || {
        Collection::put(&mut events, "01", b"secret").unwrap();
        Collection::get(&events, "01").unwrap();
        events.last().unwrap();
        events.get_by_range(None, 1).unwrap();
        events.iter(false).unwrap().for_each(drop);
        Collection::del(&mut events, "01").unwrap();
        Collection::purge(&mut events).unwrap();
        State::put(&mut state, b"secret").unwrap();
        State::get(&state).unwrap();
        State::del(&mut state).unwrap();
        State::purge(&mut state).unwrap();
    });
    warnings.0.lock().unwrap().clone()
}

#[test]
fn operations_above_the_threshold_are_reported_without_values() {
    let warnings = warnings_with(Some(Duration::ZERO));
    let operations = [
        "put",
        "get",
        "last",
        "get_by_range",
        "iter",
        "del",
        "purge",
        "put state",
        "get state",
        "del state",
        "purge state",
    ];
    assert_eq!(warnings.len(), operations.len(), "{warnings:#?}");
    for (warning, operation) in warnings.iter().zip(operations) {
        let family = if operation.ends_with("state") { "states" } else { "events" };
        assert_contains(
            warning,
            &[&format!("operation=\"{operation}\""), family, "an-actor", "elapsed", "slow operation"],
        );
        assert!(!warning.contains("secret"), "{warning}");
    }
}

#[test]
fn operations_below_the_threshold_or_without_one_are_not_reported() {
    assert_eq!(warnings_with(None), [""; 0]);
    assert_eq!(warnings_with(Some(Duration::from_secs(3600))), [""; 0]);
}
