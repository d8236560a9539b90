//! Reads a whole database and verifies every checksum.
//!
//! The binding has no function that verifies a file, so all entries are read in order, with options under which an
//! iterator skips no block, as it otherwise does where entries are deleted. Two things are not read: large values that
//! were overwritten, and the filters of tables. RocksDB ignores a damaged filter, which costs time but no data.

use std::{
    collections::BTreeSet,
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ave_actors_store::{Error, StoreOperation};
use rocksdb::{ColumnFamilyDescriptor, DB, LiveFile};

use super::{
    backups::Damage,
    blob_file, directory,
    error::{self, Cause, ErrorContext},
    nested_prefixes::is_registration,
    options::{self, EngineOptions},
    progress::{Interrupted, Meter, Progress},
    stats::TOTAL_BLOB_FILE_SIZE,
    tuning::Tuning,
    wal_recovery,
};
use crate::machine;

/// A property of RocksDB's `db.h` for which the binding has no constant.
const TABLE_PROPERTIES: &str = "rocksdb.aggregated-table-properties";
/// Bytes between two calls of the observer.
const STEP_BYTES: u64 = 256 * 1024;

/// The result of [`scrub`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrub {
    /// Damaged and missing files. A damaged file can hide others: verify again after it is replaced.
    pub damage: Vec<Damage>,
    /// Number of entries read, those hidden by deletions included.
    pub entries: u64,
    /// Size of the keys and values read, in bytes, before compression.
    pub bytes: u64,
    /// Number of SST files.
    pub files: usize,
    /// Bytes of the write-ahead logs that cannot be read. Normally 0; after a power loss perhaps an incomplete write,
    /// which was never acknowledged. Complete writes that cannot be recovered count as damage.
    pub unreadable_log_bytes: u64,
}

