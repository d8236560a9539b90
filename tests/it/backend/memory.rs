//! The memory of the process that has a database open.

use std::fs;

use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::database::{Collection, DbManager};

use super::{SMALL, faults::child::alone, key, put};

/// The largest resident size of this process so far, in bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")?.trim().parse::<u64>().ok());
    1024 * peak.unwrap_or_else(|| panic!("no peak in {status}"))
}

/// What the process takes beside the budget, without handles.
const OVERHEAD: u64 = 64 * 1024 * 1024;
/// More than a handle with its names takes.
const HANDLE: u64 = 1024;

#[test]
fn memory_stays_within_the_budget_at_any_number_of_families_actors_and_files() {
    alone(memory_stays_within_the_budget_at_any_number_of_families_actors_and_files, || {
        const FAMILIES: usize = 200;
        const ACTORS: usize = 5;
        const EVENTS: usize = 300;
        let dir = tempfile::tempdir().unwrap();
        let name = |family| format!("events-{family}");
        let path = dir.path().join("db");
        let manager = RocksDbManager::with_column_families(&path, false, Some(SMALL), (0..FAMILIES).map(name)).unwrap();
        let budget = manager.tuning().memory_budget_bytes;
        let event = "event of this actor ".repeat(20);
        assert!((FAMILIES * ACTORS * EVENTS * event.len()) as u64 > 3 * budget);
        let mut handles: Vec<_> = (0..FAMILIES * ACTORS)
            .map(|n| manager.create_collection(&name(n % FAMILIES), &format!("actor-{n}")).unwrap())
            .collect();
        for n in 0..EVENTS {
            for handle in &mut handles {
                put(handle, &key(n), &event);
            }
        }
        manager.clone().stop().unwrap();
        for handle in &handles {
            assert_eq!(handle.iter(false).unwrap().map(Result::unwrap).count(), EVENTS);
        }
        let limit = budget + OVERHEAD + HANDLE * handles.len() as u64;
        let peak = peak_memory();
        assert!(peak <= limit, "{} of {} MiB", peak >> 20, limit >> 20);
    });
}
