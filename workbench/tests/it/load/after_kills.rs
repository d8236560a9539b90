//! The crash check finds what a backend lost, and nothing if it lost nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance, Recording};
use ave_workbench::actor::Durability;
use ave_workbench::load::{
    Control, CrashTask, Crashed, JobContext, Load, Source, SystemClock, Victim, VictimError, crash_check,
    drive_until_killed,
};
use ave_workbench::trace::TraceActor;
use ave_workbench::workload::{Arrivals, Population, Workload, shipped};

use crate::support::memory::{Fault, Memory};
use crate::support::{TracedCommand, provenance, replay, trace_of, trace_of_commands, workload};

/// A thread instead of a process: it stops between two commands after a number of acknowledged writes, or where the backend
/// fails an operation. Acknowledgements are logged in the same way.
struct Thread<'a> {
    target: &'a Memory,
    source: &'a Source,
    writes: u64,
}

impl Victim for Thread<'_> {
    fn run_and_kill(&self, task: &CrashTask, _kill_after: Duration, _control: &Control) -> Result<bool, VictimError> {
        let control = Control::default();
        let (sender, under_load) = channel();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let on_load = move || sender.send(self.target.acknowledged()).unwrap();
                drive_until_killed(self.target, self.source, task, &SystemClock::new(), &control, on_load)
            });
            let until = under_load.recv().expect("it comes under load") + self.writes;
            while self.target.acknowledged() < until && !thread.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
            control.stop();
            // A backend that fails an operation ends it in the middle of a command.
            let _ = thread.join().unwrap();
        });
        Ok(true)
    }
}

fn task(directory: &Path, workers: u64) -> CrashTask {
    CrashTask { directory: directory.to_owned(), durability: Durability::Off, load: Load::Closed, workers }
}

/// Writes before each kill, unless the backend fails one earlier.
const WRITES: u64 = 300;

fn check(fault: Fault, source: &Source, workers: u64, kills: u32) -> Crashed {
    let directory = tempfile::tempdir().unwrap();
    let target = Memory::new(fault);
    let victim = Thread { target: &target, source, writes: WRITES };
    let task = task(directory.path(), workers);
    crash_check(&target, source, &task, kills, &victim, JobContext::silent(&Control::default())).unwrap().unwrap()
}

const APPENDING: &str = "mode = 'full'\nsnapshot_every = 0\n[commands]\npersist = 1";
/// Writes of one command of [`LIGHT`].
const LIGHT_WRITES: u64 = 3;
const LIGHT: &str = "mode = 'light'\n[commands]\npersist = 1";

fn one_actor(rest: &str) -> Source {
    // Values that compress are short runs of zeros at times, and then tell nothing apart.
    let mut workload = (*workload(1, rest)).clone();
    workload.populations[0].compressibility = 0.0;
    Source::Workload(Arc::new(workload))
}

#[test]
fn a_correct_backend_loses_nothing_after_any_number_of_kills() {
    for (source, workers) in shipped_and_small().zip([1, 2, 3, 5].into_iter().cycle()) {
        let crashed = check(Fault::None, &source, workers, 3);
        let name = source.name();
        assert_eq!(crashed.verified.differences, Vec::<String>::new(), "{name}");
        assert_eq!((crashed.kills, crashed.verified.lost), (3, 0), "{name}");
        assert!(crashed.commands > 0 && crashed.verified.states > 0, "{name}: {crashed:?}");
    }
}

/// Every shipped workload, made small, with every command in its mix.
fn shipped_and_small() -> impl Iterator<Item = Source> {
    shipped().iter().map(|named| {
        let mut workload = Workload::parse(named.text).unwrap();
        for Population { actors, preload, persistence, commands: mix, .. } in &mut workload.populations {
            actors.count = actors.count.min(12);
            actors.types = actors.types.min(actors.count).min(2);
            preload.events_per_actor = preload.events_per_actor.min(4);
            persistence.snapshot_every = persistence.snapshot_every.min(3);
            if mix.visit.is_empty() {
                for weight in [&mut mix.persist, &mut mix.snapshot, &mut mix.recover, &mut mix.events, &mut mix.purge] {
                    *weight = weight.max(0.1);
                }
            }
        }
        Source::Workload(Arc::new(workload))
    })
}