/// Reads the whole database in `path` and verifies the checksum of every block, every large value and every record of
/// the logs. Changes no file. Not verified are overwritten large values, and the filters of tables, which RocksDB does
/// not need.
///
/// For a closed database, a checkpoint or a backup. Use [`RocksDbManager::scrub`](super::RocksDbManager::scrub) for an
/// open one, whose files change. Needs memory for the logs, at most
/// [`Tuning::max_wal_bytes`].
///
/// ```
/// use ave_actors_rocksdb::{RocksDbManager, backend::{scrub, unobserved}};
/// use ave_actors_store::database::{DbManager, State};
///
/// let dir = tempfile::tempdir().unwrap();
/// let manager = RocksDbManager::new(&dir.path().to_path_buf(), true, None)?;
/// State::put(&mut manager.create_state("snapshots", "actor-1")?, b"state")?;
/// drop(manager);
///
/// let scrubbed = scrub(dir.path(), None, unobserved)?;
/// assert_eq!((scrubbed.entries, scrubbed.damage), (1, vec![]));
/// # Ok::<(), ave_actors_store::Error>(())
/// ```
///
/// `bytes_per_second` limits the bytes of files that are read per second.
///
/// # Errors
///
/// [`Error::CreateStore`] if there is no database or it cannot be read for another reason than damage, and
/// [`Error::Store`] if the observer has ended the scrub.
pub fn scrub(
    path: &Path,
    bytes_per_second: Option<u64>,
    mut observer: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Scrub, Error> {
    let share = machine::process_share();
    let tuning = Tuning::new(&share.resolved(), share.open_files);
    let mut context = ErrorContext::new(path, &tuning);
    directory::find(&mut context)?;
    let context = context;
    let skipped = Arc::new(AtomicU64::new(0));
    let (db, families) = match open(&context, &tuning, &skipped) {
        Ok(opened) => opened,
        Err(cause) => return of_unopened(&context, &cause),
    };
    let mut result = Scrub { unreadable_log_bytes: skipped.load(Ordering::Relaxed), ..Scrub::default() };
    let lost = wal_recovery::lost_bytes_in(context.path(), db.latest_sequence_number())
        .map_err(|cause| error::directory(&context, "read the write-ahead logs in", context.path(), &cause))?;
    if lost > 0 {
        result.unreadable_log_bytes = result.unreadable_log_bytes.max(lost);
        let reason = format!("{lost} bytes of complete writes follow a damaged record of a write-ahead log");
        result.damage.push(Damage { file: context.path().to_path_buf(), reason });
    }
    let files = db.live_files().map_err(|cause| failed(&context, "list the files of", &cause))?;
    result.files = files.len();
    let shares: Vec<_> = families.iter().map(|family| share_of(&db, family, &files)).collect();
    let total = shares.iter().map(|share| share.bytes).sum();
    let mut scan = Scan {
        db: &db,
        context: &context,
        result,
        meter: Meter::new(&mut observer, total, bytes_per_second),
        damaged: BTreeSet::new(),
    };
    for (family, share) in families.iter().zip(shares) {
        let files: Vec<_> = files.iter().filter(|file| file.column_family_name == *family).collect();
        scan.family(family, &files, share)?;
    }
    Ok(scan.result)
}

/// The database and its column families.
fn open(
    context: &ErrorContext,
    tuning: &Tuning,
    skipped: &Arc<AtomicU64>,
) -> Result<(DB, Vec<String>), rocksdb::Error> {
    let mut options = EngineOptions::read_only(tuning)?;
    options.read_everything();
    wal_recovery::count_skipped_bytes(&mut options, skipped);
    let families = DB::list_cf(&options.database, context.path())?;
    let descriptors = families.iter().map(|name| ColumnFamilyDescriptor::new(name, options.database.clone()));
    let db = DB::open_cf_descriptors_read_only(&options.database, context.path(), descriptors, false)?;
    Ok((db, families))
}

fn share_of(db: &DB, family: &str, files: &[LiveFile]) -> Share {
    let Some(handle) = db.cf_handle(family) else { return Share::new(0, 0) };
    let blobs = db.property_int_value_cf(&handle, TOTAL_BLOB_FILE_SIZE).ok().flatten().unwrap_or(0);
    let files = files.iter().filter(|file| file.column_family_name == family);
    let properties = db.property_value_cf(&handle, TABLE_PROPERTIES).ok().flatten().unwrap_or_default();
    Share::new(blobs + files.map(|file| file.size as u64).sum::<u64>(), entries_in(&properties).unwrap_or(0))
}

/// Parses the number of entries in `# data blocks=1; # entries=30; # deletions=0; …`.
fn entries_in(properties: &str) -> Option<u64> {
    properties.split(';').find_map(|property| property.trim().strip_prefix("# entries="))?.parse().ok()
}

/// Damage can prevent the opening.
fn of_unopened(context: &ErrorContext, cause: &rocksdb::Error) -> Result<Scrub, Error> {
    match Cause::from(cause) {
        Cause::Corrupt | Cause::FileMissing | Cause::LogIncomplete => {
            Ok(Scrub { damage: vec![damage(context.path(), cause)], ..Scrub::default() })
        }
        _ => Err(error::open(context, cause)),
    }
}

fn failed(context: &ErrorContext, action: &str, cause: &rocksdb::Error) -> Error {
    error::database(context, StoreOperation::RocksdbOperation, action, cause)
}

/// The damage that RocksDB reports. Its messages contain the path of the file, except for large values.
fn damage(database: &Path, cause: &rocksdb::Error) -> Damage {
    let is_mark = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '(' | ')');
    let named = cause.as_ref().split(is_mark).map(|word| word.trim_end_matches([':', '.'])).find_map(|word| {
        let name = Path::new(word).file_name()?;
        let extension = Path::new(name).extension()?.to_str()?;
        let is_file = matches!(extension, "sst" | "blob" | "log");
        is_file.then(|| database.join(name))
    });
    Damage { file: named.unwrap_or_else(|| database.to_path_buf()), reason: cause.to_string() }
}

