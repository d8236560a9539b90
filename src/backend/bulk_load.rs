//! Writes many entries as sorted files, which become part of the database without its log and memtables.
//!
//! The files are written to a directory in that of the database. The load is *committed* when that directory contains
//! [`COMMITTED`], the list of the files. From then on they are ingested, one column family after the other, if necessary
//! by the next opening. A directory without that file is of a load that was interrupted, and the next opening removes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use ave_actors_store::Error;
use rocksdb::{Options, SstFileWriter};
use tracing::{debug, info, warn};

use super::{
    RocksDbManager, directory, error,
    key::{self, Prefix},
    load_files::{COMMITTED, DIRECTORY, file_path, ingest},
};
use crate::files::sync_directory;

/// Its name until it is complete.
const COMMITTING: &str = "COMMITTED.tmp";
/// Column families in which large values have at least this share of the bytes are compacted: see
/// [`BulkLoad::finish`].
const MIN_LARGE_SHARE: u64 = 32;

/// Adds many entries to a database: faster than `put`, and compacted.
///
/// [`RocksDbManager::bulk_load`] begins it, [`BulkLoad::writer`] writes entries of one column family in sorted order to
/// files, and [`BulkLoad::finish`] adds the files to the database. Until then the database does not change. Nothing is
/// written twice: no log, no memtable, no compaction.
///
/// * **Order:** a writer requires entries in ascending order of [`BulkLoad::sort_key`]. The ranges of two writers of a
///   column family must not overlap. Writers of other families and of other ranges can work in other threads.
/// * **Atomicity:** the entries of a column family appear at once, those of several families shortly after each other. A
///   load that is dropped, or whose process is killed before `finish` has committed it, leaves nothing; after that, the
///   next opening for writing completes it, and a read-only opening fails until then.
/// * **Durability:** when `finish` has returned, the entries survive a power loss, whatever the durability of the
///   database.
/// * **Existing entries** with the same keys are overwritten. While `finish` runs, do not write to the keys of the load.
///
/// ```
/// use ave_actors_rocksdb::RocksDbManager;
/// use ave_actors_store::database::{Collection, DbManager, State};
///
/// # let dir = tempfile::tempdir().unwrap();
/// let manager = RocksDbManager::new(&dir.path().join("db"), true, None)?;
/// let load = manager.bulk_load(1_000_000)?;
///
/// let mut events = load.writer("Account_events");
/// for number in 0..1000 {
///     events.put("alice", &format!("{number:020}"), b"deposit")?;
/// }
/// events.put("bob", "00000000000000000000", b"withdrawal")?;
/// events.finish()?;
///
/// let mut states = load.writer("Account_states");
/// states.put_state("alice", b"balance: 1000")?;
/// states.finish()?;
///
/// load.finish()?;
/// let alice = manager.create_collection("Account_events", "alice")?;
/// assert_eq!(alice.last()?.unwrap().0, "00000000000000000999");
/// assert_eq!(State::get(&manager.create_state("Account_states", "alice")?)?, b"balance: 1000");
/// # Ok::<(), ave_actors_store::Error>(())
/// ```
pub struct BulkLoad {
    manager: RocksDbManager,
    directory: PathBuf,
    options: Options,
    next_file: AtomicU64,
    written: Mutex<Written>,
    is_committed: bool,
}

#[derive(Default)]
struct Written {
    files: Vec<SortedFile>,
    /// Nested prefixes by column family.
    nested: BTreeMap<String, BTreeSet<String>>,
}

/// A complete file.
struct SortedFile {
    number: u64,
    family: String,
    first: Vec<u8>,
    last: Vec<u8>,
    value_bytes: u64,
    large_value_bytes: u64,
}

impl RocksDbManager {
    /// Begins to add many entries at once. See [`BulkLoad`].
    ///
    /// `expected_bytes` is about the size that the entries will take on disk; it decides whether the indexes of the
    /// files are those of a database that is larger than the RAM.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the database is open read-only. [`Error::CreateStore`] if no directory can be created in that of
    /// the database.
    pub fn bulk_load(&self, expected_bytes: u64) -> Result<BulkLoad, Error> {
        static LOADS: AtomicU64 = AtomicU64::new(0);
        let engine = self.engine();
        engine.check_writable("load")?;
        let path = engine.path().join(format!("{DIRECTORY}{}", LOADS.fetch_add(1, Ordering::Relaxed)));
        let failed = |action, cause| error::directory(engine.error_context(), action, &path, &cause);
        let present = directory::table_bytes(engine.path()).map_err(|cause| failed("list the files beside", cause))?;
        let options = engine.options().bulk_load(engine.tuning(), present.saturating_add(expected_bytes));
        directory::create(&path).map_err(|cause| failed("create the directory", cause))?;
        debug!(path = %engine.path().display(), "beginning a bulk load");
        Ok(BulkLoad {
            manager: self.clone(),
            directory: path,
            options,
            next_file: AtomicU64::new(0),
            written: Mutex::default(),
            is_committed: false,
        })
    }
}

