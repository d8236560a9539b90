//! Verification finds what a backend does not store as acknowledged, and nothing else.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance, Recording};
use ave_workbench::actor::Durability;
use ave_workbench::host::HostProfile;
use ave_workbench::load::{
    Control, Crashed, DriveSpec, JobContext, Load, RequestKind, RestartSpec, Session, Source, SystemClock, Target,
    Verified, WarmUp, Writers,
};
use ave_workbench::report::{CertaintyLevel, Outcome, Report};
use ave_workbench::run::{RunOutcome, RunSpec, run, run_report};
use ave_workbench::trace::TraceActor;
use ave_workbench::workload::{CommandMix, Population, Workload, shipped};

use crate::support::memory::{Fault, Memory};
use crate::support::reporting::context;
use crate::support::{TracedCommand, provenance, replay, trace_of, trace_of_commands, workload};

/// Replays a finite source and verifies it.
fn verify(target: &Memory, source: &Source, workers: u64) -> Verified {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::default();
    let path = directory.path();
    let mut session =
        Session::start(target, source, path, Durability::Off, workers, JobContext::silent(&control)).unwrap();
    let spec = DriveSpec { load: Load::Closed, warmup: WarmUp::NONE, measure: None, lag_limit: None, settle: true };
    session.drive(&spec, &SystemClock::new(), JobContext::silent(&control)).unwrap();
    session.finish(true, JobContext::silent(&control)).unwrap().0.unwrap()
}

fn differences(fault: Fault, source: &Source) -> Vec<String> {
    verify(&Memory::new(fault), source, 1).differences
}

/// One actor that persists `events` events.
fn one_actor(rest: &str, events: usize) -> Source {
    replay(trace_of(&workload(1, rest), events), 1)
}

const APPENDING: &str = "mode = 'full'\nsnapshot_every = 0\n[commands]\npersist = 1";
const LIGHT: &str = "mode = 'light'\n[commands]\npersist = 1";
const EVENTS: usize = 9;

#[test]
fn a_lost_event_is_found_wherever_it_stood() {
    let source = one_actor(APPENDING, EVENTS);
    for event in 0..EVENTS as u64 {
        let found = differences(Fault::Lose("events", event), &source);
        let expected = if event + 1 == EVENTS as u64 {
            format!("account/actor-0: event {event} was acknowledged and is lost")
        } else {
            format!("account/actor-0: found event {:020}, expected {event}", event + 1)
        };
        assert_eq!(found, [expected]);
    }
}

#[test]
fn an_altered_event_is_found_wherever_it_stood() {
    let source = one_actor(APPENDING, EVENTS);
    for event in 0..EVENTS as u64 {
        for fault in [Fault::Alter("events", event), Fault::Shorten("events", event)] {
            let expected = format!("account/actor-0: event {event} holds other bytes than were written");
            assert_eq!(differences(fault, &source), [expected], "{fault:?}");
        }
    }
}

#[test]
fn the_newest_snapshot_and_metadata_must_be_there_and_no_others() {
    let source = one_actor(LIGHT, EVENTS);
    let last = EVENTS as u64 - 1;
    for (family, what) in [("states", "snapshot"), ("metadata", "metadata")] {
        for fault in [Fault::Lose(family, last), Fault::Alter(family, last), Fault::Shorten(family, last)] {
            let expected = format!("account/actor-0: the {what} holds other bytes than were written last");
            assert_eq!(differences(fault, &source), [expected], "{fault:?}");
        }
        assert_eq!(differences(Fault::Lose(family, last - 1), &source), Vec::<String>::new(), "it was overwritten");
        let expected = format!("account/actor-0: the {what} was acknowledged and is lost");
        assert_eq!(differences(Fault::Lose(family, 0), &one_actor(LIGHT, 1)), [expected]);
    }
}

#[test]
fn a_deleted_event_that_stayed_is_found() {
    let compacting = "mode = 'full'\nsnapshot_every = 3\ncompact_on_snapshot = true\n[commands]\npersist = 1";
    let at_the_end = differences(Fault::KeepDeleted, &one_actor(compacting, 3));
    assert_eq!(at_the_end.len(), 3, "{at_the_end:?}");
    for (event, difference) in at_the_end.iter().enumerate() {
        assert!(difference.contains(&format!("event {event:020} is there and should not be")), "{difference}");
    }
    let before_others = differences(Fault::KeepDeleted, &one_actor(compacting, 4));
    assert_eq!(before_others, [format!("account/actor-0: found event {:020}, expected 3", 0)]);
}

