//! Registers the nested prefixes of column families that a release without registrations wrote, in the background.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use tracing::{debug, warn};

use super::{
    key,
    nested_prefixes::{FIRST_REGISTRATION, NestedPrefixes, is_registration},
    options,
};

/// Keys that the scan reads before it rests.
const CHUNK: usize = 1024;
/// The scan rests this many times as long as it reads, so that it takes at most a tenth of one core and of the disk.
const REST: u32 = 9;

/// Scans families in one thread. Stops when this is dropped; the next opening scans the unfinished families again.
pub(super) struct Scan {
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scan {
    /// Fails if the thread cannot be started.
    pub(super) fn start(families: Vec<Arc<NestedPrefixes>>) -> io::Result<Self> {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_stopped);
        let scan = move || {
            for family in families {
                match scan(&family, &flag) {
                    Ok(true) => debug!("registered the nested prefixes of a column family"),
                    Ok(false) => return,
                    Err(cause) => warn!(%cause, "cannot register the nested prefixes of a column family"),
                }
            }
        };
        let thread = thread::Builder::new().name("ave-nested".to_owned()).spawn(scan)?;
        Ok(Self { is_stopped, thread: Some(thread) })
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It has the database open.
            drop(thread.join());
        }
    }
}

/// Registers the nested prefix of every entry. Handles register those of later entries. `false` if it was stopped.
fn scan(family: &NestedPrefixes, is_stopped: &AtomicBool) -> Result<bool, rocksdb::Error> {
    let (db, handle) = (family.memtable().db(), family.memtable().handle());
    let (mut next, mut registered) = (Vec::new(), Vec::new());
    while !is_stopped.load(Ordering::Relaxed) {
        let start = Instant::now();
        // A new iterator per chunk: one that lives long keeps memtables and deleted files.
        let mut entries = db.raw_iterator_cf_opt(handle, options::whole_scan_options());
        entries.seek(&next);
        for _ in 0..CHUNK {
            let Some(stored) = entries.key().filter(|stored| !is_registration(stored)) else {
                entries.status()?;
                return family.set_complete().map(|()| true);
            };
            let prefix = key::prefix_of(stored);
            if prefix != registered {
                family.register(prefix, |key| db.put_cf(handle, key, []))?;
                registered = prefix.to_vec();
            }
            entries.next();
        }
        entries.status()?;
        next = entries.key().unwrap_or(FIRST_REGISTRATION).to_vec();
        drop(entries);
        thread::park_timeout(start.elapsed() * REST);
    }
    Ok(false)
}
