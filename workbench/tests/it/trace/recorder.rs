//! Recordings of real actor systems: what is in the trace is what the model of the actors says they asked, and whatever
//! happens to the recording, the actors never notice and what is on the disk is usable.

use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use ave_actors_actor::EncryptedKey;
use ave_actors_rocksdb::trace::{CommandKind, Op};
#[cfg(feature = "rocksdb")]
use ave_actors_rocksdb::{
    Compression, NameRule, Recorder, RecorderOptions, RecorderStats, RecordingManager, RocksDbManager,
};
use ave_actors_store::database::{Collection, DbManager, State};
use ave_actors_store::memory::MemoryManager;
use ave_workbench::actor::{ActorLog, Command};
use ave_workbench::trace::{Truncation, read};
use tempfile::tempdir;

use crate::support::account::{
    Compacting, Database, Full, FullByHand, Life, Light, LightCompacting, Rules, Step, System, model_rules,
};
use crate::support::{TracedCommand, commands_in};

/// Long enough that no busy host interrupts an actor for it in the midst of a command.
const PAUSE: Duration = Duration::from_millis(80);

/// All commands of a part.
fn commands(part: &Path, truncation: Truncation) -> Vec<TracedCommand> {
    commands_in(&read(part, truncation).unwrap())
}

/// What the model knows of a command: its kind, and of each operation the kind, the event and the bytes written.
fn asked(kind: CommandKind, ops: &[Op]) -> String {
    let words: Vec<String> = ops
        .iter()
        .map(|op| {
            let number = if op.kind.names_event() { op.number } else { 0 };
            format!("{} {number} {}", op.kind, op.written_bytes())
        })
        .collect();
    format!("{kind}: {}", words.join(", "))
}

fn parts(directory: &Path) -> Vec<PathBuf> {
    let mut parts: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    parts.sort();
    parts
}

fn options(directory: &Path) -> RecorderOptions {
    RecorderOptions::new(directory).names(NameRule::Keep).pause(PAUSE)
}

/// Every kind of command, with what lies on the edges of each.
fn story() -> Vec<Step> {
    let events = |from, length| Step::Events { from, length };
    let mut steps = vec![Step::LastEvent, Step::CrashAndRecover];
    steps.extend([10, 0, 300, 5].map(Step::Persist));
    steps.extend([events(0, 3), Step::LastEvent, Step::Persist(40), Step::CrashAndRecover, Step::Persist(7)]);
    steps.extend([Step::CrashAndRecover, Step::CrashAndRecover, events(1, 20), events(2, 2), Step::Snapshot]);
    steps.extend([1, 2, 3, 4, 5, 6].map(Step::Persist));
    steps.extend([Step::CrashAndRecover, events(8, 1), Step::Persist(9), Step::Purge, Step::LastEvent]);
    steps.extend([Step::CrashAndRecover, Step::Persist(20), Step::Snapshot, Step::CrashAndRecover, Step::Persist(1)]);
    steps
}

/// Whether both could be read as one command if they came at once.
fn run_into_each_other(before: Option<&Step>, step: &Step) -> bool {
    matches!(step, Step::Snapshot | Step::Events { .. }) && before.is_some()
}

/// Lives through the story, and returns what the model says of it.
async fn live<R: Rules>(system: &System, prefix: &str, encrypted: bool) -> Vec<String> {
    let rules = model_rules::<R>(encrypted);
    let mut log = ActorLog::default();
    let mut predicted = Vec::new();
    let mut expand = |command: Command| {
        let mut ops = Vec::new();
        log.expand(rules, command, &mut ops);
        if !ops.is_empty() {
            predicted.push(asked(command.kind(), &ops));
        }
    };
    let mut life = Life::<R>::first(system, prefix).await;
    expand(Command::Recover { state_bytes: life.state_bytes().await });
    let mut before = None;
    for step in story() {
        if run_into_each_other(before.as_ref(), &step) {
            tokio::time::sleep(2 * PAUSE).await;
        }
        expand(life.perform(&step).await);
        before = Some(step);
    }
    predicted
}