impl BulkLoad {
    /// Entries of collections sorted by this are in the order that a writer requires. States are sorted by their prefix,
    /// bytewise.
    ///
    /// For prefixes and keys without dots it is the order of the texts `prefix.key`, bytewise.
    pub fn sort_key(prefix: &str, key: &str) -> Vec<u8> {
        Prefix::new(prefix).with_stored_key(key, <[u8]>::to_vec)
    }

    /// A writer of entries of the column family `name`, which `finish` creates if it does not exist.
    pub fn writer(&self, name: &str) -> BulkWriter<'_> {
        let files = Files { load: self, family: name.to_owned(), last: None, open: None };
        BulkWriter { files, prefix: Prefix::new(""), nested: BTreeSet::new() }
    }

    /// Adds the entries of all finished writers to the database.
    ///
    /// Takes milliseconds per file. Column families in which values of at least [`Tuning::min_blob_bytes`] have a
    /// thirty-second of the bytes are then compacted, which moves these values to blob files; in others, later
    /// compactions do that.
    ///
    /// [`Tuning::min_blob_bytes`]: super::Tuning::min_blob_bytes
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the ranges of two writers overlap, or a file cannot be written; [`Error::CreateStore`] if a column
    /// family cannot be created. After most errors nothing was added. If the load was already committed, the message
    /// says so: close the database, and the next opening adds the rest.
    pub fn finish(mut self) -> Result<(), Error> {
        let Written { mut files, nested } =
            std::mem::take(self.written.get_mut().unwrap_or_else(PoisonError::into_inner));
        files.sort_unstable_by(|a, b| (&a.family, &a.first).cmp(&(&b.family, &b.first)));
        check_ranges(&files)?;
        if files.is_empty() {
            return Ok(());
        }
        for (family, prefixes) in &nested {
            let family = self.manager.family(family)?;
            prefixes.iter().try_for_each(|prefix| family.register(prefix))?;
        }
        if !nested.is_empty() {
            // A registration must not be lost while the entries are kept.
            self.manager.sync_log()?;
        }
        commit(&self.directory, &files).map_err(|cause| self.failed("write the list of files in", &cause))?;
        self.is_committed = true;
        ingest(self.manager.engine(), |name| self.manager.family(name), &self.directory)
            .map_err(|cause| error::committed_load(&cause))?;
        info!(path = %self.manager.path().display(), files = files.len(), "finished a bulk load");
        compact_large_values(&self.manager, &files)
    }

    fn lock_written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, action: &str, cause: &io::Error) -> Error {
        error::directory(self.manager.engine().error_context(), action, &self.directory, cause)
    }
}

impl Drop for BulkLoad {
    fn drop(&mut self) {
        if !self.is_committed
            && let Err(cause) = fs::remove_dir_all(&self.directory)
        {
            warn!(path = %self.directory.display(), %cause, "cannot remove a bulk load. The next opening tries again");
        }
    }
}

/// Writes entries of one column family in ascending order.
///
/// The entries of a writer that is dropped before [`finish`](Self::finish) are not loaded, or not all of them.
pub struct BulkWriter<'l> {
    files: Files<'l>,
    prefix: Prefix,
    nested: BTreeSet<String>,
}

/// The files that a writer fills one after the other.
struct Files<'l> {
    load: &'l BulkLoad,
    family: String,
    /// The last stored key.
    last: Option<Vec<u8>>,
    open: Option<(SstFileWriter<'l>, SortedFile)>,
}

impl BulkWriter<'_> {
    /// Writes the entry `key` of the collection `prefix`.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the entry does not follow the one before, or the file cannot be written. Drop the writer then,
    /// and the load.
    pub fn put(&mut self, prefix: &str, key: &str, value: &[u8]) -> Result<(), Error> {
        self.set_prefix(prefix);
        let Self { files, prefix, .. } = self;
        prefix.with_stored_key(key, |stored| files.write(stored, value, || prefix.logical_key(key)))
    }

    /// Writes the state `prefix`.
    ///
    /// # Errors
    ///
    /// Those of [`put`](Self::put).
    pub fn put_state(&mut self, prefix: &str, value: &[u8]) -> Result<(), Error> {
        self.set_prefix(prefix);
        self.files.write(self.prefix.state_key(), value, || prefix.to_owned())
    }

    /// Completes the files.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if they cannot be written.
    pub fn finish(mut self) -> Result<(), Error> {
        self.files.finish()?;
        if !self.nested.is_empty() {
            let mut written = self.files.load.lock_written();
            written.nested.entry(self.files.family).or_default().append(&mut self.nested);
        }
        Ok(())
    }

    fn set_prefix(&mut self, prefix: &str) {
        if self.prefix.as_str() != prefix {
            self.prefix = Prefix::new(prefix);
            if key::is_nested(prefix.as_bytes()) {
                self.nested.insert(prefix.to_owned());
            }
        }
    }
}

