//! Number of actors, and the largest ones.
//!
//! One seek per actor and column family finds the next actor, and RocksDB estimates the size of its range from the
//! indexes of the tables. The entries are not read.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::Arc,
};

use ave_actors_store::{Error, StoreOperation};
use rocksdb::Range;

use super::{
    column::ColumnFamily,
    engine::Engine,
    error,
    key::{self, Prefix},
    nested_prefixes::is_registration,
    options,
};

/// Ends of the names that `ave-actors-store` gives to the column families of an actor type. The last two have one entry
/// per actor, under its name.
const EVENTS: &str = "_events";
const STATES: [&str; 2] = ["_states", "_metadata"];
/// Ranges whose sizes are estimated at a time.
const BATCH: usize = 256;

/// The actors of a database, from [`RocksDbManager::actor_sizes`](super::RocksDbManager::actor_sizes).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActorSizes {
    /// Number of actors: for each type, that of the column family with the most.
    pub actors: u64,
    /// The largest ones, largest first.
    pub largest: Vec<ActorSize>,
}

/// The approximate size of one actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorSize {
    /// Its type: the name of its column families without `_events`, `_states` and `_metadata`.
    pub actor_type: String,
    /// Its name: the prefix of its entries.
    pub name: String,
    /// Its size in bytes in all column families of the type, approximately.
    pub approximate_bytes: u64,
}

pub(super) fn collect(engine: &Engine, families: &[Arc<ColumnFamily>], largest: usize) -> Result<ActorSizes, Error> {
    let mut types: BTreeMap<&str, Vec<Family<'_>>> = BTreeMap::new();
    for family in families {
        types.entry(actor_type(family.name())).or_default().push(Family { engine, family });
    }
    let (mut result, mut top) = (ActorSizes::default(), Largest::new(largest));
    for (actor_type, families) in types {
        let (mut actors, mut candidates) = (0, BTreeSet::new());
        for family in &families {
            let mut top = Largest::new(largest);
            actors = actors.max(family.scan(&mut top)?);
            candidates.extend(top.into_sorted().into_iter().map(|(_, name)| name));
        }
        result.actors += actors;
        for name in candidates {
            let bytes = families.iter().map(|family| family.size(&name)).sum::<Result<u64, _>>()?;
            top.add(bytes, (actor_type.to_owned(), name));
        }
    }
    let named = |(bytes, (actor_type, name)): (u64, (String, Vec<u8>))| ActorSize {
        actor_type,
        name: String::from_utf8_lossy(&name).into_owned(),
        approximate_bytes: bytes,
    };
    result.largest = top.into_sorted().into_iter().map(named).collect();
    Ok(result)
}

fn actor_type(family: &str) -> &str {
    STATES.iter().chain([&EVENTS]).find_map(|end| family.strip_suffix(end)).unwrap_or(family)
}

/// A column family whose actors are measured.
struct Family<'a> {
    engine: &'a Engine,
    family: &'a ColumnFamily,
}

impl Family<'_> {
    fn has_states(&self) -> bool {
        STATES.iter().any(|end| self.family.name().ends_with(end))
    }

    /// Counts the actors and keeps the largest.
    fn scan(&self, top: &mut Largest<Vec<u8>>) -> Result<u64, Error> {
        let mut entries = self.family.iterator(options::whole_scan_options());
        let (mut count, mut batch) = (0, Vec::new());
        entries.seek_to_first();
        while let Some((stored, value)) = entries.item().filter(|(stored, _)| !is_registration(stored)) {
            let own = (stored.len() + value.len()) as u64;
            count += 1;
            if self.has_states() || !key::is_nested(stored) {
                top.add(own, stored.to_vec());
                entries.next();
                continue;
            }
            let name = key::prefix_of(stored).to_vec();
            entries.seek(after_numbers(&name));
            let (first, after) = key::range_of(&name);
            if entries.key().is_some_and(|next| next.starts_with(&first) && key::prefix_of(next) == name) {
                entries.seek(after);
            }
            batch.push((name, own));
            if batch.len() == BATCH {
                self.add_batch(&mut batch, top);
            }
        }
        entries.status().map_err(|cause| self.failed(&cause))?;
        self.add_batch(&mut batch, top);
        Ok(count)
    }

    fn add_batch(&self, batch: &mut Vec<(Vec<u8>, u64)>, top: &mut Largest<Vec<u8>>) {
        let sizes = self.table_bytes(&batch.iter().map(|(name, _)| name.as_slice()).collect::<Vec<_>>());
        for ((name, own), bytes) in batch.drain(..).zip(sizes) {
            top.add(bytes.max(own), name);
        }
    }

    /// Estimates the bytes in tables of the entries of these names.
    fn table_bytes(&self, names: &[&[u8]]) -> Vec<u64> {
        let bounds: Vec<_> = names.iter().map(|name| key::range_of(name)).collect();
        let ranges: Vec<_> = bounds.iter().map(|(from, to)| Range::new(from, to)).collect();
        self.engine.db().get_approximate_sizes_cf(self.family.handle(), &ranges)
    }

    /// The size of one actor in this family.
    fn size(&self, name: &[u8]) -> Result<u64, Error> {
        let state = self.family.get(name).map_err(|cause| self.failed(&cause))?;
        let state = state.map_or(0, |value| (name.len() + value.len()) as u64);
        if self.has_states() {
            return Ok(state);
        }
        let Ok(text) = std::str::from_utf8(name) else { return Ok(state) };
        let mut first = self.family.iterator(options::range_options(&Prefix::new(text)));
        first.seek_to_first();
        let first = first.item().map_or(0, |(key, value)| (key.len() + value.len()) as u64);
        Ok(state + self.table_bytes(&[name]).into_iter().sum::<u64>().max(first))
    }

    fn failed(&self, cause: &rocksdb::Error) -> Error {
        error::database(self.engine.error_context(), StoreOperation::RocksdbOperation, "list the actors of", cause)
    }
}

/// A key after all entries of `name` whose keys are numbers.
fn after_numbers(name: &[u8]) -> Vec<u8> {
    [name, b".:"].concat()
}

/// Keeps the `limit` largest.
struct Largest<T> {
    limit: usize,
    heap: BinaryHeap<Reverse<(u64, T)>>,
}

impl<T: Ord> Largest<T> {
    fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    fn add(&mut self, bytes: u64, item: T) {
        if self.heap.len() == self.limit && self.heap.peek().is_none_or(|Reverse((least, _))| bytes <= *least) {
            return;
        }
        self.heap.push(Reverse((bytes, item)));
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
    }

    /// Largest first.
    fn into_sorted(self) -> Vec<(u64, T)> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(item)| item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_kept_in_order() {
        let mut largest = Largest::new(2);
        for (bytes, name) in [(5, "a"), (9, "b"), (1, "c"), (7, "d")] {
            largest.add(bytes, name);
        }
        assert_eq!(largest.into_sorted(), [(9, "b"), (7, "d")]);
        let mut none = Largest::new(0);
        none.add(1, "a");
        assert_eq!(none.into_sorted(), []);
    }

    #[test]
    fn the_column_families_of_a_type_have_its_name() {
        for family in ["Account_events", "Account_states", "Account_metadata", "Account"] {
            assert_eq!(actor_type(family), "Account");
        }
    }
}
