//! What is forecast from a small database, and what a larger one then shows.

use std::path::Path;
use std::time::Duration;

use ave_workbench::actor::Durability;
use ave_workbench::load::{
    Control, DriveSpec, JobContext, Load, RestartSpec, Session, Source, SystemClock, Target, Verified, WarmUp,
};

use crate::support::memory::{Fault, Memory};
use crate::support::{replay, trace_of, workload};

fn session<'t, T: Target>(target: &'t T, source: &Source, directory: &Path, workers: u64) -> Session<'t, T> {
    Session::start(target, source, directory, Durability::Off, workers, JobContext::silent(&Control::default()))
        .unwrap()
}

/// As many commands as a rate offers in a time, however long they take: the same number on every machine.
fn drive<T: Target>(session: &mut Session<'_, T>, commands: u64) {
    use ave_workbench::workload::Arrivals;
    let load = Load::Open { per_second: commands as f64, arrivals: Arrivals::Constant };
    let measure = Some(Duration::from_secs(1));
    let spec = DriveSpec { load, warmup: WarmUp::NONE, measure, lag_limit: None, settle: true };
    session.drive(&spec, &SystemClock::new(), JobContext::silent(&Control::default())).unwrap();
}

fn verified<T: Target>(session: Session<'_, T>) -> Verified {
    session.finish(true, JobContext::silent(&Control::default())).unwrap().0.unwrap()
}

const EVERYTHING: &str = "mode = 'full'\nsnapshot_every = 7\ncompact_on_snapshot = true\nencrypted = true\n\
    [commands]\npersist = 20\nsnapshot = 1\nrecover = 2\nevents = 1\nlast_event = 1\npurge = 1";
const APPENDING: &str = "mode = 'full'\nsnapshot_every = 10\n[commands]\npersist = 9\nrecover = 1";

/// What the walk says is stored, byte by byte, is what a session stored and read back.
#[test]
fn a_walk_passes_the_operations_that_a_session_executes() {
    use ave_actors_rocksdb::trace::OpKind;
    use std::collections::HashMap;

    let walked = |source: &Source, commands: u64| {
        let (mut walk, mut left, mut stored) = (source.walk(1), commands, HashMap::new());
        while let Some(step) = walk.step() {
            if step.is_command && left == 0 {
                break;
            }
            left -= u64::from(step.is_command);
            for op in step.ops {
                match op.kind {
                    OpKind::EventsPut => drop(stored.insert((step.actor, 0, op.number), u64::from(op.bytes))),
                    OpKind::StatesPut => drop(stored.insert((step.actor, 1, 0), u64::from(op.bytes))),
                    OpKind::MetadataPut => drop(stored.insert((step.actor, 2, 0), u64::from(op.bytes))),
                    OpKind::EventsDel => drop(stored.remove(&(step.actor, 0, op.number))),
                    OpKind::EventsPurge => stored.retain(|&(actor, kind, _), _| (actor, kind) != (step.actor, 0)),
                    OpKind::StatesPurge => drop(stored.remove(&(step.actor, 1, 0))),
                    OpKind::MetadataPurge => drop(stored.remove(&(step.actor, 2, 0))),
                    _ => {}
                }
            }
        }
        stored.values().sum::<u64>()
    };
    let endless = |rest: &str| Source::Workload(workload(9, rest));
    let recorded = replay(trace_of(&workload(5, APPENDING), 300), 2);
    for source in [endless(EVERYTHING), endless(APPENDING), recorded] {
        let (memory, directory) = (Memory::new(Fault::None), tempfile::tempdir().unwrap());
        let mut session = session(&memory, &source, directory.path(), 1);
        drive(&mut session, 500);
        let commands = session.commands_issued();
        assert!(commands >= 400, "{commands}");
        let found = verified(session);
        assert_eq!(found.differences, Vec::<String>::new());
        assert_eq!(walked(&source, commands), found.live_bytes, "{}", source.name());
    }
}

/// Restarts write snapshots and delete what they cover, and the commands that follow must not know.
#[test]
fn restarts_leave_a_database_as_they_found_it() {
    let spec = RestartSpec { actors: 40, most_bytes: u64::MAX, repeats: 2 };
    let recorded = replay(trace_of(&workload(12, EVERYTHING), 600), 3);
    for source in [Source::Workload(workload(12, EVERYTHING)), Source::Workload(workload(12, APPENDING)), recorded] {
        let (memory, directory) = (Memory::new(Fault::None), tempfile::tempdir().unwrap());
        let path = directory.path().join("database");
        let mut session = session(&memory, &source, &path, 2);
        for _ in 0..2 {
            drive(&mut session, 300);
            let restarts =
                session.measure_restarts(&spec, &SystemClock::new(), JobContext::silent(&Control::default())).unwrap();
            let [own, larger] = &restarts[..] else { panic!("{restarts:?}") };
            assert!((12..40).contains(&own.actors), "{}", own.actors);
            assert_eq!((larger.actors, larger.workers), (40, 2));
            for restart in &restarts {
                assert_eq!((restart.rounds.len(), restart.recover.count()), (2, 2 * restart.actors));
            }
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "the larger population is gone");
        let found = verified(session);
        assert_eq!(found.differences, Vec::<String>::new());
        assert!(found.events > 0);
    }
}

