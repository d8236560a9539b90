//! The search for the highest rate that a machine sustains in one durability mode.
//!
//! First the ceiling: a closed loop, as fast as the workers go. Then the required rate. Then a bisection between the
//! highest rate that met the objective and the lowest that did not. A rate counts only on repeated evidence; if the highest
//! fails its repetitions, lower ones are tried. The bisection rejects a rate only if it failed twice.

use std::time::{Duration, Instant};

use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{Drive, DriveSpec, JobContext, Load, Objective, RestartSpec, Source, WarmUp};
use crate::plan::judge::{rejection, worst_slice};
use crate::plan::outcome::{Footprint, MachineFindings, SustainedRate};
use crate::plan::spec::PlanSpec;
use crate::process::{DriveResult, ProcessError, Rig, RigOutcome, Survey, Testbed};
use crate::report::{ProbeResult, Rejection};
use ave_actors_rocksdb::trace::CommandKind;

/// A rate that fails its repetitions is lowered by these factors, one after the other; then the search ends.
const STEPS_DOWN: [f64; 6] = [0.88, 0.85, 0.75, 0.6, 0.5, 0.5];
/// The bisection ends when the rate that failed is at most this many times the one that passed: rates scatter by as much.
const RESOLUTION: f64 = 1.06;
/// Highest rate that is tried if the closed loop ran out of memory, as a multiple of the required rate.
const WITHOUT_CEILING: f64 = 8.0;
/// Share of the host's cores that other processes may keep busy, and percent of the CPU time that the hypervisor may take,
/// before a failure is attributed to them.
const DISTURBED_SHARE: f64 = 0.1;
const DISTURBED_STEAL_PERCENT: f64 = 3.0;
/// Failures under disturbance that one search does not count.
const MOST_DISTURBED: u32 = 4;
/// Lateness that is always tolerated: threads start, clocks are read.
const TOLERATED_LAG: Duration = Duration::from_millis(50);
/// Out-of-memory kills while the database is filled after which a machine counts as too small.
const MAX_OOM_KILLS_WHILE_FILLING: u32 = 2;
/// Times a closed loop is tried if it runs out of memory.
const CLOSED_LOOPS: u32 = 2;

/// What all searches of a plan have in common.
pub(super) struct SearchInput<'a> {
    pub(super) source: &'a Source,
    pub(super) spec: &'a PlanSpec,
    /// The command of the objective.
    pub(super) command: CommandKind,
    pub(super) job: JobContext<'a>,
}

impl SearchInput<'_> {
    /// Time to offer a rate: long enough for the percentile, within limits.
    pub(super) fn probe_time(&self, rate: f64) -> Duration {
        let PlanSpec { objective, effort, .. } = self.spec;
        let needed = 1.2 * objective.samples_needed() as f64 / (rate * self.source.share(self.command)).max(1e-9);
        Duration::from_secs_f64(needed.clamp(effort.probe.as_secs_f64(), effort.longest_probe.as_secs_f64()))
    }
}

