//! What the figures of a plan say about other targets than its own.
//!
//! What sustains a rate sustains a lower one, also at the horizon, since less is stored until then; what does not sustain
//! it does not sustain a higher one. In between the rates that were measured decide; where they do not reach, nothing is
//! claimed. All of it is derived from the report, so that a finished plan answers as one that has just been measured.

use crate::actor::Durability;
use crate::host::{HOST, Machine, profile_named};
use crate::plan::demand_growth::DemandGrowth;
use crate::plan::machine_disk::{DiskNeeds, Shortfall, Syncs, reads_per_command};
use crate::plan::size_rates::{SAME_SIZE, SizeRates};
use crate::plan::spec::{Demand, required_rate};
use crate::plan::stored_data::StoredData;
use crate::report::{
    CatalogueEntry, Disk, DiskOrigin, Evidence, GrowthInfo, HorizonInfo, MachineMode, ModeResult, PlanResult,
    ProfileEvidence, Report, Resource, suffices,
};
use crate::units::DAYS_PER_MONTH;

/// Halvings of a range of rates.
const HALVINGS: u32 = 40;

pub(super) struct Limits<'a> {
    pub(super) plan: &'a PlanResult,
    /// The plan that measured: `plan` may have the machines of a catalogue instead of its own.
    pub(super) measured: &'a PlanResult,
    /// Share of the capacity to keep free, percent.
    pub(super) headroom_percent: f64,
    /// The figures of the modes that the plan measured.
    pub(super) modes: &'a [ModeResult],
    /// Time of a sync of this host's disk, if it was probed.
    pub(super) sync_here_ns: Option<f64>,
    /// Of the demand.
    pub(super) growth: DemandGrowth,
    /// The horizon that was asked for.
    pub(super) horizon_days: f64,
    /// The disk of a machine of which no catalogue says it.
    pub(super) other_disk: Disk,
}

impl<'a> Limits<'a> {
    /// With the headroom of the plan.
    pub(super) fn new(plan: &'a PlanResult, report: &'a Report, demand: &Demand) -> Self {
        // Between the loads, else before them.
        let between = plan.disk.as_ref().and_then(|disk| disk.swing.as_ref());
        let swing = between.or_else(|| report.host.disk_profile.as_ref().map(|profile| &profile.swing));
        Self {
            plan,
            measured: plan,
            headroom_percent: plan.headroom_percent,
            modes: &report.modes,
            sync_here_ns: swing.map(|swing| swing.sync_p50_ns as f64),
            growth: DemandGrowth::of_percent_per_month(demand.growth_percent_per_month),
            horizon_days: DAYS_PER_MONTH * demand.months,
            other_disk: other_disk(report, plan.catalogue.is_some()),
        }
    }

    /// Whether a machine sustains a target with the headroom until the horizon; `None` if that is not known.
    pub(super) fn holds(&self, known: &ProfileEvidence, mode: &MachineMode, target_per_second: f64) -> Option<bool> {
        let required = required_rate(target_per_second, self.headroom_percent);
        let (planned, planned_target) = (self.plan.required_per_second, self.plan.target_per_second);
        let (stored, planned_stored) = (target_per_second * self.stored_times(), planned_target);
        let is_less = suffices(planned, required)
            && suffices(planned_target, target_per_second)
            && suffices(planned_stored, stored);
        let is_more = suffices(required, planned)
            && suffices(target_per_second, planned_target)
            && suffices(stored, planned_stored);
        match mode.holds {
            Some(true) if is_less && self.was_modelled(known, target_per_second) => return Some(true),
            Some(false) if is_more => return Some(false),
            _ => {}
        }
        if let Some(Shortfall { is_certain, .. }) = self.shortfall(known, mode, target_per_second) {
            return is_certain.then_some(false);
        }
        if self.rate(known, mode, target_per_second).is_some_and(|rate| suffices(rate, required)) {
            return Some(true);
        }
        let is_below = |rate: f64| !suffices(rate, required);
        let is_ruled_out = match mode.evidence {
            // A search that was interrupted rules nothing out.
            Evidence::Measured | Evidence::Emulated | Evidence::CoresEmulated => {
                mode.holds.is_some() && mode.sustained_per_second.is_some_and(is_below)
            }
            Evidence::Extrapolated | Evidence::Predicted => {
                mode.range_per_second.is_some_and(|[_, high]| is_below(high))
            }
            Evidence::Implied | Evidence::NotMeasured => false,
        };
        is_ruled_out.then_some(false)
    }