#[test]
fn a_population_grows_no_larger_than_what_may_be_written() {
    let source = Source::Workload(workload(10, APPENDING));
    let (memory, directory) = (Memory::new(Fault::None), tempfile::tempdir().unwrap());
    let mut session = session(&memory, &source, &directory.path().join("database"), 2);
    drive(&mut session, 500);
    let mut measured = |actors, most_bytes| {
        let spec = RestartSpec { actors, most_bytes, repeats: 1 };
        let restarts =
            session.measure_restarts(&spec, &SystemClock::new(), JobContext::silent(&Control::default())).unwrap();
        restarts.iter().map(|restart| restart.actors).collect::<Vec<_>>()
    };
    assert_eq!(measured(10, u64::MAX), [10]);
    assert_eq!(measured(35, u64::MAX), [10, 35]);
    assert_eq!(measured(1_000_000, 1000), [10], "not even its own actors may be written again");
    let bounded = measured(1_000_000, 300_000);
    assert!((11..100).contains(&bounded[1]), "{bounded:?}");
}

#[cfg(feature = "rocksdb")]
mod on_disk {
    use std::sync::Arc;

    use ave_actors_rocksdb::backend::Tuning;
    use ave_actors_store::config::{MachineProfile, MachineSpec, resolve_spec};
    use ave_workbench::load::{Inventory, RocksDbTarget};
    use ave_workbench::plan::GrowthCurve;
    use ave_workbench::workload::Workload;

    use super::{Control, EVERYTHING, JobContext, RestartSpec, Session, Source, SystemClock, drive, session, verified};

    const SPEC: MachineSpec = MachineSpec::Profile(MachineProfile::Nano);
    const WORKERS: u64 = 2;

    /// A ledger: full persistence, nothing deleted. Registers: a state with every event.
    const WORKLOADS: [&str; 2] = [
        "[actors]\ncount = 800\nskew = { zipf = 0.8 }\n[persistence]\nmode = 'full'\nsnapshot_every = 100\n\
         [commands]\npersist = 18\nrecover = 1\nlast_event = 1",
        "[actors]\ncount = 300\n[persistence]\nmode = 'light'\n[commands]\npersist = 1",
    ];

    fn workload(rest: &str) -> Source {
        let text = format!(
            "name = 'grows'\ndescription = 'd'\nevent_bytes = {{ lognormal = {{ median = 420, p99 = 3500 }} }}\n\
             state_bytes = {{ constant = 600 }}\n{rest}"
        );
        Source::Workload(Arc::new(Workload::parse(&text).unwrap()))
    }

    fn inventory_after(source: &Source, commands: u64) -> Inventory {
        let (target, directory) = (RocksDbTarget::new(SPEC), tempfile::tempdir().unwrap());
        let mut session: Session<'_, RocksDbTarget> = session(&target, source, directory.path(), WORKERS);
        drive(&mut session, commands);
        session.take_inventory(true, JobContext::silent(&Control::default())).unwrap()
    }

    #[test]
    fn the_size_after_ten_times_the_commands_is_the_one_that_was_forecast() {
        const COMMANDS: u64 = 10_000;
        for rest in WORKLOADS {
            let source = workload(rest);
            let [small, large] = [COMMANDS, 10 * COMMANDS].map(|commands| inventory_after(&source, commands));
            assert!(large.commands > 9 * small.commands);
            let tuning = Tuning::new(&resolve_spec(Some(SPEC)), None);
            let curve = GrowthCurve::walk(&source, WORKERS, tuning, &small, large.commands).unwrap();
            let (forecast, found) = (curve.at(large.commands), large.directory_bytes as f64);
            assert!(
                (forecast.expected / found - 1.0).abs() < 0.10,
                "{found} bytes after {}: {forecast:?}",
                large.commands
            );
            let naive = small.directory_bytes as f64 * 10.0;
            assert!((naive / found - 1.0).abs() > (forecast.expected / found - 1.0).abs(), "{naive} for {found}");
        }
    }

    #[test]
    fn an_inventory_tells_the_data_from_what_is_left_of_it() {
        let found = inventory_after(&workload(WORKLOADS[1]), 20_000);
        let [at_rest, compacted] = [&found.at_rest, &found.compacted].map(|families| {
            let states = families.iter().find(|family| family.name.ends_with("_states")).unwrap();
            states.bytes()
        });
        assert!(compacted * 2 < at_rest, "300 states, overwritten again and again: {compacted} of {at_rest}");
        assert!(found.compacted.iter().all(|family| family.young_bytes == 0), "{:?}", found.compacted);
        assert_eq!(found.family_bytes() + found.other_bytes(), found.directory_bytes);
    }

    #[test]
    fn a_database_that_was_restarted_and_compacted_holds_what_was_acknowledged() {
        let source = Source::Workload(crate::support::workload(30, EVERYTHING));
        let (target, directory) = (RocksDbTarget::new(SPEC), tempfile::tempdir().unwrap());
        let mut session = session(&target, &source, &directory.path().join("database"), WORKERS);
        let spec = RestartSpec { actors: 90, most_bytes: u64::MAX, repeats: 1 };
        for _ in 0..2 {
            drive(&mut session, 2_000);
            let restarts =
                session.measure_restarts(&spec, &SystemClock::new(), JobContext::silent(&Control::default())).unwrap();
            assert_eq!(restarts.iter().map(|restart| restart.actors).collect::<Vec<_>>(), [30, 90]);
            session.take_inventory(true, JobContext::silent(&Control::default())).unwrap();
        }
        assert_eq!(verified(session).differences, Vec::<String>::new());
    }
}
