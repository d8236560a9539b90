//! What the process takes in memory with other numbers of actors and actor types than were measured.

use crate::report::{Basis, MemoryInfo, MemoryPartInfo};

/// Three handles of a store: measured with 100,000 actors in a fresh process of x86-64 Linux, less the names.
const HANDLES_BYTES: u64 = 250;
/// Three column families: measured with 1 and 300 actor types, created, written once and opened, on the same system.
const TYPE_BYTES: u64 = 320 << 10;
/// The handles of an actor, each of which holds its name.
const HANDLES: u64 = 3;

/// What was measured under load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct MemoryMeasured {
    pub(super) rss_peak_bytes: u64,
    /// Block cache at that time, memtables included, bytes.
    pub(super) engine_bytes: u64,
    /// What open files took beside it, bytes.
    pub(super) table_reader_bytes: u64,
    pub(super) actors: u64,
    pub(super) types: u64,
    pub(super) name_bytes: u64,
}

/// The memory of the process that holds the database and the handles of its actors, without what the actors themselves
/// keep, for so many actors and types under a budget for block cache and memtables, bytes.
///
/// The budget counts in full: the cache fills up with time. The rest of the process is assumed to stay the same.
pub(super) fn memory_forecast(
    measured: &MemoryMeasured,
    memory_budget_bytes: u64,
    actors_count: u64,
    actor_types_count: u64,
) -> MemoryInfo {
    let handles = |actors: u64| actors.saturating_mul(HANDLES_BYTES + HANDLES * measured.name_bytes);
    let families = |types: u64| types.saturating_mul(TYPE_BYTES);
    let known =
        [measured.engine_bytes, measured.table_reader_bytes, handles(measured.actors), families(measured.types)];
    let rest = known.into_iter().fold(measured.rss_peak_bytes, u64::saturating_sub);
    let part = |name: &str, bytes, basis| MemoryPartInfo { name: name.to_owned(), bytes, basis };
    let parts = vec![
        part("block cache and memtables", memory_budget_bytes, Basis::Modelled),
        part("open files", measured.table_reader_bytes, Basis::Measured),
        part("handles of actors", handles(actors_count), Basis::Modelled),
        part("column families of actor types", families(actor_types_count), Basis::Modelled),
        part("everything else in the process", rest, Basis::Measured),
    ];
    let bytes = parts.iter().fold(0, |sum: u64, part| sum.saturating_add(part.bytes));
    MemoryInfo { actors_count, actor_types_count, bytes, parts }
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
        let found = memory_forecast(&MEASURED, MEASURED.engine_bytes, MEASURED.actors, MEASURED.types);
        assert_eq!(found.bytes, MEASURED.rss_peak_bytes);
    }

    proptest! {
        #[test]
        fn it_grows_in_proportion_to_actors_and_types(actors in 0u64..1 << 40, types in 0u64..1 << 20) {
            let bytes = |actors, types| memory_forecast(&MEASURED, 64 << 20, actors, types).bytes;
            prop_assert_eq!(bytes(actors + 2, types) - bytes(actors, types), 2 * (bytes(actors + 1, types) - bytes(actors, types)));
            prop_assert!(bytes(actors, types + 1) > bytes(actors, types));
        }
    }
}