    /// The highest target that a machine is known to sustain with the headroom until the horizon; `None` if none is.
    pub(super) fn usable(&self, known: &ProfileEvidence, mode: &MachineMode) -> Option<f64> {
        let holds = |target: f64| self.holds(known, mode, target) == Some(true);
        let planned = Some(self.plan.target_per_second).filter(|&target| holds(target)).unwrap_or(0.0);
        let free_share = 1.0 - self.headroom_percent / 100.0;
        let sustained = mode.least_per_second().map_or(planned, |rate| (free_share * rate).max(planned));
        highest(planned, sustained, holds)
    }

    /// The highest demand that a machine is known to sustain with the headroom while its database grows from that of a target
    /// which it sustains: its disk aside.
    pub(super) fn usable_by_rate(&self, known: &ProfileEvidence, mode: &MachineMode, target_per_second: f64) -> f64 {
        let holds = |target: f64| {
            let required = required_rate(target, self.headroom_percent);
            self.rate(known, mode, target).is_some_and(|rate| suffices(rate, required))
        };
        let free_share = 1.0 - self.headroom_percent / 100.0;
        let most = mode.least_per_second().map_or(0.0, |rate| free_share * rate);
        highest(target_per_second, most, holds).map_or(target_per_second, |usable| usable.max(target_per_second))
    }

    /// Why the disk of a machine is not enough at a target.
    pub(super) fn shortfall(
        &self,
        known: &ProfileEvidence,
        mode: &MachineMode,
        target_per_second: f64,
    ) -> Option<Shortfall> {
        let entry = self.entry(known)?;
        let Some(stored) = self.stored(target_per_second) else {
            return entry.disk_bytes.map(|_| Shortfall {
                is_certain: false,
                resource: Resource::DiskSpace,
                reason: "how long its disk lasts is not known: the plan ended before it forecast the database"
                    .to_owned(),
            });
        };
        let measured = self.modes.iter().find(|one| one.durability == mode.durability && mode.durability.is_on());
        let per_command = measured.and_then(|one| {
            let syncs: u64 = one.rounds.iter().filter_map(|round| round.wal_syncs).map(|syncs| syncs.count).sum();
            (syncs > 0 && one.commands_count > 0).then(|| syncs as f64 / one.commands_count as f64)
        });
        let syncs = Syncs { per_command, here_ns: self.sync_here_ns };
        let required_times = required_rate(target_per_second, self.headroom_percent) / target_per_second;
        let (durability, horizon_days) = (mode.durability, self.horizon_days);
        let reads_per_command = reads_per_command(self.plan.horizon.as_ref(), durability);
        DiskNeeds { durability, stored, horizon_days, syncs, reads_per_command, required_times }.shortfall(entry)
    }

    /// Days until the disk of a machine is full at a target; `None` if not within a hundred years.
    pub(super) fn days_until_full(&self, known: &ProfileEvidence, target_per_second: f64) -> Option<f64> {
        let disk_bytes = self.entry(known).and_then(|entry| entry.disk_bytes).or(self.other_disk.limit())?;
        self.days_until_full_on(disk_bytes, target_per_second)
    }

    /// The same of a disk of this size.
    pub(super) fn days_until_full_on(&self, disk_bytes: u64, target_per_second: f64) -> Option<f64> {
        self.stored(target_per_second)?.days_until_full(disk_bytes as f64)
    }

    fn entry(&self, known: &ProfileEvidence) -> Option<&CatalogueEntry> {
        self.plan.catalogue.as_ref()?.entry(&known.profile)
    }

