//! Starts a process for each rig and passes requests to it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::protocol::{COMMAND, DATABASE, RigEvent, RigRequest, RigTask};
use crate::actor::Durability;
use crate::host::{Confined, Confinement, GroupLimits, GroupStats, Machine};
use crate::load::{DriveSpec, JobContext, RestartSpec, RocksDbTarget, RunError, Source};
use crate::process::child::{ChildProcess, own_program};
use crate::process::error::ProcessError;
use crate::process::origin::Origins;
use crate::process::source::SourceSnapshot;
use crate::process::testbed::{DriveResult, Emulation, Rig, RigOutcome, RigResult, RigSummary, Survey, Testbed};

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

    fn start(&self, machine: &Machine, task: &RigTask) -> std::io::Result<(ChildProcess, Option<Confined>)> {
        let command = own_program(COMMAND)?;
        let (mut process, confined) = if self.emulation(machine) == Emulation::Host {
            (ChildProcess::start(command)?, None)
        } else {
            let limits = GroupLimits { cores: machine.cores, ram_bytes: machine.usable_ram_bytes() };
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

    fn set_up_grown(
        &self,
        machine: &Machine,
        grown_events: u64,
        durability: Durability,
        workers: u64,
    ) -> RigResult<Box<dyn Rig + '_>> {
        let number = self.rigs.fetch_add(1, Ordering::Relaxed);
        let directory = self.directory.join(format!("rig-{number}"));
        self.fill(&directory.join(DATABASE), machine, grown_events, durability)?;
        let task = RigTask {
            source: self.snapshot.grown(grown_events)?,
            machine_spec: machine.spec(),
            cores: machine.cores.min(self.host_cores),
            directory: directory.clone(),
            durability,
            workers,
        };
        let (machine_name, job) = (machine.name.clone(), self.job);
        let (mut process, confined) = self.start(machine, &task).map_err(|error| {
            ProcessError::Rig(machine.name.clone(), durability, format!("cannot be started: {error}"))
        })?;
        let events = process.lines();
        let mut rig = Box::new(ProcessRig { events, process, confined, directory, machine_name, durability, job });
        let ready = rig.await_event(|event| matches!(event, RigEvent::Ready).then_some(RigOutcome::Completed(())))?;
        Ok(ready.map(|()| rig as Box<dyn Rig>))
    }
}

/// A rig that is a process. When it is dropped, the process is killed, and its control groups and database are removed.
struct ProcessRig<'a> {
    events: Receiver<String>,
    /// Before `confined`: control groups can be removed once the process is dead.
    process: ChildProcess,
    confined: Option<Confined>,
    directory: PathBuf,
    machine_name: String,
    durability: Durability,
    job: JobContext<'a>,
}

impl ProcessRig<'_> {
    fn send(&mut self, request: &RigRequest) -> Result<(), ProcessError> {
        match self.process.send(request) {
            // A process that is dead is noticed by the missing answer.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(self.failed(format!("reads no requests: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Waits for the event that `answer` accepts, and passes progress to the observer.
    fn await_event<T>(&mut self, answer: impl Fn(RigEvent) -> Option<RigOutcome<T>>) -> RigResult<T> {
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
                    event => {
                        if let Some(answer) = answer(event) {
                            return Ok(answer);
                        }
                    }
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.ended(stopped.is_some()),
            }
        }
    }

    fn parse_event(&self, line: &str) -> Result<RigEvent, ProcessError> {
        serde_json::from_str(line).map_err(|error| self.failed(format!("sent an invalid message: {error}")))
    }

    /// Why the process ended before it answered.
    fn ended<T>(&mut self, stopped: bool) -> RigResult<T> {
        let report = self.process.exit_report();
        let oom_kills = self.stats().map_or(0, |stats| stats.oom_kills);
        if self.process.was_killed() && oom_kills > 0 {
            Ok(RigOutcome::OutOfMemory)
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

impl Rig for ProcessRig<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> RigResult<DriveResult> {
        self.send(&RigRequest::Drive(*spec))?;
        let driven =
            self.await_event(|event| if let RigEvent::Driven(result) = event { Some(*result) } else { None })?;
        let memory_peak_bytes = self.stats().and_then(|stats| stats.memory_peak_bytes);
        Ok(driven.map(|result| DriveResult { memory_peak_bytes, ..result }))
    }

    fn survey(&mut self, spec: &RestartSpec) -> RigResult<Survey> {
        self.send(&RigRequest::Survey(*spec))?;
        self.await_event(|event| if let RigEvent::Surveyed(survey) = event { Some(survey) } else { None })
    }

    fn finish(mut self: Box<Self>, verify: bool) -> RigResult<RigSummary> {
        self.send(&RigRequest::Finish { verify })?;
        self.await_event(|event| if let RigEvent::Finished(summary) = event { Some(summary) } else { None })
    }
}

impl Drop for ProcessRig<'_> {
    fn drop(&mut self) {
        // It may be dead already. What cannot be removed goes with the parent directory.
        let _ = self.process.kill();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
