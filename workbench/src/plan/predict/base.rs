//! What a plan knows of the machine that a prediction starts from, and the rate of it with other inputs.

use crate::actor::Durability;
use crate::host::Machine;
use crate::plan::limits::machine;
use crate::plan::size_rates::{SAME_SIZE, memory_ratio, rate_on};
use crate::report::{
    Capacity, DurableRates, HorizonInfo, HorizonMode, MachineMode, PlanResult, Report, Resource, WorkingSet,
};
use crate::units;

/// Why a rate is not known, and the rate that is known at least.
#[derive(Debug, PartialEq)]
pub(super) struct Unknown {
    pub(super) reason: String,
    pub(super) at_least_per_second: Option<f64>,
}

impl From<String> for Unknown {
    fn from(reason: String) -> Self {
        Self { reason, at_least_per_second: None }
    }
}

/// What a plan knows of the machine that a prediction starts from, in one durability mode.
pub(super) struct Base<'a> {
    plan: &'a PlanResult,
    capacity: &'a Capacity,
    /// Of the objective.
    limit_ns: f64,
    pub(super) sustained: f64,
    mode: &'a MachineMode,
    pub(super) machine: Machine,
    pub(super) durable: Option<&'a DurableRates>,
    pub(super) horizon: Option<(&'a HorizonInfo, &'a HorizonMode)>,
}

/// One value of each.
#[derive(Clone, Copy)]
pub(super) struct Corner {
    /// The rate of the base machine in relation to the one that is expected.
    pub(super) base: f64,
    pub(super) speed: f64,
    pub(super) sync: f64,
    pub(super) cores: f64,
    pub(super) read: f64,
    pub(super) writes: f64,
}

/// The time of a command on the base machine, seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    /// On a core and in syncs.
    pub(super) here: f64,
    /// In reads from the disk, beyond those of the smallest database; and what larger states cost.
    pub(super) reads: f64,
}

impl<'a> Base<'a> {
    pub(super) fn new(plan: &'a PlanResult, durability: Durability) -> Result<Self, Unknown> {
        let not_measured = || Unknown::from(format!("the plan has no rate with durability {durability}"));
        let capacity = plan.capacity(durability).ok_or_else(not_measured)?;
        let sustained = capacity.sustained_per_second.ok_or_else(not_measured)?;
        let known = plan.profile(&capacity.machine).ok_or_else(not_measured)?;
        let durable = match plan.disk.as_ref().and_then(|disk| disk.durable_rates.as_ref()) {
            _ if !durability.is_on() => None,
            Some(rates) if rates.note.is_empty() && rates.machine == capacity.machine => Some(rates),
            Some(rates) => {
                let [machine, other] = [&capacity.machine, &rates.machine];
                return Err(format!(
                    "the durable rate by sync latency of {machine} is not known: {other} {}",
                    rates.note
                )
                .into());
            }
            None => return Err("the plan has no durable rate by sync latency".to_owned().into()),
        };
        let horizon = plan.horizon.as_ref();
        Ok(Self {
            plan,
            capacity,
            limit_ns: plan.slo.limit_ns as f64,
            sustained,
            mode: known.mode(durability).ok_or_else(not_measured)?,
            machine: machine(known),
            durable,
            horizon: horizon.and_then(|horizon| {
                let mode = horizon.mode(durability).filter(|mode| mode.profile == capacity.machine)?;
                Some((horizon, mode))
            }),
        })
    }

    /// Reads per command of the smallest database that was measured.
    pub(super) fn reads_at_first(&self) -> f64 {
        let first = self.horizon.and_then(|(_, mode)| mode.points.first());
        first.map_or(0.0, |point| point.disk_reads_per_command)
    }

    /// Whether commands write more as the database grows.
    fn writes_grow(&self) -> bool {
        let grows = |horizon: &HorizonInfo| {
            horizon.written_then_bytes_per_command > SAME_SIZE * horizon.written_now_bytes_per_command
        };
        self.horizon.is_some_and(|(horizon, _)| grows(horizon))
    }

    /// The next rate that missed the objective, else the ceiling: what the machine sustains lies below.
    pub(super) fn highest(&self) -> f64 {
        let next = self.capacity.missed_per_second().or(self.capacity.saturation_per_second);
        next.unwrap_or(self.sustained).max(self.sustained)
    }

    /// The memory for blocks of `wanted` over that of the base, and the time of a command with a database of so many bytes and
    /// that memory.
    pub(super) fn work(&self, wanted: &Machine, stored_bytes: Option<f64>) -> Result<(f64, Work), Unknown> {
        let as_measured = Work { here: 1.0 / self.sustained, reads: 0.0 };
        let (Some((horizon, mode)), Some(bytes)) = (self.horizon, stored_bytes) else { return Ok((1.0, as_measured)) };
        let reads_grow = horizon.working_set == WorkingSet::Growing;
        let memory = memory_ratio(mode, wanted, &self.machine);
        if !reads_grow && !self.writes_grow() {
            return Ok((memory, as_measured));
        }
        // A database twice as large is read as one of this size with half the memory.
        let size = if reads_grow { bytes / memory } else { bytes };
        let points: Vec<_> = mode.points.iter().chain(&mode.beyond).copied().collect();
        let (Some(rate), Some(first)) = (rate_on(&points, size).filter(|&rate| rate > 0.0), points.first()) else {
            return Err(format!("the plan has no rate for a database of {}", units::bytes(bytes)).into());
        };
        let all = 1.0 / rate;
        let here = (1.0 / first.per_second).min(all);
        Ok((memory, Work { here, reads: all - here }))
    }

