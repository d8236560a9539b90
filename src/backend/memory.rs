//! Keeps the memtables of all column families together inside their part of the memory budget.
//!
//! RocksDB has a manager for that, which makes the *oldest* memtable a file when there are too many bytes in all of
//! them. With three hundred column families that is one file after the other of a few hundred kilobytes, a third of
//! them from families that hardly hold anything, and each costs a new log, a record in the manifest and two syncs. So
//! the *fullest* memtables are flushed here first, a few at a time, shortly before RocksDB would begin. The fewer and
//! larger the files, the less there is to write and to compact.
//!
//! Flushes need time. Writers that outrun them wait, which is what keeps the budget.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rocksdb::{DB, WriteBufferManager, properties};
use tracing::debug;

use super::{options, tuning::Tuning};

/// How long a writer looks away from memtables that are full, and how often the fullest one is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// So many looks in a row that see no flush end the waiting. One is not enough: the next flush may be about to begin.
const IDLE_LOOKS: u32 = 3;
/// How long one write is held back at most, whatever the flushes are doing.
const WAIT: Duration = Duration::from_secs(1);
/// Candidates that are looked at before it is left to the next look to find the fullest memtable.
const CANDIDATES: usize = 8;

/// The memtables of all column families.
pub(super) struct Memtables {
    manager: WriteBufferManager,
    /// The fullest memtables are flushed from here on, in bytes of all.
    target_bytes: u64,
    /// Writers wait from here on, in bytes of all.
    limit_bytes: u64,
    flushes: usize,
    families: RwLock<Vec<Arc<Fill>>>,
    flushing: Mutex<Flushing>,
    waited_micros: AtomicU64,
}

/// How much was written to the active memtable of one column family, roughly.
///
/// It is set right when the family is chosen to be flushed. Until then it may be too high, because flushes that RocksDB
/// begins by itself are not seen here.
#[derive(Debug)]
pub(super) struct Fill {
    family: String,
    bytes: AtomicU64,
}

/// The flushes that were begun here and may still be running.
struct Flushing {
    looked: Instant,
    fills: Vec<(Arc<Fill>, u64)>,
}

impl Fill {
    /// A write of so many bytes, keys and values.
    pub(super) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Memtables {
    pub(super) fn new(manager: WriteBufferManager, tuning: &Tuning) -> Self {
        Self {
            manager,
            target_bytes: tuning.memtable_budget_bytes,
            limit_bytes: tuning.memtable_limit_bytes,
            flushes: tuning.flush_jobs as usize,
            families: RwLock::default(),
            flushing: Mutex::new(Flushing { looked: Instant::now(), fills: Vec::new() }),
            waited_micros: AtomicU64::new(0),
        }
    }

    /// Takes care of one more column family.
    pub(super) fn add_family(&self, name: &str) -> Arc<Fill> {
        let fill = Arc::new(Fill { family: name.to_owned(), bytes: AtomicU64::new(0) });
        self.families.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&fill));
        fill
    }

    /// What all memtables take, in bytes, allocated but unused parts included.
    pub(super) fn bytes(&self) -> u64 {
        self.manager.get_usage() as u64
    }

    /// Time that writers waited for memory, in microseconds.
    pub(super) fn waited_micros(&self) -> u64 {
        self.waited_micros.load(Ordering::Relaxed)
    }

    /// To be called before every write: one look at a number, while there is room.
    pub(super) fn make_room(&self, db: &DB) {
        let bytes = self.bytes();
        if bytes >= self.target_bytes {
            self.flush_fullest(db, bytes);
            if bytes >= self.limit_bytes {
                self.wait(db);
            }
        }
    }

    /// Waits for running flushes only: memory that nobody is about to release, because an iterator pins it, is no
    /// reason to wait.
    #[cold]
    fn wait(&self, db: &DB) {
        let start = Instant::now();
        let mut idle_looks = 0;
        while idle_looks < IDLE_LOOKS && start.elapsed() < WAIT {
            let bytes = self.bytes();
            if bytes < self.limit_bytes {
                break;
            }
            self.flush_fullest(db, bytes);
            let running = db.property_int_value(properties::NUM_RUNNING_FLUSHES);
            idle_looks = if matches!(running, Ok(Some(1..))) { 0 } else { idle_looks + 1 };
            thread::sleep(LOOK_EVERY);
        }
        let waited = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(waited, Ordering::Relaxed);
    }

    /// Begins to flush the fullest memtable, if that is due and nobody else sees to it.
    #[cold]
    fn flush_fullest(&self, db: &DB, bytes: u64) {
        let mut flushing = match self.flushing.try_lock() {
            Ok(flushing) => flushing,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if flushing.looked.elapsed() < LOOK_EVERY {
            return;
        }
        flushing.fills.retain(|(fill, _)| has_immutable_memtable(db, fill));
        let leaving: u64 = flushing.fills.iter().map(|(_, bytes)| bytes).sum();
        if flushing.fills.len() < self.flushes
            && bytes.saturating_sub(leaving) >= self.target_bytes
            && let Some((fill, bytes)) = self.fullest(db, &flushing)
        {
            begin_to_flush(db, &fill);
            fill.bytes.store(0, Ordering::Relaxed);
            flushing.fills.push((fill, bytes));
        }
        flushing.looked = Instant::now();
    }

    /// The family with the fullest memtable that is not being flushed yet, and what is in it.
    fn fullest(&self, db: &DB, flushing: &Flushing) -> Option<(Arc<Fill>, u64)> {
        let families = self.families.read().unwrap_or_else(PoisonError::into_inner);
        let is_idle = |fill: &&Arc<Fill>| !flushing.fills.iter().any(|(other, _)| Arc::ptr_eq(fill, other));
        for _ in 0..CANDIDATES {
            let fill = families.iter().filter(is_idle).max_by_key(|fill| fill.bytes())?;
            let (counted, actual) = (fill.bytes(), active_memtable_bytes(db, fill)?);
            if actual >= counted / 2 {
                return (actual > 0).then(|| (Arc::clone(fill), actual));
            }
            // RocksDB has flushed it in the meantime.
            fill.bytes.store(actual, Ordering::Relaxed);
        }
        None
    }
}

fn active_memtable_bytes(db: &DB, fill: &Fill) -> Option<u64> {
    db.property_int_value_cf(&db.cf_handle(&fill.family)?, properties::CUR_SIZE_ACTIVE_MEM_TABLE).ok()?
}

fn has_immutable_memtable(db: &DB, fill: &Fill) -> bool {
    let immutable = |family| db.property_int_value_cf(&family, properties::NUM_IMMUTABLE_MEM_TABLE);
    matches!(db.cf_handle(&fill.family).map(immutable), Some(Ok(Some(1..))))
}

/// A failure is no concern of the writer in whose way this lies: if the disk is at fault, its own write will tell.
fn begin_to_flush(db: &DB, fill: &Fill) {
    if let Some(family) = db.cf_handle(&fill.family)
        && let Err(cause) = db.flush_cf_opt(&family, &options::flush_options(false))
    {
        debug!(column_family = fill.family, %cause, "cannot flush the fullest memtable");
    }
}
