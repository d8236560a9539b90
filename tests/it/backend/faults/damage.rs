//! Damaged files. What can be read is read, the rest is an error that names the file, and a restored file is enough.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ave_actors_store::database::{Collection, DbManager};
use tempfile::tempdir;

use super::{creation_error, files, noise, read_error, says, try_open, value};
use crate::backend::{open, put};

/// A closed database with a table of several blocks in `large`, and an entry in `other`.
fn existing_database(path: &Path) -> PathBuf {
    let mut manager = open(path);
    let mut large = manager.create_collection("large", "actor").unwrap();
    for n in 0..100 {
        large.put(&format!("{n:020}"), &noise(n, 1000)).unwrap();
    }
    manager.stop().unwrap();
    let table = files(path, ".sst").pop().unwrap();
    put(&mut manager.create_collection("other", "actor").unwrap(), "01", "event");
    manager.stop().unwrap();
    table
}

fn key(n: usize) -> String {
    format!("{n:020}")
}

#[test]
fn a_damaged_block_costs_its_entries_and_no_others() {
    let dir = tempdir().unwrap();
    let table = existing_database(dir.path());
    let whole = fs::read(&table).unwrap();
    let mut damaged = whole.clone();
    damaged[10] ^= 0xFF;
    fs::write(&table, damaged).unwrap();

    let manager = open(dir.path());
    let large = manager.create_collection("large", "actor").unwrap();
    let name = table.file_name().unwrap().to_str().unwrap();
    let error = read_error(Collection::get(&large, &key(0)), "large", &format!("actor.{}", key(0)));
    says(&error, &["Corruption", "checksum", name, "restore the database from a checkpoint"]);
    assert_eq!(Collection::get(&large, &key(99)).unwrap(), noise(99, 1000));
    assert_eq!(large.last().unwrap().unwrap().0, key(99));
    assert_eq!(Collection::get(&manager.create_collection("other", "actor").unwrap(), "01").unwrap(), b"event");
    drop((large, manager));

    fs::write(&table, whole).unwrap();
    assert_eq!(value(dir.path(), "large", &key(0)).unwrap(), noise(0, 1000));
}

#[test]
fn a_table_without_a_readable_end_is_found_broken_and_its_restoration_is_enough() {
    let dir = tempdir().unwrap();
    let table = existing_database(dir.path());
    let whole = fs::read(&table).unwrap();
    let mut footer = whole.clone();
    let end = footer.len() - 60;
    footer[end..].fill(0);
    let damages = [
        ("a footer of zeros", Some(footer)),
        ("half of the file", Some(whole[..whole.len() / 2].to_vec())),
        ("an empty file", Some(Vec::new())),
        ("no file", None),
    ];
    for (what, damaged) in damages {
        match damaged {
            Some(bytes) => fs::write(&table, bytes).unwrap(),
            None => fs::remove_file(&table).unwrap(),
        }
        let error = creation_error(try_open(dir.path()));
        let (place, name) = (dir.path().to_str().unwrap(), table.file_name().unwrap().to_str().unwrap());
        says(&error, &["broken", place, name, "restore it from a checkpoint"]);
        fs::write(&table, &whole).unwrap();
        assert_eq!(value(dir.path(), "large", &key(0)).unwrap(), noise(0, 1000), "after {what}");
    }
}

#[test]
fn a_damaged_index_is_a_failed_read_or_opening_that_names_the_file() {
    let dir = tempdir().unwrap();
    let table = existing_database(dir.path());
    let whole = fs::read(&table).unwrap();
    let mut damaged = whole.clone();
    // Everything behind the data but the footer: filter, index and properties.
    let (data, footer) = (100 * 1000, damaged.len() - 60);
    damaged[data + 2500..footer].fill(0xA5);
    fs::write(&table, damaged).unwrap();
    let name = table.file_name().unwrap().to_str().unwrap();
    let error = match try_open(dir.path()) {
        Err(error) => creation_error(Err::<(), _>(error)),
        Ok(manager) => {
            let large = manager.create_collection("large", "actor").unwrap();
            read_error(Collection::get(&large, &key(99)), "large", &format!("actor.{}", key(99)))
        }
    };
    says(&error, &["Corruption", name, "from a checkpoint"]);
    fs::write(&table, whole).unwrap();
    assert_eq!(value(dir.path(), "large", &key(99)).unwrap(), noise(99, 1000));
}

#[test]
fn a_damaged_or_missing_options_file_does_not_matter() {
    let dir = tempdir().unwrap();
    existing_database(dir.path());
    for content in [Some("garbage"), Some(""), None] {
        for options in files(dir.path(), "OPTIONS-") {
            match content {
                Some(text) => fs::write(options, text).unwrap(),
                None => fs::remove_file(options).unwrap(),
            }
        }
        assert_eq!(value(dir.path(), "other", "01").unwrap(), b"event", "with {content:?} in its place");
    }
}

#[test]
fn a_restored_manifest_is_enough() {
    let dir = tempdir().unwrap();
    existing_database(dir.path());
    let manifest = files(dir.path(), "MANIFEST-").pop().unwrap();
    let whole = fs::read(&manifest).unwrap();
    let mut damaged = whole.clone();
    damaged[20] ^= 0xFF;
    fs::write(&manifest, damaged).unwrap();
    let error = creation_error(try_open(dir.path()));
    says(&error, &["broken", dir.path().to_str().unwrap(), "Corruption", "restore it from a checkpoint"]);
    fs::write(&manifest, whole).unwrap();
    assert_eq!(value(dir.path(), "other", "01").unwrap(), b"event");
}
