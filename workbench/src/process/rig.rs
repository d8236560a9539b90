//! Loading a database within the limits of a machine: this program once more, in a control group, under a command that
//! help does not show.
//!
//! It is told what to do on its standard input and answers on its standard output, a line of JSON each. It waits for its
//! task before it takes any memory, so that all of it is counted. Its standard input stays open as long as it is to live.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use ave_actors_store::config::MachineSpec;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::host::{Confined, Confinement, GroupLimits, Machine};
use crate::load::{DriveSpec, JobContext, Phase, RestartSpec, RunError};
use crate::process::child::{Running, own_program};
use crate::process::source_spec::ToldSource;
use crate::process::testbed::{Attempt, Driven, Emulation, Finished, Rig, Survey, Testbed};

/// The command it is started with.
pub(crate) const COMMAND: &str = "rig";
/// Interval at which somebody may stop the plan.
const LOOK: Duration = Duration::from_millis(50);
/// Longest wait for a process that was asked to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the process is told first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) source: ToldSource,
    pub(crate) machine_spec: MachineSpec,
    /// Cores to stay on.
    pub(crate) cores: usize,
    pub(crate) directory: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) workers: u64,
}

/// What it is asked from then on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ask {
    /// Issue commands and measure them.
    Drive(DriveSpec),
    /// Take an inventory and restart the actors.
    Survey(RestartSpec),
    /// Close the database, compare, and end.
    Finish { verify: bool },
    /// Stop what it is doing, and tell what came of it.
    Stop,
}

/// What it says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    Phase {
        durability: Durability,
        phase: Phase,
        total: Option<u64>,
    },
    Progress {
        done: u64,
        commands: u64,
    },
    Latency {
        p99_ns: u64,
    },
    /// The database is filled.
    Ready,
    Driven(Box<Driven>),
    Surveyed(Survey),
    Finished(Finished),
}

/// A testbed that starts a process for each rig.
pub(crate) struct Processes<'a> {
    pub(crate) source: ToldSource,
    /// Where the databases are.
    pub(crate) directory: &'a Path,
    pub(crate) confinement: &'a Confinement,
    /// Cores this process may use.
    pub(crate) host_cores: usize,
    pub(crate) job: JobContext<'a>,
    /// Rigs so far.
    pub(crate) rigs: AtomicU64,
}

impl Processes<'_> {
    fn start(&self, machine: &Machine, task: &Task) -> std::io::Result<(Running, Option<Confined>)> {
        let mut command = own_program()?;
        command.arg(COMMAND);
        if self.emulation(machine) == Emulation::Host {
            let mut running = Running::start(command)?;
            running.tell(task)?;
            return Ok((running, None));
        }
        let limits = GroupLimits { cores: machine.cores, ram_bytes: machine.usable_ram_bytes() };
        let (command, mut confined) = self.confinement.prepare(limits, command)?;
        let mut running = Running::start(command)?;
        confined.enter(running.id())?;
        running.tell(task)?;
        Ok((running, Some(confined)))
    }
}

impl Testbed for Processes<'_> {
    fn emulation(&self, machine: &Machine) -> Emulation {
        if machine.is_host {
            Emulation::Host
        } else if self.confinement.limits_memory() {
            Emulation::CoresAndMemory
        } else {
            Emulation::CoresOnly { why: self.confinement.rejections() }
        }
    }

    fn set_up(
        &self,
        machine: &Machine,
        durability: Durability,
        workers: u64,
    ) -> Result<Attempt<Box<dyn Rig + '_>>, RunError> {
        let number = self.rigs.fetch_add(1, Ordering::Relaxed);
        let directory = self.directory.join(format!("rig-{number}"));
        let failed = |reason| RunError::Rig { machine: machine.name.clone(), durability, reason };
        let task = Task {
            source: self.source.clone(),
            machine_spec: machine.spec(),
            cores: machine.cores.min(self.host_cores),
            directory: directory.clone(),
            durability,
            workers,
        };
        let started = self.start(machine, &task).map_err(|error| failed(format!("cannot be started: {error}")));
        let (mut running, confined) = started?;
        let says = running.lines();
        let job = self.job;
        let name = machine.name.clone();
        let mut rig = Box::new(Process { says, running, confined, directory, machine: name, durability, job });
        Ok(match rig.hear(|said| matches!(said, Said::Ready).then_some(()))? {
            Attempt::Done(()) => Attempt::Done(rig),
            Attempt::OutOfMemory => Attempt::OutOfMemory,
        })
    }
}

