//! `rig`, which `plan` starts: it loads a database as it is asked on its standard input.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::actor::Durability;
use crate::cli::error::CliError;
use crate::host::CoreLimit;
use crate::load::{Control, JobContext, Observer, Phase, RocksDbTarget, Session, SystemClock};
use crate::process::child::die_with_parent_hearing;
use crate::process::rig::{Ask, COMMAND, Said, Task};
use crate::process::testbed::{Driven, Finished, survey};
use crate::units;

/// Interval at which it tells how far it is.
const TELL: Duration = Duration::from_millis(100);

pub(crate) fn run() -> Result<(), CliError> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let task: Task = serde_json::from_str(&line)
        .map_err(|error| CliError::Usage(format!("`{COMMAND}` is started by `plan`: {error}")))?;
    let control = Arc::new(Control::default());
    let asked = listen(&control);
    // Threads inherit it: the workers and those of the engine.
    let _limit = CoreLimit::apply(task.cores).map_err(|error| {
        CliError::Usage(format!("cannot keep to {}: {error}", units::counted(task.cores as u64, "core")))
    })?;
    serve(&task, &asked, &control)?;
    Ok(())
}

fn serve(task: &Task, asked: &Receiver<Ask>, control: &Control) -> Result<(), CliError> {
    let observer = Teller::default();
    let source = task.source.read(&task.directory)?.without_end();
    let target = RocksDbTarget::new(task.machine_spec.clone());
    let directory = task.directory.join("database");
    let mut session = Session::start(
        &target,
        &source,
        &directory,
        task.durability,
        task.workers,
        JobContext { observer: &observer, control },
    )?;
    let database_bytes_before = session.database_bytes();
    say(&Said::Ready)?;
    let clock = SystemClock::new();
    loop {
        match asked.recv() {
            Ok(Ask::Drive(spec)) => {
                let drive = session.drive(&spec, &clock, JobContext { observer: &observer, control })?;
                let database_bytes = session.database_bytes();
                say(&Said::Driven(Box::new(Driven { drive, database_bytes, memory_peak_bytes: None })))?;
            }
            Ok(Ask::Survey(spec)) => {
                say(&Said::Surveyed(survey(
                    &mut session,
                    &spec,
                    &clock,
                    JobContext { observer: &observer, control },
                )?))?;
            }
            Ok(Ask::Finish { verify }) => {
                let commands = session.commands_issued();
                let (verified, size) =
                    session.finish(verify && !control.is_stopped(), JobContext { observer: &observer, control })?;
                return say(&Said::Finished(Finished { verified, size, database_bytes_before, commands }));
            }
            // It was heard where it is listened for.
            Ok(Ask::Stop) => {}
            Err(_) => return Ok(()),
        }
    }
}

/// What is asked, in order. A stop takes effect at once.
fn listen(control: &Arc<Control>) -> Receiver<Ask> {
    let (sender, receiver) = channel();
    let control = Arc::clone(control);
    die_with_parent_hearing(move |line| match serde_json::from_str(line) {
        Ok(Ask::Stop) => control.stop(),
        Ok(ask) => drop(sender.send(ask)),
        // Whoever asked will miss the answer.
        Err(_) => {}
    });
    receiver
}

fn say(said: &Said) -> Result<(), CliError> {
    let line = serde_json::to_string(said).map_err(std::io::Error::from)?;
    crate::cli::output::raw(&format!("{line}\n"))
}

/// Passes on what the runner tells, not too often.
struct Teller {
    told: Mutex<Instant>,
}

impl Default for Teller {
    fn default() -> Self {
        Self { told: Mutex::new(Instant::now()) }
    }
}

impl Observer for Teller {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        // Whoever does not listen kills this process all the same.
        let _ = say(&Said::Phase { durability, phase, total });
    }

    fn progress(&self, done: u64, commands: u64) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= TELL {
            *told = Instant::now();
            drop(told);
            let _ = say(&Said::Progress { done, commands });
        }
    }

    fn latency(&self, p99_ns: u64) {
        let _ = say(&Said::Latency { p99_ns });
    }
}
