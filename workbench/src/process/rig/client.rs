//! Starts a process for each rig and each restart, and passes requests to it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::protocol::{COMMAND, DATABASE, RigEvent, RigRequest, RigTask, RigWork};
use crate::actor::Durability;
use crate::host::{Confined, Confinement, GroupLimits, GroupStats, Machine};
use crate::load::{DriveSpec, JobContext, Restart, RestartTask, RocksDbTarget, RunError, Source, directory_bytes};
use crate::process::child::{ChildProcess, own_program};
use crate::process::error::ProcessError;
use crate::process::origin::Origins;
use crate::process::source::SourceSnapshot;
use crate::process::testbed::{
    DriveResult, Emulation, KilledRestart, Rig, RigOutcome, RigResult, RigSpec, RigStep, RigSummary, Survey,
    SurveySpec, Testbed,
};

const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Longest wait for the answer of a cancelled process.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct ProcessTestbed<'a> {
    source: &'a Source,
    snapshot: SourceSnapshot,
    directory: &'a Path,
    confinement: &'a Confinement,
    host_cores: usize,
    job: JobContext<'a>,
    rigs: AtomicU64,
    origins: Origins,
}

impl<'a> ProcessTestbed<'a> {
    /// Loads `source`, of which `snapshot` is a snapshot, on databases below `directory`. This process may use `host_cores`
    /// cores.
    pub(crate) fn new(
        source: &'a Source,
        snapshot: SourceSnapshot,
        directory: &'a Path,
        confinement: &'a Confinement,
        host_cores: usize,
        job: JobContext<'a>,
    ) -> Self {
        let (rigs, origins) = (AtomicU64::new(0), Origins::default());
        Self { source, snapshot, directory, confinement, host_cores, job, rigs, origins }
    }

    /// Fills a database in this process, without limits, so that neither the load nor its page cache counts against the
    /// machine. Machines whose backend writes the same kind of index share it.
    fn fill(
        &self,
        database: &Path,
        machine: &Machine,
        grown_events: u64,
        durability: Durability,
    ) -> Result<(), ProcessError> {
        let source = self.source.grown(grown_events);
        let exceeds_ram = source.preload_disk_bytes() > machine.ram_mb << 20;
        let key = format!("{grown_events}{}", if exceeds_ram { "-exceeds-ram" } else { "" });
        let target = RocksDbTarget::new(machine.spec());
        Ok(self.origins.copy_to(database, (self.directory, &key), &target, &source, durability, self.job)?)
    }

    /// Starts a process with the limits of `machine` that does `work` in `directory`.
    fn start(
        &self,
        machine: &Machine,
        source: &SourceSnapshot,
        durability: Durability,
        directory: &Path,
        work: RigWork,
    ) -> Result<RigProcess<'a>, ProcessError> {
        let limits_memory = self.emulation(machine) == Emulation::CoresAndMemory;
        let task = RigTask {
            source: source.clone(),
            machine_spec: machine.spec(),
            cores: machine.cores.min(self.host_cores),
            ram_bytes: limits_memory.then(|| machine.usable_ram_bytes()),
            directory: directory.to_owned(),
            work,
        };
        let started = self.start_process(machine, &task).map_err(|error| {
            ProcessError::Rig(machine.name.clone(), durability, format!("cannot be started: {error}"))
        });
        let (mut process, confined) = started?;
        let (events, machine_name) = (process.lines(), machine.name.clone());
        Ok(RigProcess { events, process, confined, machine_name, durability, job: self.job })
    }

    fn start_process(&self, machine: &Machine, task: &RigTask) -> std::io::Result<(ChildProcess, Option<Confined>)> {
        let command = own_program(COMMAND)?;
        let (mut process, confined) = if self.emulation(machine) == Emulation::Host {
            (ChildProcess::start(command)?, None)
        } else {
            // The process raises the memory limit by what the workbench itself needs.
            let limits = GroupLimits { millicores: machine.millicores, ram_bytes: machine.usable_ram_bytes() };
            let (command, mut confined) = self.confinement.prepare(limits, command)?;
            let process = ChildProcess::start(command)?;
            confined.enter(process.id())?;
            (process, Some(confined))
        };
        process.send(task)?;
        Ok((process, confined))
    }
}

