//! Keeps the memtables of all column families together within their part of the memory budget.
//!
//! RocksDB's write buffer manager flushes the *oldest* memtable when the total is too large. With three hundred column
//! families that produces one file of a few hundred kilobytes after the other, a third of them from nearly empty
//! memtables, and each costs a new log, a manifest record and two syncs. So this module flushes the *fullest*
//! memtables, a few at a time, shortly before RocksDB would start. Fewer and larger files mean less to write and to
//! compact.
//!
//! RocksDB blocks the thread that starts a flush until flushes and compactions of that family have caught up, so one
//! thread of this module starts them all. A writer that is faster than the flushes waits, at most [`MAX_WAIT`].

use std::{
    io, mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rocksdb::{BoundColumnFamily, DB, WriteBufferManager, properties};
use self_cell::self_cell;
use tracing::debug;

use super::{blocking, options, tuning::Tuning};

/// Interval at which a waiting writer checks the memtables, and shortest interval between two searches for the fullest.
const POLL_INTERVAL: Duration = Duration::from_millis(1);
/// A writer stops waiting after this many polls in a row without a running flush. One poll is not enough: the next
/// flush may be about to start.
const MAX_IDLE_POLLS: u32 = 3;
/// The longest time one write waits.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Memtables that one search for the fullest examines at most. The next search continues.
const MAX_CANDIDATES: usize = 8;

type Handle<'a> = Arc<BoundColumnFamily<'a>>;

self_cell!(
    struct Cell {
        owner: Arc<DB>,
        #[covariant]
        dependent: Handle,
    }
);

/// The active memtable of one column family, and RocksDB's handle of the family.
///
/// RocksDB looks up a handle by name under a lock that it also holds while it creates a column family. To look up once
/// per family, the handle, which borrows the database, is stored together with it; `self_cell` does that without
/// `unsafe`.
pub(super) struct Memtable {
    cell: Cell,
    /// Approximate bytes written. Exact only when the memtable is selected for a flush. Otherwise possibly too high,
    /// because flushes that RocksDB starts by itself are not counted.
    bytes: AtomicU64,
    /// Range deletions since the last flush for them.
    range_deletions: AtomicU32,
}

impl Memtable {
    pub(super) fn handle(&self) -> &Handle<'_> {
        self.cell.borrow_dependent()
    }

    pub(super) fn db(&self) -> &DB {
        self.cell.borrow_owner()
    }

    /// Counts a write of `bytes`, keys and values.
    pub(super) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add_range_deletions(&self, count: u32) {
        self.range_deletions.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn range_deletions(&self) -> u32 {
        self.range_deletions.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn property(&self, name: &properties::PropName) -> u64 {
        self.db().property_int_value_cf(self.handle(), name).ok().flatten().unwrap_or(0)
    }

    /// Starts a flush. Ignores a failure: if the disk is the cause, the next write fails as well and reports it.
    fn flush(&self) {
        let result = self.db().flush_cf_opt(self.handle(), &options::flush_options(false));
        debug!(?result, "started to flush a memtable");
    }
}

/// The memtables of a database, and the thread that flushes them. The thread ends when this is dropped.
pub(super) struct Memtables {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    db: Arc<DB>,
    manager: WriteBufferManager,
    /// Total bytes from which the fullest memtables are flushed.
    target_bytes: u64,
    /// Total bytes from which writers wait.
    limit_bytes: u64,
    max_flushes: usize,
    /// Deletions in a memtable from which it is flushed on request.
    deletions_trigger: u64,
    /// The same for range deletions.
    range_deletions_trigger: u32,
    families: Mutex<Vec<Arc<Memtable>>>,
    /// Memtables that may contain too many deletions.
    deletions: Mutex<Vec<Arc<Memtable>>>,
    /// Whether the thread has work. It sleeps otherwise.
    work: AtomicBool,
    stopped: AtomicBool,
    waited_micros: AtomicU64,
}

impl Memtables {
    /// Fails if the thread cannot be started.
    pub(super) fn new(db: &Arc<DB>, manager: WriteBufferManager, tuning: &Tuning) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            db: Arc::clone(db),
            manager,
            target_bytes: tuning.memtable_budget_bytes,
            limit_bytes: tuning.memtable_limit_bytes,
            max_flushes: tuning.flush_jobs as usize,
            deletions_trigger: tuning.hidden_entries_trigger.into(),
            range_deletions_trigger: tuning.range_deletions_trigger,
            families: Mutex::default(),
            deletions: Mutex::default(),
            work: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            waited_micros: AtomicU64::new(0),
        });
        let flusher = Flusher { shared: Arc::clone(&shared), flushing: Vec::new() };
        let thread = thread::Builder::new().name("memtable-flusher".to_owned()).spawn(|| flusher.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The memtable of the column family `name`, `None` if the family does not exist.
    pub(super) fn add_family(&self, name: &str) -> Option<Arc<Memtable>> {
        let cell = Cell::try_new(Arc::clone(&self.shared.db), |db| db.cf_handle(name).ok_or(())).ok()?;
        let memtable = Arc::new(Memtable { cell, bytes: AtomicU64::new(0), range_deletions: AtomicU32::new(0) });
        lock(&self.shared.families).push(Arc::clone(&memtable));
        Some(memtable)
    }

    /// Forgets the memtable of a column family that was dropped.
    pub(super) fn remove_family(&self, handle: &Handle<'_>) {
        let dropped = Arc::as_ptr(handle).cast::<()>();
        lock(&self.shared.families).retain(|memtable| Arc::as_ptr(memtable.handle()).cast::<()>() != dropped);
    }

    /// Total bytes of all memtables, allocated but unused parts included.
    pub(super) fn bytes(&self) -> u64 {
        self.shared.bytes()
    }

    /// Total time that writers waited for memory, in microseconds.
    pub(super) fn waited_micros(&self) -> u64 {
        self.shared.waited_micros.load(Ordering::Relaxed)
    }

    /// Call before every write. Costs one read of a counter below the target. Waits above the limit, at most
    /// [`MAX_WAIT`].
    pub(super) fn limit_memory(&self) {
        let bytes = self.bytes();
        if bytes >= self.shared.target_bytes {
            self.wake();
            if bytes >= self.shared.limit_bytes {
                blocking::block(|| self.wait_for_flushes());
            }
        }
    }

    /// Flushes a memtable soon if it contains so many deletions that they slow down reads. Compactions then remove the
    /// deletions: they look for them in files, not in memtables.
    pub(super) fn flush_deletions(&self, memtable: &Arc<Memtable>) {
        let mut deletions = lock(&self.shared.deletions);
        if !deletions.iter().any(|other| Arc::ptr_eq(other, memtable)) {
            deletions.push(Arc::clone(memtable));
            drop(deletions);
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.as_ref().filter(|_| !self.shared.work.swap(true, Ordering::SeqCst)) {
            thread.thread().unpark();
        }
    }

    /// Waits only while flushes run: if an iterator pins the memory, waiting would not release it.
    #[cold]
    fn wait_for_flushes(&self) {
        let start = Instant::now();
        let mut idle_polls = 0;
        while idle_polls < MAX_IDLE_POLLS && start.elapsed() < MAX_WAIT && self.bytes() >= self.shared.limit_bytes {
            self.wake();
            let running = self.shared.db.property_int_value(properties::NUM_RUNNING_FLUSHES);
            idle_polls = if matches!(running, Ok(Some(1..))) { 0 } else { idle_polls + 1 };
            thread::sleep(POLL_INTERVAL);
        }
        let waited = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.shared.waited_micros.fetch_add(waited, Ordering::Relaxed);
    }
}

impl Drop for Memtables {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // The thread may wait for a compaction. Closing the database begins with this call as well.
            self.shared.db.cancel_all_background_work(false);
            thread.thread().unpark();
            // It has the database open.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn bytes(&self) -> u64 {
        self.manager.get_usage() as u64
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The state of the thread.
struct Flusher {
    shared: Arc<Shared>,
    /// Flushes that this thread started and that may still run, each with the bytes of its memtable.
    flushing: Vec<(Arc<Memtable>, u64)>,
}

impl Flusher {
    fn run(mut self) {
        while !self.shared.stopped.load(Ordering::SeqCst) {
            if self.shared.work.swap(false, Ordering::SeqCst) {
                self.flush_deletions();
                self.flush_fullest();
                thread::park_timeout(POLL_INTERVAL);
            } else {
                thread::park();
            }
        }
    }

    fn flush_deletions(&self) {
        for memtable in mem::take(&mut *lock(&self.shared.deletions)) {
            let range_deletions = memtable.range_deletions.swap(0, Ordering::Relaxed);
            if range_deletions >= self.shared.range_deletions_trigger
                || memtable.property(properties::NUM_DELETES_ACTIVE_MEM_TABLE) >= self.shared.deletions_trigger
            {
                memtable.flush();
            }
        }
    }

    /// Starts to flush the fullest memtable, unless the running flushes suffice.
    fn flush_fullest(&mut self) {
        // RocksDB does not finish the flushes of a dropped column family.
        self.flushing.retain(|(memtable, _)| {
            Arc::strong_count(memtable) > 1 && memtable.property(properties::NUM_IMMUTABLE_MEM_TABLE) > 0
        });
        let flushing_bytes: u64 = self.flushing.iter().map(|(_, bytes)| bytes).sum();
        if self.flushing.len() < self.shared.max_flushes
            && self.shared.bytes().saturating_sub(flushing_bytes) >= self.shared.target_bytes
            && let Some((memtable, bytes)) = self.fullest()
        {
            memtable.flush();
            memtable.bytes.store(0, Ordering::Relaxed);
            self.flushing.push((memtable, bytes));
        }
    }

    /// The fullest memtable that is not being flushed, and its exact bytes.
    fn fullest(&self) -> Option<(Arc<Memtable>, u64)> {
        let families = lock(&self.shared.families).clone();
        let is_idle = |memtable: &&Arc<Memtable>| !self.flushing.iter().any(|(other, _)| Arc::ptr_eq(memtable, other));
        for _ in 0..MAX_CANDIDATES {
            let memtable = families.iter().filter(is_idle).max_by_key(|memtable| memtable.bytes())?;
            let (counted, actual) = (memtable.bytes(), memtable.property(properties::CUR_SIZE_ACTIVE_MEM_TABLE));
            if actual >= counted / 2 {
                return (actual > 0).then(|| (Arc::clone(memtable), actual));
            }
            // RocksDB has flushed it since.
            memtable.bytes.store(actual, Ordering::Relaxed);
        }
        None
    }
}
