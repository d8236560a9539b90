//! Syncs of the backend's write-ahead log are timed where writes wait for them.

use std::time::Duration;

use ave_workbench::actor::Durability;
use ave_workbench::load::{
    Control, Drive, DriveSpec, DurableSecond, JobContext, Load, RocksDbTarget, Session, Source, SystemClock, WarmUp,
};

use crate::support::reporting::SMALL;
use crate::support::workload;

fn closed_loop(durability: Durability) -> Drive {
    let (directory, control) = (tempfile::tempdir().unwrap(), Control::default());
    let job = JobContext::silent(&control);
    let source = Source::Workload(workload(4, "mode = 'light'\n[commands]\npersist = 1"));
    let target = RocksDbTarget::new(SMALL);
    let mut session = Session::start(&target, &source, &directory.path().join("db"), durability, 2, job).unwrap();
    let spec = DriveSpec {
        load: Load::Closed,
        warmup: WarmUp::Fixed(Duration::from_millis(20)),
        measure: Some(Duration::from_millis(700)),
        lag_limit: None,
        settle: false,
    };
    session.drive(&spec, &SystemClock::new(), job).unwrap()
}

#[test]
fn a_durable_load_has_the_sync_latency_of_its_own_seconds() {
    let drive = closed_loop(Durability::On);
    let syncs = drive.wal_syncs().expect("syncs were timed");
    assert!(syncs.count > 0 && syncs.mean_ns > 0.0 && syncs.p50_of_seconds_ns > 0.0, "{syncs:?}");
    // The log has one sync at a time: all of them take no longer than the load. A sample reads the two counters of a sync one
    // after the other, and the last sync may have begun before the load.
    let seconds = drive.durable_seconds();
    let in_syncs = |second: &DurableSecond| second.syncs_per_command * second.per_second * second.sync_ns / 1e9;
    assert!(!seconds.is_empty() && seconds.iter().all(|second| in_syncs(second) < 1.5), "{seconds:?}");
}

#[test]
fn a_load_that_does_not_wait_for_the_disk_has_none() {
    assert_eq!(closed_loop(Durability::Off).wal_syncs(), None);
}