    /// The database of a target; `None` without a forecast.
    fn stored(&self, target_per_second: f64) -> Option<StoredData<'_>> {
        Some(StoredData::under(self.plan.forecast.as_ref()?, target_per_second, self.growth))
    }

    /// Commands that are stored at the horizon, as a multiple of those of the plan at the same target: more if the demand
    /// grows faster.
    fn stored_times(&self) -> f64 {
        let Some(forecast) = &self.plan.forecast else { return 1.0 };
        let before = DemandGrowth::of_percent_per_month(forecast.demand_growth_percent_per_month);
        if self.growth == before {
            return 1.0;
        }
        let kept = |growth: DemandGrowth| growth.kept_after(self.horizon_days, forecast.retention_days);
        kept(self.growth) / kept(before)
    }

    /// The rate that a machine is known to sustain at least at the horizon of a target; `None` if none is known there. Writes that
    /// do not wait for the disk are no slower than those that do.
    fn rate(&self, known: &ProfileEvidence, mode: &MachineMode, target_per_second: f64) -> Option<f64> {
        let is_known = mode.least_per_second().is_some() && !mode.durability.is_on();
        let durable = known.mode(Durability::On).filter(|_| is_known);
        let modes = [Some(mode), durable].into_iter().flatten();
        modes.filter_map(|mode| self.rate_of(known, mode, target_per_second)).reduce(f64::max)
    }

    /// The same by the figures of one durability mode.
    fn rate_of(&self, known: &ProfileEvidence, mode: &MachineMode, target_per_second: f64) -> Option<f64> {
        let sustained = mode.least_per_second()?;
        let Some(horizon) = &self.plan.horizon else { return Some(sustained) };
        let rates = SizeRates::of(horizon, mode.durability, |name| self.measured.profile(name).map(machine));
        rates.rate(&machine(known), sustained, self.stored_bytes(known, horizon, target_per_second))
    }

    /// Whether the database of a target at the horizon is no larger than that of the plan.
    fn was_modelled(&self, known: &ProfileEvidence, target_per_second: f64) -> bool {
        let Some(horizon) = &self.plan.horizon else { return true };
        self.stored_bytes(known, horizon, target_per_second) <= SAME_SIZE * horizon.database_bytes.expected
    }

    /// Size of the database on a machine at the horizon if this were the target. The disk of the host, or one that was given, ends
    /// its growth.
    fn stored_bytes(&self, known: &ProfileEvidence, horizon: &HorizonInfo, target_per_second: f64) -> f64 {
        let has_own_disk = self.entry(known).is_some_and(|entry| entry.disk_bytes.is_some());
        let lasts = has_own_disk || self.other_disk.limit().is_none();
        match self.stored(target_per_second).filter(|_| lasts) {
            Some(stored) => stored.bytes_after(self.horizon_days).expected,
            None => self.stored_bytes_here(horizon, target_per_second),
        }
    }

    /// The same where a disk ends the growth.
    pub(super) fn stored_bytes_here(&self, horizon: &HorizonInfo, target_per_second: f64) -> f64 {
        let then = horizon.database_bytes.expected;
        let (Some(forecast), Some(stored)) = (&self.plan.forecast, self.stored(target_per_second)) else {
            return then * target_per_second / self.plan.target_per_second;
        };
        let size = |stored: StoredData<'_>, disk_bytes: u64| {
            let [now, then] = [0.0, self.horizon_days].map(|days| stored.bytes_after(days).expected);
            let full = disk_bytes.saturating_sub(forecast.compaction_headroom_bytes) as f64;
            then.min(full.max(now)).max(1.0)
        };
        // The horizon of the plan ends with the disk of its forecast.
        let here = self.other_disk.limit().unwrap_or(forecast.disk_bytes);
        then * size(stored, here) / size(StoredData::of(forecast), forecast.disk_bytes)
    }
}

/// The disk of a machine of which no catalogue says it: that of the plan, unless a catalogue says what can be bought and none
/// was given.
fn other_disk(report: &Report, has_catalogue: bool) -> Disk {
    let known = report.plan.as_ref().map(|plan| plan.growth);
    match known {
        Some(GrowthInfo { disk_bytes, disk_origin: DiskOrigin::Given, .. }) => {
            Disk { bytes: disk_bytes, origin: DiskOrigin::Given }
        }
        _ if has_catalogue => Disk::ATTACHED,
        Some(GrowthInfo { disk_bytes, disk_origin: DiskOrigin::Host, .. }) => Disk::of_host(disk_bytes),
        _ => Disk::of_host(report.host.disk_free_bytes),
    }
}

/// Whether the disk of a plan was given to it.
pub(super) fn has_given_disk(report: &Report) -> bool {
    report.plan.as_ref().is_some_and(|plan| plan.growth.disk_origin == DiskOrigin::Given)
}

/// The highest rate up to `most` that holds, if all below it do; `least` holds, or is 0. `None` if none is known.
pub(super) fn highest(least: f64, most: f64, holds: impl Fn(f64) -> bool) -> Option<f64> {
    if most > 0.0 && holds(most) {
        return Some(most);
    }
    let (mut low, mut high) = (least, most);
    for _ in 0..HALVINGS {
        let middle = low.midpoint(high);
        if holds(middle) { low = middle } else { high = middle }
    }
    // Below a millionth of it, no rate is known.
    (low > 1e-6 * most).then_some(low)
}

/// The machine that evidence is about.
pub(super) fn machine(known: &ProfileEvidence) -> Machine {
    if known.profile == HOST {
        return Machine::host(known.cpu_cores_count, known.ram_bytes);
    }
    let named = Machine::named(known.profile.clone(), known.millicores(), known.ram_bytes >> 20);
    let profile = profile_named(&known.profile).map(Machine::of_profile);
    profile.filter(|profile| profile.is_same_size(&named)).unwrap_or(named)
}
