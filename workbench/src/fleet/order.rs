//! The order of machines in a comparison, and which of them is the smallest.

use std::cmp::Ordering;

use super::groups::is_alike_ram;
use super::result::{MergedMachine, MergedMode};
use crate::measure::Percentile;

/// The better machine first: by rate in the last durability mode, `on` if that was measured, then in the others; where a
/// schedule gave the rate, by p99 of the headline command.
pub(super) fn better_first(a: &MergedMachine, b: &MergedMachine, command: Option<&str>) -> Ordering {
    let mut modes = a.modes.iter().zip(&b.modes).rev().map(|(a, b)| compare(a, b, command));
    modes.find(|order| order.is_ne()).unwrap_or_else(|| by_size(a, b))
}

fn compare(a: &MergedMode, b: &MergedMode, command: Option<&str>) -> Ordering {
    if is_scheduled(a) && is_scheduled(b) {
        // An unknown one comes last.
        let later = |mode| p99_ns(mode, command).unwrap_or(u64::MAX);
        return later(a).cmp(&later(b));
    }
    b.rate_per_second().total_cmp(&a.rate_per_second())
}

/// Whether a schedule gave the rate of a run, so that it does not depend on the machine.
pub(super) fn is_scheduled(mode: &MergedMode) -> bool {
    mode.capacity.is_none() && mode.offered_per_second.is_some()
}

pub(super) fn p99_ns(mode: &MergedMode, command: Option<&str>) -> Option<u64> {
    Some(mode.command(command?)?.response.percentile(Percentile::P99)?.value_ns)
}

/// Whether machines have the same cores and RAM: kernels reserve different amounts.
pub(super) fn is_as_large(a: &MergedMachine, b: &MergedMachine) -> bool {
    let [low, high] = [a.usable_ram_bytes.min(b.usable_ram_bytes), a.usable_ram_bytes.max(b.usable_ram_bytes)];
    a.usable_cores_count == b.usable_cores_count && is_alike_ram(low, high)
}

/// By cores, then RAM, then name.
pub(super) fn by_size(a: &MergedMachine, b: &MergedMachine) -> Ordering {
    let size = |machine: &MergedMachine| (machine.usable_cores_count, machine.usable_ram_bytes);
    size(a).cmp(&size(b)).then_with(|| a.name.cmp(&b.name))
}
