//! Keeps the memtables of all column families together within their part of the memory budget.
//!
//! RocksDB's write buffer manager flushes the *oldest* memtable when the total is too large. With three hundred column
//! families that produces one file of a few hundred kilobytes after the other, a third of them from nearly empty
//! memtables, and each costs a new log, a manifest record and two syncs. So this module flushes the *fullest*
//! memtables, a few at a time, shortly before RocksDB would start. Fewer and larger files mean less to write and to
//! compact.
//!
//! Writers that are faster than the flushes wait, which keeps the total within the budget.

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

/// Interval at which a waiting writer checks the memtables, and shortest interval between two searches for the fullest.
const POLL_INTERVAL: Duration = Duration::from_millis(1);
/// A writer stops waiting after this many polls in a row without a running flush. One poll is not enough: the next
/// flush may be about to start.
const MAX_IDLE_POLLS: u32 = 3;
/// The longest time one write waits.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Memtables that one search for the fullest examines at most. The next search continues.
const MAX_CANDIDATES: usize = 8;

pub(super) struct Memtables {
    manager: WriteBufferManager,
    /// Total bytes from which the fullest memtables are flushed.
    target_bytes: u64,
    /// Total bytes from which writers wait.
    limit_bytes: u64,
    max_flushes: usize,
    families: RwLock<Vec<Arc<MemtableUsage>>>,
    flushing: Mutex<Flushing>,
    waited_micros: AtomicU64,
}

/// Approximate bytes written to the active memtable of one column family.
///
/// Exact only when the family is selected for a flush. Otherwise possibly too high, because flushes that RocksDB starts
/// by itself are not counted.
#[derive(Debug)]
pub(super) struct MemtableUsage {
    family: String,
    bytes: AtomicU64,
}

/// Flushes that this module started and that may still run.
struct Flushing {
    last_search: Instant,
    /// Each memtable with its bytes when its flush started.
    memtables: Vec<(Arc<MemtableUsage>, u64)>,
}

impl MemtableUsage {
    /// Counts a write of `bytes`, keys and values.
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
            max_flushes: tuning.flush_jobs as usize,
            families: RwLock::default(),
            flushing: Mutex::new(Flushing { last_search: Instant::now(), memtables: Vec::new() }),
            waited_micros: AtomicU64::new(0),
        }
    }

    pub(super) fn add_family(&self, name: &str) -> Arc<MemtableUsage> {
        let usage = Arc::new(MemtableUsage { family: name.to_owned(), bytes: AtomicU64::new(0) });
        self.families.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&usage));
        usage
    }

    /// Total bytes of all memtables, allocated but unused parts included.
    pub(super) fn bytes(&self) -> u64 {
        self.manager.get_usage() as u64
    }

    /// Total time that writers waited for memory, in microseconds.
    pub(super) fn waited_micros(&self) -> u64 {
        self.waited_micros.load(Ordering::Relaxed)
    }

    /// Call before every write. Costs one read of a counter below the target.
    pub(super) fn limit_memory(&self, db: &DB) {
        let bytes = self.bytes();
        if bytes >= self.target_bytes {
            self.flush_fullest(db, bytes);
            if bytes >= self.limit_bytes {
                self.wait_for_flushes(db);
            }
        }
    }

    /// Waits only while flushes run: if an iterator pins the memory, waiting would not release it.
    #[cold]
    fn wait_for_flushes(&self, db: &DB) {
        let start = Instant::now();
        let mut idle_polls = 0;
        while idle_polls < MAX_IDLE_POLLS && start.elapsed() < MAX_WAIT {
            let bytes = self.bytes();
            if bytes < self.limit_bytes {
                break;
            }
            self.flush_fullest(db, bytes);
            let running = db.property_int_value(properties::NUM_RUNNING_FLUSHES);
            idle_polls = if matches!(running, Ok(Some(1..))) { 0 } else { idle_polls + 1 };
            thread::sleep(POLL_INTERVAL);
        }
        let waited = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(waited, Ordering::Relaxed);
    }

    /// Starts to flush the fullest memtable, unless the running flushes suffice or another thread is doing this.
    #[cold]
    fn flush_fullest(&self, db: &DB, bytes: u64) {
        let mut flushing = match self.flushing.try_lock() {
            Ok(flushing) => flushing,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if flushing.last_search.elapsed() < POLL_INTERVAL {
            return;
        }
        flushing.memtables.retain(|(usage, _)| has_immutable_memtable(db, usage));
        let flushing_bytes: u64 = flushing.memtables.iter().map(|(_, bytes)| bytes).sum();
        if flushing.memtables.len() < self.max_flushes
            && bytes.saturating_sub(flushing_bytes) >= self.target_bytes
            && let Some((usage, bytes)) = self.fullest(db, &flushing)
        {
            start_flush(db, &usage);
            usage.bytes.store(0, Ordering::Relaxed);
            flushing.memtables.push((usage, bytes));
        }
        flushing.last_search = Instant::now();
    }

    /// The fullest memtable that is not being flushed, and its exact bytes.
    fn fullest(&self, db: &DB, flushing: &Flushing) -> Option<(Arc<MemtableUsage>, u64)> {
        let families = self.families.read().unwrap_or_else(PoisonError::into_inner);
        let is_idle =
            |usage: &&Arc<MemtableUsage>| !flushing.memtables.iter().any(|(other, _)| Arc::ptr_eq(usage, other));
        for _ in 0..MAX_CANDIDATES {
            let usage = families.iter().filter(is_idle).max_by_key(|usage| usage.bytes())?;
            let (counted, actual) = (usage.bytes(), active_memtable_bytes(db, usage)?);
            if actual >= counted / 2 {
                return (actual > 0).then(|| (Arc::clone(usage), actual));
            }
            // RocksDB has flushed it since.
            usage.bytes.store(actual, Ordering::Relaxed);
        }
        None
    }
}

fn active_memtable_bytes(db: &DB, usage: &MemtableUsage) -> Option<u64> {
    db.property_int_value_cf(&db.cf_handle(&usage.family)?, properties::CUR_SIZE_ACTIVE_MEM_TABLE).ok()?
}

fn has_immutable_memtable(db: &DB, usage: &MemtableUsage) -> bool {
    let immutable = |family| db.property_int_value_cf(&family, properties::NUM_IMMUTABLE_MEM_TABLE);
    matches!(db.cf_handle(&usage.family).map(immutable), Some(Ok(Some(1..))))
}

/// Ignores a failure: if the disk is the cause, the write that triggered this flush fails as well and reports it.
fn start_flush(db: &DB, usage: &MemtableUsage) {
    if let Some(family) = db.cf_handle(&usage.family)
        && let Err(cause) = db.flush_cf_opt(&family, &options::flush_options(false))
    {
        debug!(column_family = usage.family, %cause, "cannot flush the fullest memtable");
    }
}