#[test]
fn what_a_purge_left_behind_is_found() {
    // Few enough commands that the purge is the last thing that happened to some actor.
    let mix = workload(3, "mode = 'light'\n[commands]\npersist = 3\npurge = 1");
    let source = replay(trace_of(&mix, 40), 1);
    for (family, what) in [("events", "event"), ("states", "snapshot"), ("metadata", "metadata")] {
        let found = differences(Fault::KeepPurged(family), &source);
        assert!(!found.is_empty() && found.iter().all(|difference| difference.contains(what)), "{family}: {found:?}");
    }
}

#[test]
fn actors_that_changed_places_are_found() {
    let source = replay(trace_of(&workload(4, LIGHT), 40), 1);
    let found = differences(Fault::SwapActors, &source);
    let strangers: std::collections::BTreeSet<_> =
        found.iter().map(|difference| difference.split(':').next().unwrap()).collect();
    assert_eq!(strangers.len(), 2, "two actors are not themselves: {found:?}");
}

/// A run over `target`, both durability modes: short rounds, or once through a source that ends.
fn short_run<T: Target>(target: &T, source: &Source, workers: u64, directory: &Path) -> (RunSpec, RunOutcome) {
    let spec = RunSpec {
        load: Load::Closed,
        writers: Writers::both(workers),
        rounds: 2,
        warmup: WarmUp::Fixed(Duration::from_millis(20)),
        measure: (!source.is_finite()).then_some(Duration::from_millis(300)),
        durabilities: Durability::BOTH.to_vec(),
        verify: true,
        kills: 0,
        power_cuts: 0,
        start_at: None,
    };
    let spec = if source.is_finite() { RunSpec { rounds: 1, warmup: WarmUp::NONE, ..spec } } else { spec };
    let outcome =
        run(target, source, &spec, directory, &SystemClock::new(), JobContext::silent(&Control::default())).unwrap();
    (spec, outcome)
}

fn report(fault: Fault) -> Report {
    report_after_kills(fault, None)
}

fn report_after_kills(fault: Fault, crashed: Option<Crashed>) -> Report {
    report_after(fault, |outcome| outcome.modes[1].crashed = crashed)
}

fn report_after(fault: Fault, change: impl FnOnce(&mut RunOutcome)) -> Report {
    let source = one_actor(APPENDING, EVENTS);
    let directory = tempfile::tempdir().unwrap();
    let (spec, mut outcome) = short_run(&Memory::new(fault), &source, 1, directory.path());
    change(&mut outcome);
    let host = HostProfile::detect(directory.path());
    let context = context(&source, &host, directory.path());
    run_report(&context, &spec, &outcome, None)
}

#[test]
fn a_run_that_lost_something_fails_and_says_so_first() {
    let report = report(Fault::Lose("events", 4));
    assert_eq!(report.verdict.outcome, Outcome::Fail);
    assert!(report.verdict.sentence.contains("not all found again"), "{}", report.verdict.sentence);
    assert!(report.verdict.reasons[0].text.contains("expected 4"), "{:?}", report.verdict.reasons);
    assert_eq!(report.verdict.certainty.as_ref().map(|certainty| certainty.level), Some(CertaintyLevel::Low));
    assert!(report.modes.iter().all(|mode| mode.verification.performed && !mode.verification.differences.is_empty()));
}

#[test]
fn a_run_that_lost_nothing_says_what_was_compared() {
    let report = report(Fault::None);
    // Tiny rounds differ a lot, so it may be inconclusive; it is never a failure.
    assert_ne!(report.verdict.outcome, Outcome::Fail);
    assert!(report.verdict.sentence.contains("was found again"), "{}", report.verdict.sentence);
    for mode in &report.modes {
        let verification = &mode.verification;
        assert_eq!((verification.actors_count, verification.events_count), (1, EVENTS as u64));
    }
}

