//! The backend on a file system whose power is cut.
//!
//! `AVE_POWER_CUTS=1000` sets the number of cuts per durability mode; `make power-cuts` does. The default is [`CUTS`].
//! `AVE_POWER_SEED=17` begins with that seed, which a failure names.

use std::env;
use std::path::Path;
use std::sync::Arc;

use ave_actors_store::config::MachineSpec;
use ave_workbench::actor::Durability;
use ave_workbench::load::{Control, CrashTask, Crashed, JobContext, Load, RocksDbTarget, Source};
use ave_workbench::power_cut::{Disk, EntryOrder, FailingSync, Faults, PoweredMount, Syncs};
use ave_workbench::process::{PowerCuts, WritingProcess};
use ave_workbench::workload::Workload;

use crate::support::skip::skipped;

/// Cuts in each durability mode.
const CUTS: u32 = 50;
const CUTS_PER_DATABASE: u32 = 8;
const SMALL: MachineSpec = MachineSpec::Custom { ram_mb: 512, cpu_cores: 2 };

/// Actors of two types, with states so large that some hundred commands fill a memtable and start a new log. The other
/// column families keep the older logs alive.
const WORKLOAD: &str = "name = 'cut'\ndescription = 'd'\n\
                        event_bytes = { uniform = { min = 20, max = 3000 } }\n\
                        state_bytes = { uniform = { min = 200, max = 100000 } }\ncompressibility = 0.0\n\
                        [actors]\ncount = 12\ntypes = 2\n[persistence]\nmode = 'light'\n\
                        [commands]\npersist = 30\npurge = 1\nrecover = 1\n";

fn variable(name: &str) -> Option<u32> {
    env::var(name).ok().map(|value| value.parse().unwrap())
}

/// What this machine lacks for power cuts.
fn missing() -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let mount = PoweredMount::new(directory.path(), Disk::new(Faults::default(), EntryOrder::Journal));
    mount.err().map(|error| error.to_string())
}

fn check(durability: Durability, cuts: u32, faults: Faults, order: EntryOrder) -> Crashed {
    let mut workload = Workload::parse(WORKLOAD).unwrap();
    workload.seed = variable("AVE_POWER_SEED").unwrap_or(1).into();
    let process = WritingProcess::of_workload(Path::new(env!("CARGO_BIN_EXE_ave-workbench")), &workload, SMALL);
    let cuts = PowerCuts { process: process.unwrap(), cuts, cuts_per_database: CUTS_PER_DATABASE, faults, order };
    let directory = tempfile::tempdir().unwrap();
    let task = CrashTask { directory: directory.path().join("cut"), durability, load: Load::Closed, workers: 3 };
    let (target, source) = (RocksDbTarget::new(SMALL), Source::Workload(Arc::new(workload)));
    cuts.check(&target, &source, &task, JobContext::silent(&Control::default())).unwrap().unwrap()
}

fn nothing_is_lost(durability: Durability) -> Crashed {
    let cuts = variable("AVE_POWER_CUTS").unwrap_or(CUTS);
    let crashed = check(durability, cuts, Faults::default(), EntryOrder::Journal);
    assert_eq!(crashed.verified.differences, Vec::<String>::new(), "{crashed:?}");
    assert_eq!((crashed.kills, &crashed.failure), (cuts, &None));
    assert!(crashed.commands > 0, "nothing was written");
    crashed
}

#[test]
fn acknowledged_writes_survive_power_cuts_with_durability() {
    match missing() {
        Some(reason) => skipped(acknowledged_writes_survive_power_cuts_with_durability, &reason),
        None => drop(nothing_is_lost(Durability::On)),
    }
}

#[test]
fn power_cuts_without_durability_leave_a_prefix_of_the_writes() {
    match missing() {
        Some(reason) => skipped(power_cuts_without_durability_leave_a_prefix_of_the_writes, &reason),
        None => drop(nothing_is_lost(Durability::Off)),
    }
}

#[test]
fn a_missing_sync_is_found_within_ten_cuts() {
    if let Some(reason) = missing() {
        return skipped(a_missing_sync_is_found_within_ten_cuts, &reason);
    }
    for ignored in [Syncs::Files("log"), Syncs::Directories] {
        let faults = Faults { ignored_syncs: Some(ignored), ..Faults::default() };
        let crashed = check(Durability::On, 10, faults, EntryOrder::Journal);
        assert!(!crashed.verified.differences.is_empty(), "{ignored:?}: {crashed:?}");
    }
}

#[test]
fn a_write_whose_sync_failed_is_not_acknowledged() {
    if let Some(reason) = missing() {
        return skipped(a_write_whose_sync_failed_is_not_acknowledged, &reason);
    }
    for after in [5, 60] {
        let failing_sync = Some(FailingSync { of: Syncs::Files("log"), after });
        let crashed = check(Durability::On, 3, Faults { failing_sync, ..Faults::default() }, EntryOrder::Journal);
        assert_eq!(crashed.verified.differences, Vec::<String>::new(), "{crashed:?}");
    }
}
