//! Deletes all entries of one collection and none of any other.
//!
//! The entries of prefix `a` lie in one key range, and so do those of `a.b`. A range deletion of the whole range would
//! delete `a.b` as well. So a purge scans the keys once and deletes the *gaps* between the runs of foreign entries. All
//! gaps go into one batch: after an error or a crash the collection is either unchanged or empty. A family without
//! nested prefixes has exactly one gap, and the scan stops early.
//!
//! A gap with few entries is deleted key by key: a range deletion is smaller, but the next read of the column family
//! pays for every range deletion in the memtable. A gap with many entries is one range deletion, which keeps the batch
//! small. RocksDB flushes a memtable that has too many range deletions.
//!
//! A handle of `a.b` may write while `a` is purged, and the scan may miss that entry. So the runs of all live handles
//! count as foreign whether or not they contain entries, and no such handle can be created until the purge is over (see
//! [`LivePrefixes`]).

use std::{collections::BTreeSet, iter::Peekable, vec};

use rocksdb::WriteBatch;

use super::{
    column::{ColumnFamily, LivePrefixes},
    key::{Entry, Prefix},
    options,
    read_ahead::CounterIndex,
};

/// A gap with more entries than this is deleted by one range deletion.
const MAX_SINGLE_DELETIONS: usize = 64;

/// Deletes every entry of `prefix` in `family`. Writes nothing if there are none.
pub(super) fn purge(family: &ColumnFamily, counter: CounterIndex, prefix: &Prefix) -> Result<(), rocksdb::Error> {
    let live = family.lock_live_prefixes();
    let mut gaps = Gaps::new(family, prefix, &live);
    let mut raw = family.iterator(options::purge_scan_options(prefix));
    raw.seek_to_first();
    while let Some(key) = raw.key() {
        match prefix.classify(key) {
            Entry::Own(_) => {
                gaps.add_own_entry(key);
                if family.has_no_nested_prefixes() && gaps.is_long() {
                    // The rest of the range has no foreign entries.
                    break;
                }
                raw.next();
            }
            Entry::Foreign(name) => {
                let run = prefix.run(name);
                gaps.add_foreign_run(&run);
                raw.seek(run.1);
            }
            Entry::Outside => break,
        }
    }
    raw.status()?;
    let batch = gaps.finish();
    if batch.is_empty() { Ok(()) } else { family.write(counter, batch) }
}

/// The first key, and the first key after the run.
type Run = (Vec<u8>, Vec<u8>);

/// Collects the gaps between foreign runs during one scan in key order.
struct Gaps<'a> {
    family: &'a ColumnFamily,
    batch: WriteBatch,
    /// First key of the current gap.
    start: Vec<u8>,
    /// The first keys of the current gap, at most [`MAX_SINGLE_DELETIONS`] and one.
    keys: Vec<Vec<u8>>,
    /// Runs of live handles that the scan has not reached yet, in key order.
    live: Peekable<vec::IntoIter<Run>>,
    end: Vec<u8>,
}

impl<'a> Gaps<'a> {
    fn new(family: &'a ColumnFamily, prefix: &Prefix, live: &LivePrefixes) -> Self {
        let runs: BTreeSet<Run> =
            live.iter().filter_map(|other| prefix.run_of(other)).map(|name| prefix.run(name)).collect();
        Self {
            family,
            batch: WriteBatch::default(),
            start: prefix.lower_bound().to_vec(),
            keys: Vec::new(),
            live: runs.into_iter().collect::<Vec<_>>().into_iter().peekable(),
            end: prefix.upper_bound(),
        }
    }

    fn add_own_entry(&mut self, key: &[u8]) {
        self.add_live_runs_before(key);
        if !self.is_long() {
            self.keys.push(key.to_vec());
        }
    }

    /// Whether the current gap needs a range deletion.
    fn is_long(&self) -> bool {
        self.keys.len() > MAX_SINGLE_DELETIONS
    }

    fn add_foreign_run(&mut self, run: &Run) {
        self.add_live_runs_before(&run.0);
        self.close_gap(run);
    }

    fn add_live_runs_before(&mut self, key: &[u8]) {
        while let Some(run) = self.live.next_if(|run| run.0.as_slice() < key) {
            self.close_gap(&run);
        }
    }

    /// Ends the current gap at the start of `run` and starts the next one after it.
    fn close_gap(&mut self, run: &Run) {
        if self.is_long() {
            self.batch.delete_range_cf(self.family.handle(), &self.start, &run.0);
        } else {
            for key in &self.keys {
                self.batch.delete_cf(self.family.handle(), key);
            }
        }
        self.keys.clear();
        self.start.clone_from(&run.1);
    }

    fn finish(mut self) -> WriteBatch {
        let end = std::mem::take(&mut self.end);
        self.add_live_runs_before(&end);
        self.close_gap(&(end.clone(), end));
        self.batch
    }
}
