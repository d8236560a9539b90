//! The search for the highest rate that a machine sustains in one durability mode.
//!
//! First the ceiling: a closed loop, as fast as the workers go. A rate little below it is the first candidate. Whether it is
//! sustained is decided on loads of its own, and lower ones follow: see [`HoldOut`](super::hold_out::HoldOut).

use std::time::Duration;

use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{Drive, DriveSpec, JobContext, Load, Objective, RequestKind, Source, WarmUp};
use crate::measure::Percentile;
use crate::plan::judge::{rejection, worst_slice};
use crate::plan::outcome::{Footprint, MachineFindings, ResponseTimes, SizeFindings, SustainedRate};
use crate::plan::spec::{Effort, PlanSpec};
use crate::process::{DriveResult, KilledRestart, ProcessError, Rig, RigOutcome, RigSpec, Survey, SurveySpec, Testbed};
use crate::report::{ProbeResult, Rejection, WriterPoint};
use crate::units;

/// Rates that differ by no more than this factor are one: they scatter by as much.
pub(super) const RESOLUTION: f64 = 1.06;
/// Share of the ceiling that is tried first. The closed loop waits for itself, and few flushes and compactions fall into it: an
/// open loop at the same rate waits for both.
const BELOW_CEILING: f64 = 0.5;
/// Highest rate that is tried if the closed loop ran out of memory, as a multiple of the required rate.
const WITHOUT_CEILING: f64 = 8.0;
/// Lateness that is always tolerated: threads start, clocks are read.
const TOLERATED_LAG: Duration = Duration::from_millis(50);
/// A shorter load shows no compactions that fall behind: the next one at its rate begins with those that it left.
const SHORTEST_SETTLED: Duration = Duration::from_secs(2);
/// Out-of-memory kills while the database is filled after which a machine counts as too small.
const MAX_OOM_KILLS_WHILE_FILLING: u32 = 2;
/// Closed loops that begin with a cold page cache, and the time of one: later, much of what it reads is cached.
pub(super) const COLD_LOOPS: u32 = 4;
pub(super) const COLD_TIME: Duration = Duration::from_millis(250);
/// Loads at the sustained share of the ceiling of a smaller database: stalls make single ones differ by many times.
pub(super) const SIZE_LOADS: u32 = 3;
/// Bytes per command by which they read more from the disk at least, or their time does not show what a read takes.
const LEAST_MORE_BYTES: f64 = 256.0;
/// Times a closed loop is tried if it runs out of memory.
const CLOSED_LOOPS: u32 = 2;

/// What all searches of a plan have in common.
pub(super) struct SearchInput<'a> {
    pub(super) source: &'a Source,
    pub(super) spec: &'a PlanSpec,
    /// What the objective is on.
    pub(super) request: RequestKind,
    pub(super) job: JobContext<'a>,
}

impl SearchInput<'_> {
    /// Time to offer a rate: long enough for the percentile, within limits.
    pub(super) fn probe_time(&self, rate: f64) -> Duration {
        let Effort { probe, longest_probe, .. } = self.spec.effort;
        self.time_of_samples(rate).clamp(probe, longest_probe)
    }

    /// Whether a rate below the required one is worth a load: it has the samples of the percentile within the time for all loads
    /// of a machine.
    pub(super) fn is_worth_a_load(&self, rate: f64) -> bool {
        self.time_of_samples(rate) <= self.spec.effort.climb
    }

    fn time_of_samples(&self, rate: f64) -> Duration {
        self.spec.objective.time_at(rate * self.source.per_command(self.request))
    }
}