/// Whichever operation of a command it is; the next process continues from there.
#[test]
fn the_operation_in_flight_may_be_stored_or_not() {
    let compacting =
        "mode = 'full'\nsnapshot_every = 3\ncompact_on_snapshot = true\n[commands]\npersist = 4\nrecover = 1";
    let light = "mode = 'light'\n[commands]\npersist = 4\npurge = 1";
    for (rest, family, nth) in [
        (LIGHT, "events", 5),
        (LIGHT, "states", 5),
        (LIGHT, "metadata", 0),
        (compacting, "events", 7),
        (compacting, "states", 2),
        (compacting, "metadata", 4),
        (compacting, "metadata", 5),
        (light, "events", 9),
        (light, "metadata", 9),
    ] {
        for (fault, is_there) in [(Fault::DieBefore(family, nth), 0), (Fault::DieAfter(family, nth), 1)] {
            let crashed = check(fault, &one_actor(rest), 1, 1);
            assert_eq!(crashed.verified.differences, Vec::<String>::new(), "{fault:?} of {rest}");
            assert_eq!(
                (crashed.writes_in_flight, crashed.writes_in_flight_found),
                (1, is_there),
                "{fault:?} of {rest}"
            );
            let crashed = check(fault, &one_actor(rest), 1, 3);
            assert_eq!(crashed.verified.differences, Vec::<String>::new(), "{fault:?} of {rest}, next process");
            assert!(crashed.commands > nth, "{fault:?}: the next process continued: {crashed:?}");
        }
    }
}

#[test]
fn an_acknowledged_event_that_is_lost_is_found() {
    let crashed = check(Fault::Lose("events", 4), &one_actor(APPENDING), 1, 3);
    assert_eq!((crashed.kills, crashed.verified.lost), (1, 1), "no kill follows a loss");
    let [difference] = &crashed.verified.differences[..] else { panic!("{crashed:?}") };
    assert!(difference.starts_with("kill 1: small0/") && difference.contains("expected 4"), "{difference}");
}

#[test]
fn the_newest_write_lost_is_found() {
    // The last write that is acknowledged.
    let crashed = check(Fault::DieBefore("events", 8), &one_actor(LIGHT), 1, 1);
    assert_eq!(crashed.verified.lost, 0);
    for (fault, what) in [(Fault::Lose("events", 0), "event"), (Fault::Lose("metadata", 0), "metadata")] {
        // One command, and the next one far away.
        let (target, source, directory) = (Memory::new(fault), one_actor(LIGHT), tempfile::tempdir().unwrap());
        let load = Load::Open { per_second: 1.0, arrivals: Arrivals::Constant };
        let slow = CrashTask { load, ..task(directory.path(), 1) };
        let victim = Thread { target: &target, source: &source, writes: LIGHT_WRITES };
        let crashed = crash_check(&target, &source, &slow, 1, &victim, JobContext::silent(&Control::default()));
        let crashed = crashed.unwrap().unwrap();
        assert_eq!((crashed.commands, crashed.verified.lost), (1, 1), "{crashed:?}");
        assert!(crashed.verified.differences[0].contains(what), "{crashed:?}");
        assert!(crashed.verified.differences[0].contains("was acknowledged and is lost"), "{crashed:?}");
    }
}

#[test]
fn altered_bytes_are_found() {
    for fault in [Fault::Alter("events", 3), Fault::Shorten("events", 3)] {
        let crashed = check(fault, &one_actor(APPENDING), 1, 1);
        assert_eq!(crashed.verified.lost, 1, "{fault:?}");
        assert!(crashed.verified.differences[0].contains("event 3 holds other bytes"), "{crashed:?}");
    }
}

/// The backend stores the event after the one written as well.
#[test]
fn an_event_that_was_never_written_is_found() {
    let (target, source, directory) = (Memory::new(Fault::Invent(0)), one_actor(LIGHT), tempfile::tempdir().unwrap());
    let load = Load::Open { per_second: 1.0, arrivals: Arrivals::Constant };
    let slow = CrashTask { load, ..task(directory.path(), 1) };
    let victim = Thread { target: &target, source: &source, writes: LIGHT_WRITES };
    let crashed = crash_check(&target, &source, &slow, 1, &victim, JobContext::silent(&Control::default()));
    let crashed = crashed.unwrap().unwrap();
    assert_eq!((crashed.verified.events, crashed.verified.lost), (1, 0));
    let difference = &crashed.verified.differences[0];
    assert!(difference.contains("is there and should not be") && difference.contains("in flight"), "{difference}");
}

#[test]
fn a_deleted_event_that_stayed_is_found() {
    let compacting = "mode = 'full'\nsnapshot_every = 3\ncompact_on_snapshot = true\n[commands]\npersist = 1";
    assert!(!check(Fault::KeepDeleted, &one_actor(compacting), 1, 1).verified.differences.is_empty());
    let purging = "mode = 'light'\n[commands]\npersist = 3\npurge = 1";
    let crashed = check(Fault::KeepPurged("events"), &Source::Workload(workload(5, purging)), 2, 1);
    assert!(!crashed.verified.differences.is_empty());
}

