//! The process that the crash check kills: this program once more, under a command that help does not show.
//!
//! What it is to do stands on its standard input as one line of JSON. It says `under load` on its standard output when
//! the load begins, and what went wrong on its standard error. Its standard input stays open as long as it is to live:
//! it ends when that is closed, so it never outlives whoever started it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use ave_actors_store::config::MachineSpec;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::cli::args::SourceArgs;
use crate::cli::error::CliError;
use crate::load::{Control, CrashTask, Death, Load, RunError, Source, Victim};
use crate::process::child::{Running, own_program};
use crate::process::source_spec::ToldSource;

/// The command it is started with, followed by its directory.
pub(crate) const COMMAND: &str = "crash-victim";
/// What it says when the load begins.
pub(crate) const UNDER_LOAD: &str = "under load";
/// Interval at which somebody may stop the run.
const LOOK: Duration = Duration::from_millis(20);

/// What the process is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    source: ToldSource,
    pub(crate) machine_spec: MachineSpec,
    durability_on: bool,
    load: Load,
    workers: u64,
}

impl Told {
    fn new(source: ToldSource, machine_spec: MachineSpec, task: &CrashTask) -> Self {
        let load = match task.load {
            // Lives are short and end at any moment: of a ramp they see the rate in its middle.
            Load::Ramp { from_per_second, to_per_second, arrivals } => {
                Load::Open { per_second: from_per_second.midpoint(to_per_second), arrivals }
            }
            load => load,
        };
        Self { source, machine_spec, durability_on: task.durability.is_on(), load, workers: task.workers }
    }

    /// Reads it from standard input, which stays open.
    pub(crate) fn read() -> Result<Self, CliError> {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        serde_json::from_str(&line)
            .map_err(|error| CliError::Usage(format!("`{COMMAND}` is started by `run`: {error}")))
    }

    pub(crate) fn task(&self, directory: &Path) -> CrashTask {
        CrashTask {
            directory: directory.to_owned(),
            durability: if self.durability_on { Durability::On } else { Durability::Off },
            load: self.load,
            workers: self.workers,
        }
    }

    /// A long trace is kept in a nameless file in `directory`.
    pub(crate) fn source(&self, directory: &Path) -> Result<Source, CliError> {
        self.source.read(directory)
    }
}

/// Starts this program once more, and kills it.
pub(crate) struct OwnProgram {
    source: ToldSource,
    machine_spec: MachineSpec,
}

impl OwnProgram {
    /// A process that loads the database from `source`, which `args` named.
    pub(crate) fn new(args: &SourceArgs, source: &Source, machine_spec: &MachineSpec) -> Result<Self, CliError> {
        let source = ToldSource::new(args, source)?;
        Ok(Self { source, machine_spec: machine_spec.clone() })
    }

    fn start(&self, task: &CrashTask) -> std::io::Result<Running> {
        let mut command = own_program()?;
        command.arg(COMMAND).arg(&task.directory);
        let mut running = Running::start(command)?;
        running.tell(&Told::new(self.source.clone(), self.machine_spec.clone(), task))?;
        Ok(running)
    }
}

impl Victim for OwnProgram {
    fn live(&self, task: &CrashTask, life: Duration, control: &Control) -> Result<Death, RunError> {
        let failed = |reason| RunError::Victim { durability: task.durability, reason };
        let mut running = self.start(task).map_err(|error| failed(format!("cannot be started: {error}")))?;
        let says = running.lines();
        let ended = |mut running: Running| failed(format!("ended by itself: {}", running.last_words()));
        if !waits_for(&says, None, control, |line| line == UNDER_LOAD) {
            return if control.is_stopped() { Ok(Death::Stopped) } else { Err(ended(running)) };
        }
        let until = Instant::now() + life;
        // Nothing more is said: the end of its output is the end of the process.
        waits_for(&says, Some(until), control, |_| false);
        if control.is_stopped() {
            return Ok(Death::Stopped);
        }
        running.kill().map_err(|error| failed(format!("cannot be killed: {error}")))?;
        if running.was_killed() { Ok(Death::Killed) } else { Err(ended(running)) }
    }
}

/// Whether a line of this kind came before the output or the time ended, or the run was stopped.
fn waits_for(
    lines: &Receiver<String>,
    until: Option<Instant>,
    control: &Control,
    is_it: impl Fn(&str) -> bool,
) -> bool {
    while !control.is_stopped() {
        let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()).min(LOOK));
        match lines.recv_timeout(left) {
            Ok(line) if is_it(&line) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return false;
        }
    }
    false
}

/// Where a mode's killed processes work.
pub(crate) fn directory(scratch: &Path, durability: Durability) -> PathBuf {
    scratch.join(format!("killed-durability-{durability}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::workload::{Arrivals, Workload, shipped};

    #[test]
    fn the_other_process_is_told_the_same_workload_to_the_last_bit() {
        for named in shipped() {
            let mut workload = Workload::parse(named.text).unwrap();
            workload.seed = u64::from(u32::MAX) * 7;
            workload.compressibility = 0.1 + 0.2;
            let source = Source::Workload(Arc::new(workload.clone()));
            let args = SourceArgs { source: named.name.to_owned(), seed: None, allow_truncated: false };
            let program = OwnProgram::new(&args, &source, &MachineSpec::Custom { ram_mb: 512, cpu_cores: 2 }).unwrap();
            let task = CrashTask {
                directory: "somewhere".into(),
                durability: Durability::On,
                load: Load::Open { per_second: 17.0, arrivals: Arrivals::Poisson },
                workers: 3,
            };
            let told = Told::new(program.source.clone(), program.machine_spec.clone(), &task);
            let read: Told = serde_json::from_str(&serde_json::to_string(&told).unwrap()).unwrap();
            assert_eq!(read.task(Path::new("somewhere")), task);
            match read.source(Path::new(".")).unwrap() {
                Source::Workload(read) => assert_eq!(*read, workload),
                Source::Trace { .. } => unreachable!("a workload was told"),
            }
        }
    }
}
