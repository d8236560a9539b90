//! The search for the highest rate that a machine sustains in one durability mode.
//!
//! First the ceiling: a closed loop, as fast as the workers go; no rate above it can hold. Then the rate that matters: does
//! what is required hold? Then rates in between, halving the interval between the highest that met the objective and the
//! lowest that did not. A rate counts only on repeated evidence: it must hold again and again, and where the highest does
//! not, a lower one must. On the way up a rate is dismissed only if it failed twice.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{Drive, DriveSpec, JobContext, Load, Objective, RestartSpec, WarmUp};
use crate::plan::evidence::Footprint;
use crate::plan::judge::{Rejection, rejection, worst_slice};
use crate::process::{DriveResult, Emulation, ProcessError, Rig, RigOutcome, RigSummary, Survey, Testbed};
use crate::workload::Arrivals;
use ave_actors_rocksdb::trace::CommandKind;

/// How much time a search may take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Measured time at the ceiling.
    pub saturation: Duration,
    /// Measured time of each rate that is tried, at least.
    pub probe: Duration,
    /// Measured time of a rate whose percentile needs more samples, at most.
    pub longest_probe: Duration,
    /// Warm-up before each.
    pub warmup: Duration,
    /// Rates tried between what is required and the ceiling, at most.
    pub bisections: u32,
    /// Times a rate must hold to count.
    pub confirmations: u32,
    /// Time for the way up from what is required, about; a rate in hand is tried to the end.
    pub climb: Duration,
    /// How many machines are searched.
    pub breadth: Breadth,
}

/// How many machines a plan measures in each mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breadth {
    /// The smallest that holds what is required.
    Smallest,
    /// That, and this host without limits.
    SmallestAndHost,
    /// Every machine this host can pretend to be.
    All,
}

impl Effort {
    /// One to two minutes for a plan of both durability modes.
    pub const fn quick() -> Self {
        Self {
            saturation: Duration::from_secs(2),
            probe: Duration::from_secs(3),
            longest_probe: Duration::from_secs(20),
            warmup: Duration::from_millis(500),
            bisections: 3,
            confirmations: 2,
            climb: Duration::from_secs(20),
            breadth: Breadth::Smallest,
        }
    }

    /// Five to seven minutes for a plan of both durability modes.
    pub const fn standard() -> Self {
        Self {
            saturation: Duration::from_secs(5),
            probe: Duration::from_secs(6),
            longest_probe: Duration::from_secs(40),
            warmup: Duration::from_secs(1),
            bisections: 4,
            confirmations: 3,
            climb: Duration::from_secs(60),
            breadth: Breadth::SmallestAndHost,
        }
    }

    /// As long as it takes: about five minutes for each machine and durability mode.
    pub const fn thorough() -> Self {
        Self {
            saturation: Duration::from_secs(15),
            probe: Duration::from_secs(20),
            longest_probe: Duration::from_secs(120),
            warmup: Duration::from_secs(3),
            bisections: 6,
            confirmations: 4,
            climb: Duration::from_secs(900),
            breadth: Breadth::All,
        }
    }
}

/// One rate that was offered, in brief: a search tries many, and histograms of all of them would fill memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Commands per second offered.
    pub offered_per_second: f64,
    /// Commands per second completed.
    pub achieved_per_second: f64,
    /// Median response time of the objective's command, nanoseconds; 0 if none was completed.
    pub median_ns: u64,
    /// Its response time at the objective's percentile, nanoseconds; `None` if too few samples stand behind it.
    pub percentile_ns: Option<u64>,
    /// The same in the slice of time where it is highest.
    pub worst_ns: Option<u64>,
    /// Why it does not meet the objective; `None` if it does.
    pub rejection: Option<Rejection>,
}