/// Each pass has its own actors with their prehistories.
#[test]
fn a_trace_is_repeated_until_the_kill() {
    let actor = TraceActor::new("account", "old");
    let command = |at_ns, kind, ops| TracedCommand { at_ns, actor: actor.clone(), kind, ops };
    let recover = vec![
        Op::new(OpKind::Open, 0, 0),
        Op::new(OpKind::EventsLast, 12, 90),
        Op::new(OpKind::StatesGet, 0, 700),
        Op::new(OpKind::MetadataGet, 0, 16),
        Op::new(OpKind::EventsGet, 12, 90),
    ];
    let persist = vec![Op::new(OpKind::EventsPut, 13, 80), Op::new(OpKind::StatesPut, 1, 700)];
    let provenance = Provenance { recording: Some(Recording::default()), ..provenance("recorded") };
    let story = [command(0, CommandKind::Recover, recover), command(5, CommandKind::Persist, persist)];
    let source = replay(trace_of_commands(provenance, &story), 1);
    for fault in [Fault::None, Fault::DieBefore("events", 30), Fault::DieAfter("events", 30)] {
        let crashed = check(fault, &source, 1, 3);
        assert_eq!(crashed.verified.differences, Vec::<String>::new(), "{fault:?}");
        assert!(crashed.commands > 30, "it ends after 2: {crashed:?}");
    }
    // The prehistory of an actor of a later pass is acknowledged as well.
    assert_eq!(check(Fault::Lose("events", 30), &source, 1, 1).verified.lost, 1);
    let many = replay(trace_of(&workload(5, LIGHT), 40), 1);
    for workers in [1, 2, 5, 7] {
        let crashed = check(Fault::None, &many, workers, 3);
        assert_eq!(crashed.verified.differences, Vec::<String>::new(), "{workers} workers");
        assert!(crashed.commands > 40 && crashed.verified.events > 40, "{crashed:?}");
    }
}

/// The first two processes are killed, the third ends by itself.
struct Weak<'a>(Thread<'a>, std::cell::Cell<u32>);

impl Victim for Weak<'_> {
    fn run_and_kill(&self, task: &CrashTask, kill_after: Duration, control: &Control) -> Result<bool, VictimError> {
        self.1.set(self.1.get() + 1);
        if self.1.get() == 3 {
            return Err(VictimError("ended by itself: signal: 6".to_owned()));
        }
        self.0.run_and_kill(task, kill_after, control)
    }
}

#[test]
fn a_process_that_ends_by_itself_is_reported_with_the_results_before() {
    let (target, source, directory) = (Memory::new(Fault::None), one_actor(LIGHT), tempfile::tempdir().unwrap());
    let victim = Weak(Thread { target: &target, source: &source, writes: WRITES }, 0.into());
    let task = task(directory.path(), 1);
    let crashed = crash_check(&target, &source, &task, 5, &victim, JobContext::silent(&Control::default()));
    let crashed = crashed.unwrap().unwrap();
    assert_eq!((crashed.kills, crashed.verified.differences.len()), (2, 0));
    let failure = crashed.failure.unwrap();
    assert_eq!(failure, "the process to be killed with durability off ended by itself: signal: 6");
}

#[test]
fn a_check_that_is_cancelled_before_its_first_kill_has_no_result() {
    let (target, source) = (Memory::new(Fault::None), one_actor(LIGHT));
    let (control, directory) = (Control::default(), tempfile::tempdir().unwrap());
    control.stop();
    let victim = Thread { target: &target, source: &source, writes: 0 };
    let task = task(directory.path(), 1);
    let crashed = crash_check(&target, &source, &task, 3, &victim, JobContext::silent(&control)).unwrap();
    assert_eq!(crashed, None);
}

#[cfg(feature = "rocksdb")]
mod process {
    //! A real process that is killed: this test binary.

    use std::fs;
    use std::os::unix::process::ExitStatusExt;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::{AtomicU64, Ordering};

    use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
    use ave_actors_store::Error;
    use ave_actors_store::config::MachineSpec;
    use ave_actors_store::database::{Collection, CollectionIter, DbManager, State};
    use ave_workbench::load::{RocksDbTarget, Target};

    use super::*;

    const SMALL: MachineSpec = MachineSpec::Custom { ram_mb: 512, cpu_cores: 2 };
    const DIRECTORY: &str = "AVE_TEST_VICTIM";
    const DURABILITY: &str = "AVE_TEST_VICTIM_DURABILITY";
    const UNSAFETY: &str = "AVE_TEST_VICTIM_UNSAFETY";
    const WORKERS: u64 = 2;
    /// Writes under load before the process can be killed.
    const PUTS_BEFORE_KILL: u64 = 100;

