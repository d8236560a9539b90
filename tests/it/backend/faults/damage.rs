//! Damaged files. Undamaged parts are readable, other reads fail and name the file, and restoring the file suffices.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ave_actors_store::database::{Collection, DbManager};
use tempfile::tempdir;

use super::{files, noise, read_error, value};
use crate::backend::{assert_contains, creation_error, key, open, open_error, put, try_open};

/// A closed database with a table of several blocks in `large`, and an entry in `other`. Returns the table.
fn existing_database(path: &Path) -> PathBuf {
    let mut manager = open(path);
    let mut large = manager.create_collection("large", "actor").unwrap();
    for n in 0..100 {
        large.put(&key(n), &noise(n, 1000)).unwrap();
    }
    manager.stop().unwrap();
    let table = files(path, ".sst").pop().unwrap();
    put(&mut manager.create_collection("other", "actor").unwrap(), "01", "event");
    manager.stop().unwrap();
    table
}

#[test]
fn a_damaged_block_fails_reads_of_its_entries_only() {
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
    assert_contains(&error, &["Corruption", "checksum", name, "Restore the database from a backup"]);
    assert_eq!(Collection::get(&large, &key(99)).unwrap(), noise(99, 1000));
    assert_eq!(large.last().unwrap().unwrap().0, key(99));
    assert_eq!(Collection::get(&manager.create_collection("other", "actor").unwrap(), "01").unwrap(), b"event");
    drop((large, manager));

    fs::write(&table, whole).unwrap();
    assert_eq!(value(dir.path(), "large", &key(0)).unwrap(), noise(0, 1000));
}

#[test]
fn a_table_without_a_footer_is_broken_until_it_is_restored() {
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
        let error = open_error(dir.path());
        let (place, name) = (dir.path().to_str().unwrap(), table.file_name().unwrap().to_str().unwrap());
        assert_contains(&error, &["broken", place, name, "Restore the database from a backup"]);
        fs::write(&table, &whole).unwrap();
        assert_eq!(value(dir.path(), "large", &key(0)).unwrap(), noise(0, 1000), "after {what}");
    }
}

#[test]
fn a_damaged_index_fails_the_open_or_the_read_and_names_the_file() {
    let dir = tempdir().unwrap();
    let table = existing_database(dir.path());
    let whole = fs::read(&table).unwrap();
    let mut damaged = whole.clone();
    // Everything between the data and the footer: filter, index and properties.
    let (data, footer) = (100 * 1000, damaged.len() - 60);
    damaged[data + 2500..footer].fill(0xA5);
    fs::write(&table, damaged).unwrap();
    let name = table.file_name().unwrap().to_str().unwrap();
    let error = match try_open(dir.path(), false) {
        Err(error) => creation_error(Err::<(), _>(error)),
        Ok(manager) => {
            let large = manager.create_collection("large", "actor").unwrap();
            read_error(Collection::get(&large, &key(99)), "large", &format!("actor.{}", key(99)))
        }
    };
    assert_contains(&error, &["Corruption", name, "from a backup"]);
    fs::write(&table, whole).unwrap();
    assert_eq!(value(dir.path(), "large", &key(99)).unwrap(), noise(99, 1000));
}

#[test]
fn a_database_opens_with_a_damaged_or_missing_options_file() {
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
fn a_damaged_manifest_is_broken_until_it_is_restored() {
    let dir = tempdir().unwrap();
    existing_database(dir.path());
    let manifest = files(dir.path(), "MANIFEST-").pop().unwrap();
    let whole = fs::read(&manifest).unwrap();
    let mut damaged = whole.clone();
    damaged[20] ^= 0xFF;
    fs::write(&manifest, damaged).unwrap();
    let error = open_error(dir.path());
    assert_contains(
        &error,
        &["broken", dir.path().to_str().unwrap(), "Corruption", "Restore the database from a backup"],
    );
    fs::write(&manifest, whole).unwrap();
    assert_eq!(value(dir.path(), "other", "01").unwrap(), b"event");
}