    pub(super) fn is_bound_by_writes(&self) -> bool {
        let binding = self.mode.binding.as_ref().map(|binding| binding.resource);
        matches!(binding, Some(Resource::WriteBandwidth | Resource::Stalls))
    }

    /// The share of the time outside of reads that a command takes in syncs.
    fn share_of_syncs(&self) -> f64 {
        let share = self.durable.and_then(|rates| {
            let in_syncs = rates.syncs_per_command_ratio * rates.median()?.ceiling_sync_ns;
            Some(in_syncs / (rates.fixed_ns + in_syncs)).filter(|share| share.is_finite())
        });
        share.unwrap_or(0.0)
    }

    /// Commands per second; `None` if no rate is within the limit. `most_written` is what the bandwidth of the disk here is
    /// enough for.
    pub(super) fn rate(&self, work: Work, corner: Corner, most_written: Option<f64>) -> Option<f64> {
        let syncs = self.share_of_syncs();
        let slower = (1.0 - syncs) / corner.speed + syncs * corner.sync;
        // Larger states take longer on a core, not in the disk's reads.
        let slower_reads = if self.writes_grow() { corner.read.max(slower) } else { corner.read };
        let before = work.here + work.reads;
        let times = before / (work.here * slower + work.reads * slower_reads);
        let rate = corner.base * corner.cores * times * self.within(times)? / before;
        // Neither the ceiling nor the bandwidth grows with the limit.
        let ceiling = self.capacity.saturation_per_second.filter(|&ceiling| ceiling > self.sustained);
        let ceiling = ceiling.map(|ceiling| corner.cores * times * ceiling / self.sustained / before);
        let written = most_written.map(|most| corner.writes * most);
        Some([ceiling, written].into_iter().flatten().fold(rate, f64::min))
    }

    /// The rate within so many times the limit over the rate within the limit; `None` if no rate that was tried was so fast.
    fn within(&self, times: f64) -> Option<f64> {
        let found = self.capacity.probes.iter();
        // Latency rises with the rate: what was less by chance is not.
        let mut highest = 0.0;
        let points = found.filter_map(|probe| {
            highest = f64::max(highest, probe.worst_slice_ns.or(probe.slo_percentile_ns)? as f64);
            Some((probe.offered_per_second, highest))
        });
        let points: Vec<(f64, f64)> = points.filter(|(_, latency)| *latency > 0.0).collect();
        match rate_within(&points, self.limit_ns) {
            Some(at_limit) => Some(rate_within(&points, times * self.limit_ns)? / at_limit),
            // Latencies that are not known are assumed not to matter.
            None => Some(1.0),
        }
    }

    /// Commands per second that the disk here has bandwidth for: what was sustained at least.
    pub(super) fn most_written(&self, report: &Report) -> Option<f64> {
        let here = report.host.disk_profile.as_ref()?.write.p50_bytes_per_second;
        Some((here / self.bytes_per_command()?).max(self.highest()))
    }

    /// Bytes that a command sends to the disk.
    fn bytes_per_command(&self) -> Option<f64> {
        let forecast = self.plan.forecast.as_ref()?;
        let writes = forecast.writes.iter().find(|writes| writes.durability == self.capacity.durability)?;
        Some(writes.per_day_bytes / units::DAY_SECONDS / forecast.commands_per_second).filter(|bytes| *bytes > 0.0)
    }
}

/// The highest rate whose latency is within a limit, by points with ascending rates and latencies. Between two of them the
/// inverse of the latency is a line, as in a queue with one server; `None` below the first.
fn rate_within(points: &[(f64, f64)], limit: f64) -> Option<f64> {
    let after = points.partition_point(|(_, latency)| *latency <= limit);
    let (rate, latency) = points[after.checked_sub(1)?];
    let Some((next, longer)) = points.get(after) else { return Some(rate) };
    Some(rate + (next - rate) * (1.0 / latency - 1.0 / limit) / (1.0 / latency - 1.0 / longer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_within_a_limit_lies_on_the_curve_of_a_queue() {
        // p99 = 4.605 / (1,000 - rate).
        let points: Vec<_> = [100.0, 500.0, 900.0].map(|rate| (rate, 4.605 / (1_000.0 - rate))).into();
        let found = rate_within(&points, 4.605 / 300.0).unwrap();
        assert!((found - 700.0).abs() < 1e-6, "{found}");
        assert_eq!(rate_within(&points, 0.001), None);
        assert_eq!(rate_within(&points, 1e9), Some(900.0));
    }
}