/// Type and name of an actor, and what the model says it asked.
type Lived = ((&'static str, String), Vec<String>);

/// Actors of many types, several of each, all at once.
async fn live_together(database: &Database, key: Option<EncryptedKey>) -> Vec<Lived> {
    let system = System::new(database, key.as_ref()).await;
    let of_name = |name| live_under_one_name(&system, name, key.is_some());
    let (a, b, c) = tokio::join!(of_name("actor"), of_name("actor.1"), of_name("2"));
    [a, b, c].concat()
}

async fn live_under_one_name(system: &System, name: &str, encrypted: bool) -> Vec<Lived> {
    async fn of_type<R: Rules>(system: &System, name: &str, encrypted: bool) -> Lived {
        ((R::NAME, name.to_owned()), live::<R>(system, name, encrypted).await)
    }
    let lives = tokio::join!(
        of_type::<Light>(system, name, encrypted),
        of_type::<LightCompacting>(system, name, encrypted),
        of_type::<Full>(system, name, encrypted),
        of_type::<FullByHand>(system, name, encrypted),
        of_type::<Compacting>(system, name, encrypted)
    );
    [lives.0, lives.1, lives.2, lives.3, lives.4].into()
}

/// Records the lives, and compares the trace with what the model says, operation by operation.
fn is_recorded_as_predicted(
    key: Option<EncryptedKey>,
    compression: Compression,
    open: impl FnOnce(Recorder) -> Database,
) {
    let directory = tempdir().unwrap();
    let recorder = Recorder::start(options(directory.path()).compression(compression)).unwrap();
    let database = open(recorder.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let lives = runtime.block_on(live_together(&database, key));
    let stats = recorder.finish().unwrap();
    assert_eq!((stats.dropped, stats.failed, stats.foreign, stats.parts), (0, 0, 0, 1), "{stats:?}");
    let part = &parts(directory.path())[0];
    assert_eq!(std::fs::metadata(part).unwrap().len(), stats.bytes);
    let found = commands(part, Truncation::Refuse);
    assert_eq!(found.iter().map(|command| command.ops.len() as u64).sum::<u64>(), stats.recorded);
    assert!(found.is_sorted_by_key(|command| command.at_ns));
    for ((type_name, name), predicted) in lives {
        let of_actor = found.iter().filter(|found| *found.actor.type_name == *type_name && *found.actor.name == *name);
        let found: Vec<String> = of_actor.map(|found| asked(found.kind, &found.ops)).collect();
        assert_eq!(found, predicted, "{type_name} {name}");
    }
}

#[test]
fn a_recorded_system_did_what_the_model_says() {
    is_recorded_as_predicted(None, Compression::Plain, |recorder| {
        Database::Memory(RecordingManager::new(MemoryManager::default(), Some(recorder)))
    });
}

#[test]
fn an_encrypted_system_is_recorded_with_the_bytes_it_stores() {
    let key = EncryptedKey::new(&[7; 32]).unwrap();
    is_recorded_as_predicted(Some(key), Compression::Zstd, |recorder| {
        Database::Memory(RecordingManager::new(MemoryManager::default(), Some(recorder)))
    });
}

#[cfg(feature = "rocksdb")]
#[test]
fn a_system_over_rocksdb_did_what_the_model_says() {
    let directory = tempdir().unwrap();
    is_recorded_as_predicted(None, Compression::Plain, |recorder| {
        let spec = ave_actors_store::config::MachineSpec::Custom { ram_mb: 512, cpu_cores: 2 };
        let manager = RocksDbManager::new(&directory.path().join("db"), false, Some(spec)).unwrap();
        Database::RocksDb(RecordingManager::new(manager, Some(recorder)))
    });
}

/// The store's own tests of a backend, through the wrapper.
mod unchanged {
    use super::*;
    use ave_actors_rocksdb::{RecordingCollection, RecordingState};
    use ave_actors_store::memory::MemoryStore;

    #[test]
    fn a_recorded_store_answers_as_without_a_recorder() {
        let directory = tempdir().unwrap();
        let recorder = Recorder::start(options(directory.path())).unwrap();
        let mut manager = RecordingManager::new(MemoryManager::default(), Some(recorder.clone()));
        let mut events: RecordingCollection<MemoryStore> = manager.create_collection("t_events", "a").unwrap();
        let mut snapshot: RecordingState<MemoryStore> = manager.create_state("t_states", "a").unwrap();
        assert_eq!((events.name(), snapshot.name()), ("t_events", "t_states"));
        for key in ["1", "2", "3"] {
            events.put(key, key.as_bytes()).unwrap();
        }
        assert_eq!(events.iter(true).unwrap().count(), 3);
        assert_eq!(events.get_by_range(Some("1".to_owned()), 5).unwrap(), [b"2", b"3"]);
        assert!(matches!(events.get("4"), Err(ave_actors_store::Error::EntryNotFound { key }) if key == "a.4"));
        snapshot.put(b"s").unwrap();
        snapshot.del().unwrap();
        assert!(matches!(snapshot.get(), Err(ave_actors_store::Error::EntryNotFound { .. })));
        snapshot.purge().unwrap();
        manager.stop().unwrap();
        let stats = recorder.finish().unwrap();
        assert_eq!((stats.recorded, stats.foreign, stats.failed), (4, 7, 0), "{stats:?}");
    }
}

/// One event after the other, as a single actor writes them.
fn write_events(manager: &RecordingManager<MemoryManager>, count: u64) {
    let mut events = manager.create_collection("t_events", "a").unwrap();
    for number in 0..count {
        events.put(&format!("{number:020}"), b"event").unwrap();
    }
}

fn memory(recorder: &Recorder) -> RecordingManager<MemoryManager> {
    RecordingManager::new(MemoryManager::default(), Some(recorder.clone()))
}

#[test]
fn a_tiny_queue_drops_counts_and_says_where() {
    let directory = tempdir().unwrap();
    let recorder = Recorder::start(options(directory.path()).queue_length(8)).unwrap();
    let manager = memory(&recorder);
    write_events(&manager, 20_000);
    std::thread::sleep(Duration::from_millis(50));
    write_events(&manager, 3);
    let stats = recorder.finish().unwrap();
    assert!(stats.dropped > 0 && stats.recorded > 0, "{stats:?}");
    assert_eq!(stats.recorded + stats.dropped, 20_005, "all operations are accounted for");
    let text = std::fs::read_to_string(&parts(directory.path())[0]).unwrap();
    let noted: u64 =
        text.lines().filter_map(|line| line.strip_prefix("# dropped ")).map(|n| n.parse::<u64>().unwrap()).sum();
    assert_eq!(noted, stats.dropped);
}

#[test]
fn parts_are_whole_traces_that_go_on_where_the_last_one_ended_and_the_oldest_ones_go() {
    let directory = tempdir().unwrap();
    for (round, expected) in [(0, "bank-00004"), (1, "bank-00008")] {
        let options = options(directory.path()).name("bank").part_bytes(200_000).keep_parts(3);
        let recording = Recorder::start(options).unwrap();
        write_events(&memory(&recording), 12_000);
        let stats = recording.finish().unwrap();
        assert_eq!((stats.recorded, stats.dropped, stats.parts), (12_001, 0, 4), "{round}: {stats:?}");
        let parts = parts(directory.path());
        assert_eq!(parts.len(), 3);
        assert!(parts[2].to_str().unwrap().contains(expected), "nothing is overwritten: {parts:?}");
        let found: Vec<Vec<TracedCommand>> = parts.iter().map(|part| commands(part, Truncation::Refuse)).collect();
        for pair in found.windows(2) {
            assert_eq!(pair[0].last().unwrap().ops[0].number + 1, pair[1][0].ops[0].number);
        }
        let provenance = read(&parts[2], Truncation::Refuse).unwrap().provenance;
        assert_eq!((provenance.name.as_str(), provenance.names_hashed), ("bank", false));
        let part_of = provenance.recording.unwrap();
        assert_eq!((part_of.part, part_of.id.len()), (4, 32));
    }
}

#[test]
fn a_directory_is_read_as_one_recording_or_not_at_all() {
    let directory = tempdir().unwrap();
    let record = || {
        let recorder = Recorder::start(options(directory.path()).name("bank").part_bytes(200_000)).unwrap();
        write_events(&memory(&recorder), 12_000);
        recorder.finish().unwrap()
    };
    record();
    let parts_of_one = parts(directory.path());
    let one_by_one: usize = parts_of_one.iter().map(|part| commands(part, Truncation::Refuse).len()).sum();
    let whole = commands(directory.path(), Truncation::Refuse);
    assert_eq!((whole.len(), one_by_one, parts_of_one.len()), (12_001, 12_001, 4));
    assert!(whole.is_sorted_by_key(|command| command.at_ns));

    // The newest part may be cut off by a kill, and no other.
    let cut = |part: &Path| {
        let bytes = std::fs::read(part).unwrap();
        std::fs::write(part, &bytes[..bytes.len() - 3]).unwrap();
    };
    cut(&parts_of_one[3]);
    let shorter = commands(directory.path(), Truncation::UseWholeLines).len();
    assert_eq!(shorter, 12_000);
    cut(&parts_of_one[1]);
    let error = read(directory.path(), Truncation::UseWholeLines).unwrap_err().to_string();
    assert!(error.contains("bank-00002") && error.contains("truncated"), "{error}");

    std::fs::remove_file(&parts_of_one[1]).unwrap();
    let error = read(directory.path(), Truncation::UseWholeLines).unwrap_err().to_string();
    assert!(error.contains("bank-00003") && error.contains("not the next part"), "a hole in the middle: {error}");
    parts_of_one.iter().enumerate().filter(|(place, _)| *place != 1).for_each(|(_, part)| {
        std::fs::remove_file(part).unwrap();
    });
    record();
    record();
    let error = read(directory.path(), Truncation::Refuse).unwrap_err().to_string();
    assert!(error.contains("not the next part of the recording"), "two recordings: {error}");
}

#[test]
fn names_are_hashes_unless_asked_otherwise() {
    let directory = tempdir().unwrap();
    let recorder = Recorder::start(RecorderOptions::new(directory.path())).unwrap();
    let manager = memory(&recorder);
    let secret = manager.create_collection("t_events", "secret").unwrap();
    secret.last().unwrap();
    recorder.finish().unwrap();
    assert!(secret.last().is_ok(), "calls go on after the end of the recording");
    assert_eq!(recorder.finish().unwrap().recorded, 2, "and are not part of it");
    let part = &parts(directory.path())[0];
    assert!(!std::fs::read_to_string(part).unwrap().contains("secret"));
    assert_eq!(commands(part, Truncation::Refuse)[0].actor.name.len(), 32);
}

/// Every prefix of a part is a trace, or too short to be one.
#[test]
fn a_part_is_usable_wherever_it_ends() {
    for compression in [Compression::Plain, Compression::Zstd] {
        let directory = tempdir().unwrap();
        let recorder = Recorder::start(options(directory.path()).compression(compression)).unwrap();
        write_events(&memory(&recorder), 40);
        recorder.finish().unwrap();
        let part = &parts(directory.path())[0];
        let whole = commands(part, Truncation::Refuse);
        let bytes = std::fs::read(part).unwrap();
        let cut = directory.path().join("cut");
        let mut most = 0;
        for length in 0..bytes.len() {
            std::fs::write(&cut, &bytes[..length]).unwrap();
            if let Ok(trace) = read(&cut, Truncation::UseWholeLines) {
                let found = whole_ops(&commands_in(&trace));
                assert_eq!(asked_of(&found), asked_of(&whole_ops(&whole)[..found.len()]));
                most = most.max(found.len());
            }
        }
        assert!(most >= whole.len() - 1, "{compression:?}: {most} of {}", whole.len());
    }
}

fn whole_ops(commands: &[TracedCommand]) -> Vec<Op> {
    commands.iter().flat_map(|command| command.ops.clone()).collect()
}

fn asked_of(ops: &[Op]) -> Vec<String> {
    ops.iter().map(|op| asked(CommandKind::Persist, &[*op])).collect()
}

const CHILD: &str = "AVE_TEST_RECORDING";

/// A process that records is killed; what it had recorded until the last flush or so is there.
#[test]
fn a_killed_process_leaves_a_usable_recording() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return record_for_ever(Path::new(&directory));
    }
    for name in ["plain", "zstd"] {
        let directory = tempdir().unwrap();
        let directory = directory.path().join(name);
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["trace::recorder::a_killed_process_leaves_a_usable_recording", "--exact"])
            .env(CHILD, &directory)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let written = || {
            let part = directory.join(if name == "zstd" {
                "recording-00001.trace.csv.zst"
            } else {
                "recording-00001.trace.csv"
            });
            std::fs::metadata(part).map_or(0, |part| part.len())
        };
        while written() < 4000 {
            assert!(Instant::now() < deadline, "nothing is written");
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let found = commands(&parts(&directory)[0], Truncation::UseWholeLines);
        let puts: Vec<u64> =
            found.iter().filter(|found| found.kind == CommandKind::Persist).map(|found| found.ops[0].number).collect();
        assert!(puts.len() > 20, "{}", puts.len());
        assert!(puts.iter().copied().eq(0..puts.len() as u64), "no hole in it");
    }
}

fn record_for_ever(directory: &Path) {
    let compression = if directory.ends_with("zstd") { Compression::Zstd } else { Compression::Plain };
    let options = options(directory).compression(compression).flush_interval(Duration::from_millis(20));
    let manager = memory(&Recorder::start(options).unwrap());
    let mut events = manager.create_collection("t_events", "a").unwrap();
    for number in 0.. {
        events.put(&format!("{number:020}"), b"event").unwrap();
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[cfg(all(feature = "rocksdb", target_os = "linux"))]
#[test]
fn a_full_disk_interrupts_the_recording_and_nothing_else() {
    use crate::support::faults::on_small_disk;
    on_small_disk(a_full_disk_interrupts_the_recording_and_nothing_else, 8, |disk| {
        let directory = disk.path().join("recording");
        let recorder = Recorder::start(options(&directory).flush_interval(Duration::from_millis(10))).unwrap();
        let manager = memory(&recorder);
        write_events(&manager, 100);
        wait_for(&recorder, |stats| stats.recorded > 50);
        disk.fill_except(0);
        let before = Instant::now();
        write_events(&manager, 20_000);
        assert!(before.elapsed() < Duration::from_secs(5), "the actors do not notice");
        wait_for(&recorder, |stats| !stats.writing && stats.dropped > 0);
        assert!(recorder.stats().last_error.unwrap().contains("recording-0000"));
        disk.free();
        std::thread::sleep(Duration::from_millis(1100));
        write_events(&manager, 100);
        wait_for(&recorder, |stats| stats.writing && stats.parts == 2);
        let stats = recorder.finish().unwrap();
        assert_eq!(stats.recorded + stats.dropped, 20_203, "{stats:?}");
        let parts = parts(&directory);
        assert_eq!(parts.len(), 2);
        let found: usize = parts.iter().map(|part| whole_ops(&commands(part, Truncation::Refuse)).len()).sum();
        assert_eq!(found as u64, stats.recorded, "the part that was interrupted ends with a whole line");
        assert!(std::fs::read_to_string(&parts[1]).unwrap().contains("# dropped "));
    });
}

#[cfg(all(feature = "rocksdb", target_os = "linux"))]
fn wait_for(recorder: &Recorder, condition: impl Fn(&RecorderStats) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition(&recorder.stats()) {
        assert!(Instant::now() < deadline, "{:?}", recorder.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
}
