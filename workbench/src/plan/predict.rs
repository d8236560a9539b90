//! What another host will sustain, by its profile and a plan of this one.
//!
//! A command takes time on a core, a share of a sync if writes wait for the disk, and reads from the disk where the database
//! has outgrown the memory:
//!
//! ```text
//! time of a command = (a / core speed + b × sync latency) + reads × read latency
//! ```
//!
//! `a` and `b` are those of the plan ([`SyncScaling`](super::sync_scaling)), and so are the reads, by the sizes that it
//! measured and modelled. The rate of the plan is divided by how much longer a command takes there, and multiplied by what
//! more cores yield under the Universal Scalability Law of the plan. All times of a queue that is served `q` times as fast are
//! `q` times as short, at `q` times the rate. So the rate within a limit `L` there is `q` times the rate within `q × L` here,
//! which the rates that the plan tried tell.
//!
//! The range is that of the corners: every input at the end of its band that makes the host slow, or fast. It is widened to
//! the errors of the functions, as the plan checked them.

use crate::actor::Durability;
use crate::host::{DiskProfile, Machine, ProcessorProfile, ReadPath};
use crate::plan::limits::{SAME_SIZE, machine, rate_on};
use crate::plan::other_host::OtherHost;
use crate::plan::scaling::Scaling;
use crate::report::{
    Band, Capacity, DurableRates, HorizonInfo, HorizonMode, HostInfo, InputName, MachineMode, PlanResult,
    PredictedMode, PredictionCheck, PredictionInput, Report, Resource, WorkingSet, suffices,
};
use crate::units;

/// Least memory for blocks, as a share of what the process may use.
const LEAST_MEMORY_SHARE: f64 = 0.05;
/// How far searches of one host, repeated half an hour apart, differed without syncs, percent.
const REPEAT_ERROR_PERCENT: f64 = 7.0;
/// How far a round lies off the durable rate by sync latency of another one, in nine of ten (`docs/methodology.md`), percent.
const SYNC_ERROR_PERCENT: f64 = 12.0;
/// Reads per command of the smallest database from which on its rate depends on the disk's reads too.
const FEW_READS: f64 = 0.05;

/// Why a rate is not known, and the rate that is known at least.
#[derive(Debug, PartialEq)]
struct Unknown {
    reason: String,
    at_least_per_second: Option<f64>,
}

impl From<String> for Unknown {
    fn from(reason: String) -> Self {
        Self { reason, at_least_per_second: None }
    }
}

/// The host of a plan beside another one.
pub(super) struct Predictor<'a> {
    pub(super) report: &'a Report,
    /// As it was measured.
    pub(super) plan: &'a PlanResult,
    pub(super) other: &'a OtherHost,
}

/// What a plan knows of the machine that a prediction starts from, in one durability mode.
struct Base<'a> {
    capacity: &'a Capacity,
    /// Of the objective.
    limit_ns: f64,
    sustained: f64,
    mode: &'a MachineMode,
    machine: Machine,
    durable: Option<&'a DurableRates>,
    horizon: Option<(&'a HorizonInfo, &'a HorizonMode)>,
}

/// The other host in relation to this one.
#[derive(Clone, Copy)]
struct Inputs {
    speed: Band,
    sync: Band,
    cores: Band,
    read: Band,
    /// Rate of sequential writes.
    writes: Band,
}

/// An end of a band, or its middle.
type End = fn(&Band) -> f64;

/// One value of each.
#[derive(Clone, Copy)]
struct Corner {
    /// The rate of the base machine in relation to the one that is expected.
    base: f64,
    speed: f64,
    sync: f64,
    cores: f64,
    read: f64,
    writes: f64,
}

/// The time of a command on the base machine, seconds.
#[derive(Debug, Clone, Copy)]
struct Work {
    /// On a core and in syncs.
    here: f64,
    /// In reads from the disk, beyond those of the smallest database; and what larger states cost.
    reads: f64,
}