/// A rate that does not hold again is lowered to these shares, one after the other: by little at first, and by more where
/// that does not help. Then the search is content with what it has.
const STEPS_DOWN: [f64; 6] = [0.88, 0.85, 0.75, 0.6, 0.5, 0.5];
/// The search ends when the rate that failed is this close to the one that held: rates scatter by as much.
const RESOLUTION: f64 = 1.06;
/// Where the closed loop died, rates up to so many times what is required are tried.
const WITHOUT_CEILING: f64 = 8.0;
/// Share of the host's cores that others may keep busy, and percent of the CPU time that the hypervisor may take, before a
/// failure says more of them than of the machine.
const DISTURBED_SHARE: f64 = 0.1;
const DISTURBED_STEAL_PERCENT: f64 = 3.0;
/// Failures under disturbance that are not counted, in each search.
const MOST_DISTURBED: u32 = 4;
/// Lateness that is no reason to give up by itself: threads start, clocks are read.
const HOPELESS: Duration = Duration::from_millis(50);
/// Times a machine may die while its database is filled until it counts as too small.
const DEATHS_OF_THE_TOO_SMALL: u32 = 2;
/// Times a closed loop is tried on a machine that dies of it.
const CLOSED_LOOPS: u32 = 2;

/// What all searches of a plan share.
pub(super) struct Question<'a> {
    pub(super) objective: Objective,
    pub(super) command: CommandKind,
    /// Share of commands that are the objective's.
    pub(super) share: f64,
    pub(super) effort: Effort,
    pub(super) arrivals: Arrivals,
    /// Cores of the host, which others may keep busy.
    pub(super) host_cores: usize,
    pub(super) job: JobContext<'a>,
}

impl Question<'_> {
    /// Time to offer a rate: long enough for the percentile, within limits.
    pub(super) fn probe_time(&self, rate: f64) -> Duration {
        let Self { objective, share, effort, .. } = self;
        let needed = 1.2 * objective.samples_needed() as f64 / (rate * share).max(1e-9);
        Duration::from_secs_f64(needed.clamp(effort.probe.as_secs_f64(), effort.longest_probe.as_secs_f64()))
    }
}

/// What was found out about a machine in one durability mode.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The machine.
    pub machine: Machine,
    /// How far the testbed pretended to be it.
    pub emulation: Emulation,
    /// Threads that issued commands.
    pub workers: u64,
    /// The closed loop; `None` if the machine died under it.
    pub saturation: Option<Drive>,
    /// Every rate tried, ascending.
    pub probes: Vec<Probe>,
    /// The rates that held on repeated evidence, ascending.
    pub held: Vec<Held>,
    /// Times it was killed because memory was used up.
    pub deaths: u32,
    /// Most memory of process and page cache together, bytes, where it was limited.
    pub memory_peak_bytes: Option<u64>,
    /// Largest resident set of the process, bytes.
    pub rss_peak_bytes: u64,
    /// The end; `None` if the last rig died or nobody waited for it.
    pub finished: Option<RigSummary>,
}

impl Findings {
    /// The highest rate that held on repeated evidence, commands per second.
    pub fn sustained_per_second(&self) -> Option<f64> {
        self.held.last().map(|held| held.rate_per_second)
    }

    /// The highest rate that held within the machine's memory, commands per second.
    pub fn sustained_with_room(&self) -> Option<f64> {
        self.held.iter().rev().find(|held| self.had_room(held)).map(|held| held.rate_per_second)
    }

    /// Commands per second of the closed loop; `None` if the machine died under it.
    pub fn ceiling_per_second(&self) -> Option<f64> {
        self.saturation.as_ref().map(|drive| drive.measurement.commands_per_second())
    }

    /// The drives whose latencies describe it: at the lowest rate that held, which is what was required if that did; else
    /// the closed loop.
    pub fn rounds(&self) -> &[Drive] {
        self.held.first().map_or_else(|| self.saturation.as_slice(), |held| &held.drives)
    }

    /// Whether anything was measured on it.
    pub fn has_evidence(&self) -> bool {
        self.deaths > 0 || self.saturation.is_some() || !self.probes.is_empty()
    }

    /// Whether the machine had room for what a rate took: it ran within its memory, or took no more than it has.
    pub fn had_room(&self, held: &Held) -> bool {
        match self.emulation {
            Emulation::Host | Emulation::CoresAndMemory => true,
            Emulation::CoresOnly { .. } => held.footprint.total_bytes() <= self.machine.usable_ram_bytes(),
        }
    }
}

