//! What the searches of a plan found.

use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{Drive, Objective, RequestKind};
use crate::measure::{Percentile, Trials};
use crate::plan::scaling::{Scaling, ScalingRefusal};
#[cfg(feature = "rocksdb")]
use crate::plan::size_rates::SizeRates;
use crate::process::{Emulation, RigSummary, Survey};
use crate::report::{
    HorizonInfo, MachineMode, ProbeResult, RateTrials, ScalingPointInfo, ValidUntil, WriterPoint, WriterSweep, suffices,
};

/// What a plan found.
#[derive(Debug, Clone)]
pub struct PlanOutcome {
    pub(crate) request: RequestKind,
    /// The rate that leaves the headroom at the target, commands per second.
    pub required_per_second: f64,
    /// One entry per mode, in the order of the settings.
    pub modes: Vec<ModeFindings>,
    pub(crate) harness_ns_per_operation: f64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

impl PlanOutcome {
    /// The machine that was modelled does not hold if it is not enough until the horizon; of others the least rate alone is known
    /// there.
    #[cfg(feature = "rocksdb")]
    pub(super) fn end_at(&mut self, horizon: &HorizonInfo) {
        let bytes = horizon.database_bytes.expected;
        let is_too_small = |mode: &ModeFindings| {
            mode.verdicts.iter().map(|verdict| !self.is_enough(mode, verdict, horizon, bytes)).collect::<Vec<_>>()
        };
        let too_small: Vec<_> = self.modes.iter().map(is_too_small).collect();
        for (mode, too_small) in self.modes.iter_mut().zip(too_small) {
            let Some(known) = horizon.mode(mode.durability) else { continue };
            let last = known.periods.last().and_then(|period| period.profile.clone());
            let over_time = known.machines_over_time();
            let writes = [horizon.written_now_bytes_per_command, horizon.written_then_bytes_per_command];
            mode.ended = last.is_none().then(|| Ended {
                over_time: over_time.clone(),
                written_bytes_per_command: known.is_bound_by_writes.then_some(writes),
            });
            let machines = mode.verdicts.iter_mut().zip(too_small).filter(|(_, is_too_small)| *is_too_small);
            for (verdict, _) in machines.filter(|(verdict, _)| verdict.known.holds == Some(true)) {
                let is_modelled = mode.found.as_ref().is_some_and(|found| found.is_same_size(&verdict.machine));
                verdict.known.holds = is_modelled.then_some(false);
                verdict.known.reason = format!("{}; enough for a time: {over_time}", verdict.known.reason);
            }
        }
    }

    /// Whether a machine is known to sustain the required rate on a database of so many bytes. Writes that do not wait for the disk
    /// are no slower than those that do.
    #[cfg(feature = "rocksdb")]
    pub(super) fn is_enough(
        &self,
        mode: &ModeFindings,
        verdict: &MachineVerdict,
        horizon: &HorizonInfo,
        bytes: f64,
    ) -> bool {
        let durable = self.modes.iter().find(|other| other.durability.is_on() && !mode.durability.is_on());
        [Some(mode), durable].into_iter().flatten().any(|mode| {
            let machine = |name: &str| mode.verdicts.iter().find(|verdict| verdict.machine.name == name);
            let rates = SizeRates::of(horizon, mode.durability, |name| machine(name).map(|one| one.machine.clone()));
            let sustained = machine(&verdict.machine.name).and_then(|verdict| verdict.known.least_per_second());
            let rate = sustained.and_then(|sustained| rates.rate(&verdict.machine, sustained, bytes));
            let is_outgrown = mode.outgrown_bytes.is_some_and(|outgrown| bytes >= outgrown as f64);
            !is_outgrown && rate.is_some_and(|rate| suffices(rate, self.required_per_second))
        })
    }

    pub(super) fn mode(&self, durability: Durability) -> Option<&ModeFindings> {
        self.modes.iter().find(|mode| mode.durability == durability)
    }
}

/// Machines that sustain the required rate for a time, and none at the horizon.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// Which machine until when, in words.
    pub(crate) over_time: String,
    /// Bytes of the values that a command writes now and at the horizon, if states that grow are why.
    pub(crate) written_bytes_per_command: Option<[f64; 2]>,
}

/// How long the answer of a plan is valid.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// The machines over time.
    pub horizon: HorizonInfo,
    /// What ends first.
    pub valid_until: ValidUntil,
}

/// Growth of the database by the workload alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelledGrowth {
    /// Bytes per day at the target.
    pub per_day_bytes: f64,
    /// Days until the disk is full; `None` if it never is.
    pub days_until_disk_full: Option<f64>,
}

