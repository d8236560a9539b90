//! What the process takes in memory with other numbers of actors and actor types than were measured.

use crate::report::Basis;

/// Three handles of a store: measured with 100,000 actors in a fresh process of x86-64 Linux, less the names.
const HANDLES_BYTES: u64 = 250;
/// Three column families: measured with 1 and 300 actor types, created, written once and opened, on the same system.
const TYPE_BYTES: u64 = 320 << 10;
/// The handles of an actor, each of which holds its name.
const HANDLES: u64 = 3;

/// What was measured under load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryMeasured {
    /// Largest resident set of the process, bytes.
    pub rss_peak_bytes: u64,
    /// Block cache at that time, memtables included, bytes.
    pub engine_bytes: u64,
    /// What open files took beside it, bytes.
    pub table_reader_bytes: u64,
    /// Actors with open handles.
    pub actors: u64,
    /// Actor types.
    pub types: u64,
    /// Mean length of an actor's name, bytes.
    pub name_bytes: u64,
}

/// A part of the memory and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPart {
    /// What takes it.
    pub name: &'static str,
    /// How much, bytes.
    pub bytes: u64,
    /// What stands behind it.
    pub basis: Basis,
}

/// The memory of the process that holds the database and the handles of its actors. What the actors themselves keep is not
/// in it: the workbench has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryForecast {
    /// Actors with open handles.
    pub actors: u64,
    /// Actor types.
    pub types: u64,
    /// All of it, bytes.
    pub bytes: u64,
    /// What it consists of.
    pub parts: Vec<MemoryPart>,
}

impl MemoryForecast {
    /// For so many actors and types under a memory budget for block cache and memtables, bytes.
    ///
    /// The budget counts in full: the cache fills up with time. What the process had beyond its engine, its handles and its
    /// column families stays what it was.
    pub fn new(measured: &MemoryMeasured, memory_budget_bytes: u64, actors: u64, types: u64) -> Self {
        let handles = |actors: u64| actors.saturating_mul(HANDLES_BYTES + HANDLES * measured.name_bytes);
        let families = |types: u64| types.saturating_mul(TYPE_BYTES);
        let known =
            [measured.engine_bytes, measured.table_reader_bytes, handles(measured.actors), families(measured.types)];
        let rest = known.into_iter().fold(measured.rss_peak_bytes, u64::saturating_sub);
        let part = |name, bytes, basis| MemoryPart { name, bytes, basis };
        let parts = vec![
            part("block cache and memtables", memory_budget_bytes, Basis::Modelled),
            part("open files", measured.table_reader_bytes, Basis::Measured),
            part("handles of actors", handles(actors), Basis::Modelled),
            part("column families of actor types", families(types), Basis::Modelled),
            part("everything else in the process", rest, Basis::Measured),
        ];
        let bytes = parts.iter().fold(0, |sum: u64, part| sum.saturating_add(part.bytes));
        Self { actors, types, bytes, parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MEASURED: MemoryMeasured = MemoryMeasured {
        rss_peak_bytes: 100 << 20,
        engine_bytes: 32 << 20,
        table_reader_bytes: 1 << 20,
        actors: 10_000,
        types: 4,
        name_bytes: 44,
    };

    #[test]
    fn at_what_was_measured_with_the_budget_in_use_it_is_what_was_measured() {
        let found = MemoryForecast::new(&MEASURED, MEASURED.engine_bytes, MEASURED.actors, MEASURED.types);
        assert_eq!(found.bytes, MEASURED.rss_peak_bytes);
    }

    proptest! {
        #[test]
        fn it_grows_in_proportion_to_actors_and_types(actors in 0u64..1 << 40, types in 0u64..1 << 20) {
            let bytes = |actors, types| MemoryForecast::new(&MEASURED, 64 << 20, actors, types).bytes;
            prop_assert_eq!(bytes(actors + 2, types) - bytes(actors, types), 2 * (bytes(actors + 1, types) - bytes(actors, types)));
            prop_assert!(bytes(actors, types + 1) > bytes(actors, types));
        }

        #[test]
        fn its_parts_are_all_of_it(actors: u64, types: u64, rss: u64, budget: u64) {
            let measured = MemoryMeasured { rss_peak_bytes: rss, ..MEASURED };
            let found = MemoryForecast::new(&measured, budget, actors, types);
            let sum = found.parts.iter().fold(0u64, |sum, part| sum.saturating_add(part.bytes));
            prop_assert_eq!(sum, found.bytes);
        }
    }
}