impl Predictor<'_> {
    /// What `wanted`, a machine on the other host, sustains with a database of so many bytes at the horizon; beside what a plan
    /// measured there.
    pub(super) fn mode(&self, durability: Durability, wanted: &Machine, stored_bytes: Option<f64>) -> PredictedMode {
        PredictedMode { check: self.check(durability), ..self.predict(durability, wanted, stored_bytes) }
    }

    /// The machine that the plan of the other host measured, with the database that it was measured on.
    fn check(&self, durability: Durability) -> Option<PredictionCheck> {
        let there = self.other.plan.as_ref()?;
        let capacity = there.capacity(durability)?;
        let measured_per_second = capacity.sustained_per_second?;
        let wanted = machine(there.profile(&capacity.machine)?);
        let stored_bytes = there.horizon.as_ref().map(|horizon| horizon.measured_bytes);
        let predicted = self.predict(durability, &wanted, stored_bytes).per_second?;
        Some(PredictionCheck {
            machine: capacity.machine.clone(),
            measured_per_second,
            predicted_per_second: predicted,
            error_percent: 100.0 * (predicted.expected / measured_per_second - 1.0),
            is_within: suffices(measured_per_second, predicted.low) && suffices(predicted.high, measured_per_second),
        })
    }

    fn predict(&self, durability: Durability, wanted: &Machine, stored_bytes: Option<f64>) -> PredictedMode {
        let mut found = PredictedMode {
            durability,
            base: None,
            base_per_second: None,
            inputs: Vec::new(),
            model_error_percent: 0.0,
            per_second: None,
            at_least_per_second: None,
            note: String::new(),
            check: None,
        };
        match self.fill(wanted, stored_bytes, &mut found) {
            Ok(rate) => found.per_second = Some(rate),
            Err(Unknown { reason, at_least_per_second }) => {
                (found.note, found.at_least_per_second) = (reason, at_least_per_second);
            }
        }
        found
    }

    fn fill(&self, wanted: &Machine, stored_bytes: Option<f64>, found: &mut PredictedMode) -> Result<Band, Unknown> {
        let durability = found.durability;
        let base = self.base(durability)?;
        found.base = Some(base.machine.name.clone());
        let [has, needs] = [wanted, &base.machine].map(|machine| machine.usable_ram_bytes() as f64);
        if !suffices(has, needs) {
            let [has, needs] = [has, needs].map(units::bytes);
            return Err(format!("it has {has} of memory, less than the {needs} of {}", base.machine).into());
        }
        let (memory, work) = base.work(wanted, stored_bytes)?;
        found.base_per_second = Some(1.0 / (work.here + work.reads));
        let mut inputs = Inputs {
            speed: self.core_speed()?,
            sync: exactly(1.0),
            cores: exactly(1.0),
            read: exactly(1.0),
            writes: self.writes()?,
        };
        found.inputs.push(PredictionInput { name: InputName::CoreSpeed, ratio: inputs.speed });
        let mut errors = vec![REPEAT_ERROR_PERCENT];
        if let Some(durable) = base.durable {
            inputs.sync = self.sync_latency(durable)?;
            found.inputs.push(PredictionInput { name: InputName::SyncLatency, ratio: inputs.sync });
            errors.push(durable.error_percent.max(SYNC_ERROR_PERCENT));
        }
        let has_reads = work.reads > 0.0 || base.reads_at_first() > FEW_READS;
        if has_reads {
            inputs.read = self.read_latency(durability)?;
            found.inputs.push(PredictionInput { name: InputName::ReadLatency, ratio: inputs.read });
            found.inputs.push(PredictionInput { name: InputName::BlockMemory, ratio: exactly(memory) });
            errors.extend(base.horizon.and_then(|(_, mode)| Some(mode.error?.rate_percent)));
        }
        let law = self.cores(durability, &base.machine, wanted);
        if let Ok((cores, error)) = &law {
            inputs.cores = *cores;
            errors.extend(error);
            found.inputs.extend(error.map(|_| PredictionInput { name: InputName::Cores, ratio: *cores }));
        }
        found.model_error_percent = errors.iter().map(|error| error * error).sum::<f64>().sqrt();
        let rate = self.rate(&base, work, inputs, found.model_error_percent / 100.0)?;
        match law {
            Ok(_) => Ok(rate),
            // More cores are never slower.
            Err(reason) => Err(Unknown {
                reason,
                at_least_per_second: (wanted.millicores >= base.machine.millicores).then_some(rate.low),
            }),
        }
    }

    fn base(&self, durability: Durability) -> Result<Base<'_>, Unknown> {
        let plan = self.plan;
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
        Ok(Base {
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

    /// How fast a core there is: between its speed in arithmetic and that in waiting for memory.
    fn core_speed(&self) -> Result<Band, Unknown> {
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
    fn sync_latency(&self, durable: &DurableRates) -> Result<Band, Unknown> {
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
    fn read_latency(&self, durability: Durability) -> Result<Band, Unknown> {
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

    /// What its cores yield, and the error of the law where it is used.
    fn cores(&self, durability: Durability, base: &Machine, wanted: &Machine) -> Result<(Band, Option<f64>), String> {
        if base.millicores == wanted.millicores {
            return Ok((exactly(1.0), None));
        }
        let [from, to] = [base, wanted].map(|machine| u32::try_from(machine.cores).unwrap_or(u32::MAX));
        let different =
            format!("it has {}, {base} has {}", units::cores(wanted.millicores), units::cores(base.millicores));
        if base.has_part_of_a_core() || wanted.has_part_of_a_core() {
            return Err(different);
        }
        let scaling = self.plan.scaling.iter().find(|scaling| scaling.durability == durability);
        let scaling = scaling.ok_or_else(|| {
            format!("{different}, and the plan did not measure how rates scale: plan with a candidate of more cores")
        })?;
        let law = Scaling::fit(&scaling.points).and_then(|law| Ok((law.extrapolate(from, to)?, law)));
        let (cores, law) = law.map_err(|refusal| format!("{different}: {refusal}"))?;
        Ok((cores, Some(100.0 * law.relative_error)))
    }

    fn disk(&self) -> Result<&DiskProfile, Unknown> {
        let disk = self.other.disk.as_ref();
        disk.ok_or_else(|| format!("{} has no disk profile: probe the host", self.other.origin).into())
    }

    /// The rate of sequential writes there over that here.
    fn writes(&self) -> Result<Band, Unknown> {
        let written = self.disk()?.write;
        let here = self.report.host.disk_profile.as_ref().map_or(written, |disk| disk.write).p50_bytes_per_second;
        let found = Band {
            expected: written.p50_bytes_per_second / here,
            low: written.lowest_bytes_per_second / here,
            high: written.highest_bytes_per_second / here,
        };
        known(found).ok_or_else(|| "no sequential write was measured".to_owned().into())
    }

    fn rate(&self, base: &Base<'_>, work: Work, inputs: Inputs, error: f64) -> Result<Band, Unknown> {
        let Inputs { mut speed, sync, cores, read, writes } = inputs;
        if base.reads_at_first() > FEW_READS {
            // Even the smallest database was read from the disk.
            speed = around(speed, Band { expected: 1.0 / read.expected, low: 1.0 / read.high, high: 1.0 / read.low });
        }
        if base.is_bound_by_writes() {
            speed = around(speed, writes);
        }
        let corner = |base: f64, [fast, slow]: [End; 2]| Corner {
            base,
            speed: fast(&speed),
            sync: slow(&sync),
            cores: fast(&cores),
            read: slow(&read),
            writes: fast(&writes),
        };
        let [low, expected, high]: [End; 3] = [|band| band.low, |band| band.expected, |band| band.high];
        let most = self.most_written(base);
        let at = |corner: Corner| base.rate(work, corner, most);
        let rate = at(corner(1.0, [expected, expected])).ok_or_else(|| {
            let percentile = self.plan.slo.percentile;
            format!("no rate that the plan tried has a {percentile} as short as the limit requires there")
        })?;
        let least = at(corner(1.0, [low, high])).unwrap_or(0.0);
        let most = at(corner(base.highest() / base.sustained, [high, low])).unwrap_or(rate);
        let found = Band {
            expected: rate,
            low: least.min((1.0 - error).max(0.0) * rate),
            high: most.max((1.0 + error) * rate),
        };
        known(found).ok_or_else(|| "the figures of the plan allow no rate".to_owned().into())
    }

    /// Commands per second that the disk here has bandwidth for: what was sustained at least.
    fn most_written(&self, base: &Base<'_>) -> Option<f64> {
        let here = self.report.host.disk_profile.as_ref()?.write.p50_bytes_per_second;
        Some((here / self.bytes_per_command(base.capacity.durability)?).max(base.highest()))
    }

    /// Bytes that a command sends to the disk.
    fn bytes_per_command(&self, durability: Durability) -> Option<f64> {
        let forecast = self.plan.forecast.as_ref()?;
        let writes = forecast.writes.iter().find(|writes| writes.durability == durability)?;
        Some(writes.per_day_bytes / units::DAY_SECONDS / forecast.commands_per_second).filter(|bytes| *bytes > 0.0)
    }
}

impl Base<'_> {
    /// Reads per command of the smallest database that was measured.
    fn reads_at_first(&self) -> f64 {
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
    fn highest(&self) -> f64 {
        let next = self.capacity.missed_per_second().or(self.capacity.saturation_per_second);
        next.unwrap_or(self.sustained).max(self.sustained)
    }

    /// The memory for blocks of `wanted` over that of the base, and the time of a command with a database of so many bytes and
    /// that memory.
    fn work(&self, wanted: &Machine, stored_bytes: Option<f64>) -> Result<(f64, Work), Unknown> {
        let as_measured = Work { here: 1.0 / self.sustained, reads: 0.0 };
        let (Some((horizon, mode)), Some(bytes)) = (self.horizon, stored_bytes) else { return Ok((1.0, as_measured)) };
        let reads_grow = horizon.working_set == WorkingSet::Growing;
        let [there, here] = [wanted, &self.machine].map(|machine| machine.usable_ram_bytes() as f64);
        let blocks = (mode.block_memory_bytes + there - here).max(LEAST_MEMORY_SHARE * there);
        let memory = blocks / mode.block_memory_bytes.max(1.0);
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

    fn is_bound_by_writes(&self) -> bool {
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
    fn rate(&self, work: Work, corner: Corner, most_written: Option<f64>) -> Option<f64> {
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
}

/// The highest rate whose latency is within a limit, by points with ascending rates and latencies. Between two of them the
/// inverse of the latency is a line, as in a queue with one server; `None` below the first.
fn rate_within(points: &[(f64, f64)], limit: f64) -> Option<f64> {
    let after = points.partition_point(|(_, latency)| *latency <= limit);
    let (rate, latency) = points[after.checked_sub(1)?];
    let Some((next, longer)) = points.get(after) else { return Some(rate) };
    Some(rate + (next - rate) * (1.0 / latency - 1.0 / limit) / (1.0 / latency - 1.0 / longer))
}

const fn exactly(value: f64) -> Band {
    Band { expected: value, low: value, high: value }
}

/// Either of two, the slower one being expected.
fn around(a: Band, b: Band) -> Band {
    Band { expected: a.expected.min(b.expected), low: a.low.min(b.low), high: a.high.max(b.high) }
}

/// A band of finite figures in order, above 0.
fn known(band: Band) -> Option<Band> {
    let Band { expected, low, high } = band;
    let is_known = expected > 0.0 && low >= 0.0 && high.is_finite() && low <= expected && expected <= high;
    is_known.then_some(band)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::host::{DiskSample, DiskSwing, LatencyFigures, RateFigures, ReadLatency};
    use crate::report::{
        Basis, DurableRate, DurableRateBasis, ModelErrorInfo, PlanDisk, ProbeResult, Rejection, ScalingInfo,
        ScalingPointInfo, SizeRate,
    };

    const GIB: f64 = 1_073_741_824.0;
    const LIMIT_NS: u64 = 25_000_000;
    /// `-ln 0.01`: the 99th percentile of an exponential distribution in units of its mean.
    const P99: f64 = 4.605;
    /// Nanoseconds of arithmetic and of waiting for memory, and syncs per command.
    const COMMAND_NS: f64 = 60_000.0;
    const SYNCS: f64 = 0.3;
    /// A sync under load takes so many times as long as on the idle disk.
    const LOADED: f64 = 1.5;
    const CONTENTION: f64 = 0.1;

    /// A host whose rates are known: its commands queue for one server that is as fast as its cores together.
    #[derive(Debug, Clone, Copy)]
    struct Oracle {
        /// Speed of a core in arithmetic and in waiting for memory, half of the work each.
        speed: [f64; 2],
        sync_ns: f64,
        read_ns: f64,
        cores: u32,
        ram_gib: f64,
    }

    const HERE: Oracle = Oracle { speed: [1.0, 1.0], sync_ns: 150_000.0, read_ns: 90_000.0, cores: 2, ram_gib: 0.5 };

    impl Oracle {
        fn service_ns(self, durability: Durability, database_gib: f64) -> f64 {
            let work = COMMAND_NS * (0.5 / self.speed[0] + 0.5 / self.speed[1]);
            let syncs = if durability.is_on() { SYNCS * LOADED * self.sync_ns } else { 0.0 };
            work + syncs + self.reads(database_gib) * self.read_ns
        }

        /// A block of the whole database is read at random.
        fn reads(self, database_gib: f64) -> f64 {
            (1.0 - self.memory_gib() / database_gib).max(0.0)
        }

        fn memory_gib(self) -> f64 {
            0.92 * self.ram_gib - 0.1
        }

        /// How many commands its cores do while one core does one.
        fn scaling(self) -> f64 {
            let cores = f64::from(self.cores);
            cores / (1.0 + CONTENTION * (cores - 1.0))
        }

        /// Commands per second at which p99 is at the limit.
        fn highest(self, durability: Durability, database_gib: f64) -> f64 {
            self.scaling() * (1e9 / self.service_ns(durability, database_gib) - P99 / (LIMIT_NS as f64 / 1e9))
        }

        fn ceiling(self, durability: Durability) -> f64 {
            self.scaling() * 1e9 / self.service_ns(durability, 0.1)
        }

        fn p99_ns(self, durability: Durability, per_second: f64) -> u64 {
            let free = 1e9 / self.service_ns(durability, 0.1) - per_second / self.scaling();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency")]
            let found = if free > 0.0 { (1e9 * P99 / free) as u64 } else { u64::MAX / 2 };
            found
        }

        fn disk(self) -> DiskProfile {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency")]
            let ns = |ns: f64| ns as u64;
            let sample = |share: f64| DiskSample { read_p50_ns: ns(share * self.read_ns), ..DiskSample::default() };
            let figures = LatencyFigures { samples_count: 1_000, mean_ns: self.read_ns, ..LatencyFigures::default() };
            let rate =
                RateFigures { p50_bytes_per_second: 4e8, lowest_bytes_per_second: 3e8, highest_bytes_per_second: 5e8 };
            DiskProfile {
                seconds: 10.0,
                foreign_cores: None,
                file_bytes: 1 << 28,
                read_path: ReadPath::Direct,
                syncs: Vec::new(),
                reads: vec![ReadLatency { depth_count: 32, latency: figures }],
                write: rate,
                read: rate,
                swing: DiskSwing {
                    sync_p10_ns: ns(0.95 * self.sync_ns),
                    sync_p50_ns: ns(self.sync_ns),
                    sync_p90_ns: ns(1.1 * self.sync_ns),
                    read_p50_ns: ns(self.read_ns),
                    ..DiskSwing::default()
                },
                samples: [0.98, 1.0, 1.03].map(sample).into(),
            }
        }

        fn processor(self) -> ProcessorProfile {
            ProcessorProfile {
                threads_count: self.cores,
                sort_p50_ns: 90_000.0 / self.speed[0],
                chase_p50_ns: 90_000.0 / self.speed[1],
                chased_bytes: 4 << 20,
            }
        }

        fn capacity(self, template: &Capacity) -> Capacity {
            let durability = template.durability;
            let highest = self.highest(durability, 0.1);
            let probe = |share: f64| {
                let p99 = self.p99_ns(durability, share * highest);
                ProbeResult {
                    offered_per_second: share * highest,
                    achieved_per_second: None,
                    p50_ns: None,
                    slo_percentile_ns: Some(p99),
                    worst_slice_ns: Some(p99),
                    rejection: (share > 1.0).then_some(Rejection::TooSlow),
                }
            };
            Capacity {
                machine: "nano".to_owned(),
                saturation_per_second: Some(self.ceiling(durability)),
                sustained_per_second: Some(0.85 * highest),
                probes: [0.1, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0, 1.03, 1.1].map(probe).into(),
                ..template.clone()
            }
        }

        fn durable_rates(self) -> DurableRates {
            let loaded = LOADED * self.sync_ns;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency")]
            let rate = |swing_percent: f64| DurableRate {
                swing_percent,
                disk_sync_ns: self.sync_ns as u64,
                ceiling_sync_ns: loaded,
                ceiling_per_second: None,
                sustained_sync_ns: None,
                sustained_per_second: None,
            };
            DurableRates {
                machine: "nano".to_owned(),
                basis: DurableRateBasis::Fitted,
                seconds_count: 12,
                fixed_ns: COMMAND_NS,
                syncs_per_command_ratio: SYNCS,
                error_percent: 4.0,
                reach_ns: [loaded / 3.0, 3.0 * loaded],
                rates: [10.0, 50.0, 90.0].map(rate).into(),
                note: String::new(),
            }
        }

        /// The report of a plan on it; `grows` to that many GiB at the horizon.
        fn report(self, grows: Option<f64>) -> Report {
            let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/sample/report.json");
            let mut report: Report = serde_json::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
            report.host.processor = Some(self.processor());
            report.host.disk_profile = Some(self.disk());
            let plan = report.plan.as_mut().unwrap();
            plan.capacities = plan.capacities.iter().map(|one| self.capacity(one)).collect();
            plan.slo.limit_ns = LIMIT_NS;
            plan.forecast = None;
            for known in &mut plan.profiles {
                for mode in &mut known.modes {
                    mode.binding = None;
                }
            }
            plan.disk = Some(PlanDisk {
                swing: None,
                samples: Vec::new(),
                comparison: None,
                durable_rates: Some(self.durable_rates()),
            });
            let template = ScalingInfo {
                durability: Durability::Off,
                points: Vec::new(),
                contention: None,
                coherency: None,
                single_core_per_second: None,
                error_percent: None,
                curve: Vec::new(),
                note: String::new(),
            };
            let point = |cores_count: u32| {
                let per_second = 9_000.0 * Oracle { cores: cores_count, ..self }.scaling();
                ScalingPointInfo { cores_count, per_second }
            };
            let scaling =
                |durability| ScalingInfo { durability, points: [1, 1, 2, 2].map(point).into(), ..template.clone() };
            plan.scaling = Durability::BOTH.map(scaling).into();
            plan.horizon = plan.horizon.take().zip(grows).map(|(horizon, then)| self.horizon(horizon, then));
            report
        }

        fn horizon(self, template: HorizonInfo, then_gib: f64) -> HorizonInfo {
            let mode = |mode: &HorizonMode| {
                let point = |gib: f64| SizeRate {
                    database_bytes: gib * GIB,
                    basis: Basis::Modelled,
                    per_second: 0.85 * self.highest(mode.durability, gib),
                    disk_reads_per_command: self.reads(gib),
                };
                let points = [0.1, 0.36, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0].map(point).into();
                HorizonMode {
                    profile: "nano".to_owned(),
                    block_memory_bytes: self.memory_gib() * GIB,
                    points,
                    beyond: Vec::new(),
                    error: Some(ModelErrorInfo { rate_percent: 5.0, response_percent: Some(3.0) }),
                    ..mode.clone()
                }
            };
            HorizonInfo {
                database_bytes: exactly(then_gib * GIB),
                measured_bytes: 0.1 * GIB,
                written_now_bytes_per_command: 1.0,
                written_then_bytes_per_command: 1.0,
                working_set: WorkingSet::Growing,
                modes: template.modes.iter().map(mode).collect(),
                ..template
            }
        }

        fn other(self) -> OtherHost {
            let report = self.report(None);
            OtherHost {
                name: "host b".to_owned(),
                origin: "b.json".to_owned(),
                measured_at: "2026-11-02T10:00:00Z".to_owned(),
                disk: report.host.disk_profile.clone(),
                host: report.host,
                plan: None,
            }
        }

        fn machine(self) -> Machine {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size of memory")]
            let ram_mb = (1_024.0 * self.ram_gib) as u64;
            Machine::custom(self.cores as usize, ram_mb)
        }
    }

    fn predicted(here: &Report, there: Oracle, durability: Durability, stored_gib: Option<f64>) -> PredictedMode {
        let other = there.other();
        let predictor = Predictor { report: here, plan: here.plan.as_ref().unwrap(), other: &other };
        predictor.mode(durability, &there.machine(), stored_gib.map(|gib| gib * GIB))
    }

    fn hosts() -> impl Strategy<Value = Oracle> {
        (0.5f64..2.0, 0.8f64..1.25, 0.4f64..2.5, 0.4f64..2.9, 2u32..5).prop_map(|(speed, unlike, sync, read, cores)| {
            Oracle {
                speed: [speed, speed * unlike],
                sync_ns: sync * HERE.sync_ns,
                read_ns: read * HERE.read_ns,
                cores,
                ..HERE
            }
        })
    }

    fn durabilities() -> impl Strategy<Value = Durability> {
        prop::sample::select(Durability::BOTH.to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_true_rate_lies_within_the_range(there in hosts(), durability in durabilities()) {
            let found = predicted(&HERE.report(None), there, durability, None);
            let truth = there.highest(durability, 0.1);
            if let Some(band) = found.per_second {
                prop_assert!((band.low..=band.high).contains(&truth), "{truth} in {band:?}");
                // What is sustained is less than the highest rate, here as there.
                let off = band.expected / (0.85 * truth) - 1.0;
                prop_assert!(off.abs() < 0.15, "{off}: {found:?}");
            } else {
                prop_assert!(there.cores > 2, "{found:?}");
                prop_assert!(found.at_least_per_second.unwrap() <= truth, "{found:?}");
            }
        }

        #[test]
        fn a_database_that_has_outgrown_the_memory_is_read_as_fast_as_the_other_disk_reads(
            there in hosts(), durability in durabilities(), gib in 0.2f64..10.0, more in 0.0f64..2.0,
        ) {
            let there = Oracle { cores: 2, ram_gib: HERE.ram_gib + more, ..there };
            let found = predicted(&HERE.report(Some(8.0)), there, durability, Some(gib));
            let truth = there.highest(durability, gib);
            let band = found.per_second.unwrap();
            prop_assert!((band.low..=band.high).contains(&truth), "{truth} in {found:?}");
        }

        #[test]
        fn slower_syncs_never_predict_a_higher_rate(there in hosts(), times in 1.0f64..2.0) {
            let here = HERE.report(None);
            let rate = |sync_ns: f64| {
                predicted(&here, Oracle { sync_ns, cores: 2, ..there }, Durability::On, None).per_second
            };
            if let (Some(fast), Some(slow)) = (rate(there.sync_ns), rate(times * there.sync_ns)) {
                prop_assert!(slow.expected <= fast.expected * (1.0 + 1e-9));
                prop_assert!(slow.low <= fast.low * (1.0 + 1e-9) && slow.high <= fast.high * (1.0 + 1e-9));
            }
        }

        #[test]
        fn the_range_is_never_narrower_than_the_error_of_the_functions(there in hosts(), durability in durabilities()) {
            let found = predicted(&HERE.report(None), there, durability, None);
            if let Some(Band { expected, low, high }) = found.per_second {
                let error = found.model_error_percent / 100.0;
                prop_assert!(error >= REPEAT_ERROR_PERCENT / 100.0);
                prop_assert!(low <= (1.0 - error) * expected && high >= (1.0 + error) * expected, "{found:?}");
            }
        }

        #[test]
        fn a_faster_core_never_predicts_a_lower_rate(there in hosts(), times in 1.0f64..2.0, durability in durabilities()) {
            let here = HERE.report(None);
            let there = Oracle { cores: 2, sync_ns: HERE.sync_ns, ..there };
            let rate = |speed| predicted(&here, Oracle { speed, ..there }, durability, None).per_second;
            if let (Some(slow), Some(fast)) = (rate(there.speed), rate(there.speed.map(|speed| times * speed))) {
                prop_assert!(slow.expected <= fast.expected * (1.0 + 1e-9), "{slow:?} {fast:?}");
            }
        }
    }

    #[test]
    fn a_host_like_this_one_sustains_what_this_one_does() {
        let here = HERE.report(None);
        for durability in Durability::BOTH {
            let found = predicted(&here, HERE, durability, None);
            let sustained = here.plan.as_ref().unwrap().capacity(durability).unwrap().sustained_per_second.unwrap();
            assert!((found.per_second.unwrap().expected / sustained - 1.0).abs() < 1e-9, "{found:?}");
            assert!(found.inputs.iter().all(|input| (input.ratio.expected - 1.0).abs() < 1e-9), "{found:?}");
            let grown = HERE.report(Some(8.0));
            let at_horizon = 0.85 * HERE.highest(durability, 4.0);
            let found = predicted(&grown, HERE, durability, Some(4.0)).per_second.unwrap();
            assert!((found.expected / at_horizon - 1.0).abs() < 1e-9, "{found:?} {at_horizon}");
        }
    }

    #[test]
    fn what_is_missing_or_out_of_reach_is_said() {
        let here = HERE.report(None);
        let note = |there: Oracle| predicted(&here, there, Durability::On, None).note;
        let slow = note(Oracle { sync_ns: 10.0 * HERE.sync_ns, ..HERE });
        assert!(slow.starts_with("a sync takes 1.5 ms there; the durable rate is known from"), "{slow}");
        let small = note(Oracle { ram_gib: 0.25, ..HERE });
        assert!(small.contains("of memory, less than the"), "{small}");
        let many = predicted(&here, Oracle { cores: 8, ..HERE }, Durability::Off, None);
        assert!(many.note.contains("more than twice the 2") && many.at_least_per_second.is_some(), "{many:?}");
        let mut without = HERE.report(None);
        without.host.processor = None;
        let note = predicted(&without, HERE, Durability::Off, None).note;
        assert!(note.contains("the report of the plan has no host.processor"), "{note}");
    }

    #[test]
    fn without_measured_scaling_more_cores_are_as_fast_at_least() {
        let mut here = HERE.report(None);
        here.plan.as_mut().unwrap().scaling.clear();
        let found = predicted(&here, Oracle { cores: 4, ..HERE }, Durability::Off, None);
        assert!(found.note.contains("the plan did not measure how rates scale"), "{found:?}");
        assert!(found.per_second.is_none() && found.at_least_per_second.is_some());
        let fewer = predicted(&here, Oracle { cores: 1, ..HERE }, Durability::Off, None);
        assert_eq!((fewer.per_second, fewer.at_least_per_second), (None, None), "{fewer:?}");
    }

    #[test]
    fn a_prediction_is_compared_with_what_was_measured_there() {
        let there = Oracle { speed: [1.3, 1.2], sync_ns: 1.4 * HERE.sync_ns, ..HERE };
        let (here, measured) = (HERE.report(None), there.report(None));
        let other = OtherHost { plan: measured.plan, ..there.other() };
        let predictor = Predictor { report: &here, plan: here.plan.as_ref().unwrap(), other: &other };
        for durability in Durability::BOTH {
            let check = predictor.mode(durability, &Machine::host(8, 8 << 30), None).check.unwrap();
            assert!(check.machine == "nano" && check.is_within && check.error_percent.abs() < 5.0, "{check:?}");
            assert!((check.measured_per_second / (0.85 * there.highest(durability, 0.1)) - 1.0).abs() < 1e-9);
        }
    }

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