#[test]
fn a_report_says_whether_the_power_was_cut() {
    let report_of = |crashed: &Crashed| report_after(Fault::None, |run| run.modes[1].power_cut = Some(crashed.clone()));
    let summary = |report: &Report| report.modes[1].verification.power_cut.as_ref().unwrap().power_cut_summary();
    let verified = Verified { events: 41_233, ..Verified::default() };
    let cut = Crashed { kills: 50, commands: 45_000, commands_taken_back: 1_200, verified, ..Crashed::default() };
    let tried = report_of(&cut);
    assert_ne!(tried.verdict.outcome, Outcome::Fail);
    assert!(tried.verdict.sentence.contains("power cut: tried, 50 cuts, nothing lost"), "{}", tried.verdict.sentence);
    assert_eq!(
        summary(&tried),
        "power cut: tried, 50 times while writing: 41,233 acknowledged events checked, 0 lost; 1,200 of 45,000 \
         acknowledged commands, always the last ones before a cut, were not on disk yet"
    );

    let missing = "power cuts need FUSE: cannot open /dev/fuse: Permission denied";
    let not_tried = report_of(&Crashed { failure: Some(missing.to_owned()), ..Crashed::default() });
    assert_eq!(summary(&not_tried), format!("power cut: not tried: {missing}"));
    assert!(!not_tried.verdict.sentence.contains("power cut"), "{}", not_tried.verdict.sentence);
    assert!(!not_tried.verdict.reasons.iter().any(|reason| reason.text.contains("power cut")));

    let differences = vec!["seed 17, power cut 3: account/actor-0: event 8 was acknowledged and is lost".to_owned()];
    let lost = report_of(&Crashed { verified: Verified { lost: 1, differences, ..Verified::default() }, ..cut });
    assert_eq!(lost.verdict.outcome, Outcome::Fail);
    let reason = &lost.verdict.reasons[0].text;
    assert!(reason.starts_with("durability on: after a power cut") && reason.contains("seed 17"), "{reason}");
}

#[test]
fn what_was_lost_after_a_kill_is_a_failure_and_what_was_not_is_told() {
    let crashed = Crashed { kills: 3, commands: 45_000, ..Crashed::default() };
    let lost = Verified {
        events: 41_233,
        lost: 2,
        differences: vec!["kill 3: account/actor-0: event 8 was acknowledged and is lost".to_owned()],
        ..Verified::default()
    };
    let failed = report_after_kills(Fault::None, Some(Crashed { verified: lost.clone(), ..crashed.clone() }));
    assert_eq!(failed.verdict.outcome, Outcome::Fail);
    assert!(failed.verdict.sentence.contains("not all found again"), "{}", failed.verdict.sentence);
    let reason = &failed.verdict.reasons[0].text;
    assert!(reason.starts_with("durability on: after a process was killed") && reason.contains("event 8"), "{reason}");

    let weak = Crashed { failure: Some("it had enough".to_owned()), ..crashed.clone() };
    let unsure = report_after_kills(Fault::None, Some(weak));
    assert_eq!(unsure.verdict.outcome, Outcome::Inconclusive);
    assert!(unsure.verdict.reasons.iter().any(|reason| reason.text.contains("ended after 3: it had enough")));

    let clean = Verified { lost: 0, differences: Vec::new(), ..lost };
    let report = report_after_kills(Fault::None, Some(Crashed { verified: clean, ..crashed }));
    assert_ne!(report.verdict.outcome, Outcome::Fail);
    assert!(report.verdict.sentence.contains("found again, also after 3 kills"), "{}", report.verdict.sentence);
    assert_eq!(report.modes[0].verification.crash, None);
    let summary = report.modes[1].verification.crash.as_ref().unwrap().summary();
    assert_eq!(summary, "killed 3 times while writing: 41,233 acknowledged events checked, 0 lost");
}

/// Every shipped workload, made small, and made to issue every command there is.
fn shipped_and_small() -> impl Iterator<Item = Source> {
    shipped().iter().map(|named| {
        let mut workload = Workload::parse(named.text).unwrap();
        for Population { actors, preload, persistence, commands, .. } in &mut workload.populations {
            actors.count = actors.count.min(ACTORS);
            actors.types = actors.types.min(actors.count).min(2);
            preload.events_per_actor = preload.events_per_actor.min(4);
            // Snapshots must fall due within a short run.
            persistence.snapshot_every = persistence.snapshot_every.min(3);
            let share = 0.04 * CommandKind::ALL.iter().map(|&kind| commands.weight(kind)).sum::<f64>();
            if commands.visit.is_empty() {
                *commands = CommandMix {
                    persist: commands.persist.max(share),
                    snapshot: commands.snapshot.max(share),
                    recover: commands.recover.max(share),
                    events: commands.events.max(share),
                    events_per_query: commands.events_per_query,
                    last_event: commands.last_event.max(share),
                    purge: commands.purge.max(share),
                    ..CommandMix::default()
                };
            }
        }
        Source::Workload(Arc::new(workload))
    })
}

