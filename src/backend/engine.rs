//! An open database with everything that lives as long as it is open.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use ave_actors_store::Error;
use rocksdb::{ColumnFamilyDescriptor, DB, DEFAULT_COLUMN_FAMILY_NAME, ReadOptions, WriteOptions};
use tracing::warn;

use super::{
    Durability, blocking,
    directory::{self, Contents},
    error::{self, ErrorContext},
    in_use::OpenPath,
    memtables::Memtables,
    nested_prefixes::Era,
    options::{self, EngineOptions, Opening},
    read_ahead::ReadAhead,
    slow_operations::SlowOperations,
    space_check,
    tuning::{MIN_OPEN_FILES, Tuning},
    wal_recovery::{self, KeptLogs},
    write_gate::WriteGate,
};

/// The database, and the options of its operations, which are built once instead of once per operation.
pub(super) struct Engine {
    db: Arc<DB>,
    durability: Durability,
    /// See [`RocksDbManager::release_worker_threads`](super::RocksDbManager::release_worker_threads).
    releases_workers: AtomicBool,
    /// Durable writes that wait for the disk.
    waiting: AtomicUsize,
    write: WriteOptions,
    read: ReadOptions,
    options: EngineOptions,
    tuning: Tuning,
    era: Era,
    read_ahead: ReadAhead,
    write_gate: WriteGate,
    error_context: ErrorContext,
    unreadable_log_bytes: u64,
    lost_logs: Option<PathBuf>,
    memtables: Memtables,
    is_read_only: bool,
    measures_latencies: AtomicBool,
    slow_operations: SlowOperations,
    /// Dropped after the database is closed. `None` if it was opened read-only.
    _open_path: Option<OpenPath>,
}

/// A database that was just opened, and the names of its column families.
pub(super) struct Opened {
    pub(super) engine: Engine,
    pub(super) names: BTreeSet<String>,
}

/// What an opening could not recover.
struct Recovered {
    unreadable_log_bytes: u64,
    lost_logs: Option<PathBuf>,
}

impl Engine {
    /// Opens the database in `path`, or creates it in an empty directory. Creates the `required` column families that
    /// do not exist yet.
    pub(super) fn open(
        path: &Path,
        durability: Durability,
        tuning: Tuning,
        required: &BTreeSet<String>,
    ) -> Result<Opened, Error> {
        if let Some(limit) = tuning.open_file_limit().filter(|&limit| limit < MIN_OPEN_FILES) {
            return Err(error::too_few_open_files(path, limit));
        }
        required.iter().try_for_each(|name| check_name(path, name))?;
        let mut error_context = ErrorContext::new(path, &tuning);
        let contents = directory::prepare(&mut error_context)?;
        let path = error_context.path();
        let era = Era::of(path, contents)
            .map_err(|cause| error::directory(&error_context, "read the options file in", path, &cause))?;
        let table_bytes = directory::table_bytes(path)
            .map_err(|cause| error::directory(&error_context, "list the directory", path, &cause))?;
        let opening = Opening { durability, era_name: era.name(), creates: contents == Contents::Empty, table_bytes };
        let options = EngineOptions::new(&tuning, &opening).map_err(|cause| error::open(&error_context, &cause))?;
        let existing = match contents {
            Contents::Empty => BTreeSet::from([DEFAULT_COLUMN_FAMILY_NAME.to_owned()]),
            Contents::Database => DB::list_cf(&options.database, path)
                .map_err(|cause| error::list_column_families(&error_context, &cause))?
                .into_iter()
                .collect(),
        };
        let new: BTreeSet<String> = required.difference(&existing).cloned().collect();
        let descriptors = existing
            .union(&new)
            .map(|name| ColumnFamilyDescriptor::new(name, options.database.clone()))
            .collect::<Vec<_>>();
        let kept = keep_logs(path);
        let open_path = OpenPath::claim(path);
        if let Some(open_path) = &open_path {
            wal_recovery::cut_after_gap(open_path).unwrap_or_else(|cause| {
                warn!(path = %path.display(), %cause, "cannot check the write-ahead logs: a gap would not be found");
            });
        }
        let opened = DB::open_cf_descriptors(&options.database, path, descriptors);
        let db = match opened {
            Ok(db) => db,
            Err(cause) => {
                // A link that cannot be removed takes no space until its log is deleted.
                drop(kept.map(KeptLogs::undo));
                return Err(error::open(&error_context, &cause));
            }
        };
        let lost_bytes = find_lost_writes(path, &db, kept);
        let lost_logs = find_lost_logs(&error_context)?;
        era.store_complete(&db, new.iter().map(String::as_str)).map_err(|cause| error::open(&error_context, &cause))?;
        let unreadable_log_bytes = wal_recovery::reported_bytes(path).max(lost_bytes);
        if let Err(cause) = directory::remove_transient_checkpoints(path) {
            warn!(path = %path.display(), %cause, "cannot remove the checkpoint of a killed process");
        }
        let recovered = Recovered { unreadable_log_bytes, lost_logs };
        let engine = Self::new(db, durability, options, tuning, era, error_context, recovered)?;
        let engine = Self { _open_path: open_path, ..engine };
        Ok(Opened { engine, names: existing.union(&new).cloned().collect() })
    }