/// A rate that held on repeated evidence.
#[derive(Debug, Clone)]
pub struct Held {
    /// Commands per second.
    pub rate_per_second: f64,
    /// The drives that show it, a forgiven failure included.
    pub drives: Vec<Drive>,
    /// What was occupied by then, at its largest.
    pub footprint: Footprint,
}

/// A search on one machine in one durability mode.
pub(super) struct Search<'a> {
    question: &'a Question<'a>,
    testbed: &'a dyn Testbed,
    durability: Durability,
    rig: Option<Box<dyn Rig + 'a>>,
    database_bytes: u64,
    /// Deaths while the database was filled.
    deaths_filling: u32,
    /// Failures under disturbance that were not counted.
    disturbed: u32,
    pub(super) findings: Findings,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        question: &'a Question<'a>,
        testbed: &'a dyn Testbed,
        machine: &Machine,
        durability: Durability,
        workers: u64,
    ) -> Self {
        let findings = Findings {
            machine: machine.clone(),
            emulation: testbed.emulation(machine),
            workers,
            saturation: None,
            probes: Vec::new(),
            held: Vec::new(),
            deaths: 0,
            memory_peak_bytes: None,
            rss_peak_bytes: 0,
            finished: None,
        };
        Self { question, testbed, durability, rig: None, database_bytes: 0, deaths_filling: 0, disturbed: 0, findings }
    }

    /// Whether nothing more is to be expected: somebody stopped it, or the machine cannot even hold what is there before
    /// the first command.
    fn is_over(&self) -> bool {
        self.question.job.control.is_stopped() || self.deaths_filling >= DEATHS_OF_THE_TOO_SMALL
    }

    pub(super) const fn machine(&self) -> &Machine {
        &self.findings.machine
    }

    /// Commands per second of a closed loop of this length; `None` if the machine died.
    pub(super) fn ceiling(&mut self, measure: Duration) -> Result<Option<f64>, ProcessError> {
        if self.is_over() {
            return Ok(None);
        }
        Ok(self.drive(Load::Closed, measure, None)?.map(|drive| drive.measurement.commands_per_second()))
    }

    /// The closed loop, twice if the machine dies the first time.
    pub(super) fn saturate(&mut self) -> Result<(), ProcessError> {
        for _ in 0..CLOSED_LOOPS {
            if self.is_over() {
                break;
            }
            self.findings.saturation = self.drive(Load::Closed, self.question.effort.saturation, None)?;
            if let Some(ceiling) = self.findings.ceiling_per_second() {
                self.note(&format!("ceiling {ceiling:.0} commands/s"));
                break;
            }
        }
        Ok(())
    }

    /// Whether a rate holds on repeated evidence, within the machine's memory.
    pub(super) fn holds(&mut self, rate: f64) -> Result<bool, ProcessError> {
        if self.findings.ceiling_per_second().is_some_and(|ceiling| rate > RESOLUTION * ceiling) {
            self.note(&format!("{rate:.0} commands/s: above the ceiling"));
            return Ok(false);
        }
        let Some(held) = self.hold(rate, 1)? else { return Ok(false) };
        let had_room = self.findings.had_room(&held);
        self.keep(held);
        Ok(had_room)
    }

    /// The highest rate that holds above what is known to hold, from `low` on, which is known to be met or is nothing.
    pub(super) fn climb(&mut self, low: f64, without_ceiling: f64) -> Result<(), ProcessError> {
        let high = self.findings.ceiling_per_second().unwrap_or(WITHOUT_CEILING * without_ceiling);
        let began = Instant::now();
        let highest = self.bisect(low, high)?;
        let mut rate = highest;
        for step in STEPS_DOWN {
            if rate <= low || self.is_over() || began.elapsed() > 2 * self.question.effort.climb {
                break;
            }
            if let Some(held) = self.hold(rate, 0)? {
                self.keep(held);
                break;
            }
            rate *= step;
        }
        Ok(())
    }

    /// Offers one rate for so long, whatever comes of it; `None` if the machine died.
    pub(super) fn offer(&mut self, rate: f64, measure: Duration) -> Result<Option<Drive>, ProcessError> {
        self.drive(Load::Open { per_second: rate, arrivals: self.question.arrivals }, measure, Some(measure))
    }

    /// What the data takes and how long a restart takes; `None` if the machine died of it.
    pub(super) fn survey(&mut self, spec: &RestartSpec) -> Result<Option<Survey>, ProcessError> {
        let Some(mut rig) = self.take_rig()? else { return Ok(None) };
        match rig.survey(spec)? {
            RigOutcome::Completed(survey) => {
                self.rig = Some(rig);
                Ok(Some(survey))
            }
            RigOutcome::OutOfMemory => {
                self.died("restarting the actors");
                Ok(None)
            }
        }
    }

    /// Closes the database and compares, if `verify` is true and nobody stopped it, what it holds.
    pub(super) fn finish(mut self, verify: bool) -> Result<Findings, ProcessError> {
        if let Some(rig) = self.rig.take() {
            match rig.finish(verify && !self.question.job.control.is_stopped())? {
                RigOutcome::Completed(finished) => self.findings.finished = Some(finished),
                RigOutcome::OutOfMemory => self.findings.deaths += 1,
            }
        }
        self.findings.probes.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
        Ok(self.findings)
    }

    fn keep(&mut self, held: Held) {
        self.findings.held.push(held);
        self.findings.held.sort_by(|a, b| a.rate_per_second.total_cmp(&b.rate_per_second));
    }

    /// The highest rate between `low` and `high` that met the objective.
    fn bisect(&mut self, mut low: f64, mut high: f64) -> Result<f64, ProcessError> {
        let began = Instant::now();
        for _ in 0..self.question.effort.bisections {
            if self.is_over() || high <= RESOLUTION * low || began.elapsed() > self.question.effort.climb {
                break;
            }
            let next = low.midpoint(high);
            if self.probe_fairly(next)? {
                low = next;
            } else {
                high = next;
            }
        }
        Ok(low)
    }

    /// Offers a rate until it has met the objective as often as asked for, with so many failures allowed.
    fn hold(&mut self, rate: f64, allowed: u32) -> Result<Option<Held>, ProcessError> {
        let mut drives = Vec::new();
        let (mut met, mut failures) = (0, 0);
        while met < self.question.effort.confirmations {
            if self.is_over() {
                return Ok(None);
            }
            let (is_met, drive) = self.probe(rate)?;
            met += u32::from(is_met);
            if !is_met && self.was_disturbed(drive.as_ref()) {
                continue;
            }
            failures += u32::from(!is_met);
            if failures > allowed {
                return Ok(None);
            }
            // A failure that was forgiven still happened: it stands among the evidence. One under disturbance says
            // nothing, and stands only in the list of all rates that were tried.
            drives.extend(drive);
        }
        let footprint = Footprint { rss_bytes: self.findings.rss_peak_bytes, database_bytes: self.database_bytes };
        Ok(Some(Held { rate_per_second: rate, drives, footprint }))
    }

    /// A rate that failed once gets a second chance: one hiccup of a shared disk is no reason to halve a machine's
    /// capacity, and what is accepted here must hold again anyway.
    fn probe_fairly(&mut self, rate: f64) -> Result<bool, ProcessError> {
        let mut tries = 2;
        while tries > 0 && !self.is_over() {
            let (is_met, drive) = self.probe(rate)?;
            if is_met {
                return Ok(true);
            }
            tries -= u32::from(!self.was_disturbed(drive.as_ref()));
        }
        Ok(false)
    }

    /// Whether others took so much of the host that a failure says nothing of the machine.
    fn was_disturbed(&mut self, drive: Option<&Drive>) -> bool {
        let Some(usage) = drive.map(|drive| drive.usage).filter(|_| self.disturbed < MOST_DISTURBED) else {
            return false;
        };
        let foreign = usage.foreign_cores.unwrap_or(0.0) > DISTURBED_SHARE * self.question.host_cores as f64;
        let steal = usage.steal_percent.unwrap_or(0.0) > DISTURBED_STEAL_PERCENT;
        if foreign || steal {
            self.disturbed += 1;
            self.note("others kept the host busy meanwhile: it is tried again");
        }
        foreign || steal
    }

    /// Offers a rate and tells whether it met the objective; no drive if the machine died.
    fn probe(&mut self, rate: f64) -> Result<(bool, Option<Drive>), ProcessError> {
        let load = Load::Open { per_second: rate, arrivals: self.question.arrivals };
        let time = self.question.probe_time(rate);
        let drive = self.drive(load, time, Some(self.hopeless_lag(time)))?;
        let probe = self.judge(rate, drive.as_ref());
        self.note(&describe(&probe, self.question.objective));
        self.findings.probes.push(probe);
        Ok((probe.rejection.is_none(), drive))
    }

    fn judge(&self, rate: f64, drive: Option<&Drive>) -> Probe {
        let Question { objective, command, .. } = *self.question;
        let response = drive.and_then(|drive| drive.measurement.command(command)).map(|latency| &latency.response);
        Probe {
            offered_per_second: rate,
            achieved_per_second: drive.map_or(0.0, |drive| drive.measurement.commands_per_second()),
            median_ns: response.map_or(0, |response| response.quantile(0.5)),
            percentile_ns: response.and_then(|response| response.percentile(objective.percentile)),
            worst_ns: drive.and_then(|drive| worst_slice(drive, objective, command)),
            rejection: drive.map_or(Some(Rejection::OutOfMemory), |drive| rejection(drive, objective, command)),
        }
    }

    /// Lateness from which on the objective is missed whatever comes: of the commands due until then, more wait longer than
    /// the limit than the percentile lets be. The queue need not be served.
    fn hopeless_lag(&self, time: Duration) -> Duration {
        let Objective { percentile, limit_ns, .. } = self.question.objective;
        let beyond = (1.0 - percentile.quantile()).max(0.0) * self.findings.workers as f64;
        Duration::from_nanos(limit_ns) + time.mul_f64(beyond) + HOPELESS
    }

    /// `None` if the machine died.
    fn drive(
        &mut self,
        load: Load,
        measure: Duration,
        lag_limit: Option<Duration>,
    ) -> Result<Option<Drive>, ProcessError> {
        let warmup = WarmUp::Fixed(self.question.effort.warmup);
        let Some(mut rig) = self.take_rig()? else { return Ok(None) };
        match rig.drive(&DriveSpec { load, warmup, measure: Some(measure), lag_limit, settle: true })? {
            RigOutcome::Completed(DriveResult { drive, database_bytes, memory_peak_bytes, .. }) => {
                self.rig = Some(rig);
                self.database_bytes = database_bytes;
                self.findings.memory_peak_bytes = self.findings.memory_peak_bytes.max(memory_peak_bytes);
                self.findings.rss_peak_bytes = self.findings.rss_peak_bytes.max(drive.usage.rss_peak_bytes);
                Ok(Some(drive))
            }
            RigOutcome::OutOfMemory => {
                self.died(&load.to_string());
                Ok(None)
            }
        }
    }

    /// The rig, set up anew if the last one died; `None` if the machine died over that.
    fn take_rig(&mut self) -> Result<Option<Box<dyn Rig + 'a>>, ProcessError> {
        if let Some(rig) = self.rig.take() {
            return Ok(Some(rig));
        }
        match self.testbed.set_up(&self.findings.machine, self.durability, self.findings.workers)? {
            RigOutcome::Completed(rig) => Ok(Some(rig)),
            RigOutcome::OutOfMemory => {
                self.deaths_filling += 1;
                self.died("filling the database");
                Ok(None)
            }
        }
    }

    fn died(&mut self, doing: &str) {
        self.findings.deaths += 1;
        self.note(&format!("killed, its memory was used up ({doing})"));
    }

    fn note(&self, text: &str) {
        let (machine, durability) = (&self.findings.machine, self.durability);
        self.question.job.observer.note(&format!("{machine}, durability {durability}: {text}"));
    }
}

fn describe(probe: &Probe, objective: Objective) -> String {
    let name = objective.percentile.name();
    let latency = probe
        .worst_ns
        .or(probe.percentile_ns)
        .map_or_else(|| format!("{name} unknown"), |value| format!("{name} {:.2} ms", value as f64 / 1e6));
    let outcome = probe.rejection.map_or("meets the objective", Rejection::reason);
    format!("{:.0} commands/s: {latency}, {outcome}", probe.offered_per_second)
}