impl Testbed for ProcessTestbed<'_> {
    fn emulation(&self, machine: &Machine) -> Emulation {
        if machine.is_host {
            Emulation::Host
        } else if self.confinement.limits_memory() {
            Emulation::CoresAndMemory
        } else {
            Emulation::CoresOnly { why: self.confinement.rejections() }
        }
    }

    fn set_up(&self, spec: &RigSpec<'_>) -> RigResult<Box<dyn Rig + '_>> {
        let RigSpec { machine, grown_events, durability, workers } = *spec;
        let number = self.rigs.fetch_add(1, Ordering::Relaxed);
        let directory = self.directory.join(format!("rig-{number}"));
        self.fill(&directory.join(DATABASE), machine, grown_events, durability)?;
        let source = self.snapshot.grown(grown_events)?;
        let work = RigWork::Load { durability, workers };
        let process = self.start(machine, &source, durability, &directory, work)?;
        let mut rig = Box::new(ProcessRig {
            process,
            testbed: self,
            machine: machine.clone(),
            source,
            directory,
            harness_memory_bytes: 0,
        });
        let ready = rig.process.await_event(RigStep::Filling, |event| match event {
            RigEvent::Ready { harness_memory_bytes } => Some(RigOutcome::Completed(harness_memory_bytes)),
            _ => None,
        })?;
        Ok(ready.map(|bytes| {
            rig.harness_memory_bytes = bytes;
            rig as Box<dyn Rig>
        }))
    }
}

/// A rig that is a process. When it is dropped, the process is killed, and its control groups and database are removed.
struct ProcessRig<'a> {
    process: RigProcess<'a>,
    testbed: &'a ProcessTestbed<'a>,
    machine: Machine,
    source: SourceSnapshot,
    directory: PathBuf,
    harness_memory_bytes: u64,
}

/// A process under the limits of a machine. When it is dropped, it is killed and its control groups are removed.
struct RigProcess<'a> {
    events: Receiver<String>,
    /// Before `confined`: control groups can be removed once the process is dead.
    process: ChildProcess,
    confined: Option<Confined>,
    machine_name: String,
    durability: Durability,
    job: JobContext<'a>,
}

