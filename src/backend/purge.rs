//! Deleting all entries of one collection and none of anybody else's.
//!
//! The entries of prefix `a` lie in one range, and so do those of `a.b`. A range delete over the whole would take
//! `a.b` along, so a purge looks at the keys once and deletes the *gaps* between the runs of foreign entries. All gaps
//! go in one batch: after an error or a crash the collection is untouched or empty, never half there. In a family
//! without prefixes that lie inside each other there is but one gap, and no need to look at all of it.
//!
//! A gap with few entries is deleted key by key. A range delete is smaller, but the next read of the column family pays
//! for all those that are still in its memtable. A gap with many entries is one range delete, so that the batch stays
//! small, and a memtable with more than a few of them is flushed.
//!
//! A handle of `a.b` may write while `a` is being purged. What it writes may not have been seen, so the runs of all
//! live handles count as foreign whether or not anything lies in them, and no new one appears until the purge is over
//! (see [`LivePrefixes`]).

use std::{collections::BTreeSet, iter::Peekable, vec};

use rocksdb::WriteBatch;

use super::{
    column::{ColumnFamily, LivePrefixes},
    key::{Entry, Prefix},
    options,
    read_ahead::TrackIndex,
};

/// A gap with more entries than this is deleted as a range.
const DELETED_ONE_BY_ONE: usize = 64;

/// Deletes every entry of `prefix` in `family`. Writes nothing if there is none.
pub(super) fn purge(family: &ColumnFamily, track: TrackIndex, prefix: &Prefix) -> Result<(), rocksdb::Error> {
    let live = family.live_prefixes();
    let mut gaps = Gaps::new(family, prefix, &live);
    let mut raw = family.iterator(options::scan_options(prefix));
    raw.seek_to_first();
    while let Some(key) = raw.key() {
        match prefix.classify(key) {
            Entry::Own(_) => {
                gaps.own_entry(key);
                if family.is_flat() && gaps.is_long() {
                    // Nothing else lies in the rest of the range.
                    break;
                }
                raw.next();
            }
            Entry::Foreign(name) => {
                let run = prefix.run(name);
                gaps.run(&run);
                raw.seek(run.1);
            }
            Entry::Outside => break,
        }
    }
    raw.status()?;
    let batch = gaps.finish();
    if batch.is_empty() { Ok(()) } else { family.write(track, batch) }
}

/// First key and first key after.
type Run = (Vec<u8>, Vec<u8>);

/// Collects the gaps between runs while the keys go by in order.
struct Gaps<'a> {
    family: &'a ColumnFamily,
    batch: WriteBatch,
    /// Where the present gap begins.
    start: Vec<u8>,
    /// The first entries of the present gap, up to one more than are deleted one by one.
    keys: Vec<Vec<u8>>,
    /// Runs of live handles that have not been passed yet, in order.
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

    fn own_entry(&mut self, key: &[u8]) {
        self.pass_live_runs_before(key);
        if !self.is_long() {
            self.keys.push(key.to_vec());
        }
    }

    /// Whether the present gap is deleted as a range.
    fn is_long(&self) -> bool {
        self.keys.len() > DELETED_ONE_BY_ONE
    }

    fn run(&mut self, run: &Run) {
        self.pass_live_runs_before(&run.0);
        self.close_gap(run);
    }

    fn pass_live_runs_before(&mut self, key: &[u8]) {
        while let Some(run) = self.live.next_if(|run| run.0.as_slice() < key) {
            self.close_gap(&run);
        }
    }

    /// The present gap ends where `run` begins, the next one begins after it.
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
        self.pass_live_runs_before(&end);
        self.close_gap(&(end.clone(), end));
        self.batch
    }
}
