//! Recording an application that knows nothing of it: the environment variable `AVE_TRACE_DIR`, in a child process.

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use ave_actors_rocksdb::{Recorder, RecorderOptions, RecordingManager, RocksDbManager};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};
use tempfile::tempdir;

use super::{SMALL, key};

/// The directory of the child process, which exists in no other.
const CHILD: &str = "AVE_TEST_RECORDED";

/// Runs `test` of this binary again with `AVE_TRACE_DIR`.
fn again(test: &str, directory: &Path, recordings: &Path) -> Output {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", &format!("backend::recording::{test}")]);
    child.env("AVE_TRACE_DIR", recordings).env(CHILD, directory).output().unwrap()
}

/// The calls of two actors, which a wrapper records as well. Both recorders count the same.
fn work(directory: &Path) -> Result<(), Error> {
    let recorder = Recorder::start(RecorderOptions::new(directory.join("wrapper")).name("db")).unwrap();
    let rocksdb = RocksDbManager::new(&directory.join("db"), false, Some(SMALL))?;
    let mut manager = RecordingManager::new(rocksdb, Some(recorder.clone()));
    for actor in ["one", "two"] {
        let mut events = manager.create_collection("account_events", actor)?;
        let mut states = manager.create_state("account_states", actor)?;
        let mut metadata = manager.create_state("account_metadata", actor)?;
        assert_eq!((events.last()?, State::get(&states).is_err()), (None, true));
        for number in 0..3 {
            events.put(&key(number), &[0; 10])?;
            states.put(&[0; 20])?;
            metadata.put(&[0; 16])?;
        }
        assert_eq!((events.get(&key(1))?.len(), events.get(&key(9)).is_err()), (10, true));
        assert_eq!((events.last()?.unwrap().0, events.iter(false)?.count()), (key(2), 3));
        events.del(&key(0))?;
        events.put("no number", b"")?;
        assert_eq!((State::get(&states)?.len(), State::get(&metadata)?.len()), (20, 16));
        events.purge()?;
        states.purge()?;
        metadata.purge()?;
    }
    manager.create_state("other", "one")?;
    let wrapper = recorder.finish().unwrap();
    manager.stop()?;
    let own = manager.inner().recorder().unwrap().stats();
    assert_eq!((own.recorded, own.failed, own.foreign), (wrapper.recorded, wrapper.failed, wrapper.foreign));
    assert_eq!((own.dropped, own.writing), (0, false), "it is complete when the database has stopped");
    Ok(())
}

/// Column family, operation, key and bytes of each line, in order: times and hashes of names differ.
fn operations(part: &Path) -> Vec<String> {
    let bytes = fs::read(part).unwrap();
    let is_packed = part.extension().is_some_and(|extension| extension == "zst");
    let text = String::from_utf8(if is_packed { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }).unwrap();
    let mut operations: Vec<_> = text
        .lines()
        .skip(2)
        .map(|line| {
            let fields: Vec<_> = line.split(',').collect();
            [fields[1], fields[5], fields[6], fields[7]].join(" ")
        })
        .collect();
    operations.sort();
    operations
}

#[test]
fn the_environment_records_what_a_wrapper_records() {
    if let Some(directory) = env::var_os(CHILD) {
        return work(Path::new(&directory)).unwrap();
    }
    let directory = tempdir().unwrap();
    let recordings = directory.path().join("environment");
    let ended = again("the_environment_records_what_a_wrapper_records", directory.path(), &recordings);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    let recorded = operations(&recordings.join("db-00001.trace.csv.zst"));
    assert_eq!(recorded, operations(&directory.path().join("wrapper/db-00001.trace.csv")));
    assert!(recorded.len() > 40, "{recorded:?}");
}

#[test]
fn a_recording_that_cannot_begin_fails_the_opening() {
    if let Some(directory) = env::var_os(CHILD) {
        let refused = RocksDbManager::new(&Path::new(&directory).join("db"), false, Some(SMALL)).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("AVE_TRACE_DIR") && text.contains("/dev/null"), "{text}");
        return;
    }
    let directory = tempdir().unwrap();
    let ended =
        again("a_recording_that_cannot_begin_fails_the_opening", directory.path(), Path::new("/dev/null/recordings"));
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
}

#[test]
fn nothing_is_recorded_without_the_environment() {
    let directory = tempdir().unwrap();
    let manager = RocksDbManager::new(&directory.path().join("db"), false, Some(SMALL)).unwrap();
    assert!(manager.recorder().is_none());
}
