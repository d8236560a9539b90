//! Databases that other programs wrote with RocksDB.

use std::{cmp::Ordering, path::Path};

use ave_actors_rocksdb::rocksdb::{
    ColumnFamilyDescriptor, DB, DBCompactionStyle, DBCompressionType, MergeOperands, Options,
};
use ave_actors_store::database::{Collection, DbManager};
use tempfile::tempdir;

use super::{read_error, value};
use crate::backend::{assert_contains, keys, open, open_error};

fn options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options
}

fn write(path: &Path, family: &str, options: Options, write: impl FnOnce(&DB)) {
    let families = [ColumnFamilyDescriptor::new(family, options)];
    let db = DB::open_cf_descriptors(&self::options(), path, families).unwrap();
    write(&db);
    db.flush_cf(&db.cf_handle(family).unwrap()).unwrap();
}

#[test]
fn families_with_any_name_read_back_and_keep_foreign_entries() {
    let names = ["a/b", "with space", "ünïcode", "a.b", "..", "'quoted'", "\n", "-", "CURRENT"];
    let dir = tempdir().unwrap();
    let db = DB::open_cf(&options(), dir.path(), names).unwrap();
    for name in names {
        db.put_cf(&db.cf_handle(name).unwrap(), "actor.01", name).unwrap();
        db.put_cf(&db.cf_handle(name).unwrap(), [0xFF, 0x00, 0xFE], "foreign").unwrap();
    }
    drop(db);
    for _ in 0..2 {
        let mut manager = open(dir.path());
        assert_eq!(manager.stats().unwrap().column_families, names.len() as u64 + 1);
        for name in names {
            let mut collection = manager.create_collection(name, "actor").unwrap();
            assert_eq!(Collection::get(&collection, "01").unwrap(), name.as_bytes());
            assert_eq!(keys(&collection), ["01"]);
            collection.put("02", b"own").unwrap();
            Collection::del(&mut collection, "02").unwrap();
        }
        manager.stop().unwrap();
    }
    let db = DB::open_cf(&options(), dir.path(), names).unwrap();
    for name in names {
        let family = db.cf_handle(name).unwrap();
        assert_eq!(db.get_cf(&family, [0xFF, 0x00, 0xFE]).unwrap().unwrap(), b"foreign");
    }
}

#[test]
fn databases_with_other_compaction_or_compression_open() {
    for (style, compression) in [
        (DBCompactionStyle::Universal, DBCompressionType::None),
        (DBCompactionStyle::Universal, DBCompressionType::Zstd),
        (DBCompactionStyle::Level, DBCompressionType::None),
    ] {
        let dir = tempdir().unwrap();
        let mut options = options();
        options.set_compaction_style(style);
        options.set_compression_type(compression);
        write(dir.path(), "events", options, |db| {
            let family = db.cf_handle("events").unwrap();
            for n in 0..1000 {
                db.put_cf(&family, format!("actor.{n:020}"), format!("event {n}")).unwrap();
                if n % 200 == 0 {
                    db.flush_cf(&family).unwrap();
                }
            }
            db.compact_range_cf(&family, None::<&[u8]>, None::<&[u8]>);
        });
        let mut manager = open(dir.path());
        let mut events = manager.create_collection("events", "actor").unwrap();
        events.put(&format!("{:020}", 1000), b"event 1000").unwrap();
        manager.stop().unwrap();
        drop((events, manager));
        for n in [0, 500, 1000] {
            assert_eq!(value(dir.path(), "events", &format!("{n:020}")).unwrap(), format!("event {n}").as_bytes());
        }
    }
}

#[test]
fn a_family_with_another_comparator_is_refused() {
    fn backwards(one: &[u8], other: &[u8]) -> Ordering {
        other.cmp(one)
    }
    let dir = tempdir().unwrap();
    let mut options = options();
    options.set_comparator("backwards", Box::new(backwards));
    write(dir.path(), "events", options, |db| {
        db.put_cf(&db.cf_handle("events").unwrap(), "actor.01", "event").unwrap();
    });
    let remedy = "Its data is unchanged. Another program wrote it";
    assert_contains(&open_error(dir.path()), &[dir.path().to_str().unwrap(), "comparator", "backwards", remedy]);
}

#[test]
fn a_value_with_a_foreign_merge_operator_is_a_failed_read() {
    #[allow(clippy::unnecessary_wraps)] // RocksDB's signature.
    fn append(_key: &[u8], value: Option<&[u8]>, operands: &MergeOperands) -> Option<Vec<u8>> {
        Some(value.into_iter().chain(operands).flatten().copied().collect())
    }
    let dir = tempdir().unwrap();
    let mut options = options();
    options.set_merge_operator_associative("append", append);
    write(dir.path(), "events", options, |db| {
        let family = db.cf_handle("events").unwrap();
        db.put_cf(&family, "actor.01", "plain").unwrap();
        db.merge_cf(&family, "actor.02", "merged").unwrap();
    });
    let manager = open(dir.path());
    let mut events = manager.create_collection("events", "actor").unwrap();
    assert_eq!(Collection::get(&events, "01").unwrap(), b"plain");
    let error = read_error(Collection::get(&events, "02"), "events", "actor.02");
    assert_contains(&error, &["merge", "Another program wrote it with options that this backend does not support"]);
    events.put("02", b"own").unwrap();
    assert_eq!(Collection::get(&events, "02").unwrap(), b"own");
}