impl Files<'_> {
    fn write(&mut self, stored: &[u8], value: &[u8], logical: impl Fn() -> String) -> Result<(), Error> {
        match &mut self.last {
            Some(last) if stored <= last.as_slice() => return Err(error::not_ascending(&self.family, &logical())),
            Some(last) => {
                last.clear();
                last.extend_from_slice(stored);
            }
            None => self.last = Some(stored.to_vec()),
        }
        self.put(stored, value).map_err(|cause| self.failed(&format!("bulk load of '{}'", logical()), &cause))
    }

    fn put(&mut self, stored: &[u8], value: &[u8]) -> Result<(), rocksdb::Error> {
        if self.open.is_none() {
            let (load, number) = (self.load, self.load.next_file.fetch_add(1, Ordering::Relaxed));
            let writer = SstFileWriter::create(&load.options);
            writer.open(file_path(&load.directory, number))?;
            self.open = Some((writer, SortedFile::new(number, &self.family, stored)));
        }
        let Some((writer, file)) = &mut self.open else { return Ok(()) };
        writer.put(stored, value)?;
        let tuning = self.load.manager.tuning();
        file.value_bytes += value.len() as u64;
        file.large_value_bytes += if value.len() as u64 >= tuning.min_blob_bytes { value.len() as u64 } else { 0 };
        if writer.file_size() >= tuning.target_file_bytes {
            self.finish_file()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.finish_file().map_err(|cause| self.failed("end of a file of a bulk load", &cause))
    }

    /// The writer syncs the file.
    fn finish_file(&mut self) -> Result<(), rocksdb::Error> {
        let Some((mut writer, mut file)) = self.open.take() else { return Ok(()) };
        writer.finish()?;
        file.last.extend_from_slice(self.last.as_deref().unwrap_or_default());
        self.load.lock_written().files.push(file);
        Ok(())
    }

    fn failed(&self, what: &str, cause: &rocksdb::Error) -> Error {
        error::operation(self.load.manager.engine().error_context(), &self.family, what, cause)
    }
}

impl SortedFile {
    fn new(number: u64, family: &str, first: &[u8]) -> Self {
        let (family, first) = (family.to_owned(), first.to_owned());
        Self { number, family, first, last: Vec::new(), value_bytes: 0, large_value_bytes: 0 }
    }
}

/// The files are sorted by column family and first key.
fn check_ranges(files: &[SortedFile]) -> Result<(), Error> {
    let overlap = |pair: &&[SortedFile]| pair[0].family == pair[1].family && pair[0].last >= pair[1].first;
    match files.windows(2).find(overlap) {
        Some(pair) => Err(error::not_ascending(&pair[1].family, &String::from_utf8_lossy(&pair[1].first))),
        None => Ok(()),
    }
}

/// From here on the load is complete, whatever happens.
fn commit(directory: &Path, files: &[SortedFile]) -> io::Result<()> {
    sync_directory(directory)?;
    let incomplete = directory.join(COMMITTING);
    let mut list = File::create(&incomplete)?;
    for file in files {
        write!(list, "{} ", file.number)?;
        file.family.bytes().try_for_each(|byte| write!(list, "{byte:02x}"))?;
        writeln!(list)?;
    }
    list.sync_all()?;
    fs::rename(incomplete, directory.join(COMMITTED))?;
    sync_directory(directory)
}

fn compact_large_values(manager: &RocksDbManager, files: &[SortedFile]) -> Result<(), Error> {
    let mut bytes: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for file in files {
        let (large, all) = bytes.entry(&file.family).or_default();
        *large += file.large_value_bytes;
        *all += file.value_bytes;
    }
    let has_large = |&(large, all): &(u64, u64)| large > 0 && large >= all / MIN_LARGE_SHARE;
    let names = bytes.iter().filter(|(_, bytes)| has_large(bytes)).map(|(name, _)| name);
    let families = names.map(|name| manager.family(name)).collect::<Result<Vec<_>, _>>()?;
    if families.is_empty() { Ok(()) } else { manager.compact_families(&families) }
}