const ACTORS: u32 = 12;

/// Runs each of them, side by side since nothing is timed, and finds all that was acknowledged.
fn every_shipped_workload_verifies_clean<T: Target>(target: impl Fn() -> T + Sync) {
    std::thread::scope(|scope| {
        for (source, workers) in shipped_and_small().zip([1, 2, 3, 5].into_iter().cycle()) {
            let target = &target;
            scope.spawn(move || {
                let directory = tempfile::tempdir().unwrap();
                let (_, outcome) = short_run(&target(), &source, workers, directory.path());
                assert_clean(&source, &outcome);
            });
        }
    });
}

fn assert_clean(source: &Source, outcome: &RunOutcome) {
    for mode in &outcome.modes {
        let verified = mode.verified.as_ref().unwrap();
        let name = format!("{} with durability {}", source.name(), mode.durability);
        assert_eq!(verified.differences, Vec::<String>::new(), "{name}");
        assert_eq!(verified.actors, source.actors(), "{name}");
        assert!(verified.states > 0, "{name}");
    }
}

/// The shipped workload with transactions whose registers are common to all writers.
fn ledger_node() -> Source {
    shipped_and_small().find(|source| source.name() == "ledger-node").unwrap()
}

#[test]
fn actors_that_all_writers_use_are_verified_after_restarts_and_a_suspension() {
    let (target, source) = (Memory::new(Fault::None), ledger_node());
    let (directory, control) = (tempfile::tempdir().unwrap(), Control::default());
    let job = JobContext::silent(&control);
    let spec = DriveSpec {
        load: Load::Closed,
        warmup: WarmUp::NONE,
        measure: Some(Duration::from_millis(50)),
        lag_limit: None,
        settle: false,
    };
    let clock = SystemClock::new();
    let mut session = Session::start(&target, &source, directory.path(), Durability::Off, 3, job).unwrap();
    session.drive(&spec, &clock, job).unwrap();
    let restarts = RestartSpec { actors: 2 * source.actors(), most_bytes: u64::MAX, repeats: 1 };
    let restarts = session.measure_restarts(&restarts, &clock, job).unwrap();
    assert_eq!(restarts.iter().map(|restart| restart.actors).collect::<Vec<_>>(), [1, 2].map(|n| n * source.actors()));
    let suspended = session.suspend().unwrap();
    assert!(suspended.common_events.iter().all(|&events| events > 0), "{suspended:?}");
    let mut session = Session::restore(&target, &source, directory.path(), Durability::Off, &suspended);
    let drive = session.drive(&spec, &clock, job).unwrap();
    let names: Vec<_> = drive.measurement.transactions.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["fact", "subject"]);
    assert!(drive.measurement.request(RequestKind::Transaction(0)).is_some());
    let verified = session.finish(true, job).unwrap().0.unwrap();
    assert_eq!((verified.differences, verified.actors), (Vec::new(), source.actors()));
}

#[test]
fn what_is_lost_of_an_actor_that_all_writers_use_is_found() {
    let workload = Workload::parse(
        "name='t'\ndescription='d'\n\
         [[population]]\nname='cart'\nevent_bytes={constant=10}\nstate_bytes={constant=20}\nactors={count=9}\n\
         persistence={mode='light'}\n\
         [[population]]\nname='orders'\nevent_bytes={constant=30}\nstate_bytes={constant=40}\nactors={count=1}\n\
         persistence={mode='light'}\n\
         [[transaction]]\nname='order'\nsteps=[{population='cart', commands=['last_event']},\n\
         {population='orders', commands=['persist']}]\n",
    );
    let source = Source::Workload(Arc::new(workload.unwrap()));
    let directory = tempfile::tempdir().unwrap();
    let (_, outcome) = short_run(&Memory::new(Fault::Lose("events", 3)), &source, 3, directory.path());
    let verified = outcome.modes[0].verified.as_ref().unwrap();
    assert_eq!((verified.lost, verified.differences.len()), (1, 1), "{verified:?}");
    assert!(verified.differences[0].starts_with("orders0/"), "{verified:?}");
}

