//! Rejects writes while a background error stops RocksDB.
//!
//! After a full disk RocksDB resumes by itself: it checks for free space every few seconds, then flushes the memtables.
//! A write attempted before that fails, counts as another error and makes the resume fail. An application that keeps
//! writing would keep its database stopped forever and fill RocksDB's own log file. So after a failed write, later
//! writes only check whether the same error is still present.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rocksdb::{DB, Error, ErrorKind, WaitForCompactOptions};

/// Open until a write or flush fails because RocksDB is stopped, then closed for as long as the same error stops it.
#[derive(Debug, Default)]
pub(super) struct WriteGate {
    closed: AtomicBool,
    /// The background error that RocksDB had after the failed write.
    cause: Mutex<Option<Error>>,
}

impl WriteGate {
    /// Call before every write. Costs one atomic load while the gate is open. Fails with the error that stops RocksDB.
    pub(super) fn check(&self, db: &DB) -> Result<(), Error> {
        if self.is_closed() { self.recheck(db) } else { Ok(()) }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Call after every failed write or flush. `TryAgain` is a flush during a stall, which ends without a resume.
    #[cold]
    pub(super) fn close(&self, db: &DB, error: &Error) {
        if error.kind() != ErrorKind::TryAgain {
            self.set(|_| background_error(db));
        }
    }

    /// Opens the gate if the error that closed it is gone. A different error also opens it: RocksDB has resumed since,
    /// and the new error may stop compactions but not writes. The next write shows which.
    #[cold]
    fn recheck(&self, db: &DB) -> Result<(), Error> {
        self.set(|cause| background_error(db).filter(|present| Some(present) == cause.as_ref())).map_or(Ok(()), Err)
    }

    fn set(&self, cause: impl FnOnce(&Option<Error>) -> Option<Error>) -> Option<Error> {
        let mut current = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        *current = cause(&current);
        self.closed.store(current.is_some(), Ordering::Relaxed);
        current.clone()
    }
}

/// The error that stops RocksDB, or its compactions. `wait_for_compact` returns such an error at once. Without one, a running job can
/// exceed the shortest timeout, 1 us.
pub(super) fn background_error(db: &DB) -> Option<Error> {
    let mut options = WaitForCompactOptions::default();
    options.set_timeout(1);
    db.wait_for_compact(&options).err().filter(|error| error.kind() != ErrorKind::TimedOut)
}
