//! The hidden command `rig`, which `plan` starts: it loads a database as requested on its standard input, or measures one
//! restart.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::protocol::{COMMAND, DATABASE, RigEvent, RigRequest, RigTask, RigWork};
use crate::actor::Durability;
use crate::host::{CoreLimit, MachineMemory};
use crate::load::{
    Control, EngineCounters, JobContext, Observer, Phase, RocksDbTarget, RunError, Source, SystemClock, measure_restart,
};
use crate::measure::Snapshot;
use crate::process::child::{exit_with_parent, read_task, send_to_parent};
use crate::process::error::ProcessError;
use crate::process::testbed::{InProcess, Rig};
use crate::units;

const REPORT_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) fn run() -> Result<(), ProcessError> {
    let task: RigTask = read_task(COMMAND, "plan")?;
    let control = Arc::new(Control::default());
    let requests = receive_requests(&control);
    // Threads inherit it: the workers and those of the engine.
    let _limit = CoreLimit::apply(task.cores)
        .map_err(|source| ProcessError::Limits(units::counted(task.cores as u64, "core"), source))?;
    let memory = task.ram_bytes.map(MachineMemory::take_over).transpose().map_err(RunError::MemoryLimit)?.flatten();
    let observer = ProgressReporter { reported: Mutex::new(Instant::now()) };
    let job = JobContext { observer: &observer, control: &control, memory: memory.as_ref() };
    let source = task.source.read(&task.directory)?.with_passes(None);
    match &task.work {
        RigWork::Load { durability, workers } => load(&task, &source, *durability, *workers, &requests, job),
        RigWork::Restart(restart) => {
            let target = RocksDbTarget::new(task.machine_spec.clone());
            let restart = measure_restart(&target, &source, restart, &SystemClock::new(), job)?;
            Ok(send_to_parent(&RigEvent::Restarted(restart))?)
        }
    }
}

fn load(
    task: &RigTask,
    source: &Source,
    durability: Durability,
    workers: u64,
    requests: &Receiver<RigRequest>,
    job: JobContext<'_>,
) -> Result<(), ProcessError> {
    let harness_memory_bytes = job.measure_harness_memory(source, workers)?;
    let (target, clock) = (RocksDbTarget::new(task.machine_spec.clone()), SystemClock::new());
    let testbed = InProcess::new(&target, source, &task.directory, &clock, job);
    let mut rig = testbed.start_filled(DATABASE, durability, workers)?;
    send_to_parent(&RigEvent::Ready { harness_memory_bytes })?;
    let mut prepared = None;
    // The parent ends this process by closing its standard input.
    while let Ok(request) = requests.recv() {
        let event = match request {
            RigRequest::Drive(spec) => RigEvent::Driven(Box::new(rig.drive(&spec)?)),
            RigRequest::PrepareSurvey(spec) => {
                let (inventory, restarts) = rig.prepare_survey(&spec)?;
                let tasks = restarts.tasks.clone();
                prepared = Some(restarts);
                RigEvent::SurveyPrepared(inventory, tasks)
            }
            RigRequest::EndSurvey { killed } => {
                drop(prepared.take());
                if killed {
                    rig.undo_restart()?;
                }
                RigEvent::SurveyEnded
            }
            RigRequest::Finish { verify } => {
                let finished = Box::new(rig).finish(verify && !job.control.is_stopped())?;
                send_to_parent(&RigEvent::Finished(finished))?;
                break;
            }
            // Has taken effect when it was received.
            RigRequest::Stop => continue,
        };
        send_to_parent(&event)?;
    }
    Ok(())
}

/// The requests, in order. A stop takes effect at once.
fn receive_requests(control: &Arc<Control>) -> Receiver<RigRequest> {
    let (sender, receiver) = channel();
    let control = Arc::clone(control);
    exit_with_parent(move |line| match serde_json::from_str(line) {
        Ok(RigRequest::Stop) => control.stop(),
        Ok(request) => drop(sender.send(request)),
        // The parent will miss the answer.
        Err(_) => {}
    });
    receiver
}

/// Passes progress to the parent process at limited rate. If that no longer reads, it kills this process.
struct ProgressReporter {
    reported: Mutex<Instant>,
}

impl Observer for ProgressReporter {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let _ = send_to_parent(&RigEvent::Phase { durability, phase, total });
    }

    fn progress(&self, done: u64, commands: u64) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.elapsed() >= REPORT_INTERVAL {
            *reported = Instant::now();
            drop(reported);
            let _ = send_to_parent(&RigEvent::Progress { done, commands });
        }
    }

    fn latency(&self, p99_ns: u64) {
        let _ = send_to_parent(&RigEvent::Latency { p99_ns });
    }

    fn resources(&self, process: &Snapshot, engine: Option<EngineCounters>) {
        let _ = send_to_parent(&RigEvent::Resources { process: *process, engine });
    }
}
