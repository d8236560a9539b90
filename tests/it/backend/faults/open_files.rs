//! The limit on open files, `ulimit -n`.

use std::{fs, fs::File, path::Path};

use ave_actors_store::database::{Collection, DbManager};
use tempfile::tempdir;

use super::{
    child::{alone, limit_open_files},
    noise, read_error, store_error,
};
use crate::backend::{assert_contains, creation_error, key, open, open_error, try_open};

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A database with `tables` entries, each in its own table file.
#[cfg(feature = "export-rocksdb")]
fn database_of_many_tables(path: &Path, tables: usize) {
    use ave_actors_rocksdb::rocksdb::{DB, IngestExternalFileOptions, Options, SstFileWriter};

    // As the backend names itself: it does not scan the database for nested prefixes.
    let itself = "db_host_id=ave-actors-rocksdb-nested-prefixes-0";
    let mut options = Options::default().get_options_from_string(itself).unwrap();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    let db = DB::open_cf(&options, path, ["events"]).unwrap();
    let dir = tempfile::tempdir_in(path.parent().unwrap()).unwrap();
    let write = |n: usize| {
        let file = dir.path().join(format!("{n}.sst"));
        let mut table = SstFileWriter::create(&options);
        table.open(&file).unwrap();
        table.put(format!("actor.{}", key(n)), format!("event {n}")).unwrap();
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
fn a_database_with_more_files_than_the_limit_stays_below_it() {
    alone(a_database_with_more_files_than_the_limit_stays_below_it, || {
        const TABLES: usize = 1000;
        let dir = tempdir().unwrap();
        let path = dir.path().join("db");
        database_of_many_tables(&path, TABLES);
        for limit in [256, 128] {
            limit_open_files(limit);
            let mut manager = open(&path);
            let mut events = manager.create_collection("events", "actor").unwrap();
            assert_eq!(events.iter(false).unwrap().map(Result::unwrap).count(), TABLES);
            for n in 0..TABLES {
                assert_eq!(Collection::get(&events, &key(n)).unwrap(), format!("event {n}").as_bytes());
            }
            let many_at_once: Vec<_> = (0..20).map(|_| events.iter(true).unwrap().nth(TABLES / 2).unwrap()).collect();
            assert!(many_at_once.iter().all(Result::is_ok));
            Collection::put(&mut events, &key(0), b"event 0").unwrap();
            manager.stop().unwrap();
            let open = open_files();
            assert!((open as u64) < limit * 3 / 4, "{open} of {limit} files are open");
        }
    });
}

#[test]
fn an_error_names_a_limit_too_low_for_any_database() {
    alone(an_error_names_a_limit_too_low_for_any_database, || {
        let dir = tempdir().unwrap();
        limit_open_files(64);
        let error = open_error(dir.path());
        assert_contains(&error, &[dir.path().to_str().unwrap(), "64 files", "128", "`ulimit -n`"]);
        limit_open_files(128);
        drop(open(dir.path()));
    });
}

/// Opens files until no descriptor is left.
fn use_all_descriptors() -> Vec<File> {
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    files
}

#[test]
fn an_open_without_descriptors_fails_and_does_not_report_a_broken_database() {
    alone(an_open_without_descriptors_fails_and_does_not_report_a_broken_database, || {
        let dir = tempdir().unwrap();
        drop(open(dir.path()));
        limit_open_files(256);
        let mut descriptors = use_all_descriptors();
        // Each further descriptor lets the open fail at a later step.
        while let Err(error) = try_open(dir.path(), false) {
            let error = creation_error(Err::<(), _>(error));
            assert_contains(&error, &[dir.path().to_str().unwrap(), "Too many open files"]);
            assert!(!error.contains("broken"), "{error}");
            assert!(descriptors.pop().is_some(), "fails with all descriptors free: {error}");
        }
        drop(descriptors);
        drop(open(dir.path()));
    });
}

#[cfg(feature = "export-rocksdb")]
#[test]
fn reads_and_new_families_fail_without_descriptors_and_resume_with_them() {
    alone(reads_and_new_families_fail_without_descriptors_and_resume_with_them, || {
        let dir = tempdir().unwrap();
        let path = dir.path().join("db");
        database_of_many_tables(&path, 400);
        limit_open_files(256);
        let manager = open(&path);
        let mut events = manager.create_collection("events", "actor").unwrap();
        let descriptors = use_all_descriptors();

        let remedy = "`ulimit -n`, now 256";
        let get = |n: &usize| Collection::get(&events, &key(*n));
        let cold = (0..400).find(|n| get(n).is_err()).expect("few tables are open yet");
        let error = read_error(get(&cold), "events", &format!("actor.{}", key(cold)));
        assert_contains(&error, &[".sst", "Too many open files", remedy]);
        assert_contains(
            &read_error(events.get_by_range(None, 400), "events", "actor."),
            &["Too many open files", remedy],
        );
        let failed = events.iter(false).and_then(|mut entries| entries.find(Result::is_err).unwrap());
        assert_contains(&read_error(failed, "events", "actor."), &["Too many open files", remedy]);
        for _ in 0..2 {
            let error = creation_error(manager.create_collection("new", "actor"));
            assert_contains(&error, &["'new'", path.to_str().unwrap(), "Too many open files", remedy]);
        }
        let error = store_error(manager.checkpoint(&dir.path().join("backup")));
        assert_contains(&error, &["checkpoint", path.to_str().unwrap(), "Too many open files", remedy]);
        Collection::put(&mut events, "99", b"the log is open").unwrap();

        drop(descriptors);
        assert_eq!(events.get_by_range(None, 400).unwrap().len(), 400);
        Collection::put(&mut manager.create_collection("new", "actor").unwrap(), "01", b"x").unwrap();
        manager.checkpoint(&dir.path().join("backup")).unwrap();
        Collection::put(&mut events, "99", b"still").unwrap();
    });
}

/// For RocksDB the failure to create a log is fatal: only a reopen ends it.
#[test]
fn a_write_without_a_descriptor_for_its_log_fails_until_a_reopen() {
    alone(a_write_without_a_descriptor_for_its_log_fails_until_a_reopen, || {
        /// 400 MB, several times the size at which the log is replaced.
        const MAX_WRITES: usize = 20_000;
        let dir = tempdir().unwrap();
        limit_open_files(256);
        let manager = open(dir.path());
        let mut events = manager.create_collection("events", "actor").unwrap();
        let descriptors = use_all_descriptors();
        let mut acknowledged = 0;
        let error = loop {
            assert!(acknowledged < MAX_WRITES, "no write needed a new log");
            match Collection::put(&mut events, &key(acknowledged), &noise(acknowledged, 20_000)) {
                Ok(()) => acknowledged += 1,
                Err(error) => break store_error(Err::<(), _>(error)),
            }
        };
        let operation = format!("put of 'actor.{}'", key(acknowledged));
        let remedy = ["`ulimit -n`, now 256", "open it again", "No acknowledged write is lost"];
        assert_contains(&error, &["column family 'events'", &operation, "Too many open files"]);
        assert_contains(&error, &remedy);
        drop(descriptors);

        assert_contains(&store_error(Collection::put(&mut events, "x", b"x")), &remedy);
        let last = key(acknowledged - 1);
        assert_eq!(events.last().unwrap().unwrap().0, last, "reads succeed");
        drop((events, manager));
        let mut events = open(dir.path()).create_collection("events", "actor").unwrap();
        for n in 0..acknowledged {
            assert!(Collection::get(&events, &key(n)).unwrap() == noise(n, 20_000));
        }
        Collection::put(&mut events, "x", b"x").unwrap();
    });
}