impl RigProcess<'_> {
    fn send(&mut self, request: &RigRequest) -> Result<(), ProcessError> {
        match self.process.send(request) {
            // A process that is dead is noticed by the missing answer.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(self.failed(format!("reads no requests: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Waits for the event that `answer` accepts, and passes progress to the observer. `step` is what the process does within
    /// the memory of the machine meanwhile.
    fn await_event<T>(&mut self, step: RigStep, answer: impl Fn(RigEvent) -> Option<RigOutcome<T>>) -> RigResult<T> {
        let mut stopped: Option<Instant> = None;
        loop {
            if self.job.control.is_stopped() && stopped.is_none() {
                stopped = Some(Instant::now());
                self.send(&RigRequest::Stop)?;
            }
            if stopped.is_some_and(|since| since.elapsed() > STOP_TIMEOUT) {
                return Err(RunError::Interrupted.into());
            }
            match self.events.recv_timeout(POLL_INTERVAL) {
                Ok(line) => match self.parse_event(&line)? {
                    RigEvent::Phase { durability, phase, total } => self.job.observer.phase(durability, phase, total),
                    RigEvent::Progress { done, commands } => self.job.observer.progress(done, commands),
                    RigEvent::Latency { p99_ns } => self.job.observer.latency(p99_ns),
                    RigEvent::Resources { process, engine } => self.job.observer.resources(&process, engine),
                    event => {
                        if let Some(answer) = answer(event) {
                            return Ok(answer);
                        }
                    }
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.ended(step, stopped.is_some()),
            }
        }
    }

    fn parse_event(&self, line: &str) -> Result<RigEvent, ProcessError> {
        serde_json::from_str(line).map_err(|error| self.failed(format!("sent an invalid message: {error}")))
    }

    /// Why the process ended before it answered.
    fn ended<T>(&mut self, step: RigStep, stopped: bool) -> RigResult<T> {
        let report = self.process.exit_report();
        let oom_kills = self.stats().map_or(0, |stats| stats.oom_kills);
        if self.process.was_killed() && oom_kills > 0 {
            Ok(RigOutcome::OutOfMemory(step))
        } else if stopped {
            Err(RunError::Interrupted.into())
        } else {
            Err(self.failed(format!("ended by itself: {report}")))
        }
    }

    fn stats(&self) -> Option<GroupStats> {
        self.confined.as_ref()?.stats().ok()?
    }

    fn failed(&self, reason: String) -> ProcessError {
        ProcessError::Rig(self.machine_name.clone(), self.durability, reason)
    }
}

impl ProcessRig<'_> {
    /// Measures a restart in a process of its own, as after a restart of the machine.
    fn measure_restart(&self, task: &RestartTask) -> RigResult<Restart> {
        let durability = self.process.durability;
        let mut process = self.testbed.start(
            &self.machine,
            &self.source,
            durability,
            &self.directory,
            RigWork::Restart(task.clone()),
        )?;
        process.await_event(RigStep::Restart, |event| match event {
            RigEvent::Restarted(restart) => Some(RigOutcome::Completed(restart)),
            _ => None,
        })
    }
}

impl Rig for ProcessRig<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> RigResult<DriveResult> {
        self.process.send(&RigRequest::Drive(*spec))?;
        let driven = self.process.await_event(RigStep::Load, |event| match event {
            RigEvent::Driven(result) => Some(*result),
            _ => None,
        })?;
        let harness_memory_bytes = self.harness_memory_bytes;
        let peak = self.process.stats().and_then(|stats| stats.memory_peak_bytes);
        let memory_peak_bytes = peak.map(|bytes| bytes.saturating_sub(harness_memory_bytes));
        Ok(driven.map(|result| DriveResult {
            memory_peak_bytes,
            harness_memory_bytes: Some(harness_memory_bytes),
            ..result
        }))
    }

    fn survey(&mut self, spec: &SurveySpec) -> RigResult<Survey> {
        self.process.send(&RigRequest::PrepareSurvey(*spec))?;
        let prepared = self.process.await_event(RigStep::Load, |event| match event {
            RigEvent::SurveyPrepared(inventory, tasks) => Some(RigOutcome::Completed((inventory, tasks))),
            _ => None,
        })?;
        let (inventory, tasks) = match prepared {
            RigOutcome::Completed(prepared) => prepared,
            RigOutcome::OutOfMemory(step) => return Ok(RigOutcome::OutOfMemory(step)),
        };
        let (mut restarts, mut killed_restart) = (Vec::new(), None);
        for task in &tasks {
            match self.measure_restart(task)? {
                RigOutcome::Completed(restart) => restarts.push(restart),
                RigOutcome::OutOfMemory(_) => {
                    let database_bytes = directory_bytes(&task.directory);
                    killed_restart = Some(KilledRestart { actors: task.actors, database_bytes });
                    break;
                }
            }
        }
        self.process.send(&RigRequest::EndSurvey { killed: killed_restart.is_some() })?;
        let ended = self.process.await_event(RigStep::Load, |event| {
            matches!(event, RigEvent::SurveyEnded).then_some(RigOutcome::Completed(()))
        })?;
        Ok(ended.map(|()| Survey { inventory, restarts, killed_restart }))
    }

    fn finish(mut self: Box<Self>, verify: bool) -> RigResult<RigSummary> {
        self.process.send(&RigRequest::Finish { verify })?;
        self.process.await_event(RigStep::Load, |event| match event {
            RigEvent::Finished(summary) => Some(summary),
            _ => None,
        })
    }
}

impl Drop for ProcessRig<'_> {
    fn drop(&mut self) {
        // It may be dead already. What cannot be removed goes with the parent directory.
        let _ = self.process.process.kill();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