    /// In the process that is killed: writes since the load began.
    static PUTS: AtomicU64 = AtomicU64::new(PUTS_BEFORE_KILL);

    /// What the backend does to what it acknowledges.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Unsafety {
        /// Nothing.
        None,
        /// It keeps each handle's newest writes in memory for a while, and writes them in their order.
        Late,
        /// It keeps every fifth write of a handle in memory until the next one.
        Hole,
    }

    impl Unsafety {
        const ALL: [Self; 3] = [Self::None, Self::Late, Self::Hole];

        fn name(self) -> String {
            format!("{self:?}")
        }
    }

    struct UnsafeTarget(Unsafety);

    #[derive(Clone)]
    struct UnsafeManager(RocksDbManager, Unsafety);

    struct UnsafeStore {
        store: RocksDbStore,
        unsafety: Unsafety,
        puts: u64,
        kept: Vec<(Option<String>, Vec<u8>)>,
    }

    impl Target for UnsafeTarget {
        type Collection = UnsafeStore;
        type State = UnsafeStore;
        type Manager = UnsafeManager;

        fn open(&self, directory: &Path, durability: Durability) -> Result<UnsafeManager, Error> {
            Ok(UnsafeManager(RocksDbTarget::new(SMALL).open(directory, durability)?, self.0))
        }
    }

    impl DbManager<UnsafeStore, UnsafeStore> for UnsafeManager {
        fn create_collection(&self, name: &str, prefix: &str) -> Result<UnsafeStore, Error> {
            let store = self.0.create_collection(name, prefix)?;
            Ok(UnsafeStore { store, unsafety: self.1, puts: 0, kept: Vec::new() })
        }

        fn create_state(&self, name: &str, prefix: &str) -> Result<UnsafeStore, Error> {
            self.create_collection(name, prefix)
        }

        fn stop(&mut self) -> Result<(), Error> {
            DbManager::<RocksDbStore, RocksDbStore>::stop(&mut self.0)
        }
    }

    impl UnsafeStore {
        fn take(&mut self, key: Option<&str>, data: &[u8]) -> Result<(), Error> {
            self.puts += 1;
            if PUTS.fetch_add(1, Ordering::Relaxed) + 1 == PUTS_BEFORE_KILL {
                fs::write(flag(Path::new(&std::env::var_os(DIRECTORY).unwrap())), "").unwrap();
            }
            let keeps = match self.unsafety {
                Unsafety::None => false,
                Unsafety::Late => self.kept.len() < 9,
                Unsafety::Hole => self.puts.is_multiple_of(5),
            };
            if keeps {
                self.kept.push((key.map(str::to_owned), data.to_vec()));
                return Ok(());
            }
            // With a hole the newer one is there first.
            if self.unsafety == Unsafety::Late {
                self.write_kept()?;
            }
            write(&mut self.store, key, data)?;
            if self.unsafety == Unsafety::Hole && self.puts % 5 == 4 { self.write_kept() } else { Ok(()) }
        }

        fn write_kept(&mut self) -> Result<(), Error> {
            let Self { store, kept, .. } = self;
            kept.drain(..).try_for_each(|(key, data)| write(store, key.as_deref(), &data))
        }
    }

    fn write(store: &mut RocksDbStore, key: Option<&str>, data: &[u8]) -> Result<(), Error> {
        match key {
            Some(key) => Collection::put(store, key, data),
            None => State::put(store, data),
        }
    }

    impl Collection for UnsafeStore {
        fn name(&self) -> &str {
            Collection::name(&self.store)
        }

        fn get(&self, key: &str) -> Result<Vec<u8>, Error> {
            Collection::get(&self.store, key)
        }

        fn put(&mut self, key: &str, data: &[u8]) -> Result<(), Error> {
            self.take(Some(key), data)
        }

        fn del(&mut self, key: &str) -> Result<(), Error> {
            Collection::del(&mut self.store, key)
        }

        fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
            self.store.last()
        }

        fn purge(&mut self) -> Result<(), Error> {
            Collection::purge(&mut self.store)
        }

        fn iter(&self, reverse: bool) -> Result<CollectionIter<'_>, Error> {
            self.store.iter(reverse)
        }
    }

    impl State for UnsafeStore {
        fn name(&self) -> &str {
            State::name(&self.store)
        }

        fn get(&self) -> Result<Vec<u8>, Error> {
            State::get(&self.store)
        }

        fn put(&mut self, data: &[u8]) -> Result<(), Error> {
            self.take(None, data)
        }

        fn del(&mut self) -> Result<(), Error> {
            State::del(&mut self.store)
        }

        fn purge(&mut self) -> Result<(), Error> {
            State::purge(&mut self.store)
        }
    }

    fn source() -> Source {
        Source::Workload(workload(3, LIGHT))
    }

    fn task(directory: PathBuf, durability: Durability) -> CrashTask {
        CrashTask { directory, durability, load: Load::Closed, workers: WORKERS }
    }

    /// Not a test: the process that the tests kill.
    #[test]
    fn victim() {
        let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
        let variable = |name| std::env::var(name).unwrap();
        let unsafety = Unsafety::ALL.into_iter().find(|unsafety| unsafety.name() == variable(UNSAFETY)).unwrap();
        let durability = if variable(DURABILITY) == "on" { Durability::On } else { Durability::Off };
        let task = task(directory, durability);
        let on_load = || PUTS.store(0, Ordering::Relaxed);
        let clock = SystemClock::new();
        drive_until_killed(&UnsafeTarget(unsafety), &source(), &task, &clock, &Control::default(), on_load).unwrap();
    }

    /// Path of that test in this binary.
    fn victim_test() -> String {
        let (_crate, module) = module_path!().split_once("::").unwrap();
        format!("{module}::victim")
    }

    /// A file that exists once the process can be killed.
    fn flag(directory: &Path) -> PathBuf {
        directory.with_extension("can-be-killed")
    }

    /// A child that is dead when this goes.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            // It is dead already, unless the test failed.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    struct ThisTest(Unsafety);

    impl Victim for ThisTest {
        fn run_and_kill(&self, task: &CrashTask, kill_after: Duration, _: &Control) -> Result<bool, VictimError> {
            let flag = flag(&task.directory);
            let _ = fs::remove_file(&flag);
            let child = Command::new(std::env::current_exe().unwrap())
                .args([&victim_test(), "--exact", "--nocapture"])
                .env(DIRECTORY, &task.directory)
                .env(DURABILITY, task.durability.to_string())
                .env(UNSAFETY, self.0.name())
                .stdout(Stdio::null())
                .spawn();
            let mut running = Running(child.unwrap());
            while !flag.exists() {
                assert_eq!(running.0.try_wait().unwrap(), None, "it ended by itself");
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(kill_after);
            running.0.kill().unwrap();
            assert_eq!(running.0.wait().unwrap().signal(), Some(9), "it ended by itself");
            Ok(true)
        }
    }

    fn killed(unsafety: Unsafety, durability: Durability, kills: u32) -> Crashed {
        let directory = tempfile::tempdir().unwrap();
        let task = CrashTask { durability, ..super::task(&directory.path().join("work"), WORKERS) };
        let (target, victim) = (RocksDbTarget::new(SMALL), ThisTest(unsafety));
        let crashed = crash_check(&target, &source(), &task, kills, &victim, JobContext::silent(&Control::default()));
        crashed.unwrap().unwrap()
    }

    #[test]
    fn a_safe_backend_loses_nothing() {
        for durability in Durability::BOTH {
            let crashed = killed(Unsafety::None, durability, 5);
            assert_eq!(crashed.verified.differences, Vec::<String>::new());
            assert_eq!((crashed.kills, crashed.verified.lost), (5, 0));
            // An event in flight that is stored was not acknowledged; its command continues in the next process.
            let events = crashed.verified.events + crashed.writes_in_flight_found;
            assert!(events >= crashed.commands && crashed.commands > 0, "{crashed:?}");
        }
    }

    #[test]
    fn a_backend_that_acknowledges_before_it_writes_is_found() {
        let crashed = killed(Unsafety::Late, Durability::Off, 3);
        assert!(crashed.verified.lost > 0, "{crashed:?}");
        // The moment of the kill decides which writes are late.
        let is_loss = |difference: &String| {
            difference.contains("was acknowledged and is lost") || difference.contains("the snapshot holds other bytes")
        };
        assert!(crashed.verified.differences.iter().any(is_loss), "{crashed:?}");
    }

    #[test]
    fn a_backend_that_leaves_a_hole_is_found() {
        let crashed = killed(Unsafety::Hole, Durability::Off, 5);
        assert!(crashed.verified.lost > 0, "{crashed:?}");
        // If the process was killed right after the hole, no event follows it.
        let is_hole = |difference: &String| difference.contains("found event") || difference.contains("is lost");
        assert!(crashed.verified.differences.iter().any(is_hole), "{crashed:?}");
    }
}
