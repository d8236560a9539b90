//! Another host in relation to that of a plan: how fast its cores are, its disk syncs, reads and writes, and what its cores yield.

use crate::actor::Durability;
use crate::host::{DiskProfile, Machine, ProcessorProfile, ReadPath};
use crate::plan::other_host::OtherHost;
use crate::plan::predict::base::Unknown;
use crate::plan::scaling::Scaling;
use crate::report::{Band, DurableRates, HostInfo, PlanResult, Report};
use crate::units;

/// The other host in relation to this one.
#[derive(Clone, Copy)]
pub(super) struct Inputs {
    pub(super) speed: Band,
    pub(super) sync: Band,
    pub(super) cores: Band,
    pub(super) read: Band,
    /// Rate of sequential writes.
    pub(super) writes: Band,
}

/// Both hosts.
#[derive(Clone, Copy)]
pub(super) struct Hosts<'a> {
    /// Of the plan.
    pub(super) report: &'a Report,
    pub(super) other: &'a OtherHost,
}

impl Hosts<'_> {
    /// How fast a core there is: between its speed in arithmetic and that in waiting for memory.
    pub(super) fn core_speed(&self) -> Result<Band, Unknown> {
        let speed = |host: &HostInfo, what: &str| {
            host.processor.ok_or_else(|| format!("{what} has no host.processor: measure again with this version"))
        };
        let here = speed(&self.report.host, "the report of the plan")?;
        let there = speed(&self.other.host, &self.other.origin)?;
        if here.chased_bytes != there.chased_bytes {
            let [here, there] = [here, there].map(|one: ProcessorProfile| units::bytes(one.chased_bytes as f64));
            return Err(format!("the reference work has {there} there and {here} here: measure with one build").into());
        }
        let [arithmetic, memory] = [here.sort_p50_ns / there.sort_p50_ns, here.chase_p50_ns / there.chase_p50_ns];
        let all = (here.sort_p50_ns + here.chase_p50_ns) / (there.sort_p50_ns + there.chase_p50_ns);
        known(Band { expected: all, low: arithmetic.min(memory), high: arithmetic.max(memory) })
            .ok_or_else(|| "the reference work took no time".to_owned().into())
    }

    /// The sync latency there over that of the plan, within what the durable rate applies to.
    pub(super) fn sync_latency(&self, durable: &DurableRates) -> Result<Band, Unknown> {
        let there = &self.disk()?.swing;
        let median = durable.median().ok_or_else(|| "the plan has no sync latency".to_owned())?;
        // Before the plan, as there, and between its loads: where they differ, the disk changed.
        let before = self.report.host.disk_profile.as_ref().map_or(median.disk_sync_ns, |disk| disk.swing.sync_p50_ns);
        let times = |there: u64, here: u64| there as f64 / here as f64;
        let expected = times(there.sync_p50_ns, before);
        let found = Band {
            expected,
            low: times(there.sync_p10_ns, before.max(median.disk_sync_ns)),
            high: times(there.sync_p90_ns, before.min(median.disk_sync_ns)),
        };
        let found = known(found).ok_or_else(|| "the sync latencies are no latencies".to_owned())?;
        let [shortest, longest] = durable.reach_ns.map(|ns| ns / median.ceiling_sync_ns);
        if (shortest..=longest).contains(&expected) {
            return Ok(found);
        }
        let [there, least, most] = [expected, shortest, longest].map(|times| units::duration(times * before as f64));
        Err(format!("a sync takes {there} there; the durable rate is known from {least} to {most}").into())
    }

    /// The time of a random read there over that of the plan, with as many at once as writers.
    pub(super) fn read_latency(&self, durability: Durability) -> Result<Band, Unknown> {
        let there = self.disk()?;
        let here = self.report.host.disk_profile.as_ref().ok_or_else(|| "the plan has no disk profile".to_owned())?;
        if [here, there].iter().any(|disk| disk.read_path == ReadPath::PageCache) {
            return Err("random reads were served by the page cache, not by the disk".to_owned().into());
        }
        let writers = self.report.modes.iter().find(|mode| mode.durability == durability);
        let depth = writers.map_or(1, |mode| mode.writers_count);
        let [here_ns, there_ns] = [here, there].map(|disk| disk.read_mean_ns(depth));
        let expected = there_ns.zip(here_ns).map_or(0.0, |(there, here)| there / here);
        // The seconds of the probe show how far reads swing.
        let mut seconds: Vec<f64> = there.samples.iter().map(|sample| sample.read_p50_ns as f64).collect();
        seconds.sort_by(f64::total_cmp);
        let middle = there.swing.read_p50_ns.max(1) as f64;
        let at = |share: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
            let place = (share * seconds.len().saturating_sub(1) as f64).round() as usize;
            expected * seconds.get(place).map_or(1.0, |ns| ns / middle)
        };
        let [low, high] = [at(0.1).min(expected), at(0.9).max(expected)];
        known(Band { expected, low, high }).ok_or_else(|| "no random read was measured".to_owned().into())
    }

    fn disk(&self) -> Result<&DiskProfile, Unknown> {
        let disk = self.other.disk.as_ref();
        disk.ok_or_else(|| format!("{} has no disk profile: probe the host", self.other.origin).into())
    }

    /// The rate of sequential writes there over that here.
    pub(super) fn writes(&self) -> Result<Band, Unknown> {
        let written = self.disk()?.write;
        let here = self.report.host.disk_profile.as_ref().map_or(written, |disk| disk.write).p50_bytes_per_second;
        let found = Band {
            expected: written.p50_bytes_per_second / here,
            low: written.lowest_bytes_per_second / here,
            high: written.highest_bytes_per_second / here,
        };
        known(found).ok_or_else(|| "no sequential write was measured".to_owned().into())
    }
}

/// What the cores of the other host yield by the law of the plan, and the error of the law where it is used.
pub(super) fn cores(
    plan: &PlanResult,
    durability: Durability,
    [base, wanted]: [&Machine; 2],
) -> Result<(Band, Option<f64>), String> {
    if base.millicores == wanted.millicores {
        return Ok((exactly(1.0), None));
    }
    let [from, to] = [base, wanted].map(|machine| u32::try_from(machine.cores).unwrap_or(u32::MAX));
    let different = format!("it has {}, {base} has {}", units::cores(wanted.millicores), units::cores(base.millicores));
    if base.has_part_of_a_core() || wanted.has_part_of_a_core() {
        return Err(different);
    }
    let scaling = plan.scaling.iter().find(|scaling| scaling.durability == durability);
    let scaling = scaling.ok_or_else(|| {
        format!("{different}, and the plan did not measure how rates scale: plan with a candidate of more cores")
    })?;
    let law = Scaling::fit(&scaling.points).and_then(|law| Ok((law.extrapolate(from, to)?, law)));
    let (cores, law) = law.map_err(|refusal| format!("{different}: {refusal}"))?;
    Ok((cores, Some(100.0 * law.relative_error)))
}

pub(super) const fn exactly(value: f64) -> Band {
    Band { expected: value, low: value, high: value }
}

/// Either of two, the slower one being expected.
pub(super) fn around(a: Band, b: Band) -> Band {
    Band { expected: a.expected.min(b.expected), low: a.low.min(b.low), high: a.high.max(b.high) }
}

/// A band of finite figures in order, above 0.
pub(super) fn known(band: Band) -> Option<Band> {
    let Band { expected, low, high } = band;
    let is_known = expected > 0.0 && low >= 0.0 && high.is_finite() && low <= expected && expected <= high;
    is_known.then_some(band)
}