#[test]
fn a_faithful_backend_verifies_clean_for_every_shipped_workload() {
    every_shipped_workload_verifies_clean(|| Memory::new(Fault::None));
}

#[test]
fn a_trace_verifies_clean_in_every_pass() {
    let mix = "mode = 'full'\nsnapshot_every = 5\n[commands]\npersist = 6\nrecover = 1\nevents = 2\nlast_event = 1";
    let trace = Arc::new(trace_of(&workload(5, mix), 300));
    let persisted = trace.commands_of(CommandKind::Persist);
    for (workers, passes) in [(1, 1), (1, 3), (3, 2), (5, 3)] {
        let verified = verify(&Memory::new(Fault::None), &replay(Arc::clone(&trace), passes), workers);
        assert_eq!(verified.differences, Vec::<String>::new());
        assert_eq!((verified.actors, verified.events), (5 * passes, persisted * passes));
    }
}

/// A recording that began when its actors were old: what they read must be there, and is compared too.
#[test]
fn what_was_stored_before_a_trace_began_is_there_in_every_pass() {
    let actor = TraceActor::new("account", "old");
    let recover = |at_ns| {
        let ops = vec![
            Op::new(OpKind::Open, 0, 0),
            Op::new(OpKind::EventsLast, 12, 90),
            Op::new(OpKind::StatesGet, 0, 700),
            Op::new(OpKind::MetadataGet, 0, 16),
            Op::new(OpKind::EventsGet, 11, 110),
            Op::new(OpKind::EventsGet, 12, 90),
            // Compaction had deleted it when it was recorded.
            Op::new(OpKind::EventsGet, 2, 0),
        ];
        TracedCommand { at_ns, actor: actor.clone(), kind: CommandKind::Recover, ops }
    };
    let persist = |at_ns, number| {
        let ops = vec![Op::new(OpKind::EventsPut, number, 80)];
        TracedCommand { at_ns, actor: actor.clone(), kind: CommandKind::Persist, ops }
    };
    let provenance = Provenance { recording: Some(Recording::default()), ..provenance("recorded") };
    let trace = trace_of_commands(provenance, &[recover(0), persist(5, 13), persist(6, 14), recover(9)]);
    assert_eq!((trace.actors_with_prehistory(), trace.prehistory_events()), (1, 2));
    let trace = Arc::new(trace);
    for (passes, fault) in [(1, Fault::None), (3, Fault::None), (1, Fault::Alter("events", 0))] {
        let verified = verify(&Memory::new(fault), &replay(Arc::clone(&trace), passes), 1);
        assert_eq!(verified.differences.is_empty(), fault == Fault::None, "{:?}", verified.differences);
        assert_eq!(verified.actors, passes);
    }
    let verified = verify(&Memory::new(Fault::None), &replay(trace, 3), 1);
    assert_eq!((verified.events, verified.states), (3 * 4, 3 * 2));
}

#[cfg(feature = "rocksdb")]
mod rocksdb {
    use ave_workbench::load::RocksDbTarget;

    use super::*;
    use crate::support::reporting::SMALL;

    #[test]
    fn the_backend_verifies_clean_for_every_shipped_workload() {
        every_shipped_workload_verifies_clean(|| RocksDbTarget::new(SMALL));
    }

    #[test]
    fn the_backend_verifies_clean_for_a_trace_with_passes() {
        let mix = "mode = 'light'\n[commands]\npersist = 6\nrecover = 1\nevents = 2\nlast_event = 1\npurge = 1";
        let source = replay(trace_of(&workload(6, mix), 200), 3);
        let directory = tempfile::tempdir().unwrap();
        let (_, outcome) = short_run(&RocksDbTarget::new(SMALL), &source, 2, directory.path());
        for mode in &outcome.modes {
            let verified = mode.verified.as_ref().unwrap();
            assert_eq!(verified.differences, Vec::<String>::new());
            assert_eq!(verified.actors, 3 * 6, "three passes over six actors");
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "a round leaves nothing behind");
    }
}