pub(super) struct Search<'a> {
    input: &'a SearchInput<'a>,
    testbed: &'a dyn Testbed,
    durability: Durability,
    rig: Option<Box<dyn Rig + 'a>>,
    database_bytes: u64,
    oom_kills_while_filling: u32,
    /// Failures under disturbance that were not counted.
    disturbed: u32,
    pub(super) findings: MachineFindings,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        input: &'a SearchInput<'a>,
        testbed: &'a dyn Testbed,
        machine: &Machine,
        durability: Durability,
        workers: u64,
    ) -> Self {
        let findings = MachineFindings {
            machine: machine.clone(),
            emulation: testbed.emulation(machine),
            workers,
            saturation: None,
            probes: Vec::new(),
            sustained: Vec::new(),
            oom_kills: 0,
            memory_peak_bytes: None,
            rss_peak_bytes: 0,
            finished: None,
        };
        Self {
            input,
            testbed,
            durability,
            rig: None,
            database_bytes: 0,
            oom_kills_while_filling: 0,
            disturbed: 0,
            findings,
        }
    }

    /// Whether it was stopped, or the machine has too little memory to fill the database.
    fn is_over(&self) -> bool {
        self.input.job.control.is_stopped() || self.oom_kills_while_filling >= MAX_OOM_KILLS_WHILE_FILLING
    }

    /// Commands per second of a closed loop of this length; `None` if it ran out of memory.
    pub(super) fn ceiling(&mut self, measure: Duration) -> Result<Option<f64>, ProcessError> {
        if self.is_over() {
            return Ok(None);
        }
        Ok(self.drive(Load::Closed, measure, None)?.map(|drive| drive.measurement.commands_per_second()))
    }

    /// The closed loop, twice if it runs out of memory the first time.
    pub(super) fn saturate(&mut self) -> Result<(), ProcessError> {
        for _ in 0..CLOSED_LOOPS {
            if self.is_over() {
                break;
            }
            self.findings.saturation = self.drive(Load::Closed, self.input.spec.effort.saturation, None)?;
            if let Some(ceiling) = self.findings.ceiling_per_second() {
                self.note(&format!("ceiling {ceiling:.0} commands/s"));
                break;
            }
        }
        Ok(())
    }

    /// Whether a rate meets the objective on repeated evidence, within the machine's memory.
    pub(super) fn sustains(&mut self, rate: f64) -> Result<bool, ProcessError> {
        if self.findings.ceiling_per_second().is_some_and(|ceiling| rate > RESOLUTION * ceiling) {
            self.note(&format!("{rate:.0} commands/s: above the ceiling"));
            return Ok(false);
        }
        let Some(sustained) = self.confirm(rate, 1)? else { return Ok(false) };
        let fits_memory = self.findings.fits_memory(&sustained);
        self.add(sustained);
        Ok(fits_memory)
    }

    /// Finds the highest rate above `low` that is sustained. `low` is a rate that meets the objective, or 0.
    pub(super) fn climb(&mut self, low: f64, required: f64) -> Result<(), ProcessError> {
        let high = self.findings.ceiling_per_second().unwrap_or(WITHOUT_CEILING * required);
        let began = Instant::now();
        let mut rate = self.bisect(low, high)?;
        for step in STEPS_DOWN {
            if rate <= low || self.is_over() || began.elapsed() > 2 * self.input.spec.effort.climb {
                break;
            }
            if let Some(sustained) = self.confirm(rate, 0)? {
                self.add(sustained);
                break;
            }
            rate *= step;
        }
        Ok(())
    }

    /// Offers one rate without a judgement; `None` if it ran out of memory.
    pub(super) fn offer(&mut self, rate: f64, measure: Duration) -> Result<Option<Drive>, ProcessError> {
        self.drive(Load::Open { per_second: rate, arrivals: self.input.source.arrivals() }, measure, Some(measure))
    }

    /// Size of the stored data and time of a restart; `None` if it ran out of memory.
    pub(super) fn survey(&mut self, spec: &RestartSpec) -> Result<Option<Survey>, ProcessError> {
        let Some(mut rig) = self.take_rig()? else { return Ok(None) };
        match rig.survey(spec)? {
            RigOutcome::Completed(survey) => {
                self.rig = Some(rig);
                Ok(Some(survey))
            }
            RigOutcome::OutOfMemory => {
                self.count_oom_kill("restarting the actors");
                Ok(None)
            }
        }
    }

    /// Closes the database, and compares its content with what was acknowledged if `verify` is true and the plan was not
    /// stopped.
    pub(super) fn finish(mut self, verify: bool) -> Result<MachineFindings, ProcessError> {
        if let Some(rig) = self.rig.take() {
            match rig.finish(verify && !self.input.job.control.is_stopped())? {
                RigOutcome::Completed(finished) => self.findings.finished = Some(finished),
                RigOutcome::OutOfMemory => self.findings.oom_kills += 1,
            }
        }
        self.findings.probes.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
        Ok(self.findings)
    }

    fn add(&mut self, sustained: SustainedRate) {
        self.findings.sustained.push(sustained);
        self.findings.sustained.sort_by(|a, b| a.rate_per_second.total_cmp(&b.rate_per_second));
    }

    /// The highest rate between `low` and `high` that met the objective.
    fn bisect(&mut self, mut low: f64, mut high: f64) -> Result<f64, ProcessError> {
        let began = Instant::now();
        for _ in 0..self.input.spec.effort.bisections {
            if self.is_over() || high <= RESOLUTION * low || began.elapsed() > self.input.spec.effort.climb {
                break;
            }
            let next = low.midpoint(high);
            if self.probe_twice(next)? {
                low = next;
            } else {
                high = next;
            }
        }
        Ok(low)
    }

    /// Offers a rate until it has met the objective as often as required; `None` after more than `allowed` failures.
    fn confirm(&mut self, rate: f64, allowed: u32) -> Result<Option<SustainedRate>, ProcessError> {
        let mut drives = Vec::new();
        let (mut met, mut failures) = (0, 0);
        while met < self.input.spec.effort.confirmations {
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
            // A tolerated failure is part of the evidence. One under disturbance is only in the list of probes.
            drives.extend(drive);
        }
        let footprint = Footprint { rss_bytes: self.findings.rss_peak_bytes, database_bytes: self.database_bytes };
        Ok(Some(SustainedRate { rate_per_second: rate, drives, footprint }))
    }

    /// Probes a rate again if it failed once: one hiccup of a shared disk must not halve a machine's capacity, and an
    /// accepted rate is confirmed later.
    fn probe_twice(&mut self, rate: f64) -> Result<bool, ProcessError> {
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

    /// Whether other load on the host can explain a failure.
    fn was_disturbed(&mut self, drive: Option<&Drive>) -> bool {
        let Some(usage) = drive.map(|drive| drive.usage).filter(|_| self.disturbed < MOST_DISTURBED) else {
            return false;
        };
        let foreign = usage.foreign_cores.unwrap_or(0.0) > DISTURBED_SHARE * self.input.spec.host.cores as f64;
        let steal = usage.steal_percent.unwrap_or(0.0) > DISTURBED_STEAL_PERCENT;
        if foreign || steal {
            self.disturbed += 1;
            self.note("other processes kept the host busy: trying again");
        }
        foreign || steal
    }

    /// Offers a rate: whether it met the objective, and the drive unless it ran out of memory.
    fn probe(&mut self, rate: f64) -> Result<(bool, Option<Drive>), ProcessError> {
        let load = Load::Open { per_second: rate, arrivals: self.input.source.arrivals() };
        let time = self.input.probe_time(rate);
        let drive = self.drive(load, time, Some(self.hopeless_lag(time)))?;
        let probe = self.judge(rate, drive.as_ref());
        self.note(&describe(&probe, self.input.spec.objective));
        self.findings.probes.push(probe);
        Ok((probe.rejection.is_none(), drive))
    }

    fn judge(&self, rate: f64, drive: Option<&Drive>) -> ProbeResult {
        let (objective, command) = (self.input.spec.objective, self.input.command);
        let response = drive.and_then(|drive| drive.measurement.command(command)).map(|latency| &latency.response);
        ProbeResult {
            offered_per_second: rate,
            achieved_per_second: drive.map_or(0.0, |drive| drive.measurement.commands_per_second()),
            p50_ns: response.map_or(0, |response| response.quantile(0.5)),
            slo_percentile_ns: response.and_then(|response| response.percentile(objective.percentile)),
            worst_slice_ns: drive.and_then(|drive| worst_slice(drive, objective, command)),
            rejection: drive.map_or(Some(Rejection::OutOfMemory), |drive| rejection(drive, objective, command)),
        }
    }

    /// Lateness that certainly misses the objective: more of the commands due by then wait longer than the limit than the
    /// percentile allows. The queue need not be served.
    fn hopeless_lag(&self, time: Duration) -> Duration {
        let Objective { percentile, limit_ns, .. } = self.input.spec.objective;
        let beyond = (1.0 - percentile.quantile()).max(0.0) * self.findings.workers as f64;
        Duration::from_nanos(limit_ns) + time.mul_f64(beyond) + TOLERATED_LAG
    }

    /// `None` if it ran out of memory.
    fn drive(
        &mut self,
        load: Load,
        measure: Duration,
        lag_limit: Option<Duration>,
    ) -> Result<Option<Drive>, ProcessError> {
        let warmup = WarmUp::Fixed(self.input.spec.effort.warmup);
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
                self.count_oom_kill(&load.to_string());
                Ok(None)
            }
        }
    }

    /// The rig, set up again after an out-of-memory kill; `None` if that ran out of memory.
    fn take_rig(&mut self) -> Result<Option<Box<dyn Rig + 'a>>, ProcessError> {
        if let Some(rig) = self.rig.take() {
            return Ok(Some(rig));
        }
        match self.testbed.set_up(&self.findings.machine, self.durability, self.findings.workers)? {
            RigOutcome::Completed(rig) => Ok(Some(rig)),
            RigOutcome::OutOfMemory => {
                self.oom_kills_while_filling += 1;
                self.count_oom_kill("filling the database");
                Ok(None)
            }
        }
    }

    fn count_oom_kill(&mut self, activity: &str) {
        self.findings.oom_kills += 1;
        self.note(&format!("killed: out of memory ({activity})"));
    }

    fn note(&self, text: &str) {
        let (machine, durability) = (&self.findings.machine, self.durability);
        self.input.job.observer.note(&format!("{machine}, durability {durability}: {text}"));
    }
}

fn describe(probe: &ProbeResult, objective: Objective) -> String {
    let name = objective.percentile.name();
    let latency = probe
        .worst_slice_ns
        .or(probe.slo_percentile_ns)
        .map_or_else(|| format!("{name} unknown"), |value| format!("{name} {:.2} ms", value as f64 / 1e6));
    let outcome = probe.rejection.map_or("meets the objective", Rejection::name);
    format!("{:.0} commands/s: {latency}, {outcome}", probe.offered_per_second)
}
