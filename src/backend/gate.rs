//! Keeps writers away from a database that takes no writes until it does again.
//!
//! After a full disk RocksDB resumes by itself: it looks for space every few seconds and, when there is some, writes the
//! memtables out. Any write that is tried meanwhile, although it is refused, counts as one more error and makes that
//! attempt fail: an application that goes on writing keeps its database stopped forever, and fills RocksDB's own log.
//! So once a write has failed, the others only ask whether the error is still there.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rocksdb::{DB, Error, ErrorKind, WaitForCompactOptions};

/// Open until a write fails, then shut for as long as RocksDB holds on to that error.
#[derive(Debug, Default)]
pub(super) struct Gate {
    shut: AtomicBool,
    /// What shut it.
    cause: Mutex<Option<Error>>,
}

impl Gate {
    /// To be called before every write. One look at a flag while all is well.
    pub(super) fn pass(&self, db: &DB) -> Result<(), Error> {
        if self.is_shut() { self.knock(db) } else { Ok(()) }
    }

    pub(super) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Relaxed)
    }

    /// A write failed.
    pub(super) fn shut(&self, cause: &Error) {
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause.clone());
        self.shut.store(true, Ordering::Relaxed);
    }

    /// Another error than the one that shut the gate means that RocksDB has resumed since: it may be one that stops
    /// compactions but no writers, and whether it is, a write will tell.
    #[cold]
    fn knock(&self, db: &DB) -> Result<(), Error> {
        let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        let present = background_error(db);
        if present.is_some() && present == *cause {
            return present.map_or(Ok(()), Err);
        }
        *cause = None;
        self.shut.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// What keeps RocksDB from working. A wait for its background jobs ends at once if there is such an error; if there is
/// none, a running job may outlast the shortest of waits.
fn background_error(db: &DB) -> Option<Error> {
    let mut options = WaitForCompactOptions::default();
    options.set_timeout(1);
    db.wait_for_compact(&options).err().filter(|error| error.kind() != ErrorKind::TimedOut)
}
