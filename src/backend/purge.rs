//! Deletes all entries of one collection and none of any other.
//!
//! The entries of prefix `a` lie in one key range, and so do those of `a.b`, which are *foreign* to `a`. So a purge
//! deletes the gaps between the runs of the [nested prefixes](super::nested_prefixes), without reading entries. All
//! gaps go into one batch: after an error or a crash the collection is either unchanged or empty. A collection without
//! nested prefixes has one gap.
//!
//! No nested prefix is registered between the search for runs and the write of the batch: its first entries would be
//! deleted.

use rocksdb::WriteBatch;

use super::{
    column::ColumnFamily,
    key::{Entry, Prefix, Run},
    options,
    read_ahead::CounterIndex,
};

/// Deletes every entry of `prefix` in `family`.
pub(super) fn purge(family: &ColumnFamily, counter: CounterIndex, prefix: &Prefix) -> Result<(), rocksdb::Error> {
    let nested = family.nested_prefixes();
    let mut runs = if nested.is_complete() { Vec::new() } else { find_runs(family, prefix)? };
    let nested = nested.lock()?;
    runs.extend(nested.runs_in(prefix)?);
    runs.sort_unstable();
    runs.dedup();
    let mut gaps = WriteBatch::default();
    let mut start = prefix.lower_bound();
    for (first, after) in &runs {
        gaps.delete_range_cf(family.handle(), start, first);
        start = after;
    }
    gaps.delete_range_cf(family.handle(), start, &prefix.upper_bound());
    family.delete_ranges(counter, gaps)
}

/// The runs of foreign entries. Reads all keys in the range of `prefix`.
fn find_runs(family: &ColumnFamily, prefix: &Prefix) -> Result<Vec<Run>, rocksdb::Error> {
    let mut runs = Vec::new();
    let mut keys = family.iterator(options::purge_scan_options(prefix));
    keys.seek_to_first();
    while let Some(key) = keys.key() {
        match prefix.classify(key) {
            Entry::Own(_) => keys.next(),
            Entry::Foreign(name) => {
                let run = prefix.run(name);
                keys.seek(&run.1);
                runs.push(run);
            }
            Entry::Outside => break,
        }
    }
    keys.status()?;
    Ok(runs)
}