/// What a plan found in one durability mode.
#[derive(Debug, Clone)]
pub struct ModeFindings {
    pub(crate) durability: Durability,
    /// The machines that were searched, smallest first.
    pub searched: Vec<MachineFindings>,
    /// Every candidate and this host, in the order of preference: cheapest first, or smallest.
    pub verdicts: Vec<MachineVerdict>,
    /// The machine that the search found by its rate, which the figures at the target and of several sizes are about. A larger one
    /// is recommended where its disk or a grown database rules it out.
    pub(crate) found: Option<Machine>,
    /// Whether this host may be the answer: where a catalogue says what can be bought, it may not.
    pub(crate) may_be_host: bool,
    /// At the target itself on the machine that was found; `None` if there is none.
    pub at_target: Option<AtTarget>,
    /// Set if machines that were found are not enough until the horizon.
    pub(crate) ended: Option<Ended>,
    /// Ceilings of the recommended machine by the number of writers.
    pub(crate) writers: Option<WriterSweep>,
    /// Closed-loop ceilings of this host on fewer cores and on all, if a candidate has more cores.
    pub(crate) scaling_points: Vec<ScalingPointInfo>,
    /// Stored data and restarts on the recommended machine, of the database as it is now; of one mode, since they do not depend
    /// on durability.
    pub(crate) survey: Option<Survey>,
    /// The same of the largest database that rates were measured on, if that has grown.
    pub(crate) grown_survey: Option<Survey>,
    /// Events by which the database had grown that the machines were searched on.
    pub(crate) grown_events: u64,
    /// Size of the smallest database for which no machine was enough, where one was for a smaller one; bytes.
    pub(crate) outgrown_bytes: Option<u64>,
    /// Rates of the recommended machine by the size of its database, ascending.
    pub sizes: Vec<SizeFindings>,
    /// What a byte that is read from the disk adds to the time of its commands on the largest of them, seconds; `None` if that
    /// was not measured.
    pub(crate) seconds_per_read_byte: Option<f64>,
    /// The law of the scaling points; `None` if there are no points.
    pub(crate) scaling: Option<Result<Scaling, ScalingRefusal>>,
    pub(crate) interrupted: bool,
}

impl ModeFindings {
    pub(super) const fn new(durability: Durability) -> Self {
        Self {
            durability,
            searched: Vec::new(),
            verdicts: Vec::new(),
            found: None,
            may_be_host: true,
            at_target: None,
            ended: None,
            survey: None,
            grown_survey: None,
            grown_events: 0,
            outgrown_bytes: None,
            sizes: Vec::new(),
            seconds_per_read_byte: None,
            writers: None,
            scaling_points: Vec::new(),
            scaling: None,
            interrupted: false,
        }
    }

    /// The machine that the mode's figures are about: the recommended one, else the one that was found by its rate, else the
    /// largest that was searched.
    pub fn principal(&self) -> Option<&MachineFindings> {
        let recommended = self.recommended().and_then(|verdict| self.searched_machine(&verdict.machine));
        recommended.or_else(|| self.found()).or_else(|| self.searched.last())
    }

    /// What was found about the machine that the search found.
    pub(super) fn found(&self) -> Option<&MachineFindings> {
        self.searched_machine(self.found.as_ref()?)
    }

    /// The first machine, in the order of preference, that sustains the required rate. This host, which cannot be bought, comes last.
    pub fn recommended(&self) -> Option<&MachineVerdict> {
        let holding = || self.verdicts.iter().filter(|verdict| verdict.known.holds == Some(true));
        let host = || holding().next().filter(|_| self.may_be_host);
        holding().find(|verdict| !verdict.machine.is_host).or_else(host)
    }

    /// The highest rate that met the objective on any machine that was searched, commands per second.
    pub fn sustained_per_second(&self) -> Option<f64> {
        self.searched.iter().filter_map(MachineFindings::sustained_within_memory).max_by(f64::total_cmp)
    }

    /// What was found about a machine, or about another one of its size.
    pub(super) fn searched_machine(&self, machine: &Machine) -> Option<&MachineFindings> {
        let is_same = |findings: &&MachineFindings| findings.machine == *machine;
        let has_its_size = |findings: &&MachineFindings| findings.machine.is_same_size(machine);
        self.searched.iter().find(is_same).or_else(|| self.searched.iter().find(has_its_size))
    }
}

/// The ceiling on a database of one size, and a load below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeFindings {
    /// Size when it was opened, bytes.
    pub database_bytes: u64,
    /// Commands per second of the closed loop.
    pub ceiling_per_second: f64,
    /// At the share of the ceiling that is sustained on the largest database, of several loads the one with the median; `None` if
    /// none was completed.
    pub response: Option<ResponseTimes>,
}