/// The damaged files of large values, all with the same reason.
fn damaged_blob_files(database: &Path, reason: &str) -> io::Result<Vec<Damage>> {
    let mut damage = Vec::new();
    for name in directory::list(database)? {
        let file = database.join(name);
        if file.extension().is_some_and(|extension| extension == "blob") && !blob_file::is_intact(&file)? {
            damage.push(Damage { file, reason: reason.to_owned() });
        }
    }
    Ok(damage)
}

struct Scan<'a> {
    db: &'a DB,
    context: &'a ErrorContext,
    result: Scrub,
    meter: Meter<'a>,
    damaged: BTreeSet<PathBuf>,
}

impl Scan<'_> {
    /// Reads all entries of a column family. After damage it continues at the next key at which a file begins or ends.
    fn family(&mut self, family: &str, files: &[&LiveFile], mut share: Share) -> Result<(), Error> {
        let Some(handle) = self.db.cf_handle(family) else { return Ok(()) };
        let bounds: BTreeSet<&[u8]> =
            files.iter().flat_map(|file| [&file.start_key, &file.end_key]).flatten().map(Vec::as_slice).collect();
        let mut from: Option<Vec<u8>> = None;
        loop {
            let mut entries = self.db.raw_iterator_cf_opt(&handle, options::scrub_options());
            match &from {
                None => entries.seek_to_first(),
                Some(key) => entries.seek(key),
            }
            let mut last = from.take();
            while let Some((key, value)) = entries.item() {
                if !is_registration(key) {
                    self.result.entries += 1;
                    self.result.bytes += (key.len() + value.len()) as u64;
                }
                if let Some(bytes) = share.of_entry() {
                    self.meter.advance(bytes).map_err(interrupted)?;
                }
                match &mut last {
                    Some(last) => {
                        last.clear();
                        last.extend_from_slice(key);
                    }
                    None => last = Some(key.to_vec()),
                }
                entries.next();
            }
            let Err(cause) = entries.status() else { break };
            self.report(&cause)?;
            let next = match &last {
                Some(last) => bounds.iter().find(|bound| **bound > last.as_slice()),
                None => bounds.first(),
            };
            match next {
                Some(next) => from = Some(next.to_vec()),
                None => break,
            }
        }
        self.meter.advance(share.rest()).map_err(interrupted)
    }

    fn report(&mut self, cause: &rocksdb::Error) -> Result<(), Error> {
        match Cause::from(cause) {
            Cause::Corrupt | Cause::FileMissing | Cause::DiskFailing => {
                let database = self.context.path();
                let mut found = vec![damage(database, cause)];
                if found[0].file == database {
                    let blobs = damaged_blob_files(database, cause.as_ref())
                        .map_err(|cause| error::file("verify the large values of", database, &cause))?;
                    if !blobs.is_empty() {
                        found = blobs;
                    }
                }
                for damage in found {
                    if self.damaged.insert(damage.file.clone()) {
                        self.result.damage.push(damage);
                    }
                }
                Ok(())
            }
            _ => Err(failed(self.context, "read", cause)),
        }
    }
}

fn interrupted(_: Interrupted) -> Error {
    error::backup("the scrub was interrupted")
}

/// The bytes of one column family, spread evenly over its entries.
struct Share {
    bytes: u64,
    entries: u64,
    entries_read: u64,
    counted: u64,
}

impl Share {
    fn new(bytes: u64, entries: u64) -> Self {
        Self { bytes, entries: entries.max(1), entries_read: 0, counted: 0 }
    }

    /// Bytes to count with this entry.
    fn of_entry(&mut self) -> Option<u64> {
        self.entries_read += 1;
        let reached = u128::from(self.bytes) * u128::from(self.entries_read) / u128::from(self.entries);
        let reached = u64::try_from(reached).unwrap_or(u64::MAX).min(self.bytes);
        (reached - self.counted >= STEP_BYTES).then(|| self.count_to(reached))
    }

    /// Bytes to count after the last entry.
    fn rest(&mut self) -> u64 {
        self.count_to(self.bytes)
    }

    fn count_to(&mut self, reached: u64) -> u64 {
        reached - std::mem::replace(&mut self.counted, reached)
    }
}
