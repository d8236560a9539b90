//! The rates of machines on a database of some size, from those that were modelled of one machine.
//!
//! What a larger database adds to the time of a command are reads, or bytes to write. That is known of the machine that was
//! modelled; on one with as many cores or more it adds no more, and on a smaller one, where a command takes longer, no larger share.
//! With other memory for blocks the reads are those of a database that is larger or smaller in proportion.

use crate::actor::Durability;
use crate::host::Machine;
use crate::report::{HorizonInfo, HorizonMode, SizeRate, WorkingSet};

/// A database that is larger than a known one by no more than this factor counts as known.
pub(super) const SAME_SIZE: f64 = 1.1;
/// Share of a machine's memory that is for blocks at least.
pub(super) const LEAST_MEMORY_SHARE: f64 = 0.05;

/// What a plan knows of the rates over the size of the database in one durability mode.
pub(super) struct SizeRates<'a> {
    horizon: &'a HorizonInfo,
    /// What was modelled, and of which machine.
    modelled: Option<(&'a HorizonMode, Machine)>,
}

impl<'a> SizeRates<'a> {
    /// `machine` gives the machine of a name.
    pub(super) fn of(
        horizon: &'a HorizonInfo,
        durability: Durability,
        machine: impl FnOnce(&str) -> Option<Machine>,
    ) -> Self {
        let mode = horizon.mode(durability);
        Self { horizon, modelled: mode.and_then(|mode| Some((mode, machine(&mode.profile)?))) }
    }

    /// The rate of a machine that sustains `sustained_per_second` on a database like those that were measured; `None` where none is
    /// known. Never more than that.
    pub(super) fn rate(&self, own: &Machine, sustained_per_second: f64, bytes: f64) -> Option<f64> {
        let HorizonInfo { written_now_bytes_per_command: now, written_then_bytes_per_command: then, .. } =
            *self.horizon;
        let writes_grow = then > SAME_SIZE * now;
        let reads_grow = self.horizon.working_set == WorkingSet::Growing;
        let measured = self.horizon.measured_bytes;
        if !(reads_grow || writes_grow) || bytes <= SAME_SIZE * measured {
            return Some(sustained_per_second);
        }
        let (mode, base) = self.modelled.as_ref()?;
        let read_as = if reads_grow { bytes / memory_ratio(mode, own, base) } else { bytes };
        // Writes do not shrink with more memory.
        let size = if writes_grow { read_as.max(bytes) } else { read_as };
        let points: Vec<_> = mode.points.iter().chain(&mode.beyond).copied().collect();
        let [now, then] = [rate_on(&points, measured)?, rate_on(&points, size)?];
        let kept = (then / now).min(1.0);
        Some(if own.millicores >= base.millicores {
            let added_seconds = (1.0 - kept) / then;
            1.0 / (1.0 / sustained_per_second + added_seconds)
        } else {
            kept * sustained_per_second
        })
    }
}

/// The memory for blocks of `own` as a multiple of that of `base`, the machine of `mode`.
pub(super) fn memory_ratio(mode: &HorizonMode, own: &Machine, base: &Machine) -> f64 {
    let [there, here] = [own, base].map(|machine| machine.usable_ram_bytes() as f64);
    let blocks = (mode.block_memory_bytes + there - here).max(LEAST_MEMORY_SHARE * there);
    blocks / mode.block_memory_bytes.max(1.0)
}

/// The rate on a database of this size, on the line between its neighbours; `None` beyond the largest.
pub(super) fn rate_on(points: &[SizeRate], bytes: f64) -> Option<f64> {
    let after = points.partition_point(|point| point.database_bytes < bytes);
    let Some(to) = points.get(after) else {
        let last = points.last().filter(|last| bytes <= SAME_SIZE * last.database_bytes)?;
        return Some(last.per_second);
    };
    let Some(from) = after.checked_sub(1).map(|before| &points[before]) else { return Some(to.per_second) };
    let share = (bytes - from.database_bytes) / (to.database_bytes - from.database_bytes);
    Some(from.per_second + share * (to.per_second - from.per_second))
}