/// Response times of the objective's command under one load, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseTimes {
    /// The percentile of the objective.
    pub percentile_seconds: f64,
    /// The median.
    pub median_seconds: f64,
}

impl ResponseTimes {
    /// `None` if the load had too few samples for the percentile.
    pub(super) fn of(load: &Drive, request: RequestKind, objective: &Objective) -> Option<Self> {
        let seconds = |percentile| Some(load.measurement.response_ns(request, percentile)? as f64 / 1e9);
        Some(Self { percentile_seconds: seconds(objective.percentile)?, median_seconds: seconds(Percentile::P50)? })
    }
}

impl SizeFindings {
    /// Time per command of the closed loop, seconds.
    pub(super) fn seconds(&self) -> f64 {
        1.0 / self.ceiling_per_second
    }
}

/// What was found about a machine in one durability mode.
#[derive(Debug, Clone)]
pub struct MachineFindings {
    /// The machine.
    pub machine: Machine,
    pub(crate) emulation: Emulation,
    pub(crate) workers: u64,
    /// The closed loop; `None` if the machine ran out of memory under it.
    pub(crate) saturation: Option<Drive>,
    /// Every rate tried, ascending.
    pub probes: Vec<ProbeResult>,
    /// The rates that are sustained, ascending.
    pub sustained: Vec<SustainedRate>,
    /// Every rate on which later loads decided, in the order of the trials.
    pub decided: Vec<RateTrials>,
    pub(crate) oom_kills: u32,
    /// Whether the restart of its actors needs more memory than it has.
    pub(crate) is_killed_by_restart: bool,
    /// Most memory of process and page cache together, if it was limited.
    pub(crate) memory_peak_bytes: Option<u64>,
    /// Resident set of the process without the workbench's own memory.
    pub(crate) rss_peak_bytes: u64,
    /// What the workbench held in that process.
    pub(crate) harness_memory_bytes: u64,
    /// The orderly end; `None` if the last process was killed.
    pub finished: Option<RigSummary>,
}

impl MachineFindings {
    /// The highest rate that is sustained, commands per second.
    pub fn sustained_per_second(&self) -> Option<f64> {
        self.sustained.last().map(|sustained| sustained.rate_per_second)
    }

    /// The highest of them that needed no more memory than the machine has, commands per second; `None` if its actors cannot
    /// be restarted.
    pub(super) fn sustained_within_memory(&self) -> Option<f64> {
        if self.is_killed_by_restart {
            return None;
        }
        let fits = |sustained: &&SustainedRate| self.fits_memory(sustained);
        self.sustained.iter().rev().find(fits).map(|sustained| sustained.rate_per_second)
    }

    /// The lowest rate above the sustained ones that missed the objective, commands per second; `None` if none was tried.
    pub(super) fn missed_per_second(&self) -> Option<f64> {
        let sustained = self.sustained.last().map_or(0.0, |sustained| sustained.offered_per_second);
        ProbeResult::lowest_missed(&self.probes, sustained)
    }

    /// Commands per second of the closed loop; `None` if the machine ran out of memory under it.
    pub fn ceiling_per_second(&self) -> Option<f64> {
        self.saturation.as_ref().map(|drive| drive.measurement.commands_per_second())
    }

    /// The rate that was offered when the highest one was sustained, as a share of the ceiling.
    pub(super) fn sustained_share_of_ceiling(&self) -> Option<f64> {
        Some(self.sustained.last()?.offered_per_second / self.ceiling_per_second()?)
    }

    /// Whether a rate of at least so many commands per second met the objective, and no later loads decided on any.
    pub(super) fn is_undecided_at(&self, rate: f64) -> bool {
        let met = |probe: &ProbeResult| probe.rejection.is_none() && suffices(probe.offered_per_second, rate);
        self.decided.is_empty() && self.probes.iter().any(met)
    }

    /// What a closed loop showed of this number of writers. `request` is that of the objective.
    pub(super) fn writer_point(&self, drive: &Drive, request: RequestKind) -> WriterPoint {
        WriterPoint {
            writers_count: self.workers,
            per_second: drive.measurement.commands_per_second(),
            p99_ns: drive.measurement.request(request).and_then(|latency| latency.service.percentile(Percentile::P99)),
        }
    }

    /// The drives that the latency tables show: those at the lowest sustained rate, which is the required one if that was
    /// sustained; else the closed loop.
    pub fn rounds(&self) -> &[Drive] {
        self.sustained.first().map_or_else(|| self.saturation.as_slice(), |sustained| &sustained.drives)
    }

