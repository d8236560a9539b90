//! The limit on open files, `ulimit -n`.

use std::{fs, fs::File, path::Path};

use ave_actors_store::database::{Collection, DbManager};
use tempfile::tempdir;

use super::{
    child::{alone, limit_open_files},
    creation_error, noise, read_error, says, store_error, try_open,
};

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A database with so many entries, each in a table file of its own.
#[cfg(feature = "export-rocksdb")]
fn database_of_many_tables(path: &Path, tables: usize) {
    use ave_actors_rocksdb::rocksdb::{DB, IngestExternalFileOptions, Options, SstFileWriter};

    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    let db = DB::open_cf(&options, path, ["events"]).unwrap();
    let dir = tempfile::tempdir_in(path.parent().unwrap()).unwrap();
    let write = |n: usize| {
        let file = dir.path().join(format!("{n}.sst"));
        let mut table = SstFileWriter::create(&options);
        table.open(&file).unwrap();
        table.put(format!("actor.{n:020}"), format!("event {n}")).unwrap();
        table.finish().unwrap();
        file
    };
    let mut moved = IngestExternalFileOptions::default();
    moved.set_move_files(true);
    let files: Vec<_> = (0..tables).map(write).collect();
    db.ingest_external_file_cf_opts(&db.cf_handle("events").unwrap(), &moved, files).unwrap();
}

#[cfg(feature = "export-rocksdb")]
#[test]
fn a_database_of_many_more_files_than_the_limit_works_within_it() {
    alone(a_database_of_many_more_files_than_the_limit_works_within_it, || {
        const TABLES: usize = 1000;
        let dir = tempdir().unwrap();
        let path = dir.path().join("db");
        database_of_many_tables(&path, TABLES);
        for limit in [256, 128] {
            limit_open_files(limit);
            let mut manager = try_open(&path).unwrap();
            let mut events = manager.create_collection("events", "actor").unwrap();
            assert_eq!(events.iter(false).unwrap().map(Result::unwrap).count(), TABLES);
            for n in 0..TABLES {
                assert_eq!(Collection::get(&events, &format!("{n:020}")).unwrap(), format!("event {n}").as_bytes());
            }
            let many_at_once: Vec<_> = (0..20).map(|_| events.iter(true).unwrap().nth(TABLES / 2).unwrap()).collect();
            assert!(many_at_once.iter().all(Result::is_ok));
            Collection::put(&mut events, &format!("{:020}", 0), b"event 0").unwrap();
            manager.stop().unwrap();
            let open = open_files();
            assert!((open as u64) < limit * 3 / 4, "{open} of {limit} are open: the application needs some too");
        }
    });
}

#[test]
fn a_limit_too_low_for_any_database_is_named() {
    alone(a_limit_too_low_for_any_database_is_named, || {
        let dir = tempdir().unwrap();
        limit_open_files(64);
        let error = creation_error(try_open(dir.path()));
        says(&error, &[dir.path().to_str().unwrap(), "64 files", "128", "`ulimit -n`"]);
        limit_open_files(128);
        drop(try_open(dir.path()).unwrap());
    });
}

/// Takes every descriptor that is left.
fn hold_all() -> Vec<File> {
    let mut held = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        held.push(file);
    }
    held
}

#[test]
fn without_descriptors_a_database_does_not_open_and_is_not_called_broken() {
    alone(without_descriptors_a_database_does_not_open_and_is_not_called_broken, || {
        let dir = tempdir().unwrap();
        drop(try_open(dir.path()).unwrap());
        limit_open_files(256);
        let mut held = hold_all();
        // With ever more descriptors it gets further and further.
        while let Err(error) = try_open(dir.path()) {
            let error = creation_error(Err::<(), _>(error));
            says(&error, &[dir.path().to_str().unwrap(), "Too many open files"]);
            assert!(!error.contains("broken"), "{error}");
            held.pop();
        }
        drop(held);
        drop(try_open(dir.path()).unwrap());
    });
}

#[cfg(feature = "export-rocksdb")]
#[test]
fn reads_and_new_families_fail_while_descriptors_are_short_and_go_on_afterwards() {
    alone(reads_and_new_families_fail_while_descriptors_are_short_and_go_on_afterwards, || {
        let dir = tempdir().unwrap();
        let path = dir.path().join("db");
        database_of_many_tables(&path, 400);
        limit_open_files(256);
        let manager = try_open(&path).unwrap();
        let mut events = manager.create_collection("events", "actor").unwrap();
        let held = hold_all();

        let hint = "`ulimit -n`, now 256";
        let get = |n: &usize| Collection::get(&events, &format!("{n:020}"));
        let cold = (0..400).find(|n| get(n).is_err()).expect("few tables are open yet");
        let error = read_error(get(&cold), "events", &format!("actor.{cold:020}"));
        says(&error, &[".sst", "Too many open files", hint]);
        says(&read_error(events.get_by_range(None, 400), "events", "actor."), &["Too many open files", hint]);
        let failed = events.iter(false).and_then(|mut entries| entries.find(Result::is_err).unwrap());
        says(&read_error(failed, "events", "actor."), &["Too many open files", hint]);
        for _ in 0..2 {
            let error = creation_error(manager.create_collection("new", "actor"));
            says(&error, &["'new'", path.to_str().unwrap(), "Too many open files", hint]);
        }
        let error = store_error(manager.checkpoint(&dir.path().join("backup")));
        says(&error, &["checkpoint", path.to_str().unwrap(), "Too many open files", hint]);
        Collection::put(&mut events, "99", b"the log is open").unwrap();

        drop(held);
        assert_eq!(events.get_by_range(None, 400).unwrap().len(), 400);
        Collection::put(&mut manager.create_collection("new", "actor").unwrap(), "01", b"x").unwrap();
        manager.checkpoint(&dir.path().join("backup")).unwrap();
        Collection::put(&mut events, "99", b"still").unwrap();
    });
}

/// RocksDB calls it fatal when it cannot begin a new log, and there is no way back but through a closed database.
#[test]
fn writes_that_need_a_new_log_and_get_no_descriptor_say_that_it_takes_a_reopening() {
    alone(writes_that_need_a_new_log_and_get_no_descriptor_say_that_it_takes_a_reopening, || {
        let dir = tempdir().unwrap();
        limit_open_files(256);
        let manager = try_open(dir.path()).unwrap();
        let mut events = manager.create_collection("events", "actor").unwrap();
        let held = hold_all();
        let mut acknowledged = 0;
        let error = loop {
            match Collection::put(&mut events, &format!("{acknowledged:020}"), &noise(acknowledged, 20_000)) {
                Ok(()) => acknowledged += 1,
                Err(error) => break store_error(Err::<(), _>(error)),
            }
        };
        let key = format!("put of 'actor.{acknowledged:020}'");
        let hint = ["`ulimit -n`, now 256", "open it again", "nothing that was acknowledged is lost"];
        says(&error, &["column family 'events'", &key, "Too many open files"]);
        says(&error, &hint);
        drop(held);

        says(&store_error(Collection::put(&mut events, "x", b"x")), &hint);
        let last = format!("{:020}", acknowledged - 1);
        assert_eq!(events.last().unwrap().unwrap().0, last, "reads go on");
        drop((events, manager));
        let mut events = try_open(dir.path()).unwrap().create_collection("events", "actor").unwrap();
        for n in 0..acknowledged {
            assert!(Collection::get(&events, &format!("{n:020}")).unwrap() == noise(n, 20_000));
        }
        Collection::put(&mut events, "x", b"x").unwrap();
    });
}