/// A rig that is a process. It is killed when this is dropped, and its control groups and its database are removed then.
struct Process<'a> {
    says: Receiver<String>,
    /// Before its groups: they can be removed once it is dead.
    running: Running,
    confined: Option<Confined>,
    directory: PathBuf,
    machine: String,
    durability: Durability,
    job: JobContext<'a>,
}

impl Process<'_> {
    fn ask(&mut self, ask: &Ask) -> Result<(), RunError> {
        // A process that was killed meanwhile is found out when its answer is missing.
        match self.running.tell(ask) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(self.failed(format!("does not listen: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Waits for what `wanted` picks out of what it says, and passes its progress on.
    fn hear<T>(&mut self, wanted: impl Fn(Said) -> Option<T>) -> Result<Attempt<T>, RunError> {
        let mut stopping: Option<Instant> = None;
        loop {
            if self.job.control.is_stopped() && stopping.is_none() {
                stopping = Some(Instant::now());
                self.ask(&Ask::Stop)?;
            }
            if stopping.is_some_and(|since| since.elapsed() > PATIENCE) {
                return Err(RunError::Interrupted);
            }
            match self.says.recv_timeout(LOOK) {
                Ok(line) => match self.understand(&line)? {
                    Said::Phase { durability, phase, total } => self.job.observer.phase(durability, phase, total),
                    Said::Progress { done, commands } => self.job.observer.progress(done, commands),
                    Said::Latency { p99_ns } => self.job.observer.latency(p99_ns),
                    said => {
                        if let Some(answer) = wanted(said) {
                            return Ok(Attempt::Done(answer));
                        }
                    }
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.post_mortem(stopping.is_some()),
            }
        }
    }

    fn understand(&self, line: &str) -> Result<Said, RunError> {
        serde_json::from_str(line).map_err(|error| self.failed(format!("says what nobody understands: {error}")))
    }

    /// Why it is dead: of what it lacked, or of something that is an error.
    fn post_mortem<T>(&mut self, stopped: bool) -> Result<Attempt<T>, RunError> {
        let words = self.running.last_words();
        let kills =
            self.confined.as_ref().and_then(|confined| confined.stats().ok()?).map_or(0, |stats| stats.oom_kills);
        if self.running.was_killed() && kills > 0 {
            Ok(Attempt::OutOfMemory)
        } else if stopped {
            Err(RunError::Interrupted)
        } else {
            Err(self.failed(format!("ended by itself: {words}")))
        }
    }

    fn failed(&self, reason: String) -> RunError {
        RunError::Rig { machine: self.machine.clone(), durability: self.durability, reason }
    }
}

impl Rig for Process<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> Result<Attempt<Driven>, RunError> {
        self.ask(&Ask::Drive(*spec))?;
        let heard = self.hear(|said| if let Said::Driven(driven) = said { Some(*driven) } else { None })?;
        Ok(match heard {
            Attempt::Done(driven) => {
                let stats = self.confined.as_ref().and_then(|confined| confined.stats().ok()?);
                let memory_peak_bytes = stats.and_then(|stats| stats.memory_peak_bytes);
                Attempt::Done(Driven { memory_peak_bytes, ..driven })
            }
            Attempt::OutOfMemory => Attempt::OutOfMemory,
        })
    }

    fn survey(&mut self, spec: &RestartSpec) -> Result<Attempt<Survey>, RunError> {
        self.ask(&Ask::Survey(*spec))?;
        self.hear(|said| if let Said::Surveyed(survey) = said { Some(survey) } else { None })
    }

    fn finish(mut self: Box<Self>, verify: bool) -> Result<Attempt<Finished>, RunError> {
        self.ask(&Ask::Finish { verify })?;
        self.hear(|said| if let Said::Finished(finished) = said { Some(finished) } else { None })
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        // It may be dead already. What stays behind of the database goes with the parent directory.
        let _ = self.running.kill();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Load, WarmUp};

    #[test]
    fn what_is_asked_reads_back_as_it_was_meant() {
        let spec = DriveSpec {
            load: Load::Closed,
            warmup: WarmUp::Fixed(Duration::from_millis(1_500)),
            measure: Some(Duration::from_secs(3)),
            lag_limit: None,
        };
        for ask in [Ask::Drive(spec), Ask::Finish { verify: true }, Ask::Stop] {
            let line = serde_json::to_string(&ask).unwrap();
            assert!(!line.contains('\n'));
            let read: Ask = serde_json::from_str(&line).unwrap();
            assert_eq!(format!("{read:?}"), format!("{ask:?}"));
        }
    }
}