    pub(super) const fn has_evidence(&self) -> bool {
        self.oom_kills > 0 || self.saturation.is_some() || !self.probes.is_empty()
    }

    /// Whether a rate ran within the machine's memory, or needed no more than it has.
    pub(super) fn fits_memory(&self, sustained: &SustainedRate) -> bool {
        match self.emulation {
            Emulation::Host | Emulation::CoresAndMemory => true,
            Emulation::CoresOnly { .. } => sustained.footprint.total_bytes() <= self.machine.usable_ram_bytes(),
        }
    }
}

/// The target itself, offered to the recommended machine.
#[derive(Debug, Clone)]
pub struct AtTarget {
    /// The last load.
    pub drive: Drive,
    /// Every load.
    pub(crate) probes: Vec<ProbeResult>,
    /// How often it met the objective: once is enough where a higher rate is sustained.
    pub trials: Trials,
}

/// A rate that met the objective on later loads than those it was chosen by.
#[derive(Debug, Clone)]
pub struct SustainedRate {
    /// Commands per second that count as sustained.
    pub rate_per_second: f64,
    /// Commands per second that its loads were offered: the same or more.
    pub(crate) offered_per_second: f64,
    /// Every load that decided, those that missed the objective included.
    pub(crate) drives: Vec<Drive>,
    /// Memory and disk in use by then.
    pub footprint: Footprint,
}

/// Memory and disk in use, at their largest.
#[derive(Debug, Clone, Copy)]
pub struct Footprint {
    /// Resident set of the process, bytes.
    pub rss_bytes: u64,
    /// The database on disk, bytes: an upper bound of its part of the page cache.
    pub(crate) database_bytes: u64,
}

impl Footprint {
    /// RAM that is certainly enough for all of it, bytes.
    pub const fn total_bytes(self) -> u64 {
        self.rss_bytes + self.database_bytes
    }
}

/// What is known of a machine in one durability mode.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineVerdict {
    /// The machine.
    pub machine: Machine,
    /// As reported, except for the latency.
    pub known: MachineMode,
}

#[cfg(all(test, feature = "rocksdb"))]
mod tests {
    use super::*;
    use crate::report::{Evidence, HorizonMode, MachinePeriod};
    use ave_actors_rocksdb::trace::CommandKind;

    /// At the horizon the database is a hundred times as large, and nano, whose rates were modelled, keeps a tenth of its rate.
    fn horizon() -> HorizonInfo {
        let points = [(1e9, 10_000.0), (1e11, 1_000.0)];
        let period = MachinePeriod { profile: None, from_days: 10.0, until_days: 365.0, until: None };
        let mode = HorizonMode { periods: vec![period], ..HorizonMode::of_nano(Durability::Off, &points, &[]) };
        HorizonInfo::of_growing_reads(1e11, vec![mode])
    }

    #[test]
    fn the_horizon_rules_out_the_machine_that_was_modelled_and_leaves_others_open() {
        let verdict = |name: &str, millicores, sustained| MachineVerdict {
            machine: Machine::named(name.to_owned(), millicores, 512),
            known: MachineMode {
                durability: Durability::Off,
                evidence: Evidence::Emulated,
                sustained_per_second: Some(sustained),
                range_per_second: None,
                holds: Some(true),
                binding: None,
                lacking: None,
                memory_peak_bytes: None,
                process_peak_bytes: None,
                latency: None,
                reason: "sustains it".to_owned(),
            },
        };
        let verdicts = vec![verdict("nano", 2_000, 10_000.0), verdict("wide", 4_000, 20_000.0)];
        let found = Some(verdicts[0].machine.clone());
        let mode = ModeFindings { verdicts, found, ..ModeFindings::new(Durability::Off) };
        let at_horizon = |required_per_second| {
            let mut outcome = PlanOutcome {
                request: RequestKind::Command(CommandKind::Persist),
                required_per_second,
                modes: vec![mode.clone()],
                harness_ns_per_operation: 1.0,
                interrupted: false,
            };
            outcome.end_at(&horizon());
            outcome.modes[0].verdicts.iter().map(|verdict| verdict.known.holds).collect::<Vec<_>>()
        };
        assert_eq!(at_horizon(900.0), [Some(true); 2]);
        // On more cores the larger database adds no more than the 0.9 ms of nano: 1,053 commands/s at least.
        assert_eq!(at_horizon(1_040.0), [Some(false), Some(true)]);
        assert_eq!(at_horizon(1_100.0), [Some(false), None]);
    }
}