pub(super) struct Search<'a> {
    pub(super) input: &'a SearchInput<'a>,
    testbed: &'a dyn Testbed,
    durability: Durability,
    /// Events by which its databases have grown.
    grown_events: u64,
    /// Size of the first database when it was opened.
    opened_bytes: Option<u64>,
    rig: Option<Box<dyn Rig + 'a>>,
    database_bytes: u64,
    oom_kills_while_filling: u32,
    pub(super) findings: MachineFindings,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        input: &'a SearchInput<'a>,
        testbed: &'a dyn Testbed,
        machine: &Machine,
        durability: Durability,
        workers: u64,
        grown_events: u64,
    ) -> Self {
        let findings = MachineFindings {
            machine: machine.clone(),
            emulation: testbed.emulation(machine),
            workers,
            saturation: None,
            probes: Vec::new(),
            sustained: Vec::new(),
            decided: Vec::new(),
            oom_kills: 0,
            is_killed_by_restart: false,
            memory_peak_bytes: None,
            rss_peak_bytes: 0,
            harness_memory_bytes: 0,
            finished: None,
        };
        Self {
            input,
            testbed,
            durability,
            grown_events,
            opened_bytes: None,
            rig: None,
            database_bytes: 0,
            oom_kills_while_filling: 0,
            findings,
        }
    }

    /// Whether it was stopped, or the machine has too little memory to fill the database.
    pub(super) fn is_over(&self) -> bool {
        self.input.job.control.is_stopped() || self.oom_kills_while_filling >= MAX_OOM_KILLS_WHILE_FILLING
    }

    /// Commands per second of a closed loop of this length; `None` if it ran out of memory.
    pub(super) fn ceiling(&mut self, measure: Duration) -> Result<Option<f64>, ProcessError> {
        Ok(self.closed_loop(measure)?.map(|drive| drive.measurement.commands_per_second()))
    }

    /// The same with the latency of the objective's command.
    pub(super) fn writer_point(&mut self, measure: Duration) -> Result<Option<WriterPoint>, ProcessError> {
        Ok(self.closed_loop(measure)?.map(|drive| self.findings.writer_point(&drive, self.input.request)))
    }

    fn closed_loop(&mut self, measure: Duration) -> Result<Option<Drive>, ProcessError> {
        if self.is_over() { Ok(None) } else { self.drive(Load::Closed, measure, None) }
    }

    /// The closed loop, twice if it runs out of memory the first time.
    pub(super) fn saturate(&mut self) -> Result<(), ProcessError> {
        for _ in 0..CLOSED_LOOPS {
            if self.is_over() {
                break;
            }
            self.findings.saturation = self.drive(Load::Closed, self.input.spec.effort.saturation, None)?;
            if let Some(ceiling) = self.findings.ceiling_per_second() {
                self.note(&format!("ceiling {}", units::commands_per_second(ceiling)));
                break;
            }
        }
        Ok(())
    }

    /// The first rate to decide on, `required` or more: little below the ceiling. `None` if `required` is above it.
    pub(super) fn candidate(&self, required: f64) -> Option<f64> {
        let is_above = |ceiling: f64| required > RESOLUTION * ceiling;
        if self.is_over() || self.findings.ceiling_per_second().is_some_and(is_above) {
            self.note(&format!("{}: above the ceiling", units::commands_per_second(required)));
            return None;
        }
        Some(self.first_rate(required).max(required))
    }

    /// The first rate to decide on below `required`, which the machine does not sustain.
    pub(super) fn candidate_below(&self, required: f64) -> Option<f64> {
        let rate = self.first_rate(required).min(required);
        (!self.is_over() && self.input.is_worth_a_load(rate)).then_some(rate)
    }

    fn first_rate(&self, required: f64) -> f64 {
        BELOW_CEILING * self.highest(required)
    }

    /// The highest rate that can be worth a load: the ceiling, or the lowest that failed above `required`.
    pub(super) fn highest(&self, required: f64) -> f64 {
        let ceiling = self.findings.ceiling_per_second().unwrap_or(WITHOUT_CEILING * required);
        let failed = self.findings.probes.iter().filter(|probe| probe.rejection.is_some());
        failed.map(|probe| probe.offered_per_second).filter(|&rate| rate > required).fold(ceiling, f64::min)
    }

    /// Offers a rate for a time. Judged like every other load; `None` if it ran out of memory.
    pub(super) fn offer(&mut self, rate: f64, measure: Duration) -> Result<(ProbeResult, Option<Drive>), ProcessError> {
        let load = Load::Open { per_second: rate, arrivals: self.input.source.arrivals() };
        let drive = self.drive(load, measure, Some(self.hopeless_lag(measure)))?;
        let probe = self.judge(rate, drive.as_ref());
        self.note(&describe(&probe, &self.input.spec.objective));
        Ok((probe, drive))
    }

    /// Offers a rate as a step of the search: whether it met the objective, and the drive unless it ran out of memory.
    pub(super) fn probe(&mut self, rate: f64) -> Result<(bool, Option<Drive>), ProcessError> {
        let (probe, drive) = self.offer(rate, self.input.probe_time(rate))?;
        self.findings.probes.push(probe);
        Ok((probe.rejection.is_none(), drive))
    }

    /// What a byte from the disk adds to the time of a command, seconds: by closed loops that begin with a cold page cache.
    /// `None` if that made no difference to what is read from the disk.
    pub(super) fn seconds_per_read_byte(&mut self) -> Result<Option<f64>, ProcessError> {
        // Time and bytes per command.
        let per_command = |drive: &Drive| {
            let commands = Some(drive.measurement.command_count()).filter(|&count| count > 0)?;
            Some([1.0 / drive.measurement.commands_per_second(), drive.usage.read_bytes? as f64 / commands as f64])
        };
        let Some([warm_seconds, warm_bytes]) = self.findings.saturation.as_ref().and_then(per_command) else {
            return Ok(None);
        };
        let (mut more_seconds, mut more_bytes) = (0.0, 0.0);
        for _ in 0..COLD_LOOPS {
            let drive =
                if self.is_over() { None } else { self.drive_after(WarmUp::Cold, Load::Closed, COLD_TIME, None)? };
            let Some([seconds, bytes]) = drive.as_ref().and_then(per_command) else { return Ok(None) };
            more_seconds += seconds - warm_seconds;
            more_bytes += bytes - warm_bytes;
        }
        let reads_more = more_bytes > f64::from(COLD_LOOPS) * LEAST_MORE_BYTES;
        Ok(reads_more.then(|| more_seconds / more_bytes))
    }

    /// What its closed loop and these loads, at the share of it that is sustained, tell of its databases' size.
    pub(super) fn size(&self, loads: &[Drive]) -> Option<SizeFindings> {
        let SearchInput { request, spec, .. } = *self.input;
        let response = |load| ResponseTimes::of(load, request, &spec.objective);
        let mut responses: Vec<_> = loads.iter().filter_map(response).collect();
        responses.sort_by(|a, b| a.percentile_seconds.total_cmp(&b.percentile_seconds));
        Some(SizeFindings {
            database_bytes: self.opened_bytes?,
            ceiling_per_second: self.findings.ceiling_per_second()?,
            response: responses.get(responses.len() / 2).copied(),
        })
    }

    /// A new database for the next load, as it was before the first one.
    pub(super) fn renew(&mut self) {
        self.rig = None;
    }

    /// Notes a rate that is sustained.
    pub(super) fn sustain(&mut self, rate: f64, offered_per_second: f64, drives: Vec<Drive>) {
        let footprint = Footprint { rss_bytes: self.findings.rss_peak_bytes, database_bytes: self.database_bytes };
        self.findings.sustained.push(SustainedRate { rate_per_second: rate, offered_per_second, drives, footprint });
        self.findings.sustained.sort_by(|a, b| a.rate_per_second.total_cmp(&b.rate_per_second));
    }

    /// Size of the stored data, compacted as well if the forecast needs it, and time of a restart; `None` if it ran out of
    /// memory.
    pub(super) fn survey(&mut self, compacts: bool) -> Result<Option<Survey>, ProcessError> {
        let Some(mut rig) = self.take_rig()? else { return Ok(None) };
        match rig.survey(&SurveySpec { compacts, restart: self.input.spec.restart })? {
            RigOutcome::Completed(survey) => {
                self.rig = Some(rig);
                if let Some(KilledRestart { actors, .. }) = survey.killed_restart {
                    self.count_oom_kill(&format!("restarting {}", units::counted(actors, "actor")));
                    self.findings.is_killed_by_restart = true;
                }
                Ok(Some(survey))
            }
            RigOutcome::OutOfMemory(_) => {
                self.count_oom_kill("measuring the stored data");
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
                RigOutcome::OutOfMemory(_) => self.findings.oom_kills += 1,
            }
        }
        self.findings.probes.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
        Ok(self.findings)
    }

    fn judge(&self, rate: f64, drive: Option<&Drive>) -> ProbeResult {
        let (objective, request) = (&self.input.spec.objective, self.input.request);
        let response = |percentile| drive?.measurement.response_ns(request, percentile);
        ProbeResult {
            offered_per_second: rate,
            achieved_per_second: drive.map(|drive| drive.measurement.commands_per_second()),
            p50_ns: response(Percentile::P50),
            slo_percentile_ns: response(objective.percentile),
            worst_slice_ns: drive.and_then(|drive| worst_slice(drive, objective, request)),
            rejection: drive.map_or(Some(Rejection::OutOfMemory), |drive| rejection(drive, objective, request)),
        }
    }

    /// Lateness that certainly misses the objective: more of the commands due by then wait longer than the limit than the
    /// percentile allows. The queue need not be served.
    fn hopeless_lag(&self, time: Duration) -> Duration {
        let &Objective { percentile, limit_ns, .. } = &self.input.spec.objective;
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
        self.drive_after(WarmUp::Fixed(self.input.spec.effort.warmup), load, measure, lag_limit)
    }

    fn drive_after(
        &mut self,
        warmup: WarmUp,
        load: Load,
        measure: Duration,
        lag_limit: Option<Duration>,
    ) -> Result<Option<Drive>, ProcessError> {
        let settle = measure >= SHORTEST_SETTLED || matches!(load, Load::Closed);
        let Some(mut rig) = self.take_rig()? else { return Ok(None) };
        match rig.drive(&DriveSpec { load, warmup, measure: Some(measure), lag_limit, settle })? {
            RigOutcome::Completed(DriveResult {
                drive,
                database_bytes_before,
                database_bytes,
                memory_peak_bytes,
                harness_memory_bytes,
                ..
            }) => {
                self.rig = Some(rig);
                self.opened_bytes.get_or_insert(database_bytes_before);
                self.database_bytes = database_bytes;
                self.findings.memory_peak_bytes = self.findings.memory_peak_bytes.max(memory_peak_bytes);
                let harness_bytes = harness_memory_bytes.unwrap_or(0);
                let rss_bytes = drive.usage.rss_peak_bytes.saturating_sub(harness_bytes);
                self.findings.rss_peak_bytes = self.findings.rss_peak_bytes.max(rss_bytes);
                self.findings.harness_memory_bytes = self.findings.harness_memory_bytes.max(harness_bytes);
                Ok(Some(drive))
            }
            RigOutcome::OutOfMemory(_) => {
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
        let MachineFindings { ref machine, workers, .. } = self.findings;
        let spec = RigSpec { machine, grown_events: self.grown_events, durability: self.durability, workers };
        match self.testbed.set_up(&spec)? {
            RigOutcome::Completed(rig) => Ok(Some(rig)),
            RigOutcome::OutOfMemory(_) => {
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

    pub(super) fn note(&self, text: &str) {
        let (machine, durability) = (&self.findings.machine, self.durability);
        self.input.job.observer.note(&format!("{machine}, durability {durability}: {text}"));
    }
}

fn describe(probe: &ProbeResult, objective: &Objective) -> String {
    let name = objective.percentile.name();
    let latency = probe
        .worst_slice_ns
        .or(probe.slo_percentile_ns)
        .map_or_else(|| format!("{name} unknown"), |value| format!("{name} {}", units::duration(value as f64)));
    let outcome = probe.rejection.map_or("meets the objective", Rejection::name);
    format!("{}: {latency}, {outcome}", units::commands_per_second(probe.offered_per_second))
}