    /// Opens the database in `path` without changing a file. Another process may have it open.
    pub(super) fn open_read_only(path: &Path, tuning: Tuning) -> Result<Opened, Error> {
        let mut error_context = ErrorContext::new(path, &tuning);
        directory::find(&mut error_context)?;
        let path = error_context.path();
        let skipped = Arc::new(AtomicU64::new(0));
        let opened = EngineOptions::read_only(&tuning).and_then(|mut options| {
            wal_recovery::count_skipped_bytes(&mut options, &skipped);
            Ok((DB::list_cf(&options.database, path)?, options))
        });
        let (families, options) = opened.map_err(|cause| error::list_column_families(&error_context, &cause))?;
        let descriptors = families.iter().map(|name| ColumnFamilyDescriptor::new(name, options.database.clone()));
        let db = DB::open_cf_descriptors_read_only(&options.database, path, descriptors, false)
            .map_err(|cause| error::open(&error_context, &cause))?;
        let lost_bytes = wal_recovery::lost_bytes_in(path, db.latest_sequence_number())
            .map_err(|cause| error::directory(&error_context, "read the write-ahead logs in", path, &cause))?;
        let unreadable_log_bytes = skipped.load(Ordering::Relaxed).max(lost_bytes);
        let recovered = Recovered { unreadable_log_bytes, lost_logs: find_lost_logs(&error_context)? };
        let engine = Self::new(db, Durability::Off, options, tuning, Era::NONE, error_context, recovered)?;
        let engine = Self { is_read_only: true, ..engine };
        Ok(Opened { engine, names: families.into_iter().collect() })
    }

    fn new(
        db: DB,
        durability: Durability,
        options: EngineOptions,
        tuning: Tuning,
        era: Era,
        error_context: ErrorContext,
        recovered: Recovered,
    ) -> Result<Self, Error> {
        let db = Arc::new(db);
        let memtables = Memtables::new(&db, options.memtables.clone(), &tuning)
            .map_err(|cause| error::create(format!("cannot start the thread that flushes memtables: {cause}")))?;
        Ok(Self {
            db,
            durability,
            releases_workers: AtomicBool::new(true),
            waiting: AtomicUsize::new(0),
            write: options::write_options(durability),
            read: ReadOptions::default(),
            read_ahead: ReadAhead::new(tuning.read_ahead_bytes),
            memtables,
            options,
            tuning,
            era,
            unreadable_log_bytes: recovered.unreadable_log_bytes,
            lost_logs: recovered.lost_logs,
            write_gate: WriteGate::default(),
            error_context,
            is_read_only: false,
            measures_latencies: AtomicBool::new(false),
            slow_operations: SlowOperations::default(),
            _open_path: None,
        })
    }

    pub(super) fn durability(&self) -> Durability {
        self.durability
    }

    /// Fails if the database is open read-only. `action` is the verb and object of an operation that changes it.
    pub(super) fn check_writable(&self, action: &str) -> Result<(), Error> {
        if self.is_read_only { Err(error::opened_read_only(self.path(), action)) } else { Ok(()) }
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    pub(super) fn db(&self) -> &DB {
        &self.db
    }

    pub(super) fn path(&self) -> &Path {
        self.db.path()
    }

    /// Bytes of the write-ahead logs that this open could not read.
    pub(super) fn unreadable_log_bytes(&self) -> u64 {
        self.unreadable_log_bytes
    }

    /// The directory of the logs with writes that this open did not recover.
    pub(super) fn lost_logs(&self) -> Option<&Path> {
        self.lost_logs.as_deref()
    }

    pub(super) fn error_context(&self) -> &ErrorContext {
        &self.error_context
    }

    /// Writes data. May first wait until flushes release memtable memory.
    pub(super) fn write(&self, write: impl FnOnce(&DB) -> Result<(), rocksdb::Error>) -> Result<(), rocksdb::Error> {
        let write = || {
            self.modify(|db| {
                // The logs that a read-only opening has replayed may exceed the limit, and nothing flushes them.
                if !self.is_read_only {
                    self.memtables.limit_memory();
                }
                write(db)
            })
        };
        if self.durability == Durability::Off || !self.releases_workers.load(Ordering::Relaxed) {
            return write();
        }
        // Releasing a thread takes some microseconds. A single writer of several threads does not need it.
        let is_single = self.waiting.fetch_add(1, Ordering::Relaxed) == 0 && !blocking::is_on_the_only_worker();
        let result = if is_single { write() } else { blocking::block(write) };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        result
    }

    pub(super) fn release_worker_threads(&self, enabled: bool) {
        self.releases_workers.store(enabled, Ordering::Relaxed);
    }

    /// Runs a write or a flush, whose failure closes the [`WriteGate`].
    pub(super) fn modify(&self, modify: impl FnOnce(&DB) -> Result<(), rocksdb::Error>) -> Result<(), rocksdb::Error> {
        self.run(|db| {
            modify(db).inspect_err(|cause| {
                if !self.is_read_only {
                    self.write_gate.close(db, cause);
                }
            })
        })
    }

    /// Runs an operation that writes or flushes as a part of it, unless the [`WriteGate`] is closed.
    pub(super) fn run(&self, operation: impl FnOnce(&DB) -> Result<(), rocksdb::Error>) -> Result<(), rocksdb::Error> {
        self.write_gate.check(&self.db)?;
        operation(&self.db)
    }

    /// Whether RocksDB accepts writes now. Checks RocksDB if the last write failed.
    pub(super) fn accepts_writes(&self) -> bool {
        self.write_gate.check(&self.db).is_ok()
    }

    /// Starts the counters.
    pub(super) fn enable_counters(&self) {
        self.options.enable_counters(self.measures_latencies.load(Ordering::Relaxed));
    }

    /// Starts the counters and the histograms.
    pub(super) fn enable_latencies(&self) {
        self.measures_latencies.store(true, Ordering::Relaxed);
        self.enable_counters();
    }

    /// Whether RocksDB was stopped at the last failed write or flush, and no later one was attempted.
    pub(super) fn is_stopped(&self) -> bool {
        self.write_gate.is_closed()
    }

    /// Creates the column family `name` in a database that has `families` of them.
    pub(super) fn create_column_family(&self, name: &str, families: usize) -> Result<(), Error> {
        check_name(self.path(), name)?;
        if self.is_read_only {
            return Err(error::no_column_family(self.path(), name));
        }
        space_check::probe_column_family(self.path(), families)
            .map_err(|cause| error::create_column_family(&self.error_context, name, &cause))?;
        self.run(|db| db.create_cf(name, &self.options.database))
            .map_err(|cause| error::create_column_family(&self.error_context, name, &cause))?;
        if let Err(cause) = self.modify(|db| self.era.store_complete(db, [name])) {
            warn!(%cause, column_family = name, "the next opening scans a new column family for nested prefixes");
        }
        Ok(())
    }

    pub(super) fn write_options(&self) -> &WriteOptions {
        &self.write
    }

    pub(super) fn read_options(&self) -> &ReadOptions {
        &self.read
    }

    pub(super) fn memtables(&self) -> &Memtables {
        &self.memtables
    }

    pub(super) fn options(&self) -> &EngineOptions {
        &self.options
    }

    pub(super) fn read_ahead(&self) -> &ReadAhead {
        &self.read_ahead
    }

    pub(super) fn era(&self) -> Era {
        self.era
    }

    pub(super) fn slow_operations(&self) -> &SlowOperations {
        &self.slow_operations
    }

    pub(super) fn tuning(&self) -> &Tuning {
        &self.tuning
    }
}

/// Links the logs. The database opens without the links as well, on a file system without hard links for example.
fn keep_logs(path: &Path) -> Option<KeptLogs> {
    KeptLogs::link(path)
        .inspect_err(|cause| warn!(path = %path.display(), %cause, "cannot keep the write-ahead logs: a loss would not be found"))
        .ok()
}

/// Bytes of acknowledged writes that the open did not recover. Keeps their logs.
fn find_lost_writes(path: &Path, db: &DB, kept: Option<KeptLogs>) -> u64 {
    let Some(kept) = kept else { return 0 };
    let result = kept.lost_bytes(db.latest_sequence_number()).and_then(|bytes| match bytes {
        0 => kept.remove().map(|()| 0),
        _ => kept.keep().map(|logs| {
            warn!(path = %path.display(), bytes, logs = %logs.display(), "writes in damaged write-ahead logs are lost");
            bytes
        }),
    });
    result.unwrap_or_else(|cause| {
        warn!(path = %path.display(), %cause, "cannot read the kept write-ahead logs: a loss would not be found");
        0
    })
}

fn find_lost_logs(context: &ErrorContext) -> Result<Option<PathBuf>, Error> {
    let path = context.path();
    wal_recovery::lost_logs(path).map_err(|cause| error::directory(context, "list the directory", path, &cause))
}

/// RocksDB's error for an empty name is that of a foreign database, and the binding panics at a NUL character.
fn check_name(path: &Path, name: &str) -> Result<(), Error> {
    if name.is_empty() || name.contains('\0') { Err(error::column_family_name(path, name)) } else { Ok(()) }
}
